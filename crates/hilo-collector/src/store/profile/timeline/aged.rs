//! Removes events that are too old from the timeline.

use std::collections::BTreeSet;

use super::{Entry, Row, key, read, replace};
use crate::platform::{Failure, Sql, SqlValue};

/// The most rows that one upkeep opens: an object has a bounded time and memory. A later one goes on.
const OPENED_MAX: u32 = 32;

/// The times that decide about the next removal.
#[derive(Clone, Copy, Debug, Default)]
pub(in super::super) struct Ages {
    /// The arrival of the row that came first, among those with an event that is too old.
    pub(in super::super) old_at_ms: Option<i64>,
    /// The time of the earliest event of the other rows.
    pub(in super::super) first_ms: Option<i64>,
    /// The arrival of the newest row.
    pub(in super::super) newest_at_ms: Option<i64>,
}

/// Reads the ages of the rows. Events before `before_ms` are too old.
pub(in super::super) fn ages(sql: &impl Sql, before_ms: i64) -> Result<Ages, Failure> {
    let rows = sql.exec(
        "SELECT min(at_ms) FILTER (WHERE first_ms < ?1) AS old_at_ms,
           min(first_ms) FILTER (WHERE first_ms >= ?1) AS first_ms, max(at_ms) AS newest_at_ms
         FROM batches",
        &[SqlValue::int(before_ms)?],
    )?;
    // An aggregate over no row is NULL.
    let of = |column| rows.first().and_then(|row| row.int(column).ok());
    let (old_at_ms, first_ms) = (of("old_at_ms"), of("first_ms"));
    Ok(Ages { old_at_ms, first_ms, newest_at_ms: of("newest_at_ms") })
}

/// Removes the events that happened before `before_ms`, except those whose hash is in `kept`, and those in rows that arrived at
/// `arrived_ms` or later. Calls `each` for each removed event, in the order of their numbers. Run it inside a transaction.
pub(in super::super) fn remove_before(
    sql: &impl Sql,
    before_ms: i64,
    arrived_ms: i64,
    kept: &BTreeSet<u64>,
    mut each: impl FnMut(Entry<'_>),
) -> Result<(), Failure> {
    let rows = sql.exec(
        "SELECT seq FROM batches WHERE first_ms < ? AND at_ms < ? ORDER BY seq LIMIT ?",
        &[SqlValue::int(before_ms)?, SqlValue::int(arrived_ms)?, SqlValue::from(OPENED_MAX)],
    )?;
    for row in &rows {
        let Some(row) = read(sql, key(row)?)? else { continue };
        let mut rest = Row::new(row.seq, row.at_ms);
        rest.opened.clone_from(&row.opened);
        let (mut is_older, mut is_empty) = (false, true);
        for entry in row.entries() {
            if entry.occurred_ms < before_ms && !kept.contains(&entry.hash) {
                each(entry);
                is_older = true;
            } else {
                rest.add(entry, row.destinations(entry.number).map(|(_, name)| name));
                is_empty = false;
            }
        }
        if is_empty {
            sql.run("DELETE FROM batches WHERE seq = ?", &[SqlValue::int(row.seq)?])?;
        } else if is_older {
            replace(sql, rest)?;
        }
    }
    Ok(())
}
