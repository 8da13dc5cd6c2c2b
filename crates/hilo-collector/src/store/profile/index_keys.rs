//! The keys under which the index has this profile, so that an erasure, a move and the end of its time reach them there.
//!
//! Values of `meta` ⇄ keys, each with the time and the names of those who have proved it. The profile has no address by this.

use jiff::Timestamp;

use crate::platform::{Failure, Sql, SqlValue};

/// How the key of a value begins.
const PREFIX: &str = "index:";

/// Notes a key, with the time.
pub(super) fn note(sql: &impl Sql, key: &str, now: Timestamp) -> Result<(), Failure> {
    let values = [format!("{PREFIX}{key}"), now.as_millisecond().to_string()].map(SqlValue::Text);
    sql.run("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", &values)
}

/// Notes who has proved a key that is noted. A name has no space.
pub(super) fn note_proof(sql: &impl Sql, key: &str, by: &str) -> Result<(), Failure> {
    let values = [SqlValue::Text(format!("{PREFIX}{key}")), SqlValue::from(by)];
    let add = "UPDATE meta SET value = value || ' ' || ?2 \
        WHERE key = ?1 AND instr(value || ' ', ' ' || ?2 || ' ') = 0";
    sql.run(add, &values)
}

/// Reads the keys that somebody else than this source has proved. Of keys that were noted by an earlier version, or moved here with another
/// profile, nobody knows that.
pub(super) fn proved_by_others(sql: &impl Sql, source: &str) -> Result<Vec<String>, Failure> {
    let query = "SELECT key, value FROM meta WHERE key > 'index:' AND key < 'index;' ORDER BY key";
    let rows = sql.exec(query, &[])?;
    let mut keys = Vec::new();
    for row in &rows {
        if row.text("value")?.split(' ').skip(1).any(|by| by != source) {
            keys.extend(row.text("key")?.strip_prefix(PREFIX).map(str::to_owned));
        }
    }
    Ok(keys)
}

/// Returns until when a profile stays that has nothing but keys: the event that they were noted for may still be on its way.
pub(super) fn fresh_until_ms(sql: &impl Sql, now: Timestamp) -> Result<Option<i64>, Failure> {
    /// A sender that gets no answer repeats an event for some hours.
    const FRESH_MS: i64 = 24 * 3_600 * 1_000;
    let rows = sql.exec(
        "SELECT max(CAST(value AS INTEGER)) AS at_ms FROM meta WHERE key > 'index:' AND key < 'index;'",
        &[],
    )?;
    let at_ms = rows.first().and_then(|row| row.int("at_ms").ok());
    Ok(at_ms.map(|at_ms| at_ms + FRESH_MS).filter(|until_ms| *until_ms > now.as_millisecond()))
}

/// Forgets a key.
pub(super) fn forget(sql: &impl Sql, key: &str) -> Result<(), Failure> {
    sql.run("DELETE FROM meta WHERE key = ?", &[SqlValue::Text(format!("{PREFIX}{key}"))])
}

/// Reads the keys.
pub(super) fn keys(sql: &impl Sql) -> Result<Vec<String>, Failure> {
    let query = "SELECT key FROM meta WHERE key > 'index:' AND key < 'index;' ORDER BY key";
    let rows = sql.exec(query, &[])?;
    let key = |text: &str| text.strip_prefix(PREFIX).unwrap_or(text).to_owned();
    rows.iter().map(|row| row.text("key").map(key)).collect()
}
