//! The work of the alarm beside deliveries: it removes what is too old, joins short rows of the timeline, and folds a profile of another
//! version again, step by step.
//!
//! Storage, months, time → the time of the next upkeep. Nobody has to call the object for it. `hilo.toml` has the months, and the
//! shell brings them, because they may have changed since the last call.

use std::collections::BTreeSet;

use hilo_core::config::Retention;
use hilo_core::profile::fold;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::bond::Bond;
use super::stored_profile::Refold;
use super::timeline::Ages;
use super::volatile::Volatile;
use super::{adopted, erasure, index_keys, link, settled, stored_profile, timeline};
use crate::calls::decode;
use crate::platform::{Failure, Sql, SqlValue};

/// Removals happen at the full weeks since 1970, so that a person who comes daily costs one upkeep a week and not one a day. An
/// event stays at most so much longer than its months.
const REMOVE_EVERY_MS: i64 = 7 * DAY_MS;
const DAY_MS: i64 = 24 * 3_600 * 1_000;
/// The longest time between two upkeeps: shorter months reach the objects of people who never come back within it.
const UPKEEP_MS_MAX: i64 = 180 * DAY_MS;
/// When an upkeep goes on that could not remove everything: a delivery is still pending, or there was too much.
const AGAIN_MS: i64 = 3_600 * 1_000;
/// How long the alarm leaves calls alone between two steps of a fold.
const REFOLD_PAUSE_MS: i64 = 100;
/// How long at least a delivery that is done keeps its row. The row shows that attempts failed.
const DONE_MS: i64 = 7 * DAY_MS;
/// How long at least an event stays after it came, however old it is: it may be sent again, and a duplicate is known by the
/// event. A sender that gets no answer repeats an event for some days.
const ARRIVED_MS: i64 = 7 * DAY_MS;
/// An event that is older when it comes was imported, and may be too old already. `hilo.toml` has whole months.
const IMPORTED_MS: i64 = 28 * DAY_MS;

/// The result of an upkeep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    /// The time of the next one.
    Next(Timestamp),
    /// Nothing of the person is left that may stay: delete the object's storage.
    Forget,
}

/// Whether an event calls for an upkeep soon.
pub(super) fn is_imported(occurred_at: Timestamp, now: Timestamp) -> bool {
    now.as_millisecond() - occurred_at.as_millisecond() > IMPORTED_MS
}

/// Returns the time of the upkeep that joins rows, each time that so many rows have become loose. An alarm that is set for an
/// earlier time finds it by itself.
pub(super) fn joins(loose: usize, now: Timestamp) -> Option<Timestamp> {
    let is_time = loose > 0 && loose.is_multiple_of(timeline::LOOSE_MAX);
    let after = SignedDuration::from_millis(timeline::JOIN_AFTER_MS);
    now.checked_add(after).ok().filter(|_| is_time)
}

/// Removes what is older than its months, and joins short rows. Returns `None` for an object without a storage.
///
/// # Errors
/// The error of the storage. Nothing is changed then.
pub fn upkeep(
    sql: &impl Sql,
    volatile: &mut Volatile,
    retention: &Retention,
    now: Timestamp,
) -> Result<Option<Upkeep>, Failure> {
    if !volatile.has_storage(sql, false)? {
        return Ok(None);
    }
    let upkeep = match volatile.bond {
        Bond::Free => of_unlinked(sql, volatile, retention, now)?,
        Bond::Moving(_) | Bond::Moved(_) => {
            volatile.is_new = false;
            of_linked(sql, volatile, now)?
        }
    };
    // An object that forgot its used tokens would take a copy of one.
    let tokens_end = adopted::forget(sql, now)?;
    Ok(Some(match (tokens_end, upkeep) {
        (Some(end), Upkeep::Next(next)) => Upkeep::Next(end.min(next)),
        (Some(end), Upkeep::Forget) => Upkeep::Next(end),
        (None, upkeep) => upkeep,
    }))
}

fn of_unlinked(
    sql: &impl Sql,
    volatile: &mut Volatile,
    retention: &Retention,
    now: Timestamp,
) -> Result<Upkeep, Failure> {
    let now_ms = now.as_millisecond();
    match stored_profile::step(sql)? {
        Refold::Unneeded => {}
        Refold::Done => volatile.known = None,
        Refold::Behind => {
            volatile.is_new = false;
            let next = Timestamp::from_millisecond(now_ms + REFOLD_PAUSE_MS);
            return next.map(Upkeep::Next).map_err(|error| Failure::Fatal(error.to_string()));
        }
    }
    let cut = Cut::of(retention, now)?;
    let (mut has_changed, mut erased_ms) = (false, None);
    let last_ms = last_ms(sql, volatile)?;
    sql.transaction(&mut || {
        has_changed = remove_events(sql, &cut, last_ms)?;
        remove_proofs(sql, &cut)?;
        erased_ms = erasure::remove_before(sql, cut.proofs_ms)?;
        let done = SqlValue::int(now_ms - DONE_MS)?;
        sql.run("DELETE FROM outbox WHERE state = 'delivered' AND updated_ms < ?", &[done])?;
        has_changed |= timeline::join(sql, now_ms)?;
        Ok(())
    })?;
    if has_changed {
        volatile.known = None;
    }
    volatile.is_new = false;
    let last_ms = if has_changed { self::last_ms(sql, volatile)? } else { last_ms };
    next(sql, retention, last_ms, erased_ms, now)
}

