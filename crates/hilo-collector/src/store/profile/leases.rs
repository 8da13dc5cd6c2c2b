//! Leases: attempts in progress, by the row of the outbox.
//!
//! Leases are only in memory. A restarted object has lost its leases, so it sends again: at once what was sent for the first
//! time, and after a delay what was sent from the rows before (`overdue.rs`).

use std::collections::BTreeMap;

use crate::calls::LEASE_MS;

/// The most rows in progress. The rest stays in the rows, so that a queue that is slower than the senders has a bounded
/// number of messages, and none waits in it for longer than its lease.
const LEASES_MAX: usize = 100;

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

/// An attempt in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lease {
    /// The time at which the attempt counts as lost.
    until_ms: i64,
    /// The row's time at the start of the attempt. When the row has changed, the attempt is over.
    pub(super) row_ms: i64,
    /// The number of the attempt.
    pub(super) attempt: u32,
    /// The time from which the row itself counts as due.
    due_ms: i64,
}

impl Lease {
    /// Begins attempt number `attempt` at `now_ms`, at a row of the time `row_ms` that is due from `due_ms` on.
    pub(super) const fn new(row_ms: i64, attempt: u32, due_ms: i64, now_ms: i64) -> Lease {
        Lease { until_ms: now_ms + LEASE_MS, row_ms, attempt, due_ms }
    }
}

impl Leases {
    /// Whether an attempt at `row` is in progress, given the row's own time.
    pub(super) fn holds(&self, row: i64, row_ms: i64) -> bool {
        self.held.get(&row).is_some_and(|lease| lease.row_ms == row_ms)
    }

    /// Whether no further attempt may begin, while `more` others begin too.
    pub(super) fn is_full(&self, more: usize) -> bool {
        self.held.len() + more >= LEASES_MAX
    }

    /// Begins an attempt.
    pub(super) fn hold(&mut self, row: i64, lease: Lease) {
        self.held.insert(row, lease);
    }

    /// Ends an attempt.
    pub(super) fn end(&mut self, row: i64) {
        self.held.remove(&row);
    }

    /// Ends the attempts whose leases have run out without a result, and returns them by row.
    pub(super) fn take_lost(&mut self, now_ms: i64) -> Vec<(i64, Lease)> {
        let mut lost = Vec::new();
        self.held.retain(|row, lease| {
            let is_held = lease.until_ms > now_ms;
            if !is_held {
                lost.push((*row, *lease));
            }
            is_held
        });
        lost
    }

    /// Returns the number of rows that are due and in progress.
    pub(super) fn count_due(&self, now_ms: i64) -> usize {
        self.held.values().filter(|lease| lease.due_ms <= now_ms).count()
    }
}
