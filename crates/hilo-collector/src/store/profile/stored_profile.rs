//! The stored profile. It is written now and then, completed from the timeline, and folded again when the fold has
//! changed.
//!
//! Storage → profile. The profile contains nothing that the timeline does not contain. So it may lack the newest events,
//! and a profile of another version is thrown away.

use hilo_core::event::{Event, Gist};
use hilo_core::profile::{Profile, VERSION, fold};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The most events that are folded at once: a timeline may be larger than the memory of an object, and an event has up
/// to 32 KB.
const PAGE_EVENTS: u32 = 100;

/// The profile and the version of the fold that made it. A profile that was stored without a version has version 0.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    #[serde(default)]
    version: u32,
    /// This is parsed only after the version was checked, because another version may have another shape.
    profile: Option<Box<RawValue>>,
}

/// Returns the profile as of the last event, and the number of events that the stored one lacks.
///
/// A stored profile of another version is folded again from the whole timeline, and stored.
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
    // `INSERT OR REPLACE` would cost more: it deletes the old rows from table and index and writes both again.
    sql.run(
        "INSERT INTO meta (key, value)
         VALUES ('profile', ?), ('folded', (SELECT coalesce(max(seq), 0) FROM events))
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[SqlValue::Text(encode(&stored)?)],
    )
}

/// Folds the events after number `folded`, page by page. Returns their number.
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
