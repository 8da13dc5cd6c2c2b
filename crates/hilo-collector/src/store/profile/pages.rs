//! Reads a profile in pages, newest first. Rows are returned as they are stored, without being parsed; an event has the facts of its
//! touchpoint and its source before it.

use std::collections::BTreeMap;

use hilo_core::event::{Event, Gist};
use hilo_core::journey::{StateRules, Touchpoint, is_click};
use hilo_core::profile::{Profile, is_machine_click, state};
use serde_json::value::RawValue;

use super::bond::Bond;
use super::standing::Standing;
use super::timeline::{self, Listed, Planned};
use super::{consent, erasure, link, optin, stored_profile};
use crate::calls::{
    ConsentCopy, DeliveryState, OwnPart, PAGE_ROWS_MAX, Page, Summary, decode, encode, raw, told_by,
};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The most receipts of one page of the person's copy. A receipt has up to 20 KB, and an isolate has 128 MB for all its requests.
const COPY_ROWS_MAX: u32 = 25;
/// The most events of one page of the person's copy. An event has up to 32 KB.
const OWN_EVENTS_MAX: u32 = 100;

/// Reads the timeline by the time of the events. The cursor is `<occurred_ms>.<number>` of the last event of the page before.
pub(super) fn events(sql: &impl Sql, cursor: Option<&str>, limit: u32) -> Result<Page, Failure> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let found = timeline::events(sql, pair(cursor), beyond(limit))?;
    // Rows of earlier versions have no facts. The state of a moment can be found later, as far as the profile lists what decides.
    let needs_profile =
        |one: &Listed| one.touchpoint.as_ref().is_none_or(|facts| is_click(&facts.kind));
    let needs_profile = found.iter().any(needs_profile);
    let profile = if needs_profile { Some(stored_profile::read(sql)?.profile) } else { None };
    let profile = profile.unwrap_or_default();
    page(&found, limit, |one| with_facts(one, &profile), |one| Ok(text(one.place)))
}

/// Writes the facts of the touchpoint before an event, and the source that told it.
fn with_facts(one: &Listed, profile: &Profile) -> Result<Box<RawValue>, Failure> {
    let mut found = match &one.touchpoint {
        Some(stored) => stored.clone(),
        None => touchpoint(&one.body, profile)?,
    };
    if is_click(&found.kind) {
        found.machine = is_machine_click(profile, &gist(&one.body)?);
    }
    let found = encode(&found)?;
    let event = told_by(one.source.as_deref(), &one.body)?;
    let rest = event.strip_prefix('{').unwrap_or_default();
    raw(format!("{{\"touchpoint\":{found},{rest}"))
}

/// Finds the facts of an event that was stored without them, by the usual numbers.
fn touchpoint(body: &str, profile: &Profile) -> Result<Touchpoint, Failure> {
    let gist = gist(body)?;
    let session = gist.session.as_deref();
    let state = state(profile, gist.occurred_at, session, &StateRules::default());
    Ok(gist.touchpoint(state))
}

fn gist(body: &str) -> Result<Gist, Failure> {
    Ok(Gist::of(&decode::<Event>(body)?))
}

/// Reads receipts, newest first. The cursor is the last row's number.
pub(super) fn receipts(sql: &impl Sql, cursor: Option<&str>, limit: u32) -> Result<Page, Failure> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let rows = sql.exec(
        "SELECT seq, body FROM receipts WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        &[before(cursor)?, SqlValue::from(limit + 1)],
    )?;
    page(&rows, limit, |row| raw(row.text("body")?), |row| Ok(row.int("seq")?.to_string()))
}

/// Reads the person's copy: the recorded state, with a page of receipts.
pub(super) fn copy(sql: &impl Sql, cursor: Option<&str>) -> Result<ConsentCopy, Failure> {
    let standing = Standing::read(sql)?;
    let Page { rows: receipts, next } = receipts(sql, cursor, COPY_ROWS_MAX)?;
    Ok(ConsentCopy {
        revision: standing.revision(),
        state: consent::words(&standing),
        receipts,
        next,
    })
}

/// Reads one part of what is kept, for the person. A profile that has moved keeps a copy of the user's record for the deliveries that are
/// left. The device's proof does not open that.
pub(super) fn own(
    sql: &impl Sql,
    bond: &Bond,
    part: OwnPart,
    cursor: Option<&str>,
) -> Result<String, Failure> {
    let has_moved = matches!(bond, Bond::Moved(_));
    let page = match part {
        OwnPart::Profile => {
            let mut summary = summary(sql, bond)?;
            if has_moved {
                (summary.consent, summary.optins) = Default::default();
            }
            return encode(&summary);
        }
        OwnPart::OptIns | OwnPart::Receipts if has_moved => Ok(Page::default()),
        OwnPart::OptIns => optins(sql, cursor, PAGE_ROWS_MAX),
        OwnPart::Receipts => receipts(sql, cursor, COPY_ROWS_MAX),
        OwnPart::Events => events(sql, cursor, OWN_EVENTS_MAX),
        OwnPart::Deliveries => deliveries(sql, cursor, PAGE_ROWS_MAX),
    };
    encode(&page?)
}

