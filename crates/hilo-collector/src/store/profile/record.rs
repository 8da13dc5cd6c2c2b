//! Stores events: timeline, session, profile and outbox in one synchronous block.
//!
//! Records of one profile → one [`Recorded`] per record, in order, and the deliveries. The recorded consent decides
//! here, not the event's own claim: a page may be old, forged or late.

use std::borrow::Cow;
use std::collections::BTreeSet;

use hilo_core::consent::Purpose;
use hilo_core::event::{Event, Gist};
use hilo_core::journey::Channel;
use jiff::Timestamp;

use super::known::Known;
use super::outbox;
use crate::calls::{Delivery, Planned, Record, Recorded, body, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// The most bytes of events that one statement writes: a value of a Durable Object may have 2 MB.
const STATEMENT_BYTES_MAX: usize = 1024 * 1024;

/// The values that all records of a call share.
pub(super) struct Shared<'c> {
    /// The object's name.
    pub(super) name: &'c str,
    /// The source that sent the events.
    pub(super) source: &'c str,
    /// The destinations of the events.
    pub(super) plans: &'c [Planned],
    /// The events as JSON, one right after another.
    pub(super) bodies: &'c str,
    /// The current time.
    pub(super) now: Timestamp,
}

/// The result of a record call.
pub(super) struct RecordResult {
    /// One result per record, in order; `None` if each event was stored and goes to the destinations of its plan.
    pub(super) recorded: Option<Vec<Recorded>>,
    /// The deliveries that may be sent at once.
    pub(super) fresh: Vec<Delivery>,
    /// Whether the outbox got rows, some of which may have to wait.
    pub(super) has_rows: bool,
}

/// Stores `records`. Run it inside a transaction, and drop `known` if the transaction fails.
pub(super) fn record(
    sql: &impl Sql,
    known: &mut Known,
    shared: &Shared<'_>,
    records: Vec<Record>,
) -> Result<RecordResult, Failure> {
    // All events are attributed as if they were new: the session of a duplicate is stored already.
    let mut candidates = Vec::with_capacity(records.len());
    let mut at = 0;
    for record in records {
        let event = body(shared.bodies, at..at + record.bytes)?;
        at += record.bytes;
        candidates.push(Candidate::of(record, event, sql, known)?);
    }
    let is_new = insert(sql, &candidates, shared.source)?;
    let (mut kept, mut bound) = (Vec::new(), Vec::new());
    let mut is_as_planned = true;
    for (candidate, is_new) in candidates.iter().zip(&is_new) {
        let Some((gist, body)) = candidate.row().filter(|_| *is_new) else { continue };
        let allowed = candidate.allowed(shared.plans, known);
        is_as_planned &= !candidate.is_rewritten() && allowed.len() == candidate.to.len();
        let message_id = gist.message_id.as_str();
        let bind = |(to, planned)| outbox::Bound { message_id, body, to, planned };
        bound.extend(allowed.into_iter().map(bind));
        kept.push(gist);
    }
    is_as_planned &= kept.len() == candidates.len();
    known.keep_sessions(sql, !kept.is_empty())?;
    // The profile is folded first: a person that is sent with an event has the traits of that event.
    known.fold(sql, &kept, shared.source)?;
    let fresh = outbox::queue_up(sql, shared.name, &bound, known, shared.now)?;
    let recorded = candidates.iter().zip(is_new);
    let recorded = recorded.map(|(one, is_new)| one.recorded(is_new, shared.plans, known));
    let recorded = (!is_as_planned).then(|| recorded.collect());
    Ok(RecordResult { recorded, fresh, has_rows: !bound.is_empty() })
}

/// A record that is being stored.
struct Candidate<'c> {
    gist: Gist,
    to: Vec<usize>,
    /// The event as it will be stored. It is written again if its session has another channel, or if a recorded choice
    /// lifts Global Privacy Control. `None` if the recorded consent denies the event.
    body: Option<Cow<'c, str>>,
}

impl<'c> Candidate<'c> {
    fn of(
        record: Record,
        event: &'c str,
        sql: &impl Sql,
        known: &mut Known,
    ) -> Result<Candidate<'c>, Failure> {
        let Record { mut gist, to, .. } = record;
        if known.standing.denies(&gist.purposes) {
            return Ok(Candidate { gist, to, body: None });
        }
        let channel = known.attribute(sql, &gist)?;
        let lifted = known.lift_gpc(&mut gist);
        let mut body = Cow::Borrowed(event);
        if channel != gist.channel || !lifted.is_empty() {
            // This is rare: mostly an event itself shows which visit opened its session.
            body = Cow::Owned(rewritten(event, channel, &lifted)?);
            gist.channel = channel;
        }
        Ok(Candidate { gist, to, body: Some(body) })
    }

    /// Returns the event's row of the timeline, unless its consent is denied.
    fn row(&self) -> Option<(&Gist, &str)> {
        Some((&self.gist, self.body.as_deref()?))
    }

    fn is_rewritten(&self) -> bool {
        matches!(self.body, Some(Cow::Owned(_)))
    }

    /// Returns the result of the record.
    fn recorded(&self, is_new: bool, plans: &[Planned], known: &Known) -> Recorded {
        if self.body.is_none() {
            return Recorded::ConsentDenied;
        }
        if !is_new {
            return Recorded::Duplicate;
        }
        let allowed = self.allowed(plans, known);
        let destinations = allowed.into_iter().map(|(_, planned)| planned.name.clone()).collect();
        Recorded::Stored { channel: self.gist.channel, destinations }
    }

    /// Lists the destinations that the recorded consent, Global Privacy Control and the opt-ins allow.
    fn allowed<'p>(&self, plans: &'p [Planned], known: &Known) -> Vec<(usize, &'p Planned)> {
        let planned = self.to.iter().filter_map(|&to| Some((to, plans.get(to)?)));
        let is_denied = |planned: &Planned| {
            planned.purposes.iter().any(|purpose| self.gist.against_gpc.contains(purpose))
        };
        planned.filter(|(_, one)| known.allows(one) && !is_denied(one)).collect()
    }
}

