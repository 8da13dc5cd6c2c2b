//! What an isolate has stored of backends' envelopes that were too large for one request.
//!
//! A call of a profile → whether the same call was answered before. The next attempt leaves such calls out, so that each attempt gets
//! further, however far away the objects are. Only in memory: another isolate asks again, and the object recognizes a duplicate.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// The most calls that an isolate remembers: four of the largest envelopes. Beyond that it begins anew.
const CALLS_MAX: usize = 10_000;

thread_local! {
    static STORED: RefCell<BTreeSet<u64>> = const { RefCell::new(BTreeSet::new()) };
}

/// Whether a call with this fingerprint was answered.
pub(super) fn is_stored(call: u64) -> bool {
    STORED.with_borrow(|stored| stored.contains(&call))
}

/// Notes that all events of a call are durable.
pub(super) fn note(call: u64) {
    STORED.with_borrow_mut(|stored| {
        if stored.len() >= CALLS_MAX {
            stored.clear();
        }
        stored.insert(call);
    });
}