/// Reads opt-ins, newest first. The cursor is the last row's number.
pub(super) fn optins(sql: &impl Sql, cursor: Option<&str>, limit: u32) -> Result<Page, Failure> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let rows = sql.exec(
        "SELECT seq, body FROM optins WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        &[before(cursor)?, SqlValue::from(limit + 1)],
    )?;
    let entry = |row: &SqlRow| match row.text("body")? {
        // A profile that has moved keeps only states.
        "{}" => raw("{}"),
        body => raw(encode(&optin::read(sql, body)?)?),
    };
    page(&rows, limit, entry, |row| Ok(row.int("seq")?.to_string()))
}

/// Reads deliveries, newest first. The cursor is `<number of the event>.<destination's index>` of the last delivery of the page
/// before.
pub(super) fn deliveries(
    sql: &impl Sql,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page, Failure> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let planned = timeline::deliveries(sql, pair(cursor), beyond(limit))?;
    let ids: Vec<&str> = planned.iter().map(|one| one.message_id.as_str()).collect();
    let rows = sql.exec(
        "SELECT value AS message_id, destination, state, attempts, next_ms, reason, updated_ms
         FROM outbox, json_each(message_ids) WHERE value IN (SELECT value FROM json_each(?)) ORDER BY seq",
        &[SqlValue::Text(encode(&ids)?)],
    )?;
    let mut states = BTreeMap::new();
    for row in &rows {
        states.insert((row.text("message_id")?, row.text("destination")?), row);
    }
    let state = |one: &Planned| {
        let row = states.get(&(one.message_id.as_str(), one.destination.as_str()));
        raw(encode(&row.map_or_else(|| Ok(done(one)), |row| delivery_state(row))?)?)
    };
    page(&planned, limit, state, |one| Ok(text(one.place)))
}

/// A delivery without a row: it was done at the first attempt. The time is that of the event's arrival.
fn done(one: &Planned) -> DeliveryState {
    DeliveryState {
        message_id: one.message_id.clone(),
        destination: one.destination.clone(),
        state: "delivered".to_owned(),
        attempts: 0,
        next_ms: one.at_ms,
        reason: None,
        updated_ms: one.at_ms,
    }
}

/// A number larger than that of any row.
const END: i64 = (1 << 53) - 1;

/// Reads the two numbers of a cursor.
fn pair(cursor: Option<&str>) -> (i64, i64) {
    let parts = cursor.and_then(|cursor| cursor.rsplit_once('.'));
    let numbers = parts.and_then(|(one, two)| Some((one.parse().ok()?, two.parse().ok()?)));
    numbers.unwrap_or((END, END))
}

fn before(cursor: Option<&str>) -> Result<SqlValue, Failure> {
    SqlValue::int(cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(END))
}

/// The number of rows that shows whether a page is the last one.
fn beyond(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1)
}

/// Writes a cursor of two numbers.
fn text((one, two): (i64, i64)) -> String {
    format!("{one}.{two}")
}

fn page<R>(
    rows: &[R],
    limit: u32,
    read: impl Fn(&R) -> Result<Box<RawValue>, Failure>,
    cursor: impl Fn(&R) -> Result<String, Failure>,
) -> Result<Page, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let shown = rows.get(..limit).unwrap_or(rows);
    let next = if rows.len() > shown.len() { shown.last().map(cursor).transpose()? } else { None };
    Ok(Page { rows: shown.iter().map(read).collect::<Result<_, _>>()?, next })
}

fn delivery_state(row: &SqlRow) -> Result<DeliveryState, Failure> {
    Ok(DeliveryState {
        message_id: row.text("message_id")?.to_owned(),
        destination: row.text("destination")?.to_owned(),
        // The profile that the event came from finishes what was pending there.
        state: row.text("state")?.replace("elsewhere", "pending"),
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        next_ms: row.int("next_ms")?,
        reason: row.text_opt("reason").map(str::to_owned),
        updated_ms: row.int("updated_ms")?,
    })
}

/// Reads the folded profile with its counts.
pub(super) fn summary(sql: &impl Sql, bond: &Bond) -> Result<Summary, Failure> {
    Ok(Summary {
        known: true,
        profile: raw(encode(&stored_profile::read(sql)?.profile)?)?,
        events: u32::try_from(timeline::count(sql)?).unwrap_or(u32::MAX),
        consent: consent::words(&Standing::read(sql)?),
        optins: optin::subscriptions(sql)?.words(),
        links: u32::try_from(link::links(sql)?.len()).unwrap_or(u32::MAX),
        linking: matches!(bond, Bond::Moving(_)),
        refolding: stored_profile::is_behind(sql)?,
        erasure: erasure::standing(sql)?,
    })
}

/// Makes the summary of a person without stored data.
pub(super) fn summary_of_nobody() -> Summary {
    Summary {
        known: false,
        profile: RawValue::NULL.to_owned(),
        events: 0,
        consent: BTreeMap::new(),
        optins: BTreeMap::new(),
        links: 0,
        linking: false,
        refolding: false,
        erasure: None,
    }
}