/// A profile that moves stays as it is until it has moved. Then it stays as long as the user's profile.
fn of_linked(sql: &impl Sql, volatile: &Volatile, now: Timestamp) -> Result<Upkeep, Failure> {
    if volatile.giving.is_orphan && !has_pending(sql)? {
        return Ok(Upkeep::Forget);
    }
    let next = now.checked_add(SignedDuration::from_millis(UPKEEP_MS_MAX));
    next.map(Upkeep::Next).map_err(|error| Failure::Fatal(error.to_string()))
}

/// The times before which things are too old.
struct Cut {
    events_ms: i64,
    arrived_ms: i64,
    profile_ms: i64,
    proofs_ms: i64,
}

impl Cut {
    fn of(retention: &Retention, now: Timestamp) -> Result<Cut, Failure> {
        let before = |months: u32| moved(now, -i64::from(months)).map(Timestamp::as_millisecond);
        Ok(Cut {
            events_ms: before(retention.events_months)?,
            arrived_ms: now.as_millisecond() - ARRIVED_MS,
            profile_ms: before(profile_months(retention))?,
            proofs_ms: before(retention.receipts_months)?,
        })
    }
}

/// A profile stays at least as long as the events that it is folded from.
fn profile_months(retention: &Retention) -> u32 {
    retention.aggregates_months.max(retention.events_months)
}

/// Moves a time by calendar months.
fn moved(time: Timestamp, months: i64) -> Result<Timestamp, Failure> {
    let moved = time.to_zoned(TimeZone::UTC).checked_add(Span::new().months(months));
    moved.map(|moved| moved.timestamp()).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Removes old events, and the profile if nothing has happened for long. Returns whether anything changed.
fn remove_events(sql: &impl Sql, cut: &Cut, last_ms: Option<i64>) -> Result<bool, Failure> {
    let Ages { old_at_ms, newest_at_ms, .. } = timeline::ages(sql, cut.events_ms)?;
    let has_arrived = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| at_ms >= cut.arrived_ms);
    let is_over = last_ms.is_some_and(|last_ms| last_ms < cut.profile_ms);
    if is_over && !has_arrived(newest_at_ms) && !has_pending(sql)? {
        sql.run("DELETE FROM outbox", &[])?;
        sql.run("DELETE FROM meta WHERE key IN ('profile', 'folded', 'remainder', 'refold')", &[])?;
        timeline::clear(sql)?;
        return Ok(true);
    }
    if old_at_ms.is_none() || has_arrived(old_at_ms) || stored_profile::has_newer_remainder(sql)? {
        return Ok(false);
    }
    // A person may have many pending deliveries, so they are read only here.
    let pending = pending(sql)?;
    // The stored profile may lack events that are removed now, so it is read before.
    let whole = stored_profile::read(sql)?;
    let mut remainder = stored_profile::remainder(sql)?;
    let mut gone = BTreeSet::new();
    timeline::remove_before(sql, cut.events_ms, cut.arrived_ms, &pending, |entry| {
        gone.insert(entry.hash);
        // An event that cannot be read goes all the same.
        if let Ok(gist) = stored_profile::gist(entry) {
            remainder = fold(std::mem::take(&mut remainder), &gist, entry.source);
        }
    })?;
    if gone.is_empty() {
        return Ok(false);
    }
    stored_profile::write(sql, &whole.profile, whole.last)?;
    stored_profile::write_remainder(sql, remainder)?;
    forget_deliveries(sql, &gone)?;
    Ok(true)
}

/// Whether any delivery is pending or being sent.
fn has_pending(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(!sql
        .exec("SELECT seq FROM outbox WHERE state IN ('pending', 'sending') LIMIT 1", &[])?
        .is_empty())
}

/// Returns the hashed ids of events with a pending delivery. They stay until it has ended.
fn pending(sql: &impl Sql) -> Result<BTreeSet<u64>, Failure> {
    let rows = sql.exec(
        "SELECT value FROM outbox, json_each(message_ids) WHERE state IN ('pending', 'sending')",
        &[],
    )?;
    rows.iter().map(|row| row.text("value").map(timeline::hash)).collect()
}

/// Removes the deliveries of events that are gone.
pub(super) fn forget_deliveries(sql: &impl Sql, gone: &BTreeSet<u64>) -> Result<(), Failure> {
    for row in sql.exec("SELECT seq, message_ids FROM outbox", &[])? {
        let ids: Vec<String> = decode(row.text("message_ids")?)?;
        let seq = row.int("seq")?;
        let left: Vec<String> =
            ids.iter().filter(|id| !gone.contains(&timeline::hash(id))).cloned().collect();
        if left.is_empty() {
            sql.run("DELETE FROM outbox WHERE seq = ?", &[SqlValue::int(seq)?])?;
        } else if left.len() < ids.len() {
            settled::keep_only(sql, seq, &left)?;
        }
    }
    Ok(())
}

