//! Keeps events: one synchronous block for timeline, session, profile and outbox.
//!
//! Records of one profile in, one [`Recorded`] each out, in order, and the deliveries that follow. The recorded consent is
//! the authority here, not the event's own claim: a page may be old, forged or late.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use hilo_core::event::{Event, Gist};
use hilo_core::journey::Channel;
use jiff::Timestamp;

use super::known::Known;
use super::millis;
use super::outbox;
use crate::calls::{Delivery, Planned, Record, Recorded, body, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// What the records of a call share.
pub(super) struct Asked<'c> {
    /// The object's name.
    pub(super) name: &'c str,
    /// Where events go.
    pub(super) plans: &'c [Planned],
    /// The events as JSON, one right after another.
    pub(super) bodies: &'c str,
    /// The clock.
    pub(super) now: Timestamp,
}

/// What became of a call's records.
pub(super) struct Kept {
    /// One per record, in order; `None` if each was stored and goes where it was planned to.
    pub(super) answers: Option<Vec<Recorded>>,
    /// What was kept and may go out at once.
    pub(super) fresh: Vec<Delivery>,
}

/// Keeps `records`. Run it inside a transaction, and forget `known` if that fails.
pub(super) fn record(
    sql: &impl Sql,
    known: &mut Known,
    asked: &Asked<'_>,
    records: Vec<Record>,
) -> Result<Kept, Failure> {
    // Attributed as if all were new: a duplicate belongs to a session that is known already.
    let mut bodies = Bodies { text: Cow::Borrowed(asked.bodies), taken: 0 };
    let mut candidates = Vec::with_capacity(records.len());
    for record in records {
        candidates.push(Candidate::of(record, sql, known, &mut bodies)?);
    }
    let is_new = insert(sql, &candidates, &bodies)?;
    let (mut kept, mut rows) = (Vec::new(), Vec::new());
    let mut answers = Vec::with_capacity(candidates.len());
    let mut is_as_planned = true;
    for (candidate, is_new) in candidates.iter().zip(is_new) {
        let gist = &candidate.gist;
        let answer = match &candidate.place {
            None => Recorded::ConsentDenied,
            Some(_) if !is_new => Recorded::Duplicate,
            Some(place) => {
                let body = body(&bodies.text, place.clone())?;
                let allowed = candidate.allowed(asked.plans, known);
                is_as_planned &= !candidate.is_reattributed && allowed.len() == candidate.to.len();
                let destinations = allowed.iter().map(|planned| planned.name.clone()).collect();
                let message_id = gist.message_id.as_str();
                rows.extend(allowed.into_iter().map(|planned| outbox::Row {
                    message_id,
                    body,
                    planned,
                }));
                kept.push(gist);
                Recorded::Stored { channel: gist.channel, destinations }
            }
        };
        answers.push(answer);
    }
    is_as_planned &= kept.len() == candidates.len();
    known.keep_sessions(sql, !kept.is_empty())?;
    let fresh = outbox::queue_up(sql, &rows, known, asked.name, asked.now)?;
    known.fold(sql, &kept)?;
    Ok(Kept { answers: (!is_as_planned).then_some(answers), fresh })
}

/// The call's events, and behind them those that had to be written anew.
struct Bodies<'c> {
    text: Cow<'c, str>,
    /// Where the next record's event begins.
    taken: usize,
}

impl Bodies<'_> {
    fn take(&mut self, bytes: usize) -> Range<usize> {
        let start = self.taken;
        self.taken += bytes;
        start..self.taken
    }

    fn add(&mut self, event: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.to_mut().push_str(event);
        start..self.text.len()
    }
}

/// A record on its way in.
struct Candidate {
    gist: Gist,
    to: Vec<usize>,
    /// Where its event is, as it will be stored; `None` where the recorded consent denies it.
    place: Option<Range<usize>>,
    /// Whether its session says another channel than the event does.
    is_reattributed: bool,
}

