//! The keys under which the index has this profile, so that an erasure, a move and the end of its time reach them there.
//!
//! Values of `meta` ⇄ keys. `calls/index` explains keys. The profile has no address by this.

use jiff::Timestamp;

use super::erasure::{self, Tombstone};
use super::stored_profile;
use super::volatile::Volatile;
use crate::calls::index::Knows;
use crate::platform::{Failure, Sql, SqlValue};

/// The most keys of one profile: each order has one.
const KEYS_MAX: usize = 2_000;

/// How the key of a value begins.
const PREFIX: &str = "index:";

/// Notes keys, before the index has them. Returns who the person is, or nothing for an erased device. Run it inside a transaction.
pub(super) fn know(
    sql: &impl Sql,
    volatile: &Volatile,
    name: &str,
    keys: &[String],
    now: Timestamp,
) -> Result<Option<Knows>, Failure> {
    if erasure::tombstone(sql)?.is_some_and(Tombstone::is_for_ever) {
        return Ok(None);
    }
    let known = self::keys(sql)?;
    let new: Vec<&String> = keys.iter().filter(|key| !known.contains(key)).collect();
    let room = KEYS_MAX.saturating_sub(known.len());
    let (fitting, left) = new.split_at(room.min(new.len()));
    fitting.iter().try_for_each(|key| note(sql, key, now))?;
    let user = user(sql, volatile)?;
    Ok(Some(Knows { object: name.to_owned(), user, is_full: !left.is_empty() }))
}

/// Notes a key, with the time.
pub(super) fn note(sql: &impl Sql, key: &str, now: Timestamp) -> Result<(), Failure> {
    let values = [format!("{PREFIX}{key}"), now.as_millisecond().to_string()].map(SqlValue::Text);
    sql.run("INSERT OR IGNORE INTO meta (key, value) VALUES (?, ?)", &values)
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

/// Reads the keys.
pub(super) fn keys(sql: &impl Sql) -> Result<Vec<String>, Failure> {
    let query = "SELECT key FROM meta WHERE key > 'index:' AND key < 'index;' ORDER BY key";
    let rows = sql.exec(query, &[])?;
    let key = |text: &str| text.strip_prefix(PREFIX).unwrap_or(text).to_owned();
    rows.iter().map(|row| row.text("key").map(key)).collect()
}

/// Reads the id of the user whose profile it is; `None` for a device's.
pub(super) fn user(sql: &impl Sql, volatile: &Volatile) -> Result<Option<String>, Failure> {
    match &volatile.known {
        Some(known) => Ok(known.profile.user_id.clone()),
        None => Ok(stored_profile::read(sql)?.profile.user_id),
    }
}

/// Reads the name of an object whose storage is about to be deleted, and its keys.
///
/// # Errors
/// The error of the storage.
pub fn leaves_in_index(
    sql: &impl Sql,
    volatile: &mut Volatile,
) -> Result<(String, Vec<String>), Failure> {
    if !volatile.has_storage(sql, false)? {
        return Ok(Default::default());
    }
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'name'", &[])?;
    let name = rows.first().map_or(Ok(""), |row| row.text("value"))?;
    Ok((name.to_owned(), keys(sql)?))
}
