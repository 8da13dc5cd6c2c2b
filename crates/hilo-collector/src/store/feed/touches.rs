//! Touchpoints of posts and channels: kept once by their ids, with what has changed of their counters, and read newest first.
//!
//! A touchpoint whose counters are as before is not kept: nothing has happened.

use serde_json::Value;
use serde_json::value::RawValue;

use super::counted;
use crate::calls::feed::TouchRecord;
use crate::calls::{PAGE_ROWS_MAX, Page, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// The most touchpoints that are kept: fifty posts a day for a year.
const TOUCHES_MAX: u32 = 20_000;

/// Keeps a touchpoint with the deliveries to its destinations, unless it is known.
pub(super) fn add(sql: &impl Sql, touch: &TouchRecord, now_ms: i64) -> Result<(), Failure> {
    let id = SqlValue::from(touch.id.as_str());
    if !sql.exec("SELECT seq FROM touches WHERE id = ?", std::slice::from_ref(&id))?.is_empty() {
        return Ok(());
    }
    let mut event = touch.event.clone();
    if let Some(counters) = &touch.counters {
        let Some(delta) = counted::count(sql, counters, now_ms)? else { return Ok(()) };
        if let Some(Value::Object(properties)) = event.get_mut("properties") {
            properties.insert("delta".to_owned(), delta);
        }
    }
    let message_id = event.get("messageId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let row = "INSERT INTO touches (id, body) VALUES (?, ?) RETURNING seq";
    let rows = sql.exec(row, &[id, SqlValue::Text(encode(&event)?)])?;
    let seq = rows.first().map_or(Ok(0), |row| row.int("seq"))?;
    let at = SqlValue::int(now_ms)?;
    for destination in &touch.destinations {
        let row = "INSERT INTO due (touch, message_id, destination, since_ms, next_ms) VALUES (?, ?, ?, ?, ?)";
        let bindings = [
            SqlValue::int(seq)?,
            SqlValue::Text(message_id.clone()),
            SqlValue::from(destination.as_str()),
            at.clone(),
            at.clone(),
        ];
        sql.run(row, &bindings)?;
    }
    Ok(())
}

/// Forgets the oldest touchpoints. One that is not delivered yet stays.
pub(super) fn prune(sql: &impl Sql) -> Result<(), Failure> {
    let oldest = "DELETE FROM touches WHERE seq <= (SELECT max(seq) FROM touches) - ? \
        AND seq NOT IN (SELECT touch FROM due)";
    sql.run(oldest, &[TOUCHES_MAX.into()])?;
    counted::prune(sql)
}

/// Reads a page, newest first.
pub(super) fn page(sql: &impl Sql, cursor: Option<&str>, limit: u32) -> Result<Page, Failure> {
    let before = cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(i64::from(u32::MAX));
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let rows = sql.exec(
        "SELECT seq, body FROM touches WHERE seq < ? ORDER BY seq DESC LIMIT ?",
        &[SqlValue::int(before)?, limit.into()],
    )?;
    let is_full = rows.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let last = rows.last().filter(|_| is_full).map(|row| row.int("seq")).transpose()?;
    let body = |text: &str| {
        RawValue::from_string(text.to_owned())
            .map_err(|_| Failure::Fatal("a touchpoint is no JSON".to_owned()))
    };
    let rows = rows.iter().map(|row| body(row.text("body")?)).collect::<Result<_, Failure>>()?;
    Ok(Page { rows, next: last.map(|seq| seq.to_string()) })
}