/// Returns the time of the latest event that the profile has seen, or `None` if there is no profile.
fn last_ms(sql: &impl Sql, volatile: &Volatile) -> Result<Option<i64>, Failure> {
    let seen = match &volatile.known {
        Some(known) => known.profile.last_seen,
        None => stored_profile::read(sql)?.profile.last_seen,
    };
    Ok(seen.map(Timestamp::as_millisecond))
}

/// Removes old receipts and old entries of the opt-in ledger. The newest receipt of each chain, and the newest entry of each channel, stay as
/// long as the person is known: they prove what is in force.
fn remove_proofs(sql: &impl Sql, cut: &Cut) -> Result<(), Failure> {
    let before = [SqlValue::int(cut.proofs_ms)?];
    sql.run(
        "DELETE FROM receipts WHERE unixepoch(body ->> 'at') * 1000 < ?
           AND seq NOT IN (SELECT max(seq) FROM receipts GROUP BY chain)",
        &before,
    )?;
    sql.run(
        "DELETE FROM optins WHERE unixepoch(body ->> 'at') * 1000 < ?
           AND seq NOT IN (SELECT max(seq) FROM optins GROUP BY channel)",
        &before,
    )
}

/// Returns the time of the next upkeep, or that nothing is left that may stay.
fn next(
    sql: &impl Sql,
    retention: &Retention,
    last_ms: Option<i64>,
    erased_ms: Option<i64>,
    now: Timestamp,
) -> Result<Upkeep, Failure> {
    let now_ms = now.as_millisecond();
    let mut times = Vec::new();
    let again_ms = now_ms + AGAIN_MS;
    let ages = timeline::ages(sql, Cut::of(retention, now)?.events_ms)?;
    let arrived = |at_ms: i64| at_ms + ARRIVED_MS;
    if let Some(first_ms) = ages.first_ms {
        times.push(end(first_ms, retention.events_months)?.max(again_ms));
    }
    // What should be gone already came not long ago, or waits for its deliveries or for its turn.
    times.extend(ages.old_at_ms.map(|at_ms| arrived(at_ms).max(again_ms)));
    if let Some(last_ms) = last_ms {
        let newest_ms = ages.newest_at_ms.map_or(again_ms, arrived);
        times.push(end(last_ms, profile_months(retention))?.max(newest_ms).max(again_ms));
    }
    if let Some(joins_at) = timeline::joins_at(sql)? {
        // Rows that have no loose neighbor stay loose.
        times.push(joins_at.max(now_ms + timeline::JOIN_AFTER_MS));
    }
    let is_empty = times.is_empty();
    if let Some((oldest_ms, newest_ms)) = proofs(sql)? {
        let oldest = end(oldest_ms, retention.receipts_months)?;
        let newest = end(newest_ms, retention.receipts_months)?;
        // The newest proof stays as long as the person is known.
        times.extend([oldest, newest].into_iter().filter(|at_ms| *at_ms > now_ms).min());
    }
    if let Some(erased_ms) = erased_ms {
        times.push(end(erased_ms, retention.receipts_months)?.max(again_ms));
    }
    // A profile to which pointers lead outlives them.
    let is_alone = settled::is_empty(sql)? && link::links(sql)?.is_empty();
    let fresh_ms = index_keys::fresh_until_ms(sql, now)?;
    if is_empty && times.is_empty() && is_alone && fresh_ms.is_none() {
        return Ok(Upkeep::Forget);
    }
    times.extend(fresh_ms);
    times.push(now_ms + UPKEEP_MS_MAX);
    let next_ms = times.into_iter().min().unwrap_or(now_ms + AGAIN_MS);
    let next = Timestamp::from_millisecond(next_ms);
    next.map(Upkeep::Next).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Returns the time at which something of this time is removed.
fn end(from_ms: i64, months: u32) -> Result<i64, Failure> {
    /// A month may be three days shorter than another: counted back from its end, the months reach less far.
    const SHORTER_MS: i64 = 3 * DAY_MS;
    let from = Timestamp::from_millisecond(from_ms);
    let from = from.map_err(|error| Failure::Fatal(error.to_string()))?;
    let over_ms = moved(from, i64::from(months))?.as_millisecond() + SHORTER_MS;
    Ok((over_ms + REMOVE_EVERY_MS - 1).div_euclid(REMOVE_EVERY_MS) * REMOVE_EVERY_MS)
}

/// Returns the times of the oldest and of the newest receipt or entry of the opt-in ledger.
fn proofs(sql: &impl Sql) -> Result<Option<(i64, i64)>, Failure> {
    let rows = sql.exec(
        "SELECT min(at) * 1000 AS oldest_ms, max(at) * 1000 AS newest_ms FROM
           (SELECT unixepoch(body ->> 'at') AS at FROM receipts
            UNION ALL SELECT unixepoch(body ->> 'at') FROM optins)
         HAVING count(at) > 0",
        &[],
    )?;
    rows.first().map(|row| Ok((row.int("oldest_ms")?, row.int("newest_ms")?))).transpose()
}
