//! Leases: attempts in progress, by the row of the outbox.
//!
//! Leases are only in memory. A restarted object has lost its leases, so it sends again at once, as it should after a
//! crash.

use std::collections::BTreeMap;

/// How long an attempt may take before it counts as lost.
const LEASE_MS: i64 = 60_000;

/// The attempts in progress.
#[derive(Debug)]
pub(super) struct Leases {
    held: BTreeMap<i64, Lease>,
    /// Whether rows without a lease may be due. It is true at first, because an earlier life of the object may have left
    /// such rows.
    pub(super) is_behind: bool,
}

impl Default for Leases {
    fn default() -> Leases {
        Leases { held: BTreeMap::new(), is_behind: true }
    }
}

#[derive(Debug)]
struct Lease {
    /// The time at which the attempt counts as lost.
    until_ms: i64,
    /// The row's time at the start of the attempt. When the row has changed, the attempt is over.
    row_ms: i64,
}

impl Leases {
    /// Whether an attempt at `row` is in progress, given the row's own time.
    pub(super) fn holds(&self, row: i64, row_ms: i64) -> bool {
        self.held.get(&row).is_some_and(|lease| lease.row_ms == row_ms)
    }

    /// Begins an attempt.
    pub(super) fn hold(&mut self, row: i64, row_ms: i64, now_ms: i64) {
        self.held.insert(row, Lease { until_ms: now_ms + LEASE_MS, row_ms });
    }

    /// Ends an attempt.
    pub(super) fn end(&mut self, row: i64) {
        self.held.remove(&row);
    }

    /// Drops leases that have run out, and returns the number of those that are left.
    pub(super) fn count(&mut self, now_ms: i64) -> usize {
        self.held.retain(|_, lease| lease.until_ms > now_ms);
        self.held.len()
    }
}
