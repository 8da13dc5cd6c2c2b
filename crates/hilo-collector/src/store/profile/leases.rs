//! Leases: attempts in progress, by the row of the outbox.
//!
//! Leases are only in memory, in the isolate's own ([`Attempts`]): an object that slept finds its leases again, because its messages
//! still wait in the queue. After a crash of the isolate they are lost, so the object sends again: at once what was sent for the
//! first time, and after a delay what was sent from the rows before (`overdue.rs`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::calls::LEASE_MS;

/// The most rows in progress. The rest stays in the rows, so that a queue that is slower than the senders has a bounded
/// number of messages, and none waits in it for longer than its lease.
const LEASES_MAX: usize = 100;

/// The most objects whose attempts an isolate remembers. Beyond, all are forgotten, and an object that wakes sends again.
const OBJECTS_MAX: usize = 10_000;

/// The attempts in progress of one object, by row.
type Held = Rc<RefCell<BTreeMap<i64, Lease>>>;

/// The attempts in progress of all objects of an isolate, by the objects' ids.
#[derive(Debug, Default)]
pub struct Attempts(BTreeMap<String, Held>);

impl Attempts {
    /// Returns the leases of an object that begins a new life.
    pub(super) fn of(&mut self, object: String, now_ms: i64) -> Leases {
        if self.0.len() >= OBJECTS_MAX {
            let is_held = |lease: &Lease| lease.until_ms > now_ms;
            self.0.retain(|_, held| held.borrow().values().any(is_held));
            if self.0.len() >= OBJECTS_MAX {
                self.0.clear();
            }
        }
        Leases { held: Rc::clone(self.0.entry(object).or_default()), is_behind: true }
    }
}

/// The attempts in progress.
#[derive(Debug)]
pub(super) struct Leases {
    held: Held,
    /// Whether rows without a lease may be due. It is true at first, because an earlier life of the object may have left
    /// such rows.
    pub(super) is_behind: bool,
}

impl Default for Leases {
    fn default() -> Leases {
        Leases { held: Held::default(), is_behind: true }
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
        self.held.borrow().get(&row).is_some_and(|lease| lease.row_ms == row_ms)
    }

    /// Whether no further attempt may begin, while `more` others begin too.
    pub(super) fn is_full(&self, more: usize) -> bool {
        self.held.borrow().len() + more >= LEASES_MAX
    }

    /// Begins an attempt.
    pub(super) fn hold(&mut self, row: i64, lease: Lease) {
        self.held.borrow_mut().insert(row, lease);
    }

    /// Ends an attempt.
    pub(super) fn end(&mut self, row: i64) {
        self.held.borrow_mut().remove(&row);
    }

    /// Ends all attempts.
    pub(super) fn clear(&mut self) {
        self.held.borrow_mut().clear();
    }

    /// Ends the attempts whose leases have run out without a result, and returns them by row.
    pub(super) fn take_lost(&mut self, now_ms: i64) -> Vec<(i64, Lease)> {
        let mut lost = Vec::new();
        self.held.borrow_mut().retain(|row, lease| {
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
        self.held.borrow().values().filter(|lease| lease.due_ms <= now_ms).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_isolate_remembers_the_attempts_of_a_bounded_number_of_objects() {
        let mut attempts = Attempts::default();
        let busy = |attempts: &mut Attempts, n: usize| {
            attempts.of(format!("busy-{n}"), 0).hold(1, Lease::new(0, 0, 0, 0));
        };
        busy(&mut attempts, 0);
        for n in 1..=OBJECTS_MAX {
            attempts.of(format!("idle-{n}"), 0);
        }
        assert!(attempts.of("busy-0".to_owned(), 0).holds(1, 0), "idle objects go first");
        assert!(attempts.0.len() < 10);
        (0..2 * OBJECTS_MAX).for_each(|n| busy(&mut attempts, n));
        assert!(attempts.0.len() <= OBJECTS_MAX);
    }
}
