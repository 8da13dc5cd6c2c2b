//! The calls of the scheduled check: the faults that it has found, and which of them are news. Shapes only.
//!
//! The journal's head remembers faults between two checks (`store/journal/watch.rs`).

use serde::{Deserialize, Serialize};

/// A fault, as the head remembers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Watched {
    /// The fault's code.
    pub code: String,
    /// What it is about: the name of a secret or destination; empty for the deployment.
    pub about: String,
    /// Since when it lasts, milliseconds since the epoch.
    pub since_ms: i64,
    /// Whether events are lost or refused.
    pub loses_events: bool,
}

/// What the head remembers of the last check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Remembered {
    /// The faults.
    pub faults: Vec<Watched>,
    /// The time at which the last probe of the queue was sent, milliseconds since the epoch. 0 before the first check.
    pub probed_ms: i64,
    /// The time at which the newest probe that arrived was sent; before any has arrived, that of the first one.
    pub arrived_ms: i64,
}

/// What has changed since the last alert that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The faults of which no alert was sent.
    pub begun: Vec<Watched>,
    /// The faults of which an alert was sent, and which are over.
    pub ended: Vec<Watched>,
}

impl Change {
    /// Whether there is nothing to tell.
    pub const fn is_empty(&self) -> bool {
        self.begun.is_empty() && self.ended.is_empty()
    }
}
