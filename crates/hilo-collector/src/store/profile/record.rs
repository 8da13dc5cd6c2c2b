//! Keeps events: one synchronous block for timeline, session, profile and outbox.
//!
//! Records of one profile in, one [`Recorded`] each out, in order, and the deliveries that follow. The recorded consent is
//! the authority here, not the event's own claim: a page may be old, forged or late.

use std::collections::BTreeSet;

use hilo_core::event::{Event, Gist};
use hilo_core::journey::Channel;
use hilo_core::profile::fold;
use jiff::Timestamp;
use serde_json::value::{RawValue, to_raw_value};

use super::known::Known;
use super::millis;
use super::outbox::{self, PARAMETERS_MAX};
use crate::calls::{Delivery, Planned, Record, Recorded, decode};
use crate::platform::{Failure, Sql, SqlValue};

/// What became of a call's records.
pub(super) struct Kept {
    /// One per record, in order.
    pub(super) answers: Vec<Recorded>,
    /// What was kept and may go out at once.
    pub(super) fresh: Vec<Delivery>,
}

/// Keeps `records` of the object called `name`. Run it inside a transaction, and forget `known` if that fails.
pub(super) fn record(
    sql: &impl Sql,
    known: &mut Known,
    name: &str,
    records: Vec<Record>,
    now: Timestamp,
) -> Result<Kept, Failure> {
    // Attributed as if all were new: a duplicate belongs to a session that is known already.
    let mut candidates = Vec::with_capacity(records.len());
    for record in records {
        candidates.push(Candidate::of(record, sql, known)?);
    }
    let mut fresh = insert(sql, &candidates)?;
    let (mut kept, mut rows) = (Vec::new(), Vec::new());
    let mut answers = Vec::with_capacity(candidates.len());
    for candidate in &candidates {
        let Some(body) = &candidate.body else {
            answers.push(Recorded::ConsentDenied);
            continue;
        };
        let gist = &candidate.gist;
        if !fresh.remove(gist.message_id.as_str()) {
            answers.push(Recorded::Duplicate);
            continue;
        }
        let allowed = candidate.allowed(known);
        answers.push(Recorded::Stored {
            channel: gist.channel,
            destinations: allowed.iter().map(|planned| planned.name.clone()).collect(),
        });
        let message_id = gist.message_id.as_str();
        rows.extend(allowed.into_iter().map(|planned| outbox::Row { message_id, body, planned }));
        kept.push(gist);
    }
    known.keep_sessions(sql, !kept.is_empty())?;
    let fresh = outbox::queue_up(sql, &rows, known, name, now)?;
    if !kept.is_empty() {
        for gist in &kept {
            known.profile = fold(std::mem::take(&mut known.profile), gist);
        }
        known.keep_profile(sql)?;
    }
    Ok(Kept { answers, fresh })
}

/// A record on its way in.
struct Candidate {
    gist: Gist,
    destinations: Vec<Planned>,
    /// As it will be stored; `None` where the recorded consent denies it.
    body: Option<Box<RawValue>>,
}

impl Candidate {
    fn of(record: Record, sql: &impl Sql, known: &mut Known) -> Result<Candidate, Failure> {
        let Record { mut gist, event, destinations } = record;
        if known.standing.denies(&gist.purposes, gist.revision) {
            return Ok(Candidate { gist, destinations, body: None });
        }
        let channel = known.attribute(sql, &gist)?;
        let body = if channel == gist.channel { event } else { attributed(&event, channel)? };
        gist.channel = channel;
        Ok(Candidate { gist, destinations, body: Some(body) })
    }

    /// The destinations that neither the recorded consent nor a missing opt-in rules out.
    fn allowed(&self, known: &Known) -> Vec<&Planned> {
        self.destinations
            .iter()
            .filter(|planned| known.allows(planned, self.gist.revision))
            .collect()
    }
}

/// The event with another channel. Rare: an event of a session mostly shows by itself what opened it.
fn attributed(event: &RawValue, channel: Option<Channel>) -> Result<Box<RawValue>, Failure> {
    let mut event: Event = decode(event.get())?;
    event.context.hilo.channel = channel;
    to_raw_value(&event).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Writes the timeline, and answers the ids that were new.
///
/// Mostly all are, so all are written first; only where that breaks the rule of one row per id is asked which ones.
fn insert<'c>(sql: &impl Sql, candidates: &'c [Candidate]) -> Result<BTreeSet<&'c str>, Failure> {
    let rows = candidates.iter().filter_map(|one| Some((&one.gist, one.body.as_deref()?)));
    let rows: Vec<(&Gist, &RawValue)> = rows.collect();
    let mut fresh = BTreeSet::new();
    for rows in rows.chunks(PARAMETERS_MAX / 3) {
        let mut rows = rows.to_vec();
        if insert_all(sql, &rows).is_err() {
            let mut seen = stored(sql, &rows)?;
            rows.retain(|(gist, _)| seen.insert(gist.message_id.clone()));
            insert_all(sql, &rows)?;
        }
        fresh.extend(rows.iter().map(|(gist, _)| gist.message_id.as_str()));
    }
    Ok(fresh)
}

fn insert_all(sql: &impl Sql, rows: &[(&Gist, &RawValue)]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut values = Vec::with_capacity(rows.len() * 3);
    for (gist, body) in rows {
        values.push(SqlValue::from(gist.message_id.as_str()));
        values.push(SqlValue::int(millis(gist.occurred_at))?);
        values.push(SqlValue::from(body.get()));
    }
    let places = outbox::tuples("(?,?,?)", rows.len());
    let query = format!("INSERT INTO events (message_id, occurred_ms, body) VALUES {places}");
    sql.run(&query, &values)
}

/// The ids among `rows` that are on the timeline.
fn stored(sql: &impl Sql, rows: &[(&Gist, &RawValue)]) -> Result<BTreeSet<String>, Failure> {
    let ids = rows.iter().map(|(gist, _)| SqlValue::from(gist.message_id.as_str()));
    let ids: Vec<SqlValue> = ids.collect();
    let places = outbox::tuples("?", ids.len());
    let query = format!("SELECT message_id FROM events WHERE message_id IN ({places})");
    let found = sql.exec(&query, &ids)?;
    found.iter().map(|row| row.text("message_id").map(str::to_owned)).collect()
}
