//! The outbox: the pending deliveries and their times.
//!
//! A row is a list of events for one destination that share their fate so far: mostly all events of one call. It names the
//! events, which stand in the timeline. A delivery that is done has no row, unless an attempt failed before. `settled.rs` writes
//! the results, and splits rows. Leases are only in memory, see `leases.rs`.

use std::rc::Rc;

use hilo_core::consent::{OptInChannel, Purpose};
use hilo_core::profile::Person;
use jiff::Timestamp;

use super::known::Known;
use super::leases::Lease;
use super::sent_person::{Persons, Wants, person};
use super::settled::{self, Fate};
use super::standing::Standing;
use super::volatile::Volatile;
use super::{optin, overdue, timeline};
use crate::calls::journal::lines::AttemptEnd;
use crate::calls::{Delivery, LEASE_MS, MESSAGE_DELIVERIES_MAX, Planned, decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The longest delay of an alarm while a delivery is pending. A crash loses leases, so the alarm has to fire long before
/// the leases end. Each alarm of a visit is two written rows, so it does not fire more often than that.
const ALARM_MS_MAX: i64 = 20_000;
/// The most events of one row. They fit into one message of the queue, so that they are mostly confirmed together.
const ROW_EVENTS_MAX: usize = MESSAGE_DELIVERIES_MAX;
/// The most rows that one statement writes: a value of a Durable Object may have 2 MB, and a row's ids have some
/// kilobytes.
const STATEMENT_ROWS_MAX: usize = 100;
/// The most rows that are read at once.
const DUE_ROWS_MAX: i64 = 500;
/// The most deliveries that are sent at once. A row is always sent whole, and the next alarm sends the others.
const DUE_DELIVERIES_MAX: usize = 200;

/// Leases deliveries of events that were just stored, and keeps them in memory until they are [`ready`]. The deliveries
/// beyond the bound are only in the rows.
pub(super) fn lease(volatile: &mut Volatile, made: Vec<Delivery>, now: Timestamp) {
    let Volatile { leases, fresh, .. } = volatile;
    let now_ms = now.as_millisecond();
    for delivery in made {
        // A row is added whole or not at all.
        let is_begun = fresh.last().is_some_and(|last| last.row == delivery.row);
        if !is_begun {
            if fresh.len() >= DUE_DELIVERIES_MAX || leases.is_full(0) {
                leases.is_behind = true;
                break;
            }
            leases.hold(delivery.row, Lease::new(now_ms, 0, now_ms, now_ms));
        }
        fresh.push(delivery);
    }
}

/// Drops the deliveries that wait in memory, so that their rows are read again. Returns whether there were any.
pub(super) fn recall(volatile: &mut Volatile) -> bool {
    let waiting = std::mem::take(&mut volatile.fresh);
    end_leases(volatile, &waiting);
    !waiting.is_empty()
}

/// Lets the next call read consent and opt-ins again, because this one may change them. Returns whether any delivery waited.
pub(super) fn doubt(volatile: &mut Volatile) -> bool {
    volatile.known = None;
    recall(volatile)
}

/// Returns the deliveries that wait in memory, and those that are [`due`], unless memory shows that no others are due.
///
/// # Errors
/// The error of the storage.
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

/// Gives events that waited together the newest person for their destination, so that a message contains one person.
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

/// An event and one of its destinations.
pub(super) struct Bound<'r> {
    /// The event's number.
    pub(super) event: i64,
    /// The event's id.
    pub(super) message_id: &'r str,
    /// The name of the source that told it, where it is known.
    pub(super) source: Option<&'r str>,
    /// The event as stored.
    pub(super) body: &'r str,
    /// The destination, as its index in the call's plans.
    pub(super) to: usize,
    /// The plan of the destination.
    pub(super) planned: &'r Planned,
}

impl Bound<'_> {
    /// Makes the first delivery of the event, from `row` of the object called `profile`.
    fn delivery(&self, profile: &str, row: i64, brought: &Brought, now_ms: i64) -> Delivery {
        Delivery {
            profile: profile.to_owned(),
            row,
            message_id: self.message_id.to_owned(),
            destination: self.planned.name.clone(),
            attempt: 0,
            since_ms: now_ms,
            until_ms: now_ms + LEASE_MS,
            steps: 0,
            denied: brought.denied.clone(),
            source: self.source.map(str::to_owned),
            event: self.body.to_owned(),
            person: brought.person.clone(),
        }
    }
}

/// What deliveries bring of their profile beside the event.
struct Brought {
    person: Option<Rc<Person>>,
    /// The purposes that the record denies.
    denied: Vec<Purpose>,
}

