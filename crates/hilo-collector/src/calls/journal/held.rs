//! Events that the tracking plan refused, as the journal's head holds them until the plan is mended.
//!
//! Shapes only. `store/journal/held.rs` keeps them, `pipeline/plan.rs` makes them, and
//! `pipeline/replay.rs` takes them up again.

use serde::{Deserialize, Serialize};

/// A held event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldEvent {
    /// The source's name.
    pub source: String,
    /// The name of the profile's object, by which the event is forgotten.
    pub profile: String,
    /// The hash of the event's id.
    pub message_hash: String,
    /// The code of the first violation.
    pub code: String,
    /// The event as JSON, in its normal form.
    pub event: String,
}

/// Which held events are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldWanted {
    /// Only events that were refused from this time on, milliseconds since the epoch.
    pub since_ms: i64,
    /// Only events that were refused before this time.
    pub until_ms: Option<i64>,
    /// Only events of this source.
    pub source: Option<String>,
    /// Only events with this code.
    pub code: Option<String>,
    /// Only these events, by the hashes of their ids; empty means all.
    pub messages: Vec<String>,
    /// The most events to answer, oldest first.
    pub limit: u32,
}
