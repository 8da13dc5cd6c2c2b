//! The ids of the newest events, hashed, in memory: a duplicate is found without a query and without an index.

use std::collections::BTreeSet;

use super::join::LOOSE_BYTES;
use super::row::HASH_BYTES;
use crate::platform::{Failure, Sql, SqlValue};

/// The most hashes that are read when the object wakes up: 1 MB. An event that is sent again after so many newer ones is stored
/// again.
const IDS_MAX: usize = 131_072;
/// The digits of a hash in hex.
const HASH_DIGITS: usize = 2 * HASH_BYTES;

/// The hashed ids of the newest events.
#[derive(Debug, Default)]
pub(in super::super) struct Ids {
    /// Those that were read, sorted: 8 bytes each.
    read: Vec<u64>,
    /// Those that have come since.
    new: BTreeSet<u64>,
}

impl Ids {
    /// Reads the ids of the newest events, and counts their loose rows: both need each row, so they share a query.
    pub(in super::super) fn read(sql: &impl Sql) -> Result<(Ids, usize), Failure> {
        // A person may have thousands of rows, and each row of an answer costs several calls into JavaScript. So the ids of many
        // rows come as one text, which stays far below the bound of a value.
        let rows = sql.exec(
            "SELECT group_concat(hex(ids), '') AS ids, sum(is_loose) AS loose FROM
               (SELECT seq, ids, length(bodies) < ?1 AS is_loose,
                  sum(length(ids)) OVER (ORDER BY seq DESC) AS bytes FROM batches)
             WHERE bytes <= ?2 GROUP BY seq >> 12",
            &[
                SqlValue::from(u32::try_from(LOOSE_BYTES).unwrap_or(u32::MAX)),
                SqlValue::from(u32::try_from(IDS_MAX * HASH_BYTES).unwrap_or(u32::MAX)),
            ],
        )?;
        let (mut read, mut loose) = (Vec::new(), 0);
        for row in &rows {
            loose += row.int("loose")?;
            let digits = row.text("ids")?.as_bytes().chunks_exact(HASH_DIGITS);
            let hashes =
                digits.map(|hash| u64::from_str_radix(str::from_utf8(hash).ok()?, 16).ok());
            read.extend(hashes.flatten());
        }
        read.sort_unstable();
        Ok((Ids { read, new: BTreeSet::new() }, usize::try_from(loose).unwrap_or(0)))
    }

    /// Adds a hash. Returns whether it is new.
    pub(in super::super) fn insert(&mut self, hash: u64) -> bool {
        self.read.binary_search(&hash).is_err() && self.new.insert(hash)
    }

    /// Whether there are so many that the oldest have to go: [`Ids::read`] leaves them out.
    pub(in super::super) fn is_full(&self) -> bool {
        self.new.len() > IDS_MAX
    }
}
