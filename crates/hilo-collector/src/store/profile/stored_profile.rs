//! The stored profile. It is written now and then, completed from the timeline, and folded again when the fold has
//! changed.
//!
//! Storage → profile. The profile contains nothing that the timeline or the remainder does not contain: the remainder is the fold
//! of the events that were too old for the timeline. So the profile may lack the newest events, and a profile of another version
//! is thrown away.

use hilo_core::event::{Event, Gist};
use hilo_core::profile::{Profile, VERSION, fold};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::standing::Standing;
use super::timeline::{self, Entry};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::store::at_rest;

/// The profile and the version of the fold that made it. A profile that was stored without a version has version 0.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    version: u32,
    /// The number of the last event in it. Earlier versions had a row of its own for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folded: Option<i64>,
    /// Sealed text. Earlier versions had the profile itself here. It is parsed only after the version was checked, because another
    /// version may have another shape.
    profile: Option<Box<RawValue>>,
}

/// The profile as of the last event.
pub(super) struct Completed {
    /// The profile.
    pub(super) profile: Profile,
    /// The number of the last event.
    pub(super) last: i64,
    /// The number of events that the stored profile lacks.
    pub(super) unfolded: usize,
    /// The recorded consent, under which the profile is.
    pub(super) standing: Standing,
    /// Whether a denial has removed ids of other services. They may still be in the stored profile.
    has_withdrawn: bool,
}

/// Returns the profile as of the last event.
///
/// A stored profile of another version is folded again from the whole timeline, and stored.
pub(super) fn read(sql: &impl Sql) -> Result<Completed, Failure> {
    let rows = sql.exec(
        "SELECT value, (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'folded') AS folded
         FROM meta WHERE key = 'profile'",
        &[],
    )?;
    let Some(row) = rows.first() else { return complete(sql, remainder(sql)?, 0) };
    let stored: Stored = decode(row.text("value")?)?;
    let folded = stored.folded.or_else(|| row.int("folded").ok()).unwrap_or(0);
    if let (VERSION, Some(profile)) = (stored.version, stored.profile) {
        return complete(sql, opened(sql, "profile", &profile)?, folded);
    }
    refold(sql, folded)
}

/// Folds the remainder and the whole timeline again, and stores the profile. The number of the last event is at least `last`: it may be
/// that of an event that is not there any more.
pub(super) fn refold(sql: &impl Sql, last: i64) -> Result<Completed, Failure> {
    let again = complete(sql, remainder(sql)?, 0)?;
    let last = again.last.max(last);
    write(sql, &again.profile, last)?;
    Ok(Completed { last, unfolded: 0, ..again })
}

/// Stores the profile as of the event with the number `folded`.
pub(super) fn write(sql: &impl Sql, profile: &Profile, folded: i64) -> Result<(), Failure> {
    store(sql, "profile", profile, Some(folded))
}

/// Reads the fold of the events that were removed from the timeline. A remainder of another version is read as far as its shape
/// is still known: its events cannot be folded again.
pub(super) fn remainder(sql: &impl Sql) -> Result<Profile, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'remainder'", &[])?;
    let Some(row) = rows.first() else { return Ok(Profile::default()) };
    let stored: Stored = decode(row.text("value")?)?;
    let Some(profile) = stored.profile else { return Ok(Profile::default()) };
    match opened(sql, "remainder", &profile) {
        Err(_) if stored.version != VERSION => Ok(Profile::default()),
        read => read,
    }
}

/// Whether a newer version has folded removed events. This version would lose what it does not know of them.
pub(super) fn has_newer_remainder(sql: &impl Sql) -> Result<bool, Failure> {
    let rows =
        sql.exec("SELECT value ->> 'version' AS version FROM meta WHERE key = 'remainder'", &[])?;
    Ok(rows.first().is_some_and(|row| row.int("version").is_ok_and(|one| one > VERSION.into())))
}

/// Stores the fold of the events that were removed from the timeline.
pub(super) fn write_remainder(sql: &impl Sql, mut remainder: Profile) -> Result<(), Failure> {
    Standing::read(sql)?.remove_withdrawn_ids(&mut remainder);
    store(sql, "remainder", &remainder, None)
}

/// Removes the ids of other services whose purpose was denied from storage. The events that brought them stay in the timeline.
pub(super) fn remove_withdrawn_ids(sql: &impl Sql) -> Result<(), Failure> {
    let Completed { profile, last, standing, has_withdrawn, .. } = read(sql)?;
    if has_withdrawn {
        write(sql, &profile, last)?;
    }
    let remainder = remainder(sql)?;
    if standing.remove_withdrawn_ids(&mut remainder.clone()) && !has_newer_remainder(sql)? {
        write_remainder(sql, remainder)?;
    }
    Ok(())
}

fn store(sql: &impl Sql, key: &str, profile: &Profile, folded: Option<i64>) -> Result<(), Failure> {
    let sealed = at_rest::seal_text(sql, key, &encode(profile)?)?;
    let profile = to_raw_value(&sealed).map_err(|error| Failure::Fatal(error.to_string()))?;
    let stored = Stored { version: VERSION, folded, profile: Some(profile) };
    // `INSERT OR REPLACE` would cost more: it deletes the old row and writes it again.
    sql.run(
        "INSERT INTO meta (key, value) VALUES (?, ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[SqlValue::from(key), SqlValue::Text(encode(&stored)?)],
    )
}

/// Opens the stored profile of this key.
fn opened(sql: &impl Sql, key: &str, stored: &RawValue) -> Result<Profile, Failure> {
    if !stored.get().starts_with('"') {
        return decode(stored.get());
    }
    let sealed: String = decode(stored.get())?;
    decode(&at_rest::open_text(sql, key, &sealed)?)
}

/// Folds the events after number `folded`, row by row, and leaves out the ids of other services that a denial has removed.
fn complete(sql: &impl Sql, mut profile: Profile, folded: i64) -> Result<Completed, Failure> {
    let (mut last, mut unfolded) = (folded, 0);
    while let Some(row) = timeline::after(sql, last)? {
        let before = last;
        for entry in row.entries().filter(|entry| entry.number > before) {
            profile = fold(profile, &gist(entry)?, entry.source);
            last = entry.number;
            unfolded += 1;
        }
        if last == before {
            return Err(Failure::Fatal("a row of the timeline has no events".to_owned()));
        }
    }
    let standing = Standing::read(sql)?;
    let has_withdrawn = standing.remove_withdrawn_ids(&mut profile);
    Ok(Completed { profile, last, unfolded, standing, has_withdrawn })
}

/// Reads what a profile needs of an event of the timeline.
pub(super) fn gist(entry: Entry<'_>) -> Result<Gist, Failure> {
    let event: Event = decode(entry.body)?;
    Ok(Gist::of(&event))
}
