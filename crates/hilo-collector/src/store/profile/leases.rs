//! Leases: attempts under way, by the row of the outbox.
//!
//! In memory only. A restarted object has forgotten its leases, so it sends again at once, as it should after a crash.

use std::collections::BTreeMap;

/// How long an attempt may be under way before it counts as lost.
const LEASE_MS: i64 = 60_000;

/// See the module.
#[derive(Debug)]
pub(super) struct Leases {
    held: BTreeMap<i64, Lease>,
    /// Whether rows without a lease may be due. True at first, because an earlier life of the object may have left some.
    pub(super) is_behind: bool,
}

impl Default for Leases {
    fn default() -> Leases {
        Leases { held: BTreeMap::new(), is_behind: true }
    }
}

#[derive(Debug)]
struct Lease {
    /// When the attempt counts as lost.
    until_ms: i64,
    /// The row's time when it was handed out. Once the row has changed, the attempt is over.
    row_ms: i64,
}

impl Leases {
    /// Whether an attempt at `row` is under way, given the row's own time.
    pub(super) fn holds(&self, row: i64, row_ms: i64) -> bool {
        self.held.get(&row).is_some_and(|lease| lease.row_ms == row_ms)
    }

    /// An attempt begins.
    pub(super) fn hold(&mut self, row: i64, row_ms: i64, now_ms: i64) {
        self.held.insert(row, Lease { until_ms: now_ms + LEASE_MS, row_ms });
    }

    /// An attempt has ended.
    pub(super) fn end(&mut self, row: i64) {
        self.held.remove(&row);
    }

    /// Drops leases that have run out, and returns how many are left.
    pub(super) fn count(&mut self, now_ms: i64) -> usize {
        self.held.retain(|_, lease| lease.until_ms > now_ms);
        self.held.len()
    }
}