/// Writes the rows of events that were just stored in the object called `profile`, and returns their deliveries. The recorded
/// consent and the opt-ins allow all of them.
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
        // The rows get their numbers here, so that each number is known without a query. Only the object writes.
        let first = known.next_rows(sql, rows.len())?;
        insert(sql, first, rows, now)?;
        for (row, events) in (first..).zip(rows) {
            let wants = events.first().map_or(Wants::default(), |one| Wants::of(one.planned));
            let purposes = events.first().map_or(&[][..], |one| &one.planned.purposes);
            let person = person(sql, known, wants, purposes, profile)?;
            let brought = Brought { person, denied: known.standing.denied() };
            let now_ms = now.as_millisecond();
            fresh.extend(events.iter().map(|one| one.delivery(profile, row, &brought, now_ms)));
        }
    }
    Ok(fresh)
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
        let Some((event, planned)) = events.first().map(|one| (one.event, one.planned)) else {
            continue;
        };
        let Planned { name, purposes, channel, .. } = planned;
        let wants = Wants::of(planned).flags();
        let ids: Vec<&str> = events.iter().map(|one| one.message_id).collect();
        let purposes: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
        let channel = channel.map(OptInChannel::name);
        lines.push((ids, name, purposes.join(","), channel, wants, event));
    }
    sql.run(
        "INSERT INTO outbox
           (seq, message_ids, destination, purposes, channel, wants_person, event, since_ms, next_ms, updated_ms)
         SELECT ?1 + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ?2, ?2, ?2
         FROM json_each(?3)",
        &[
            SqlValue::int(first)?,
            SqlValue::int(now.as_millisecond())?,
            SqlValue::Text(encode(&lines)?),
        ],
    )
}

/// Leases the due deliveries that are not in progress, and returns them.
///
/// # Errors
/// The error of the storage.
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
    overdue::count_lost(sql, &mut volatile.leases, now_ms)?;
    let counted = count_due(sql, now_ms)?;
    if counted.is_sending_over {
        volatile.ended.append(&mut overdue::end_sending(sql, now_ms)?);
    }
    // Mostly every due delivery is in progress, so comparing the two numbers is enough and reads no row.
    if counted.pending <= volatile.leases.count_due(now_ms) {
        return Ok(Vec::new());
    }
    let standing = Standing::read(sql)?;
    let subscriptions = optin::subscriptions(sql)?;
    let mut persons = Persons::default();
    let rows = sql.exec(
        "SELECT seq, message_ids, destination, purposes, channel, attempts, steps, wants_person, event, since_ms,
           updated_ms,
           (SELECT value FROM meta WHERE key = 'name') AS profile FROM outbox
         WHERE state = 'pending' AND next_ms <= ? ORDER BY next_ms, seq LIMIT ?",
        &[SqlValue::int(now_ms)?, SqlValue::Int(DUE_ROWS_MAX)],
    )?;
    let (mut deliveries, mut begun) = (Vec::new(), Vec::new());
    for row in &rows {
        let (seq, row_ms) = (row.int("seq")?, row.int("updated_ms")?);
        if volatile.leases.holds(seq, row_ms) {
            continue;
        }
        // The recorded consent is checked again here, because the person may have withdrawn it. Any recorded denial
        // counts, whatever its revision: the denial came after the row.
        let purposes = purposes(row)?;
        let channel = row.text_opt("channel").and_then(OptInChannel::from_name);
        let forbidden = match (
            standing.denies(&purposes) && !Wants::read(row)?.is_owed,
            subscriptions.allow(channel),
        ) {
            (true, _) => Some(settled::CONSENT_DENIED),
            (false, false) => Some(settled::NOT_SUBSCRIBED),
            (false, true) => None,
        };
        if let Some(why) = forbidden {
            settled::write_fate(sql, seq, &Fate::dead(why), now_ms)?;
            volatile.ended.append(&mut overdue::ended_here(row, AttemptEnd::Skipped, why)?);
            continue;
        }
        if deliveries.len() >= DUE_DELIVERIES_MAX || volatile.leases.is_full(begun.len()) {
            volatile.leases.is_behind = true;
            break;
        }
        let person = persons.of_row(sql, volatile, row, &purposes)?;
        let brought = Brought { person, denied: standing.denied() };
        let (found, mut missing) = read_row(sql, row, &brought, now_ms)?;
        if !missing.is_empty() {
            let ids: Vec<String> = found.iter().map(|one| one.message_id.clone()).collect();
            settled::give_up_missing(sql, seq, &ids, &missing, now_ms)?;
            volatile.missing.append(&mut missing);
        }
        if found.is_empty() {
            continue;
        }
        deliveries.extend(found);
        begun.push((seq, row_ms, attempts(row)?));
    }
    begin(sql, volatile, &begun, now_ms)?;
    Ok(deliveries)
}

