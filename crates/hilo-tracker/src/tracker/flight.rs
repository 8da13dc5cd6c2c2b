//! What waits for the collector's answer: requests, and consent records until the ledger has them.

use crate::platform::Call;
use crate::queue::Counts;

/// A request on its way.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) ticket: u32,
    pub(super) call: Call,
    /// The counts of dropped events that the request reports.
    pub(super) reported: Counts,
}

/// A consent record that the ledger does not have yet.
#[derive(Debug)]
pub(super) struct ConsentRecord {
    pub(super) key: String,
    pub(super) consent: String,
    /// The id that a denial is about, where the page has forgotten it; empty for the visitor's present id.
    pub(super) id: String,
    /// The request that carries it; 0 for none.
    pub(super) ticket: u32,
}
