//! The outbox: what still has to be delivered, and when.
//!
//! A row is a list of events for one destination that share their fate so far: mostly all that one call brought. What
//! became of them, and rows taken apart by it, is `settled.rs`. Leases live in memory only, see `leases.rs`.

use hilo_core::consent::{OptInChannel, Purpose};
use jiff::Timestamp;

use super::known::Known;
use super::record::Asked;
use super::settled::{self, Fate};
use super::{Volatile, consent, millis, optin};
use crate::calls::{Delivery, MESSAGE_DELIVERIES_MAX, Planned, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// How far ahead an alarm is set at most while something is pending: a crash forgets leases, so the alarm has to come
/// long before they end.
const ALARM_MS_MAX: i64 = 5_000;
/// Events of one row: they fit into one message of the queue, so that they are mostly answered together.
const ROW_EVENTS_MAX: usize = MESSAGE_DELIVERIES_MAX;
/// Rows that one statement writes: a value of a Durable Object may have 2 MB, and a row's ids some kilobytes.
const STATEMENT_ROWS_MAX: usize = 100;
/// Rows looked at in one go.
const DUE_ROWS_MAX: i64 = 500;
/// Deliveries handed out in one go, but for the rest of a row; the next alarm takes the others.
const DUE_DELIVERIES_MAX: usize = 200;

/// Leases deliveries that a record just made and keeps them until they are [`ready`]; what is too much for one go is left
/// in the rows.
pub(super) fn lease(volatile: &mut Volatile, made: Vec<Delivery>, now: Timestamp) {
    let Volatile { leases, fresh, .. } = volatile;
    let now_ms = millis(now);
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

/// Takes back what waits in memory, so that the rows are asked again; whether anything did.
pub(super) fn recall(volatile: &mut Volatile) -> bool {
    let waiting = std::mem::take(&mut volatile.fresh);
    release(volatile, &waiting);
    !waiting.is_empty()
}

/// Gives out what was just kept, and what is [`due`] unless memory knows that nothing else is.
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
    deliveries.append(&mut volatile.fresh);
    Ok(deliveries)
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
    fn delivery(&self, profile: &str, row: i64) -> Delivery {
        Delivery {
            profile: profile.to_owned(),
            row,
            message_id: self.message_id.to_owned(),
            destination: self.planned.name.clone(),
            attempt: 0,
            event: self.body.to_owned(),
        }
    }
}

/// Writes the rows of events that were just kept, and answers what may go out at once.
///
/// A row that the recorded consent denies by now is for [`due`] to end: an event may know a newer choice than the record.
pub(super) fn queue_up(
    sql: &impl Sql,
    asked: &Asked<'_>,
    bound: &[Bound<'_>],
    known: &mut Known,
) -> Result<Vec<Delivery>, Failure> {
    let of = |to: usize| bound.iter().filter(move |one| one.to == to).collect();
    let plans: Vec<Vec<&Bound<'_>>> = (0..asked.plans.len()).map(of).collect();
    let rows: Vec<&[&Bound<'_>]> =
        plans.iter().flat_map(|events| events.chunks(ROW_EVENTS_MAX)).collect();
    let mut fresh = Vec::new();
    for rows in rows.chunks(STATEMENT_ROWS_MAX) {
        // Numbered here, so that each row's number is known without asking. Nobody else writes.
        let first = known.next_rows(sql, rows.len())?;
        insert(sql, first, rows, asked.now)?;
        for (row, events) in (first..).zip(rows) {
            let may_go = events.iter().filter(|one| known.allows(one.planned, 0));
            fresh.extend(may_go.map(|one| one.delivery(asked.name, row)));
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
        let Some(Planned { name, purposes, channel }) = events.first().map(|one| one.planned)
        else {
            continue;
        };
        let ids: Vec<&str> = events.iter().map(|one| one.message_id).collect();
        let purposes: Vec<&str> = purposes.iter().map(|purpose| purpose.name()).collect();
        lines.push((ids, name, purposes.join(","), channel.map(OptInChannel::name)));
    }
    sql.run(
        "INSERT INTO outbox (seq, message_ids, destination, purposes, channel, next_ms, updated_ms)
         SELECT ?1 + key, value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2, ?2 FROM json_each(?3)",
        &[SqlValue::int(first)?, SqlValue::int(millis(now))?, SqlValue::Text(encode(&lines)?)],
    )
}

/// Takes what is due and not leased, leases it, and gives it out.
///
/// # Errors
/// Whatever the storage answers.
pub fn due(
    sql: &impl Sql,
    volatile: &mut Volatile,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    if !super::is_ready(sql, volatile, false)? {
        return Ok(Vec::new());
    }
    let now_ms = millis(now);
    let leases = &mut volatile.leases;
    leases.is_behind = false;
    // The usual case: all is under way. What is leased is due, so the numbers say it without reading a row.
    if count_due(sql, now_ms)? <= leases.count(now_ms) {
        return Ok(Vec::new());
    }
    let standing = consent::standing(sql)?;
    let subscriptions = optin::subscriptions(sql)?;
    let rows = sql.exec(
        "SELECT seq, message_ids, destination, purposes, channel, attempts, updated_ms,
           (SELECT value FROM meta WHERE key = 'name') AS profile FROM outbox
         WHERE state = 'pending' AND next_ms <= ? ORDER BY next_ms, seq LIMIT ?",
        &[SqlValue::int(now_ms)?, SqlValue::Int(DUE_ROWS_MAX)],
    )?;
    let mut deliveries = Vec::new();
    for row in &rows {
        let (seq, row_ms) = (row.int("seq")?, row.int("updated_ms")?);
        if leases.holds(seq, row_ms) {
            continue;
        }
        // Asked again at forward time: the person may have said no since. No revision is later than a withdrawal here,
        // because the row was made before.
        if standing.denies(&purposes(row)?, 0) {
            settled::settle(sql, seq, &Fate::dead(settled::CONSENT_DENIED), now_ms)?;
            continue;
        }
        let channel = row.text_opt("channel").and_then(OptInChannel::from_name);
        if !subscriptions.allow(channel) {
            settled::settle(sql, seq, &Fate::dead(settled::NOT_SUBSCRIBED), now_ms)?;
            continue;
        }
        if deliveries.len() >= DUE_DELIVERIES_MAX {
            leases.is_behind = true;
            break;
        }
        deliveries.extend(read_row(sql, row)?);
        leases.hold(seq, row_ms, now_ms);
    }
    Ok(deliveries)
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
fn read_row(sql: &impl Sql, row: &SqlRow) -> Result<Vec<Delivery>, Failure> {
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
            event: event.text("body")?.to_owned(),
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
    // What is due already is either leased or about to be: look again soon, but never in a tight loop.
    if next_ms <= millis(now) {
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
