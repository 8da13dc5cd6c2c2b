//! Events that the tracking plan refused: the journal's head keeps them sealed, for as long as refusals are kept.
//!
//! Held events → rows; what is wanted → held events, oldest first. Bounded by number: the oldest end first. A person's erasure deletes
//! the person's rows, and the seal lets nobody read the bytes that SQLite leaves behind.

use super::answer::ROWS_MAX;
use crate::calls::encode;
use crate::calls::journal::held::{HeldEvent, HeldWanted};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::store::at_rest;

/// The place of a held event, for its seal.
const HELD: &str = "held event";
/// The most held events: at 32 KB each, 160 MB.
const HELD_MAX: i64 = 5_000;

/// Keeps events. An event that a client sends again takes the place of the first.
pub(super) fn keep(sql: &impl Sql, events: &[HeldEvent], now_ms: i64) -> Result<(), Failure> {
    for held in events {
        sql.run(
            "INSERT OR REPLACE INTO held (profile, message_id, at_ms, source, code, event) VALUES (?, ?, ?, ?, ?, ?)",
            &[
                held.profile.as_str().into(),
                held.message_hash.as_str().into(),
                SqlValue::int(now_ms)?,
                held.source.as_str().into(),
                held.code.as_str().into(),
                SqlValue::Text(at_rest::seal_text(sql, HELD, &held.event)?),
            ],
        )?;
    }
    sql.run(
        "DELETE FROM held WHERE rowid <= (SELECT max(rowid) FROM held) - ?",
        &[SqlValue::int(HELD_MAX)?],
    )
}

/// Reads the events that are wanted.
pub(super) fn read(sql: &impl Sql, wanted: &HeldWanted) -> Result<Vec<HeldEvent>, Failure> {
    // The hashes are one value, because a statement may have a hundred values only.
    let messages = if wanted.messages.is_empty() { None } else { Some(encode(&wanted.messages)?) };
    let rows = sql.exec(
        "SELECT * FROM held
         WHERE at_ms >= ?1 AND (?2 IS NULL OR at_ms < ?2) AND (?3 IS NULL OR source = ?3)
           AND (?4 IS NULL OR code = ?4)
           AND (?5 IS NULL OR message_id IN (SELECT value FROM json_each(?5)))
         ORDER BY rowid LIMIT ?6",
        &[
            SqlValue::int(wanted.since_ms)?,
            wanted.until_ms.map_or(Ok(SqlValue::Null), SqlValue::int)?,
            SqlValue::text_or_null(wanted.source.as_deref()),
            SqlValue::text_or_null(wanted.code.as_deref()),
            SqlValue::text_or_null(messages.as_deref()),
            wanted.limit.min(ROWS_MAX).into(),
        ],
    )?;
    let held = |row: &SqlRow| {
        Ok(HeldEvent {
            source: row.text("source")?.to_owned(),
            profile: row.text("profile")?.to_owned(),
            message_hash: row.text("message_id")?.to_owned(),
            code: row.text("code")?.to_owned(),
            event: at_rest::open_text(sql, HELD, row.text("event")?)?.into_owned(),
        })
    };
    rows.iter().map(held).collect()
}

/// Deletes events that were taken up.
pub(super) fn release(sql: &impl Sql, events: &[(String, String)]) -> Result<(), Failure> {
    events.iter().try_for_each(|(profile, message)| {
        sql.run(
            "DELETE FROM held WHERE profile = ? AND message_id = ?",
            &[profile.as_str().into(), message.as_str().into()],
        )
    })
}

/// Deletes the events of a person who is erased.
pub(super) fn forget(sql: &impl Sql, profile: &str) -> Result<(), Failure> {
    sql.run("DELETE FROM held WHERE profile = ?", &[profile.into()])
}

/// Deletes the events from before this time.
pub(super) fn forget_old(sql: &impl Sql, oldest_ms: i64) -> Result<(), Failure> {
    sql.run("DELETE FROM held WHERE at_ms < ?", &[SqlValue::int(oldest_ms)?])
}
