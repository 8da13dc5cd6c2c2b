//! Reads a profile in pages, newest first. Rows are returned as they are stored, without being parsed.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{consent, optin, stored_profile};
use crate::calls::{ConsentCopy, DeliveryState, PAGE_ROWS_MAX, Page, Summary, encode};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The most receipts of one page of the person's copy. A receipt has up to 20 KB, and an isolate has 128 MB for all its requests.
const COPY_ROWS_MAX: u32 = 25;

/// Reads the timeline by the time of the events. The cursor is `<occurred_ms>.<seq>` of the last row of the page before.
pub(super) fn events(sql: &impl Sql, cursor: Option<&str>, limit: u32) -> Result<Page, Failure> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let (before_ms, before_seq) = pair(cursor);
    let rows = sql.exec(
        "SELECT seq, occurred_ms, body FROM events WHERE (occurred_ms, seq) < (?, ?)
         ORDER BY occurred_ms DESC, seq DESC LIMIT ?",
        &[SqlValue::int(before_ms)?, SqlValue::int(before_seq)?, SqlValue::from(limit + 1)],
    )?;
    page(
        &rows,
        limit,
        |row| raw(row.text("body")?),
        |row| Ok(format!("{}.{}", row.int("occurred_ms")?, row.int("seq")?)),
    )
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
    let standing = consent::standing(sql)?;
    let Page { rows: receipts, next } = receipts(sql, cursor, COPY_ROWS_MAX)?;
    Ok(ConsentCopy {
        revision: standing.revision(),
        state: consent::words(&standing),
        receipts,
        next,
    })
}

/// Reads opt-ins, newest first. The cursor is the last row's number.
pub(super) fn optins(sql: &impl Sql, cursor: Option<&str>, limit: u32) -> Result<Page, Failure> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let rows = sql.exec(
        "SELECT seq, body FROM optins WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        &[before(cursor)?, SqlValue::from(limit + 1)],
    )?;
    page(&rows, limit, |row| raw(row.text("body")?), |row| Ok(row.int("seq")?.to_string()))
}

/// Reads deliveries, newest first. The cursor is `<row>.<place in it>` of the last delivery of the page before.
pub(super) fn deliveries(
    sql: &impl Sql,
    cursor: Option<&str>,
    limit: u32,
) -> Result<Page, Failure> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let (before_seq, before_key) = pair(cursor);
    let rows = sql.exec(
        "SELECT seq, key, value AS message_id, destination, state, attempts, next_ms, reason, updated_ms
         FROM outbox, json_each(message_ids)
         WHERE seq <= ?1 AND (seq, key) < (?1, ?2) ORDER BY seq DESC, key DESC LIMIT ?3",
        &[SqlValue::int(before_seq)?, SqlValue::int(before_key)?, SqlValue::from(limit + 1)],
    )?;
    page(&rows, limit, delivery_state, |row| Ok(format!("{}.{}", row.int("seq")?, row.int("key")?)))
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

fn page(
    rows: &[SqlRow],
    limit: u32,
    read: impl Fn(&SqlRow) -> Result<Box<RawValue>, Failure>,
    cursor: impl Fn(&SqlRow) -> Result<String, Failure>,
) -> Result<Page, Failure> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let shown = rows.get(..limit).unwrap_or(rows);
    let next = if rows.len() > shown.len() { shown.last().map(cursor).transpose()? } else { None };
    Ok(Page { rows: shown.iter().map(read).collect::<Result<_, _>>()?, next })
}

fn delivery_state(row: &SqlRow) -> Result<Box<RawValue>, Failure> {
    raw(&encode(&DeliveryState {
        message_id: row.text("message_id")?.to_owned(),
        destination: row.text("destination")?.to_owned(),
        state: row.text("state")?.to_owned(),
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        next_ms: row.int("next_ms")?,
        reason: row.text_opt("reason").map(str::to_owned),
        updated_ms: row.int("updated_ms")?,
    })?)
}

/// Wraps stored JSON without parsing its values.
pub(super) fn raw(text: &str) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text.to_owned()).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Reads the folded profile with its counts.
pub(super) fn summary(sql: &impl Sql) -> Result<Summary, Failure> {
    let events = sql.exec("SELECT count(*) AS n FROM events", &[])?;
    let events = events.first().map_or(Ok(0), |row| row.int("n"))?;
    Ok(Summary {
        known: true,
        profile: raw(&encode(&stored_profile::read(sql)?.0)?)?,
        events: u32::try_from(events).unwrap_or(u32::MAX),
        consent: consent::words(&consent::standing(sql)?),
        optins: optin::subscriptions(sql)?.words(),
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
    }
}