/// Begins attempts at rows, each with its own time and the attempt's number.
fn begin(
    sql: &impl Sql,
    volatile: &mut Volatile,
    rows: &[(i64, i64, u32)],
    now_ms: i64,
) -> Result<(), Failure> {
    let next_ms = |attempt| overdue::next_ms(attempt, now_ms);
    let lines = rows.iter().map(|(seq, _, attempt)| (*seq, *attempt, next_ms(*attempt)));
    overdue::begin(sql, &lines.collect::<Vec<_>>())?;
    for (seq, row_ms, attempt) in rows {
        volatile.leases.hold(*seq, Lease::new(*row_ms, *attempt, next_ms(*attempt), now_ms));
    }
    Ok(())
}

fn attempts(row: &SqlRow) -> Result<u32, Failure> {
    Ok(u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX))
}

/// The number of pending rows whose time has come, and whether a row that was marked before its request has got no result in time.
#[derive(Default)]
struct CountedDue {
    pending: usize,
    is_sending_over: bool,
}

fn count_due(sql: &impl Sql, now_ms: i64) -> Result<CountedDue, Failure> {
    let rows = sql.exec(
        "SELECT count(*) FILTER (WHERE state = 'pending') AS pending, count(*) FILTER (WHERE state = 'sending') AS sending
         FROM outbox WHERE next_ms <= ?",
        &[SqlValue::int(now_ms)?],
    )?;
    let Some(row) = rows.first() else { return Ok(CountedDue::default()) };
    let pending = usize::try_from(row.int("pending")?).unwrap_or(usize::MAX);
    Ok(CountedDue { pending, is_sending_over: row.int("sending")? > 0 })
}

/// Reads the purposes that a row needs.
pub(super) fn purposes(row: &SqlRow) -> Result<Vec<Purpose>, Failure> {
    Ok(row.text("purposes")?.split(',').filter_map(Purpose::from_name).collect())
}

/// Reads the deliveries of a row, and the ids of its events that are not in the timeline.
fn read_row(
    sql: &impl Sql,
    row: &SqlRow,
    brought: &Brought,
    now_ms: i64,
) -> Result<(Vec<Delivery>, Vec<String>), Failure> {
    let ids: Vec<String> = decode(row.text("message_ids")?)?;
    let mut events = timeline::find(sql, row.int("event")?, &ids)?;
    let (mut found, mut missing) = (Vec::with_capacity(ids.len()), Vec::new());
    for message_id in ids {
        let Some((source, event)) = events.remove(&message_id) else {
            missing.push(message_id);
            continue;
        };
        found.push(Delivery {
            profile: row.text("profile")?.to_owned(),
            row: row.int("seq")?,
            message_id,
            destination: row.text("destination")?.to_owned(),
            attempt: attempts(row)?,
            since_ms: row.int("since_ms")?,
            until_ms: now_ms + LEASE_MS,
            steps: u32::try_from(row.int("steps")?).unwrap_or(u32::MAX),
            denied: brought.denied.clone(),
            source,
            event,
            person: brought.person.clone(),
        });
    }
    Ok((found, missing))
}

fn end_leases(volatile: &mut Volatile, deliveries: &[Delivery]) {
    volatile.leases.is_behind = true;
    for delivery in deliveries {
        volatile.leases.end(delivery.row);
    }
}

/// Returns the time of the next alarm, if any delivery is pending or being sent.
///
/// # Errors
/// The error of the storage.
pub fn next_alarm(sql: &impl Sql, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    let rows = sql.exec(
        "SELECT min(next_ms) FILTER (WHERE next_ms > ?1) AS later_ms, min(next_ms) <= ?1 AS is_due
         FROM outbox WHERE state IN ('pending', 'sending')",
        &[SqlValue::int(now.as_millisecond())?],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let later = row.int("later_ms").ok().map(Timestamp::from_millisecond).transpose();
    let later = later.map_err(|error| Failure::Fatal(error.to_string()))?;
    // A delivery that is due already is leased or about to be leased. The next check comes soon, but never in a tight
    // loop.
    let soon = if row.int("is_due").is_ok_and(|due| due != 0) { Some(soon(now)?) } else { None };
    Ok(later.into_iter().chain(soon).min())
}

/// Returns the time of the next check while deliveries are in progress.
///
/// # Errors
/// `Fatal` at the end of time.
pub fn soon(now: Timestamp) -> Result<Timestamp, Failure> {
    now.checked_add(jiff::SignedDuration::from_millis(ALARM_MS_MAX))
        .map_err(|error| Failure::Fatal(error.to_string()))
}
