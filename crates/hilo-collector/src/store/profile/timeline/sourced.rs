//! Removes what one source has told from the timeline.

use super::{Entry, Row, key, read, replace};
use crate::platform::{Failure, Sql, SqlValue};

/// The most rows that one call opens: an object has a bounded time and memory. Another call goes on.
const OPENED_MAX: u32 = 32;

/// Removes the events of a source, except those of which `stays` is true. Calls `each` for each removed event. Returns the last row that
/// was opened, if there may be more behind it. Run it inside a transaction.
pub(in super::super) fn remove_of(
    sql: &impl Sql,
    source: &str,
    after: i64,
    stays: impl Fn(&Entry<'_>) -> bool,
    mut each: impl FnMut(&Entry<'_>),
) -> Result<Option<i64>, Failure> {
    // The head is no secret of the row, and names the sources.
    let rows = sql.exec(
        "SELECT seq FROM batches WHERE seq > ?1 AND EXISTS (
           SELECT 1 FROM json_each(head, '$.sources') WHERE value ->> 0 = ?2)
         ORDER BY seq LIMIT ?3",
        &[SqlValue::int(after)?, SqlValue::from(source), SqlValue::from(OPENED_MAX)],
    )?;
    for row in &rows {
        let Some(row) = read(sql, key(row)?)? else { continue };
        let mut rest = Row::new(row.seq, row.at_ms);
        rest.opened.clone_from(&row.opened);
        let mut has_changed = false;
        for entry in row.entries() {
            if entry.source == Some(source) && !stays(&entry) {
                each(&entry);
                has_changed = true;
            } else {
                rest.add(entry, row.destinations(entry.number).map(|(_, name)| name));
            }
        }
        if rest.is_empty() {
            sql.run("DELETE FROM batches WHERE seq = ?", &[SqlValue::int(row.seq)?])?;
        } else if has_changed {
            replace(sql, rest)?;
        }
    }
    let is_full = rows.len() == usize::try_from(OPENED_MAX).unwrap_or(usize::MAX);
    rows.last().filter(|_| is_full).map(key).transpose()
}

/// Returns the number of the last row.
pub(in super::super) fn last_row(sql: &impl Sql) -> Result<i64, Failure> {
    let rows = sql.exec("SELECT coalesce(max(seq), 0) AS seq FROM batches", &[])?;
    rows.first().map_or(Ok(0), |row| row.int("seq"))
}
