//! Joins short rows: a person with 100,000 events has a hundred rows then, not ten thousand.
//!
//! The alarm does it, some hours after the rows were written. A joined row keeps numbers, sources, sessions and destinations of
//! its events.

use super::{ROW_BYTES_MAX, Row, insert, key, read};
use crate::platform::{Failure, Sql, SqlRow, SqlValue};

/// A row with fewer bytes of events is loose: it is joined with its neighbors.
pub(super) const LOOSE_BYTES: usize = 256 * 1024;
/// The most loose rows that stay as they are. Joining fewer would cost more rows than it saves: most people never have so many.
pub(in super::super) const LOOSE_MAX: usize = 64;
/// The most joined rows that one upkeep writes: an object has a bounded time and memory. A later one joins the others.
const JOINED_MAX: usize = 8;
/// The age at which a row may be joined. Until then its deliveries are likely to be read again, and a short row is read faster.
pub(in super::super) const JOIN_AFTER_MS: i64 = 6 * 3_600 * 1_000;

/// Returns the time at which so many loose rows are old enough to be joined.
pub(in super::super) fn joins_at(sql: &impl Sql) -> Result<Option<i64>, Failure> {
    let rows = sql.exec(
        "SELECT at_ms FROM batches WHERE length(bodies) < ? ORDER BY at_ms LIMIT 1 OFFSET ?",
        &[
            SqlValue::int(i64::try_from(LOOSE_BYTES).unwrap_or(i64::MAX))?,
            SqlValue::int(i64::try_from(LOOSE_MAX).unwrap_or(i64::MAX))?,
        ],
    )?;
    rows.first().map(|row| Ok(row.int("at_ms")? + JOIN_AFTER_MS)).transpose()
}

/// Joins loose rows, if there are enough of them that are old enough. Returns whether any were joined. Run it inside a
/// transaction.
pub(in super::super) fn join(sql: &impl Sql, now_ms: i64) -> Result<bool, Failure> {
    if joins_at(sql)?.is_none_or(|at_ms| at_ms > now_ms) {
        return Ok(false);
    }
    let rows =
        sql.exec("SELECT seq, at_ms, length(bodies) AS bytes FROM batches ORDER BY seq", &[])?;
    let is_loose = |row: &SqlRow| -> Result<bool, Failure> {
        let bytes = usize::try_from(row.int("bytes")?).unwrap_or(usize::MAX);
        Ok(bytes < LOOSE_BYTES && row.int("at_ms")? <= now_ms - JOIN_AFTER_MS)
    };
    let (mut open, mut written): (Option<Joined>, _) = (None, 0);
    for row in &rows {
        if written >= JOINED_MAX {
            return Ok(true);
        }
        // A row that stays apart ends the joined row before it, because the numbers of two rows must not overlap.
        let next = if is_loose(row)? { read(sql, key(row)?)? } else { None };
        match (&mut open, next) {
            (Some(joined), Some(next)) if joined.fits(&next) => joined.add(&next),
            (_, next) => {
                let before = std::mem::replace(&mut open, next.map(Joined::of));
                written += before.map_or(Ok(0), |joined| joined.write(sql))?;
            }
        }
    }
    written += open.map_or(Ok(0), |joined| joined.write(sql))?;
    Ok(written > 0)
}

/// A row that is being joined from several.
struct Joined {
    row: Row,
    last: i64,
    count: usize,
}

impl Joined {
    fn of(row: Row) -> Joined {
        Joined { last: row.seq, row, count: 1 }
    }

    fn fits(&self, next: &Row) -> bool {
        self.row.bytes() + next.bytes() <= ROW_BYTES_MAX
    }

    fn add(&mut self, next: &Row) {
        self.row.append(next);
        // The row counts as old as its newest part.
        self.row.at_ms = self.row.at_ms.max(next.at_ms);
        self.last = next.seq;
        self.count += 1;
    }

    /// Writes the joined row in place of its parts. Returns the number of joined rows.
    fn write(self, sql: &impl Sql) -> Result<usize, Failure> {
        if self.count < 2 {
            return Ok(0);
        }
        sql.run(
            "DELETE FROM batches WHERE seq BETWEEN ? AND ?",
            &[SqlValue::int(self.row.seq)?, SqlValue::int(self.last)?],
        )?;
        insert(sql, self.row)?;
        Ok(1)
    }
}
