//! The rows of an object of the inbox: what waits, what is kept, what was seen.

use hilo_core::outcome::Code;
use jiff::Timestamp;

use super::volatile::Volatile;
use crate::calls::inbox::{Arrival, InboxStanding, KeptArrival, Wanted, Worked};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::store::at_rest;

/// How long a repeat is known. Vendors repeat for three days at most.
const SEEN_MS: i64 = 7 * DAY_MS;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Bytes of a part: SQLite takes rows of 2 MB in a Durable Object.
const PART_BYTES_MAX: usize = 1024 * 1024;
/// The most calls that an object keeps of those that were not understood. The oldest go first.
const KEPT_MAX: u32 = 1_000;
/// The time after a failure: a second, and then twice as long each time up to ten minutes.
const AGAIN_MS: i64 = 1_000;
const AGAIN_MS_MAX: i64 = 600_000;
/// The age at which a call that still fails is kept, and not tried again by itself.
const TRIED_MS_MAX: i64 = 3 * DAY_MS;

/// What an alarm leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAlarm {
    /// Set the alarm for this time, milliseconds since the epoch.
    Again(i64),
    /// Delete all storage of the object.
    Delete,
}

/// A call whose work is due.
#[derive(Debug, PartialEq, Eq)]
pub struct Due {
    /// The hash that tells a repeat.
    pub key: String,
    /// The call; `None` where its rows do not open.
    pub arrival: Option<Arrival>,
    at_ms: i64,
    attempts: u32,
}

/// Whether the call came before.
pub(super) fn is_seen(sql: &impl Sql, key: &str) -> Result<bool, Failure> {
    Ok(!sql.exec("SELECT key FROM seen WHERE key = ?", &[key.into()])?.is_empty())
}

/// Keeps a call until its work is done.
pub(super) fn keep(
    sql: &impl Sql,
    key: &str,
    arrival: &Arrival,
    now_ms: i64,
) -> Result<(), Failure> {
    let now = SqlValue::int(now_ms)?;
    sql.run("INSERT INTO seen (key, at_ms) VALUES (?, ?)", &[key.into(), now.clone()])?;
    sql.run(
        "INSERT INTO arrivals (key, at_ms, due_ms, attempts) VALUES (?, ?, ?, 0)",
        &[key.into(), now.clone(), now],
    )?;
    let sealed = at_rest::seal(sql, &context(key), encode(arrival)?.as_bytes())?;
    for (part, bytes) in (0..).zip(sealed.chunks(PART_BYTES_MAX)) {
        let values = [key.into(), SqlValue::int(part)?, SqlValue::Bytes(bytes.to_vec())];
        sql.run("INSERT INTO parts (key, part, sealed) VALUES (?, ?, ?)", &values)?;
    }
    Ok(())
}

fn context(key: &str) -> String {
    format!("arrival {key}")
}

