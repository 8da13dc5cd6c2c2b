//! What was posted, opened as far as its items. Shape only: `decode` fills it, [`super::check`] judges its items.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::outcome::Rejection;

/// Bytes of an envelope's shared `context` or `integrations`. They are copied into each of up to 2,500 events, so
/// this bound is what keeps one request from filling the 128 MB of a Worker.
pub const SHARED_BYTES_MAX: usize = 8 * 1024;

/// What was posted, opened as far as its items: each of them is still raw text.
#[derive(Debug, Default)]
pub struct Envelope {
    /// The write key, if the body carried it.
    pub write_key: Option<String>,
    /// Page clock at flush.
    pub sent_at: Option<Timestamp>,
    /// Context that every item shares.
    pub context: Option<Value>,
    /// Integrations that every item shares.
    pub integrations: Option<Value>,
    /// The items, unread.
    pub items: Vec<Box<RawValue>>,
    /// One message posted to its own path, rather than a batch.
    pub single: bool,
    /// The type that the path of a single message stands for.
    pub kind: Option<String>,
    /// Remarks on the envelope itself. [`super::check`] hands them to the first item.
    pub notices: Vec<Rejection>,
}