/// Writes the event with another channel, and with the purposes that a recorded choice grants although the browser sent
/// `Sec-GPC: 1`.
fn rewritten(event: &str, channel: Option<Channel>, lifted: &[Purpose]) -> Result<String, Failure> {
    let mut event: Event = decode(event)?;
    event.context.hilo.channel = channel;
    let claim = event.context.consent.get_or_insert_default();
    for purpose in lifted {
        claim.category_preferences.insert(purpose.name().to_owned(), true);
    }
    encode(&event)
}

/// Writes the timeline. Returns for each candidate whether it was new.
fn insert(
    sql: &impl Sql,
    candidates: &[Candidate<'_>],
    source: &str,
) -> Result<Vec<bool>, Failure> {
    let (mut is_new, mut rest) = (Vec::with_capacity(candidates.len()), candidates);
    while !rest.is_empty() {
        let (some, others) = rest.split_at(fitting(rest));
        is_new.extend(insert_some(sql, some, source)?);
        rest = others;
    }
    Ok(is_new)
}

/// Returns the number of `candidates` that fit into one statement: at least one.
fn fitting(candidates: &[Candidate<'_>]) -> usize {
    let mut bytes = 0;
    let fits = |one: &&Candidate<'_>| {
        bytes += one.body.as_deref().map_or(0, str::len);
        bytes <= STATEMENT_BYTES_MAX
    };
    candidates.iter().take_while(fits).count().max(1)
}

/// Writes all candidates first, because mostly all of them are new. If that violates the rule of one row per id, a query
/// finds the candidates that are new.
fn insert_some(
    sql: &impl Sql,
    candidates: &[Candidate<'_>],
    source: &str,
) -> Result<Vec<bool>, Failure> {
    let rows: Vec<_> = candidates.iter().filter_map(Candidate::row).collect();
    if insert_rows(sql, &rows, source).is_ok() {
        return Ok(candidates.iter().map(|one| one.body.is_some()).collect());
    }
    let mut seen = stored(sql, &rows)?;
    let is_new = |one: &Candidate<'_>| {
        one.row().is_some_and(|(gist, _)| seen.insert(gist.message_id.clone()))
    };
    let is_new: Vec<bool> = candidates.iter().map(is_new).collect();
    let fresh = candidates.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
    let rows: Vec<_> = fresh.filter_map(|(one, _)| one.row()).collect();
    insert_rows(sql, &rows, source)?;
    Ok(is_new)
}

fn insert_rows(sql: &impl Sql, rows: &[(&Gist, &str)], source: &str) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let (mut bodies, mut lines) = (Vec::new(), Vec::with_capacity(rows.len()));
    for (gist, body) in rows {
        // SQLite counts from one.
        let start = bodies.len() + 1;
        lines.push((&gist.message_id, gist.occurred_at.as_millisecond(), start, body.len()));
        bodies.extend_from_slice(body.as_bytes());
    }
    // Three values stand for all rows: binding thirty values through JavaScript costs more than the time SQLite needs to
    // read a list.
    sql.run(
        "INSERT INTO events (message_id, occurred_ms, body, source)
         SELECT value ->> 0, value ->> 1, CAST(substr(?1, value ->> 2, value ->> 3) AS TEXT), ?3
         FROM json_each(?2)",
        &[SqlValue::Bytes(bodies), SqlValue::Text(encode(&lines)?), SqlValue::from(source)],
    )
}

/// Returns the ids of those `rows` that are on the timeline already.
fn stored(sql: &impl Sql, rows: &[(&Gist, &str)]) -> Result<BTreeSet<String>, Failure> {
    let ids: Vec<&str> = rows.iter().map(|(gist, _)| gist.message_id.as_str()).collect();
    let found = sql.exec(
        "SELECT message_id FROM events WHERE message_id IN (SELECT value FROM json_each(?))",
        &[SqlValue::Text(encode(&ids)?)],
    )?;
    found.iter().map(|row| row.text("message_id").map(str::to_owned)).collect()
}
