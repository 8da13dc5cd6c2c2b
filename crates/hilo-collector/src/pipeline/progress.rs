//! What an isolate has stored of backends' envelopes that were too large for one request.
//!
//! A call of a profile → whether the same call was answered before. The next attempt leaves such calls out, so that each attempt gets
//! further, however far away the objects are. Only in memory: another isolate asks again, and the object recognizes a duplicate.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jiff::Timestamp;

/// The most calls that an isolate remembers: four of the largest envelopes. Beyond that it begins anew.
const CALLS_MAX: usize = 10_000;

/// How long a call is remembered. The largest envelope to the farthest objects takes that long. Not longer, because another isolate may
/// have erased a person meanwhile, whose events do not count as stored any more.
const FRESH_MS: i64 = 600_000;

thread_local! {
    /// The calls, each with the time when it was answered.
    static STORED: RefCell<BTreeMap<u64, i64>> = const { RefCell::new(BTreeMap::new()) };
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

    /// Whether the call was answered a short time ago.
    pub(super) fn is_stored(self, now: Timestamp) -> bool {
        let is_fresh = |at_ms: &i64| now.as_millisecond() - at_ms < FRESH_MS;
        STORED.with_borrow(|stored| stored.get(&self.0).is_some_and(is_fresh))
    }

    /// Notes that all events of the call are durable.
    pub(super) fn note(self, now: Timestamp) {
        STORED.with_borrow_mut(|stored| {
            if stored.len() >= CALLS_MAX {
                stored.clear();
            }
            stored.insert(self.0, now.as_millisecond());
        });
    }
}

/// Forgets all calls: a person of one of them was erased, and its events must not count as stored.
pub fn forget() {
    STORED.with_borrow_mut(BTreeMap::clear);
}
