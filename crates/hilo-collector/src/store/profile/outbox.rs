//! The outbox: what still has to be delivered, and when.
//!
//! A row is a list of events for one destination that share their fate so far: mostly all events of one call. `settled.rs`
//! writes what became of them, and parts rows. Leases are in memory only, see `leases.rs`.

use std::rc::Rc;

use hilo_core::consent::{OptInChannel, Purpose};
use hilo_core::profile::Person;
use jiff::Timestamp;

use super::known::Known;
use super::settled::{self, Fate};
use super::volatile::Volatile;
use super::{consent, optin};
use crate::calls::{Delivery, MESSAGE_DELIVERIES_MAX, Planned, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// How far ahead an alarm is set at most while something is pending. A crash forgets leases, so the alarm has to come long
/// before the leases end.
const ALARM_MS_MAX: i64 = 5_000;
/// Events of one row. They fit into one message of the queue, so that they are mostly confirmed together.
const ROW_EVENTS_MAX: usize = MESSAGE_DELIVERIES_MAX;
/// Rows that one statement writes: a value of a Durable Object may have 2 MB, and a row's ids some kilobytes.
const STATEMENT_ROWS_MAX: usize = 100;
/// Rows looked at in one go.
const DUE_ROWS_MAX: i64 = 500;
/// Deliveries handed out in one go. A row that is begun goes out whole, and the next alarm takes the others.
const DUE_DELIVERIES_MAX: usize = 200;

/// Leases deliveries of events that were just stored, and keeps them until they are [`ready`]. What is too much for one go
/// stays in the rows alone.
pub(super) fn lease(volatile: &mut Volatile, made: Vec<Delivery>, now: Timestamp) {
    let Volatile { leases, fresh, .. } = volatile;
    let now_ms = now.as_millisecond();
    for delivery in made {
        // A row goes whole or not at all.
        let is_begun = fresh.last().is_some_and(|last| last.row == delivery.row);
        if fresh.len() >= DUE_DELIVERIES_MAX && !is_begun {
            leases.is_behind = true;
            break;
        }
        leases.hold(delivery.row, now_ms, now_ms);
        fresh.push(delivery);
    }
}

/// Takes back the deliveries that wait in memory, so that their rows are asked again. Returns whether there were any.
pub(super) fn recall(volatile: &mut Volatile) -> bool {
    let waiting = std::mem::take(&mut volatile.fresh);
    release(volatile, &waiting);
    !waiting.is_empty()
}

/// Hands out the deliveries that wait in memory, and those that are [`due`] unless memory shows that no others are.
///
/// # Errors
/// Whatever the storage answers.
pub fn ready(
    sql: &impl Sql,
    volatile: &mut Volatile,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    let is_behind = volatile.leases.is_behind;
    let mut deliveries = if is_behind { due(sql, volatile, now)? } else { Vec::new() };
    share_persons(&mut volatile.fresh);
    deliveries.append(&mut volatile.fresh);
    Ok(deliveries)
}

/// Gives events that waited together the newest person of their destination, so that a message carries one person.
fn share_persons(deliveries: &mut [Delivery]) {
    let mut newest: Vec<(String, Rc<Person>)> = Vec::new();
    for Delivery { destination, person, .. } in deliveries.iter_mut().rev() {
        let Some(person) = person else { continue };
        match newest.iter().find(|(known, _)| known == destination) {
            Some((_, newer)) => *person = Rc::clone(newer),
            None => newest.push((destination.clone(), Rc::clone(person))),
        }
    }
}

/// An event and a destination of it.
pub(super) struct Bound<'r> {
    /// The event's id.
    pub(super) message_id: &'r str,
    /// The event as stored.
    pub(super) body: &'r str,
    /// Where to, as its place in the call's plans.
    pub(super) to: usize,
    /// What is planned there.
    pub(super) planned: &'r Planned,
}

impl Bound<'_> {
    /// Its first attempt, from `row` of the object called `profile`.
    fn delivery(&self, profile: &str, row: i64, person: Option<Rc<Person>>) -> Delivery {
        Delivery {
            profile: profile.to_owned(),
            row,
            message_id: self.message_id.to_owned(),
            destination: self.planned.name.clone(),
            attempt: 0,
            steps: 0,
            event: self.body.to_owned(),
            person,
        }
    }
}

