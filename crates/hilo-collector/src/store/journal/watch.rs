//! The faults of the deployment, as the head remembers them between two checks. One row for each.
//!
//! Faults of a check → what is news. A fault is told once, and so is its end. An alert that did not arrive is news again.

use crate::calls::journal::watch::{Change, Remembered, Watched};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The key of the time at which the last probe was sent.
pub(super) const SENT: &str = "probe_sent";
/// The key of the time at which the newest probe that arrived was sent.
pub(super) const ARRIVED: &str = "probe_arrived";
/// How long a fault that loses no event lasts before it is told. A destination that fails once and takes the next attempt is no news.
const TELL_MS: i64 = 600_000;
/// The most faults of one check. A configuration has fewer destinations.
const FAULTS_MAX: usize = 200;

/// Remembers the faults of a check, and returns what is news.
pub(super) fn check(sql: &impl Sql, faults: &[Watched], now_ms: i64) -> Result<Change, Failure> {
    let known = rows(sql)?;
    let same = |one: &Watched, other: &Watched| one.code == other.code && one.about == other.about;
    let mut change = Change::default();
    for (fault, is_told) in &known {
        if faults.iter().any(|one| same(one, fault)) {
            continue;
        }
        if *is_told {
            change.ended.push(fault.clone());
        } else {
            forget(sql, fault)?;
        }
    }
    for fault in faults.iter().take(FAULTS_MAX) {
        let before = known.iter().find(|(one, _)| same(one, fault));
        let earliest = before.map_or(fault.since_ms, |(one, _)| one.since_ms.min(fault.since_ms));
        let fault = Watched { since_ms: earliest, ..fault.clone() };
        let is_told = before.is_some_and(|(_, is_told)| *is_told);
        if before.is_none_or(|(one, _)| *one != fault) {
            keep(sql, &fault, is_told)?;
        }
        if !is_told && (fault.loses_events || now_ms - fault.since_ms >= TELL_MS) {
            change.begun.push(fault);
        }
    }
    Ok(change)
}

/// Remembers that an alert of this change has arrived.
pub(super) fn told(sql: &impl Sql, change: &Change) -> Result<(), Failure> {
    change.begun.iter().try_for_each(|fault| keep(sql, fault, true))?;
    change.ended.iter().try_for_each(|fault| forget(sql, fault))
}

/// What is remembered of the last check.
pub(super) fn remembered(sql: &impl Sql) -> Result<Remembered, Failure> {
    let faults = rows(sql)?.into_iter().map(|(fault, _)| fault).collect();
    let (probed_ms, arrived_ms) = (probe(sql, SENT)?, probe(sql, ARRIVED)?);
    let probed_ms = probed_ms.unwrap_or_default();
    Ok(Remembered { faults, probed_ms, arrived_ms: arrived_ms.unwrap_or(probed_ms) })
}

/// Notes the time of a probe. The first one that is sent counts as arrived, so that the wait for it is measured.
pub(super) fn note_probe(sql: &impl Sql, key: &str, sent_ms: i64) -> Result<(), Failure> {
    let value = sent_ms.to_string();
    let values = |key: &str| [key.to_owned().into(), value.clone().into()];
    let first = "INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)";
    sql.run(first, &values(ARRIVED))?;
    // Probes may arrive in another order than they were sent.
    let later = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
        WHERE CAST(excluded.value AS INTEGER) > CAST(meta.value AS INTEGER)";
    sql.run(later, &values(key))
}

fn probe(sql: &impl Sql, key: &str) -> Result<Option<i64>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = ?", &[key.to_owned().into()])?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(row.text("value")?.parse().ok())
}

fn rows(sql: &impl Sql) -> Result<Vec<(Watched, bool)>, Failure> {
    let read = |row: &SqlRow| {
        let fault = Watched {
            code: row.text("code")?.to_owned(),
            about: row.text("about")?.to_owned(),
            since_ms: row.int("since_ms")?,
            loses_events: row.int("loses")? != 0,
        };
        Ok((fault, row.int("told")? != 0))
    };
    let columns =
        "SELECT code, about, since_ms, loses, told FROM faults ORDER BY since_ms, code, about";
    sql.exec(columns, &[])?.iter().map(read).collect()
}

fn keep(sql: &impl Sql, fault: &Watched, is_told: bool) -> Result<(), Failure> {
    sql.run(
        "INSERT OR REPLACE INTO faults (code, about, since_ms, loses, told) VALUES (?, ?, ?, ?, ?)",
        &[
            fault.code.clone().into(),
            fault.about.clone().into(),
            SqlValue::int(fault.since_ms)?,
            SqlValue::int(i64::from(fault.loses_events))?,
            SqlValue::int(i64::from(is_told))?,
        ],
    )
}

fn forget(sql: &impl Sql, fault: &Watched) -> Result<(), Failure> {
    let key = [fault.code.clone().into(), fault.about.clone().into()];
    sql.run("DELETE FROM faults WHERE code = ? AND about = ?", &key)
}
