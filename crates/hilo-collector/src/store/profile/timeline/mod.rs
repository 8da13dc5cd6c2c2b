//! The timeline: the events of a person in rows of many, and the questions that the object asks about them.
//!
//! `row.rs` has the shape of a row, `page.rs` reads the timeline by time, `join.rs` makes few long rows of many short ones,
//! `aged.rs` removes what is too old, `sourced.rs` what a source has told, `carts.rs` finds the carts of the person, `moved.rs` takes over the rows of earlier versions. Only this folder reads and writes the
//! table `batches`.

mod aged;
mod carts;
mod ids;
mod join;
mod moved;
mod page;
mod row;
mod sourced;

pub(super) use aged::{Ages, ages, remove_before};
pub(super) use carts::cart_labels;
pub(super) use ids::Ids;
pub(super) use join::{JOIN_AFTER_MS, LOOSE_MAX, join, joins_at};
pub(super) use moved::move_events;
pub(super) use page::{Listed, Planned, deliveries, events};
pub(super) use row::{Entry, Row, hash};
pub(super) use sourced::{last_row, remove_of};

use std::collections::BTreeMap;

use hilo_core::journey::Session;

use crate::calls::decode;
use crate::platform::{Failure, Sql, SqlRow, SqlValue};
use row::COLUMNS;

/// The most bytes of events in one row: a value of a Durable Object may have 2 MB, and a row is read as a whole.
pub(super) const ROW_BYTES_MAX: usize = 1024 * 1024;

/// Writes a new row.
pub(super) fn insert(sql: &impl Sql, row: Row) -> Result<(), Failure> {
    let query = format!("INSERT INTO batches ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    sql.run(&query, &row.values(sql)?)
}

/// Writes a row in place of the one with the same key.
fn replace(sql: &impl Sql, row: Row) -> Result<(), Failure> {
    let values = row.values(sql)?;
    sql.run(
        "UPDATE batches SET last = ?2, at_ms = ?3, first_ms = ?4, last_ms = ?5, ids = ?6, opened = ?7, head = ?8, bodies = ?9,
           facts = ?10
         WHERE seq = ?1",
        &values,
    )
}

/// Reads the row with this key.
fn read(sql: &impl Sql, seq: i64) -> Result<Option<Row>, Failure> {
    one(sql, "WHERE seq = ?", seq)
}

/// Reads the first row with an event after `number`.
pub(super) fn after(sql: &impl Sql, number: i64) -> Result<Option<Row>, Failure> {
    // The row of an event has the largest key up to its number.
    let which =
        "WHERE last > ?1 AND seq >= (SELECT coalesce(max(seq), 0) FROM batches WHERE seq <= ?1)
        ORDER BY seq LIMIT 1";
    one(sql, which, number)
}

fn one(sql: &impl Sql, which: &str, number: i64) -> Result<Option<Row>, Failure> {
    let query = format!("SELECT {COLUMNS} FROM batches {which}");
    let found = sql.exec(&query, &[SqlValue::int(number)?])?;
    found.into_iter().next().map(|row| Row::read(sql, row)).transpose()
}

/// Counts the events.
pub(super) fn count(sql: &impl Sql) -> Result<i64, Failure> {
    let rows = sql.exec("SELECT coalesce(sum(length(ids)) / 8, 0) AS n FROM batches", &[])?;
    rows.first().map_or(Ok(0), |row| row.int("n"))
}

/// Finds the session with this id, if an event of the timeline opened it.
pub(super) fn session(sql: &impl Sql, id: &str) -> Result<Option<Session>, Failure> {
    let rows = sql.exec(
        "SELECT value FROM batches, json_each(opened) WHERE value ->> 'id' = ? ORDER BY seq LIMIT 1",
        &[SqlValue::from(id)],
    )?;
    rows.first().map(|row| decode(row.text("value")?)).transpose()
}

/// Finds events by their ids, each with its source, if that is known. The first of them stands in the row with the number `event`, or
/// behind it.
pub(super) fn find(
    sql: &impl Sql,
    event: i64,
    message_ids: &[String],
) -> Result<BTreeMap<String, (Option<String>, String)>, Failure> {
    let mut wanted: BTreeMap<u64, &String> = message_ids.iter().map(|id| (hash(id), id)).collect();
    let mut found = BTreeMap::new();
    let mut next = event - 1;
    // Mostly all of them stand in one row. Joining rows never parts them, but a call of many megabytes does.
    while let Some(row) = after(sql, next)? {
        let before = next;
        for entry in row.entries() {
            if let Some(id) = wanted.remove(&entry.hash) {
                let source = entry.source.map(str::to_owned);
                found.insert(id.clone(), (source, entry.body.to_owned()));
            }
            next = entry.number;
        }
        if wanted.is_empty() || next == before {
            break;
        }
    }
    Ok(found)
}

/// Removes the whole timeline.
pub(super) fn clear(sql: &impl Sql) -> Result<(), Failure> {
    sql.run("DELETE FROM batches", &[])
}

fn key(row: &SqlRow) -> Result<i64, Failure> {
    row.int("seq")
}
