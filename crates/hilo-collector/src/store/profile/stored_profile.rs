//! The stored profile. It is written now and then, completed from the timeline, and folded again when the fold has
//! changed.
//!
//! Storage → profile. The profile contains nothing that the timeline or the remainder does not contain: the remainder is the fold
//! of the events that were too old for the timeline. So the profile may lack the newest events, and a profile of another version
//! is thrown away, once the timeline is folded again. That goes in steps, by calls and by the alarm: a person may have 100,000 events.
//! Until the last step the profile of the other version counts, as far as its shape is known, with the events that come meanwhile.

use hilo_core::event::{Event, Gist};
use hilo_core::profile::{Profile, VERSION, fold};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::standing::Standing;
use super::timeline::{self, Entry, Row};
use crate::calls::{decode, encode, raw};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use crate::store::at_rest;

/// The most bytes of events that one step folds again: some tens of milliseconds.
const STEP_BYTES_MAX: usize = 1024 * 1024;
/// The version of a stored profile that has to be folded again: no fold has it.
const UNFOLDED: u32 = 0;
/// The key of what is folded again so far.
const REFOLD: &str = "refold";

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

/// How far a stored profile of another version is folded again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refold {
    /// The stored profile is of this version.
    Unneeded,
    /// This step was the last one.
    Done,
    /// Some of the timeline is left.
    Behind,
}

/// Returns the profile as of the last event.
///
/// Where the stored profile is of another version, it is folded again by one step before.
pub(super) fn read(sql: &impl Sql) -> Result<Completed, Failure> {
    step(sql)?;
    let Some((stored, folded)) = stored(sql)? else { return complete(sql, remainder(sql)?, 0) };
    let opened = stored.profile.map(|profile| opened(sql, "profile", &profile)).transpose();
    match opened {
        Ok(Some(profile)) => complete(sql, profile, folded),
        Err(error) if stored.version == VERSION => Err(error),
        // Another version may have another shape. What is folded again so far is all that is known.
        Ok(None) | Err(_) => {
            let rows = sql.exec("SELECT max(last) AS last FROM batches", &[])?;
            let last = rows.first().and_then(|row| row.int("last").ok()).unwrap_or(0);
            complete(sql, refolded(sql)?.0, last.max(folded))
        }
    }
}

/// Whether the stored profile is of another version.
pub(super) fn is_behind(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(version(sql)?.is_some_and(|version| version != VERSION))
}

/// Folds a part of the timeline again, if the stored profile is of another version. The last step stores the new profile. It does not go
/// back behind the number of the last event that the old one had: that event may not be there any more.
pub(super) fn step(sql: &impl Sql) -> Result<Refold, Failure> {
    if !is_behind(sql)? {
        return Ok(Refold::Unneeded);
    }
    let Some((_, before)) = stored(sql)? else { return Ok(Refold::Unneeded) };
    let (mut profile, from) = refolded(sql)?;
    let (mut last, mut bytes) = (from, 0);
    while bytes < STEP_BYTES_MAX {
        let Some(row) = timeline::after(sql, last)? else {
            Standing::read(sql)?.remove_withdrawn_ids(&mut profile);
            forget_refold(sql)?;
            store(sql, "profile", &profile, Some(last.max(before)), VERSION)?;
            return Ok(Refold::Done);
        };
        bytes += row.bytes();
        (profile, last, _) = fold_row(profile, &row, last)?;
    }
    Standing::read(sql)?.remove_withdrawn_ids(&mut profile);
    store(sql, REFOLD, &profile, Some(last), VERSION)?;
    Ok(Refold::Behind)
}

/// Reads what is folded again so far, with the number of its last event: the remainder alone at the beginning.
fn refolded(sql: &impl Sql) -> Result<(Profile, i64), Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = ?", &[SqlValue::from(REFOLD)])?;
    let part = rows.first().map(|row| decode::<Stored>(row.text("value")?)).transpose()?;
    if let Some(Stored { version: VERSION, folded: Some(folded), profile: Some(profile) }) = part {
        return Ok((opened(sql, REFOLD, &profile)?, folded));
    }
    Ok((remainder(sql)?, 0))
}

/// Lets the fold of the timeline begin anew, because what it begins with has changed.
pub(super) fn forget_refold(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("DELETE FROM meta WHERE key = ?", &[SqlValue::from(REFOLD)])
}

