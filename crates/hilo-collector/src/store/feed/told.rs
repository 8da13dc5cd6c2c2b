//! Ids of which a service has told by a call: what has to be read, and which records were deleted.
//!
//! Rows of `told` ⇄ [`Told`]. An id that is told again gets a later time, so an answer that was asked for before does not take it away. Nothing
//! reads a deletion of a record again, so a deletion stays until its work is done.

use jiff::Timestamp;

use crate::calls::feed::{DELETED, Told};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// The most ids that wait to be read. A run reads those that were changed anyway, so the oldest may go.
const TOLD_MAX: i64 = 10_000;
/// The ids that one run gets.
const TOLD_OF_RUN: u32 = 500;
/// The deletions that one run gets. Each asks several objects.
const DELETIONS_OF_RUN: u32 = 200;
/// The longest id of what has to be read.
const TOLD_BYTES_MAX: usize = 128;

/// Notes ids.
pub(super) fn note(sql: &impl Sql, ids: &[String], now: Timestamp) -> Result<(), Failure> {
    let at = SqlValue::int(now.as_millisecond())?;
    let fits = |id: &&String| id.starts_with(DELETED) || id.len() <= TOLD_BYTES_MAX;
    for id in ids.iter().filter(fits) {
        let row = "INSERT INTO told (id, at_ms) VALUES (?, ?) \
            ON CONFLICT (id) DO UPDATE SET at_ms = max(excluded.at_ms, told.at_ms + 1)";
        sql.run(row, &[SqlValue::from(id.as_str()), at.clone()])?;
    }
    let oldest = "DELETE FROM told WHERE id IN (SELECT id FROM told \
        WHERE id < 'deleted:' OR id >= 'deleted;' ORDER BY at_ms DESC LIMIT -1 OFFSET ?)";
    sql.run(oldest, &[SqlValue::int(TOLD_MAX)?])
}

/// The ids that have to be read, the oldest first.
pub(super) fn ids(sql: &impl Sql) -> Result<Vec<Told>, Failure> {
    let query = "SELECT id, at_ms, erased FROM told WHERE id < 'deleted:' OR id >= 'deleted;' \
        ORDER BY at_ms, id LIMIT ?";
    sql.exec(query, &[TOLD_OF_RUN.into()])?.iter().map(told).collect()
}

/// The deletions: those of which nothing was erased yet come first.
pub(super) fn deletions(sql: &impl Sql) -> Result<Vec<Told>, Failure> {
    let query = "SELECT id, at_ms, erased FROM told WHERE id >= 'deleted:' AND id < 'deleted;' \
        ORDER BY erased, at_ms, id LIMIT ?";
    sql.exec(query, &[DELETIONS_OF_RUN.into()])?.iter().map(told).collect()
}

/// Notes that the person of a deleted record was erased.
pub(super) fn erased(sql: &impl Sql, id: &str) -> Result<(), Failure> {
    sql.run("UPDATE told SET erased = 1 WHERE id = ?", &[SqlValue::from(id)])
}

/// Takes an id away, unless the service has told it again since.
pub(super) fn take_away(sql: &impl Sql, told: &Told) -> Result<(), Failure> {
    let bindings = [SqlValue::from(told.id.as_str()), SqlValue::int(told.at_ms)?];
    sql.run("DELETE FROM told WHERE id = ? AND at_ms <= ?", &bindings)
}

fn told(row: &SqlRow) -> Result<Told, Failure> {
    Ok(Told {
        id: row.text("id")?.to_owned(),
        at_ms: row.int("at_ms")?,
        is_erased: row.int("erased")? != 0,
    })
}