/// Writes the rows of events that were just stored in the object called `profile`, and returns what may go out at once.
///
/// [`due`] ends a row that the recorded consent denies: an event may belong to a newer choice than the record has yet.
pub(super) fn queue_up(
    sql: &impl Sql,
    profile: &str,
    bound: &[Bound<'_>],
    known: &mut Known,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    let of = |to: usize| bound.iter().filter(move |one| one.to == to).collect();
    let last = bound.iter().map(|one| one.to).max();
    let plans: Vec<Vec<&Bound<'_>>> =
        last.map_or_else(Vec::new, |last| (0..=last).map(of).collect());
    let rows: Vec<&[&Bound<'_>]> =
        plans.iter().flat_map(|events| events.chunks(ROW_EVENTS_MAX)).collect();
    let mut fresh = Vec::new();
    for rows in rows.chunks(STATEMENT_ROWS_MAX) {
        // Numbered here, so that each row's number is known without asking. Only the object writes.
        let first = known.next_rows(sql, rows.len())?;
        insert(sql, first, rows, now)?;
        for (row, events) in (first..).zip(rows) {
            let person = events.first().and_then(|one| person(known, one.planned));
            let may_go = events.iter().filter(|one| known.allows(one.planned, 0));
            fresh.extend(may_go.map(|one| one.delivery(profile, row, person.clone())));
        }
    }
    Ok(fresh)
}

/// The person for a destination that wants one.
fn person(known: &Known, planned: &Planned) -> Option<Rc<Person>> {
    planned.wants_person.then(|| Rc::new(known.person(&planned.purposes)))
}

fn insert(
    sql: &impl Sql,
    first: i64,
    rows: &[&[&Bound<'_>]],
    now: Timestamp,
) -> Result<(), Failure> {
    let mut lines = Vec::with_capacity(rows.len());
    for events in rows {
        // No row is empty.
        let Some(planned) = events.first().map(|one| one.planned) else { continue };
        let Planned { name, purposes, channel, wants_person } = planned;
        let ids: Vec<&str> = events.iter().map(|one| one.message_id).collect();
        let purposes: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
        let channel = channel.map(OptInChannel::name);
        lines.push((ids, name, purposes.join(","), channel, u8::from(*wants_person)));
    }
    sql.run(
        "INSERT INTO outbox
           (seq, message_ids, destination, purposes, channel, wants_person, next_ms, updated_ms)
         SELECT ?1 + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2, ?2
         FROM json_each(?3)",
        &[
            SqlValue::int(first)?,
            SqlValue::int(now.as_millisecond())?,
            SqlValue::Text(encode(&lines)?),
        ],
    )
}

/// Leases what is due and not under way, and hands it out.
///
/// # Errors
/// Whatever the storage answers.
pub fn due(
    sql: &impl Sql,
    volatile: &mut Volatile,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    if !volatile.has_storage(sql, false)? {
        return Ok(Vec::new());
    }
    let now_ms = now.as_millisecond();
    volatile.leases.is_behind = false;
    // Mostly everything due is under way. What is leased is due, so comparing the numbers is enough and reads no row.
    if count_due(sql, now_ms)? <= volatile.leases.count(now_ms) {
        return Ok(Vec::new());
    }
    let standing = consent::standing(sql)?;
    let subscriptions = optin::subscriptions(sql)?;
    let mut persons = Persons::default();
    let rows = sql.exec(
        "SELECT seq, message_ids, destination, purposes, channel, attempts, steps, wants_person, updated_ms,
           (SELECT value FROM meta WHERE key = 'name') AS profile FROM outbox
         WHERE state = 'pending' AND next_ms <= ? ORDER BY next_ms, seq LIMIT ?",
        &[SqlValue::int(now_ms)?, SqlValue::Int(DUE_ROWS_MAX)],
    )?;
    let mut deliveries = Vec::new();
    for row in &rows {
        let (seq, row_ms) = (row.int("seq")?, row.int("updated_ms")?);
        if volatile.leases.holds(seq, row_ms) {
            continue;
        }
        // Consent is asked again here, because the person may have withdrawn it. Any recorded denial counts, whatever its
        // revision: it came after the row.
        if standing.denies(&purposes(row)?, 0) {
            settled::write_fate(sql, seq, &Fate::dead(settled::CONSENT_DENIED), now_ms)?;
            continue;
        }
        let channel = row.text_opt("channel").and_then(OptInChannel::from_name);
        if !subscriptions.allow(channel) {
            settled::write_fate(sql, seq, &Fate::dead(settled::NOT_SUBSCRIBED), now_ms)?;
            continue;
        }
        if deliveries.len() >= DUE_DELIVERIES_MAX {
            volatile.leases.is_behind = true;
            break;
        }
        let person = persons.of_row(sql, volatile, row)?;
        deliveries.extend(read_row(sql, row, person.as_ref())?);
        volatile.leases.hold(seq, row_ms, now_ms);
    }
    Ok(deliveries)
}

/// The persons of rows that are handed out together, by the purposes that their destinations need.
#[derive(Default)]
struct Persons(Vec<(String, Rc<Person>)>);

impl Persons {
    /// The person for a row whose destination wants one. Rows with the same purposes share it.
    fn of_row(
        &mut self,
        sql: &impl Sql,
        volatile: &mut Volatile,
        row: &SqlRow,
    ) -> Result<Option<Rc<Person>>, Failure> {
        if row.int("wants_person")? == 0 {
            return Ok(None);
        }
        let key = row.text("purposes")?;
        if let Some((_, person)) = self.0.iter().find(|(known, _)| known == key) {
            return Ok(Some(Rc::clone(person)));
        }
        let purposes = purposes(row)?;
        let person = Rc::new(volatile.with_known(sql, |known| Ok(known.person(&purposes)))?);
        self.0.push((key.to_owned(), Rc::clone(&person)));
        Ok(Some(person))
    }
}

fn count_due(sql: &impl Sql, now_ms: i64) -> Result<usize, Failure> {
    let rows = sql.exec(
        "SELECT count(*) AS n FROM outbox WHERE state = 'pending' AND next_ms <= ?",
        &[SqlValue::int(now_ms)?],
    )?;
    let count = rows.first().map_or(Ok(0), |row| row.int("n"))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

fn purposes(row: &SqlRow) -> Result<Vec<Purpose>, Failure> {
    Ok(row.text("purposes")?.split(',').filter_map(Purpose::from_name).collect())
}

/// The deliveries of a row.
fn read_row(
    sql: &impl Sql,
    row: &SqlRow,
    person: Option<&Rc<Person>>,
) -> Result<Vec<Delivery>, Failure> {
    let events = sql.exec(
        "SELECT message_id, body FROM json_each(?) JOIN events ON message_id = value ORDER BY key",
        &[SqlValue::from(row.text("message_ids")?)],
    )?;
    let delivery = |event: &SqlRow| {
        Ok(Delivery {
            profile: row.text("profile")?.to_owned(),
            row: row.int("seq")?,
            message_id: event.text("message_id")?.to_owned(),
            destination: row.text("destination")?.to_owned(),
            attempt: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
            steps: u32::try_from(row.int("steps")?).unwrap_or(u32::MAX),
            event: event.text("body")?.to_owned(),
            person: person.cloned(),
        })
    };
    events.iter().map(delivery).collect()
}

/// Gives leases back when the queue did not take the deliveries: the next alarm tries again.
pub fn release(volatile: &mut Volatile, deliveries: &[Delivery]) {
    volatile.leases.is_behind = true;
    for delivery in deliveries {
        volatile.leases.end(delivery.row);
    }
}

/// When to look again, if anything is pending.
///
/// # Errors
/// Whatever the storage answers.
pub fn next_alarm(sql: &impl Sql, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let rows = sql
        .exec("SELECT next_ms FROM outbox WHERE state = 'pending' ORDER BY next_ms LIMIT 1", &[])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let next_ms = row.int("next_ms")?;
    // What is due already is leased or about to be. Look again soon, but never in a tight loop.
    if next_ms <= now.as_millisecond() {
        return soon(now).map(Some);
    }
    let at = Timestamp::from_millisecond(next_ms);
    at.map(Some).map_err(|error| Failure::Fatal(error.to_string()))
}

/// When to look again at what is under way.
pub(super) fn soon(now: Timestamp) -> Result<Timestamp, Failure> {
    now.checked_add(jiff::SignedDuration::from_millis(ALARM_MS_MAX))
        .map_err(|error| Failure::Fatal(error.to_string()))
}
