//! The ids of the newest events, hashed, in memory: a duplicate is found without a query and without an index.

use std::collections::BTreeSet;

use super::join::LOOSE_BYTES;
use super::row::HASH_BYTES;
use crate::platform::{Failure, Sql, SqlValue};

/// The most hashes that are read when the object wakes up: 1 MB. An event that is sent again after so many newer ones is stored
/// again.
const IDS_MAX: usize = 131_072;
/// New hashes join the sorted ones when they are this part of them: a set takes twice the memory of a list.
const NEW_PART: usize = 4;
/// So many new hashes stay a set, however few the sorted ones are.
const NEW_MIN: usize = 64;
/// The digits of a hash in hex.
const HASH_DIGITS: usize = 2 * HASH_BYTES;

/// The hashed ids of the newest events.
#[derive(Debug, Default)]
pub(in super::super) struct Ids {
    /// Most of them, sorted: 8 bytes each.
    sorted: Vec<u64>,
    /// The newest.
    new: BTreeSet<u64>,
    /// The number of those that have come since the object woke up.
    come: usize,
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
        let (mut sorted, mut loose) = (Vec::new(), 0);
        for row in &rows {
            loose += row.int("loose")?;
            let digits = row.text("ids")?.as_bytes().chunks_exact(HASH_DIGITS);
            let hashes =
                digits.map(|hash| u64::from_str_radix(str::from_utf8(hash).ok()?, 16).ok());
            sorted.extend(hashes.flatten());
        }
        sorted.sort_unstable();
        let ids = Ids { sorted, ..Ids::default() };
        Ok((ids, usize::try_from(loose).unwrap_or(0)))
    }

    /// Adds a hash. Returns whether it is new.
    pub(in super::super) fn insert(&mut self, hash: u64) -> bool {
        if self.sorted.binary_search(&hash).is_ok() || !self.new.insert(hash) {
            return false;
        }
        self.come += 1;
        if self.new.len() > NEW_MIN.max(self.sorted.len() / NEW_PART) {
            self.sorted.reserve_exact(self.new.len());
            self.sorted.extend(std::mem::take(&mut self.new));
            self.sorted.sort_unstable();
        }
        true
    }

    /// Whether there are so many that the oldest have to go: [`Ids::read`] leaves them out.
    pub(in super::super) fn is_full(&self) -> bool {
        self.come > IDS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_however_many_come() {
        let mut ids = Ids::default();
        for is_new in [true, false] {
            for n in 0..10_000_u64 {
                assert_eq!(ids.insert(n.wrapping_mul(0x9E37_79B9_7F4A_7C15)), is_new, "{n}");
            }
        }
        assert!(ids.new.len() * NEW_PART <= ids.sorted.len() + NEW_PART);
        assert_eq!(ids.sorted.len() + ids.new.len(), 10_000);
    }
}
