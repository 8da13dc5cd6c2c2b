//! The stored profile: written now and then, completed from the timeline, folded anew when the fold has changed.
//!
//! Storage in, profile out. The profile holds nothing that the timeline does not hold, so it may lack the newest events, and
//! one of another version is thrown away.

use hilo_core::event::{Event, Gist};
use hilo_core::profile::{Profile, VERSION, fold};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// Events that are folded in one go: a timeline may be longer than the memory of an object, and an event has up to 32 KB.
const PAGE_EVENTS: u32 = 100;

/// The profile and the version of the fold that made it. Profiles that were stored without a version have version 0.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    version: u32,
    /// Not parsed before the version is known: another version may have another shape.
    profile: Option<Box<RawValue>>,
}

/// The profile as of the last event, and how many events the stored one lacks.
///
/// A stored profile of another version is folded anew from the whole timeline, and stored.
pub(super) fn read(sql: &impl Sql) -> Result<(Profile, usize), Failure> {
    let rows = sql.exec(
        "SELECT value, (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'folded') AS folded
         FROM meta WHERE key = 'profile'",
        &[],
    )?;
    let Some(row) = rows.first() else { return complete(sql, Profile::default(), 0) };
    let stored: Stored = decode(row.text("value")?)?;
    if let (VERSION, Some(profile)) = (stored.version, stored.profile) {
        return complete(sql, decode(profile.get())?, row.int("folded")?);
    }
    let (profile, _) = complete(sql, Profile::default(), 0)?;
    write(sql, &profile)?;
    Ok((profile, 0))
}

/// Stores the profile as of the last event.
pub(super) fn write(sql: &impl Sql, profile: &Profile) -> Result<(), Failure> {
    let profile = to_raw_value(profile).map_err(|error| Failure::Fatal(error.to_string()))?;
    let stored = Stored { version: VERSION, profile: Some(profile) };
    // Not `INSERT OR REPLACE`: that takes the old rows out of table and index and writes both anew.
    sql.run(
        "INSERT INTO meta (key, value)
         VALUES ('profile', ?), ('folded', (SELECT coalesce(max(seq), 0) FROM events))
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[SqlValue::Text(encode(&stored)?)],
    )
}

/// Folds the events after number `folded`, page by page; how many there were.
fn complete(
    sql: &impl Sql,
    mut profile: Profile,
    mut folded: i64,
) -> Result<(Profile, usize), Failure> {
    let mut count = 0;
    loop {
        let rows = sql.exec(
            "SELECT seq, body, source FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
            &[SqlValue::int(folded)?, SqlValue::from(PAGE_EVENTS)],
        )?;
        let Some(last) = rows.last() else { return Ok((profile, count)) };
        folded = last.int("seq")?;
        count += rows.len();
        for row in &rows {
            profile = fold_row(profile, row)?;
        }
        if rows.len() < usize::try_from(PAGE_EVENTS).unwrap_or(usize::MAX) {
            return Ok((profile, count));
        }
    }
}

fn fold_row(profile: Profile, row: &SqlRow) -> Result<Profile, Failure> {
    let event: Event = decode(row.text("body")?)?;
    Ok(fold(profile, &Gist::of(&event), row.text_opt("source")))
}