/// Reads the stored profile, with the number of its last event.
fn stored(sql: &impl Sql) -> Result<Option<(Stored, i64)>, Failure> {
    let rows = sql.exec(
        "SELECT value, (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'folded') AS folded
         FROM meta WHERE key = 'profile'",
        &[],
    )?;
    let Some(row) = rows.first() else { return Ok(None) };
    let text = row.text("value")?;
    let mut stored: Stored = decode(text)?;
    let folded = stored.folded.or_else(|| row.int("folded").ok()).unwrap_or(0);
    // The first versions stored the profile alone.
    if stored.profile.is_none() && stored.version == 0 {
        stored.profile = Some(raw(text)?);
    }
    Ok(Some((stored, folded)))
}

/// Reads the version of the stored profile.
fn version(sql: &impl Sql) -> Result<Option<u32>, Failure> {
    let rows =
        sql.exec("SELECT value ->> 'version' AS version FROM meta WHERE key = 'profile'", &[])?;
    let of = |row: &SqlRow| row.int("version").ok().and_then(|one| u32::try_from(one).ok());
    Ok(rows.first().map(|row| of(row).unwrap_or(0)))
}

/// Stores the profile as of the event with the number `folded`. A profile that is still folded again keeps its version.
pub(super) fn write(sql: &impl Sql, profile: &Profile, folded: i64) -> Result<(), Failure> {
    store(sql, "profile", profile, Some(folded), version(sql)?.unwrap_or(VERSION))
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
    store(sql, "remainder", &remainder, None, VERSION)
}

/// Removes the traits that a source has told. If that changes anything, or events have gone, the timeline is folded again: what other sources
/// have told before counts then. `whole` is the profile with the events that have gone. Returns whether there were such traits.
pub(super) fn without(
    sql: &impl Sql,
    whole: Completed,
    source: &str,
    have_gone: bool,
) -> Result<bool, Failure> {
    let leave_out = |profile: &mut Profile| {
        let count = profile.traits.len() + profile.ids.len();
        profile.traits.retain(|_, one| one.source.as_deref() != Some(source));
        profile.ids.retain(|_, one| one.source.as_deref() != Some(source));
        profile.traits.len() + profile.ids.len() < count
    };
    let Completed { mut profile, last, .. } = whole;
    let has_traits = leave_out(&mut profile);
    if has_traits || have_gone {
        forget_refold(sql)?;
        store(sql, "profile", &profile, Some(last), UNFOLDED)?;
    }
    let mut remainder = remainder(sql)?;
    if leave_out(&mut remainder) && !has_newer_remainder(sql)? {
        write_remainder(sql, remainder)?;
    }
    Ok(has_traits)
}

/// Removes the ids of other services whose purpose was denied from storage. The events that brought them stay in the timeline.
pub(super) fn remove_withdrawn_ids(sql: &impl Sql) -> Result<(), Failure> {
    let Completed { profile, last, standing, has_withdrawn, .. } = read(sql)?;
    if has_withdrawn {
        write(sql, &profile, last)?;
    }
    forget_refold(sql)?;
    let remainder = remainder(sql)?;
    if standing.remove_withdrawn_ids(&mut remainder.clone()) && !has_newer_remainder(sql)? {
        write_remainder(sql, remainder)?;
    }
    Ok(())
}

fn store(
    sql: &impl Sql,
    key: &str,
    profile: &Profile,
    folded: Option<i64>,
    version: u32,
) -> Result<(), Failure> {
    let sealed = at_rest::seal_text(sql, key, &encode(profile)?)?;
    let profile = to_raw_value(&sealed).map_err(|error| Failure::Fatal(error.to_string()))?;
    let stored = Stored { version, folded, profile: Some(profile) };
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
        let more;
        (profile, last, more) = fold_row(profile, &row, last)?;
        unfolded += more;
    }
    let standing = Standing::read(sql)?;
    let has_withdrawn = standing.remove_withdrawn_ids(&mut profile);
    Ok(Completed { profile, last, unfolded, standing, has_withdrawn })
}

/// Folds the events of a row after number `after`. Returns the number of the last one, and how many there were.
fn fold_row(mut profile: Profile, row: &Row, after: i64) -> Result<(Profile, i64, usize), Failure> {
    let (mut last, mut count) = (after, 0);
    for entry in row.entries().filter(|entry| entry.number > after) {
        profile = fold(profile, &gist(entry)?, entry.source);
        (last, count) = (entry.number, count + 1);
    }
    if count == 0 {
        return Err(Failure::Fatal("a row of the timeline has no events".to_owned()));
    }
    Ok((profile, last, count))
}

/// Reads what a profile needs of an event of the timeline.
pub(super) fn gist(entry: Entry<'_>) -> Result<Gist, Failure> {
    let event: Event = decode(entry.body)?;
    Ok(Gist::of(&event))
}
