//! Keeps events: one synchronous block for timeline, session, profile and outbox.
//!
//! Records of one profile in, one [`Recorded`] each out, in order, and the deliveries that follow. The recorded consent is
//! the authority here, not the event's own claim: a page may be old, forged or late.

use std::collections::BTreeSet;

use hilo_core::event::Event;
use hilo_core::profile::fold;
use jiff::Timestamp;
use serde_json::value::{RawValue, to_raw_value};

use super::known::Known;
use super::millis;
use super::outbox::{self, PARAMETERS_MAX};
use crate::calls::{Delivery, Planned, Record, Recorded};
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
        let event = &candidate.event;
        if !fresh.remove(event.message_id.as_str()) {
            answers.push(Recorded::Duplicate);
            continue;
        }
        let allowed = candidate.allowed(known);
        answers.push(Recorded::Stored {
            channel: event.context.hilo.channel,
            destinations: allowed.iter().map(|planned| planned.name.clone()).collect(),
        });
        rows.extend(allowed.into_iter().map(|planned| outbox::Row { event, body, planned }));
        kept.push(event);
    }
    known.keep_sessions(sql, !kept.is_empty())?;
    let fresh = outbox::queue_up(sql, &rows, known, name, now)?;
    if !kept.is_empty() {
        for event in &kept {
            known.profile = fold(std::mem::take(&mut known.profile), event);
        }
        known.keep_profile(sql)?;
    }
    Ok(Kept { answers, fresh })
}

/// A record on its way in.
struct Candidate {
    event: Event,
    destinations: Vec<Planned>,
    revision: u32,
    /// As it will be stored; `None` where the recorded consent denies it.
    body: Option<Box<RawValue>>,
}

impl Candidate {
    fn of(record: Record, sql: &impl Sql, known: &mut Known) -> Result<Candidate, Failure> {
        let Record { mut event, destinations } = record;
        let revision = event.context.consent.as_ref().map_or(0, |claim| claim.revision);
        if known.standing.denies(event.purposes(), revision) {
            return Ok(Candidate { event, destinations, revision, body: None });
        }
        known.attribute(sql, &mut event)?;
        let body = to_raw_value(&event).map_err(|error| Failure::Fatal(error.to_string()))?;
        Ok(Candidate { event, destinations, revision, body: Some(body) })
    }

    /// The destinations that neither the recorded consent nor a missing opt-in rules out.
    fn allowed(&self, known: &Known) -> Vec<&Planned> {
        self.destinations.iter().filter(|planned| known.allows(planned, self.revision)).collect()
    }
}

/// Writes the timeline, and answers the ids that were new.
///
/// Mostly all are, so all are written first; only where that breaks the rule of one row per id is asked which ones.
fn insert<'c>(sql: &impl Sql, candidates: &'c [Candidate]) -> Result<BTreeSet<&'c str>, Failure> {
    let rows = candidates.iter().filter_map(|one| Some((&one.event, one.body.as_deref()?)));
    let rows: Vec<(&Event, &RawValue)> = rows.collect();
    let mut fresh = BTreeSet::new();
    for rows in rows.chunks(PARAMETERS_MAX / 3) {
        let mut rows = rows.to_vec();
        if insert_all(sql, &rows).is_err() {
            let mut seen = stored(sql, &rows)?;
            rows.retain(|(event, _)| seen.insert(event.message_id.clone()));
            insert_all(sql, &rows)?;
        }
        fresh.extend(rows.iter().map(|(event, _)| event.message_id.as_str()));
    }
    Ok(fresh)
}

fn insert_all(sql: &impl Sql, rows: &[(&Event, &RawValue)]) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut values = Vec::with_capacity(rows.len() * 3);
    for (event, body) in rows {
        values.push(SqlValue::from(event.message_id.as_str()));
        values.push(SqlValue::int(millis(event.occurred_at))?);
        values.push(SqlValue::from(body.get()));
    }
    let places = outbox::tuples("(?,?,?)", rows.len());
    let query = format!("INSERT INTO events (message_id, occurred_ms, body) VALUES {places}");
    sql.run(&query, &values)
}

/// The ids among `rows` that are on the timeline.
fn stored(sql: &impl Sql, rows: &[(&Event, &RawValue)]) -> Result<BTreeSet<String>, Failure> {
    let ids = rows.iter().map(|(event, _)| SqlValue::from(event.message_id.as_str()));
    let ids: Vec<SqlValue> = ids.collect();
    let places = outbox::tuples("?", ids.len());
    let query = format!("SELECT message_id FROM events WHERE message_id IN ({places})");
    let found = sql.exec(&query, &ids)?;
    found.iter().map(|row| row.text("message_id").map(str::to_owned)).collect()
}
