//! Removes events that are too old from the timeline.

use std::collections::BTreeSet;

use super::{Entry, Row, key, read, replace};
use crate::platform::{Failure, Sql, SqlValue};

/// The most rows that one upkeep opens: an object has a bounded time and memory. A later one goes on.
const OPENED_MAX: u32 = 32;

/// Removes the events that happened before a time, except those whose hash is in `kept`. Calls `each` for each removed event, in
/// the order of their numbers. Run it inside a transaction.
pub(in super::super) fn remove_before(
    sql: &impl Sql,
    before_ms: i64,
    kept: &BTreeSet<u64>,
    mut each: impl FnMut(Entry<'_>),
) -> Result<(), Failure> {
    let rows = sql.exec(
        "SELECT seq FROM batches WHERE first_ms < ? ORDER BY seq LIMIT ?",
        &[SqlValue::int(before_ms)?, SqlValue::from(OPENED_MAX)],
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