/// Takes the oldest call whose work is due.
///
/// # Errors
/// The error of the storage.
pub fn next(sql: &impl Sql, volatile: &mut Volatile, now_ms: i64) -> Result<Option<Due>, Failure> {
    if !volatile.open(sql, false)? {
        return Ok(None);
    }
    let rows = sql.exec(
        "SELECT key, at_ms, attempts FROM arrivals WHERE code IS NULL AND due_ms <= ? ORDER BY at_ms LIMIT 1",
        &[SqlValue::int(now_ms)?],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let key = row.text("key")?.to_owned();
    let arrival = opened(sql, &key).ok();
    Ok(Some(Due { arrival, key, at_ms: row.int("at_ms")?, attempts: number(row, "attempts")? }))
}

fn opened(sql: &impl Sql, key: &str) -> Result<Arrival, Failure> {
    let mut sealed = Vec::new();
    for mut row in
        sql.exec("SELECT sealed FROM parts WHERE key = ? ORDER BY part", &[key.into()])?
    {
        sealed.append(&mut row.take_bytes("sealed")?);
    }
    let text = at_rest::open(sql, &context(key), sealed)?;
    decode(&String::from_utf8_lossy(&text))
}

/// Notes what became of the work.
///
/// # Errors
/// The error of the storage.
pub fn end(sql: &impl Sql, due: &Due, worked: &Worked, now_ms: i64) -> Result<(), Failure> {
    let attempts = due.attempts.saturating_add(1);
    let key = due.key.as_str();
    match worked {
        Worked::Done => sql.transaction(&mut || forget(sql, key)),
        Worked::Kept(code) => sql.transaction(&mut || {
            keep_back(sql, key, *code, attempts)?;
            bound(sql)
        }),
        Worked::Again(_) if now_ms - due.at_ms >= TRIED_MS_MAX => {
            sql.transaction(&mut || keep_back(sql, key, Code::Unavailable, attempts))
        }
        Worked::Again(_) => {
            let wait_ms = AGAIN_MS << due.attempts.min(10);
            let due_ms = SqlValue::int(now_ms + wait_ms.min(AGAIN_MS_MAX))?;
            let row = "UPDATE arrivals SET due_ms = ?, attempts = ? WHERE key = ?";
            sql.run(row, &[due_ms, attempts.into(), key.into()])
        }
    }
}

fn keep_back(sql: &impl Sql, key: &str, code: Code, attempts: u32) -> Result<(), Failure> {
    let row = "UPDATE arrivals SET code = ?, attempts = ? WHERE key = ?";
    sql.run(row, &[code.name().into(), attempts.into(), key.into()])
}

fn forget(sql: &impl Sql, key: &str) -> Result<(), Failure> {
    sql.run("DELETE FROM arrivals WHERE key = ?", &[key.into()])?;
    sql.run("DELETE FROM parts WHERE key = ?", &[key.into()])
}

/// Forgets the oldest of the kept calls that are too many.
fn bound(sql: &impl Sql) -> Result<(), Failure> {
    let many =
        "SELECT key FROM arrivals WHERE code IS NOT NULL ORDER BY at_ms DESC LIMIT 100 OFFSET ?";
    for row in sql.exec(many, &[KEPT_MAX.into()])? {
        forget(sql, row.text("key")?)?;
    }
    Ok(())
}

/// Lets kept calls wait for their work again. Returns their number.
pub(super) fn replay(sql: &impl Sql, wanted: &Wanted, now_ms: i64) -> Result<u32, Failure> {
    let until_ms = wanted.until_ms.unwrap_or(now_ms + 1);
    let rows = sql.exec(
        "SELECT key FROM arrivals WHERE code IS NOT NULL AND code = ifnull(?, code) AND at_ms >= ? AND at_ms < ?
         ORDER BY at_ms LIMIT ?",
        &[
            SqlValue::text_or_null(wanted.code.as_deref()),
            SqlValue::int(wanted.since_ms)?,
            SqlValue::int(until_ms)?,
            wanted.limit.into(),
        ],
    )?;
    let due_ms = SqlValue::int(now_ms)?;
    for row in &rows {
        let waits = "UPDATE arrivals SET code = NULL, due_ms = ? WHERE key = ?";
        sql.run(waits, &[due_ms.clone(), row.text("key")?.into()])?;
    }
    Ok(u32::try_from(rows.len()).unwrap_or(u32::MAX))
}

/// How things stand.
pub(super) fn standing(sql: &impl Sql, limit: u32) -> Result<InboxStanding, Failure> {
    let counts = sql.exec(
        "SELECT count(*) AS waiting, min(at_ms) AS oldest_ms FROM arrivals WHERE code IS NULL",
        &[],
    )?;
    let kept = sql.exec("SELECT count(*) AS kept FROM arrivals WHERE code IS NOT NULL", &[])?;
    let newest = sql.exec(
        "SELECT key, at_ms, attempts, code FROM arrivals WHERE code IS NOT NULL ORDER BY at_ms DESC LIMIT ?",
        &[limit.into()],
    )?;
    let count = |rows: &[SqlRow], name| rows.first().map_or(Ok(0), |row| number(row, name));
    let shown = |row: &SqlRow| -> Result<KeptArrival, Failure> {
        Ok(KeptArrival {
            key: row.text("key")?.to_owned(),
            at: Timestamp::from_millisecond(row.int("at_ms")?).unwrap_or_default(),
            code: row.text("code")?.to_owned(),
            attempts: number(row, "attempts")?,
        })
    };
    Ok(InboxStanding {
        waiting: count(&counts, "waiting")?,
        oldest_ms: counts.first().and_then(|row| row.int("oldest_ms").ok()),
        kept: count(&kept, "kept")?,
        newest: newest.iter().map(shown).collect::<Result<_, _>>()?,
    })
}

/// Forgets what is too old: repeats, and the calls that nobody understood in `rejects_days`.
///
/// # Errors
/// The error of the storage.
pub fn upkeep(
    sql: &impl Sql,
    volatile: &mut Volatile,
    rejects_days: u32,
    now_ms: i64,
) -> Result<AfterAlarm, Failure> {
    if !volatile.open(sql, false)? {
        return Ok(AfterAlarm::Delete);
    }
    let kept_ms = SqlValue::int(now_ms - i64::from(rejects_days) * DAY_MS)?;
    let old = "SELECT key FROM arrivals WHERE code IS NOT NULL AND at_ms <= ?";
    for row in sql.exec(old, &[kept_ms])? {
        forget(sql, row.text("key")?)?;
    }
    sql.run("DELETE FROM seen WHERE at_ms <= ?", &[SqlValue::int(now_ms - SEEN_MS)?])?;
    let rows =
        sql.exec("SELECT (SELECT count(*) FROM seen) + (SELECT count(*) FROM arrivals) AS n", &[])?;
    if rows.first().map_or(Ok(0), |row| row.int("n"))? == 0 {
        return Ok(AfterAlarm::Delete);
    }
    Ok(AfterAlarm::Again(next_alarm(sql, volatile, now_ms)?))
}

/// The time of the next alarm: the next work, or the next upkeep in a day.
///
/// # Errors
/// The error of the storage.
pub fn next_alarm(sql: &impl Sql, volatile: &mut Volatile, now_ms: i64) -> Result<i64, Failure> {
    let later_ms = now_ms + DAY_MS;
    if !volatile.open(sql, false)? {
        return Ok(later_ms);
    }
    let rows = sql.exec("SELECT min(due_ms) AS due_ms FROM arrivals WHERE code IS NULL", &[])?;
    let due_ms = rows.first().and_then(|row| row.int("due_ms").ok());
    Ok(due_ms.map_or(later_ms, |due_ms| due_ms.clamp(now_ms + 1, later_ms)))
}

fn number(row: &SqlRow, name: &str) -> Result<u32, Failure> {
    Ok(u32::try_from(row.int(name)?).unwrap_or(u32::MAX))
}
