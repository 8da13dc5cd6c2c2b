//! The ids of the newest events, hashed, in memory: a duplicate is found without a query and without an index.

use std::collections::BTreeSet;

use super::row::hashes;
use crate::platform::{Failure, Sql, SqlValue};

/// The most hashes that are read when the object wakes up. An event that is sent again after so many newer ones is stored
/// again. The hashes of 100,000 events are 0.8 MB in the rows, and about twice as much in memory.
const IDS_MAX: usize = 131_072;

/// The hashed ids of the newest events.
#[derive(Debug, Default)]
pub(in super::super) struct Ids(BTreeSet<u64>);

impl Ids {
    /// Reads the ids of the newest events.
    pub(in super::super) fn read(sql: &impl Sql) -> Result<Ids, Failure> {
        let newest = "SELECT seq, sum(length(ids)) OVER (ORDER BY seq DESC) AS bytes FROM batches";
        let query = format!(
            "SELECT ids FROM batches WHERE seq IN (SELECT seq FROM ({newest}) WHERE bytes <= ?)"
        );
        let bytes = u32::try_from(IDS_MAX * super::row::HASH_BYTES).unwrap_or(u32::MAX);
        let mut all = Vec::new();
        for row in sql.exec(&query, &[SqlValue::from(bytes)])? {
            all.extend(hashes(row.bytes("ids")?));
        }
        Ok(Ids(all.into_iter().collect()))
    }

    /// Adds a hash. Returns whether it is new.
    pub(in super::super) fn insert(&mut self, hash: u64) -> bool {
        self.0.insert(hash)
    }

    /// Whether there are so many that the oldest have to go: [`Ids::read`] leaves them out.
    pub(in super::super) fn is_full(&self) -> bool {
        self.0.len() > 2 * IDS_MAX
    }
}
