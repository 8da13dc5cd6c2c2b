//! What an isolate has stored of backends' envelopes that were too large for one request.
//!
//! A call of a profile → whether the same call was answered before. The next attempt leaves such calls out, so that each attempt gets
//! further, however far away the objects are. Only in memory: another isolate asks again, and the object recognizes a duplicate.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// The most calls that an isolate remembers: four of the largest envelopes. Beyond that it begins anew.
const CALLS_MAX: usize = 10_000;

thread_local! {
    static STORED: RefCell<BTreeSet<u64>> = const { RefCell::new(BTreeSet::new()) };
}

/// A call of a profile that a later attempt may leave out.
#[derive(Clone, Copy)]
pub(super) struct Mark(u64);

impl Mark {
    /// Tells a call from others by its kind, the object called `name` and the events' ids, but not by the time of receipt.
    pub(super) fn of<'i>(kind: &str, name: &str, ids: impl Iterator<Item = &'i str>) -> Mark {
        let mut hasher = DefaultHasher::new();
        (kind, name).hash(&mut hasher);
        ids.for_each(|id| id.hash(&mut hasher));
        Mark(hasher.finish())
    }

    /// Whether the call was answered before.
    pub(super) fn is_stored(self) -> bool {
        STORED.with_borrow(|stored| stored.contains(&self.0))
    }

    /// Notes that all events of the call are durable.
    pub(super) fn note(self) {
        STORED.with_borrow_mut(|stored| {
            if stored.len() >= CALLS_MAX {
                stored.clear();
            }
            stored.insert(self.0);
        });
    }
}