impl Candidate {
    fn of(
        record: Record,
        sql: &impl Sql,
        known: &mut Known,
        bodies: &mut Bodies<'_>,
    ) -> Result<Candidate, Failure> {
        let Record { mut gist, bytes, to } = record;
        let mut place = bodies.take(bytes);
        if known.standing.denies(&gist.purposes, gist.revision) {
            return Ok(Candidate { gist, to, place: None, is_reattributed: false });
        }
        let channel = known.attribute(sql, &gist)?;
        let is_reattributed = channel != gist.channel;
        if is_reattributed {
            // Rare: an event of a session mostly shows by itself what opened it.
            place = bodies.add(&attributed(body(&bodies.text, place)?, channel)?);
            gist.channel = channel;
        }
        Ok(Candidate { gist, to, place: Some(place), is_reattributed })
    }

    /// Its row on the timeline, if it may have one.
    fn row(&self) -> Option<(&Gist, &Range<usize>)> {
        Some((&self.gist, self.place.as_ref()?))
    }

    /// The destinations that neither the recorded consent nor a missing opt-in rules out.
    fn allowed<'p>(&self, plans: &'p [Planned], known: &Known) -> Vec<&'p Planned> {
        let planned = self.to.iter().filter_map(|&place| plans.get(place));
        planned.filter(|planned| known.allows(planned, self.gist.revision)).collect()
    }
}

/// The event with another channel.
fn attributed(event: &str, channel: Option<Channel>) -> Result<String, Failure> {
    let mut event: Event = decode(event)?;
    event.context.hilo.channel = channel;
    encode(&event)
}

/// Writes the timeline, and answers of each candidate whether it was new.
///
/// Mostly all are, so all are written first; only where that breaks the rule of one row per id is asked which ones.
fn insert(
    sql: &impl Sql,
    candidates: &[Candidate],
    bodies: &Bodies<'_>,
) -> Result<Vec<bool>, Failure> {
    let rows: Vec<_> = candidates.iter().filter_map(Candidate::row).collect();
    if insert_all(sql, &rows, bodies).is_ok() {
        return Ok(candidates.iter().map(|one| one.place.is_some()).collect());
    }
    let mut seen = stored(sql, &rows)?;
    let is_new =
        |one: &Candidate| one.row().is_some_and(|(gist, _)| seen.insert(gist.message_id.clone()));
    let is_new: Vec<bool> = candidates.iter().map(is_new).collect();
    let fresh = candidates.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
    let rows: Vec<_> = fresh.filter_map(|(one, _)| one.row()).collect();
    insert_all(sql, &rows, bodies)?;
    Ok(is_new)
}

fn insert_all(
    sql: &impl Sql,
    rows: &[(&Gist, &Range<usize>)],
    bodies: &Bodies<'_>,
) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    // SQLite counts from one.
    let lines = rows.iter().map(|(gist, place)| {
        (&gist.message_id, millis(gist.occurred_at), place.start + 1, place.len())
    });
    let lines: Vec<_> = lines.collect();
    // Two values for all rows: thirty of them cost more on their way through JavaScript than SQLite's reading of a list.
    sql.run(
        "INSERT INTO events (message_id, occurred_ms, body)
         SELECT value ->> 0, value ->> 1, CAST(substr(?1, value ->> 2, value ->> 3) AS TEXT)
         FROM json_each(?2)",
        &[SqlValue::Bytes(bodies.text.as_bytes().to_vec()), SqlValue::Text(encode(&lines)?)],
    )
}

/// The ids among `rows` that are on the timeline.
fn stored(sql: &impl Sql, rows: &[(&Gist, &Range<usize>)]) -> Result<BTreeSet<String>, Failure> {
    let ids: Vec<&str> = rows.iter().map(|(gist, _)| gist.message_id.as_str()).collect();
    let found = sql.exec(
        "SELECT message_id FROM events WHERE message_id IN (SELECT value FROM json_each(?))",
        &[SqlValue::Text(encode(&ids)?)],
    )?;
    found.iter().map(|row| row.text("message_id").map(str::to_owned)).collect()
}
