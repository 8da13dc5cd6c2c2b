//! What a profile answers about its addresses: it notes their keys before the index has them, and hands them over at its end.
//!
//! Keys → who the person is. `index_keys.rs` stores the keys, and `calls/index` explains them.

use jiff::Timestamp;

use super::erasure::{self, Tombstone};
use super::volatile::Volatile;
use super::{index_keys, stored_profile};
use crate::calls::index::Knows;
use crate::platform::{Failure, Sql, atomically};

/// The most keys of one profile: each order has one.
const KEYS_MAX: usize = 2_000;

/// Notes keys, before the index has them, and who has proved them. Returns who the person is, or nothing for an erased device.
pub(super) fn know(
    sql: &impl Sql,
    volatile: &Volatile,
    name: &str,
    keys: &[String],
    by: Option<&str>,
    now: Timestamp,
) -> Result<Option<Knows>, Failure> {
    if erasure::tombstone(sql)?.is_some_and(Tombstone::is_for_ever) {
        return Ok(None);
    }
    let known = index_keys::keys(sql)?;
    let new: Vec<&String> = keys.iter().filter(|key| !known.contains(key)).collect();
    let room = KEYS_MAX.saturating_sub(known.len());
    let (fitting, left) = new.split_at(room.min(new.len()));
    atomically(sql, || {
        fitting.iter().try_for_each(|key| index_keys::note(sql, key, now))?;
        by.map_or(Ok(()), |by| keys.iter().try_for_each(|key| index_keys::note_proof(sql, key, by)))
    })?;
    let user = user(sql, volatile)?;
    Ok(Some(Knows { object: name.to_owned(), user, is_full: !left.is_empty() }))
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
    Ok((name.to_owned(), index_keys::keys(sql)?))
}
