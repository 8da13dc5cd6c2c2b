//! How often something happened, first and last. In: times in any order. Out: the same tally.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::recent::Listed;

/// A number with its first and last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How often.
    pub count: u64,
    /// The first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

impl Tally {
    /// Once.
    pub(super) const fn at(at: Timestamp) -> Tally {
        Tally { count: 1, first: at, last: at }
    }

    /// Adds another tally.
    pub(super) fn add(&mut self, other: Tally) {
        self.count = self.count.saturating_add(other.count);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// A family of devices, as a person used it.
impl Listed for Tally {
    /// More devices than a person has: a browser that hides itself may change its name.
    const MAX: usize = 16;
    type Sums = u64;

    fn last_at(&self) -> Timestamp {
        self.last
    }

    fn join(&mut self, other: Tally) {
        self.add(other);
    }

    fn leave(self, sums: &mut u64) {
        *sums = sums.saturating_add(self.count);
    }

    fn add(sums: &mut u64, others: u64) {
        *sums = sums.saturating_add(others);
    }
}
