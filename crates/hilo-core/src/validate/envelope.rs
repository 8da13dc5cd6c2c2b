//! A posted envelope with unread items. Shape only: `decode` fills it, and [`super::check`] judges its items.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::outcome::Rejection;

/// Bytes of an envelope's shared `context` or `integrations`. Each of up to 2,500 events gets a copy, so this bound keeps one
/// request from filling the 128 MB of a Worker.
pub const SHARED_BYTES_MAX: usize = 8 * 1024;
/// Bytes of an id that an envelope carries for its events: each of them gets a copy too. An event's own id may have fewer.
pub(super) const SHARED_ID_BYTES_MAX: usize = 1024;

/// Bytes of the hello that rides on an envelope: two ids with their proofs.
pub(super) const HELLO_BYTES_MAX: usize = 2 * 1024;

/// A posted envelope. Each item is still raw text.
#[derive(Debug, Default)]
pub struct Envelope {
    /// The write key, if the body carried it.
    pub write_key: Option<String>,
    /// Page clock at flush.
    pub sent_at: Option<Timestamp>,
    /// Context of every item.
    pub context: Option<Value>,
    /// Integrations of every item.
    pub integrations: Option<Value>,
    /// `anonymousId` and `userId` of the items that name nobody.
    pub ids: Vec<(&'static str, String)>,
    /// The hello of a new page, unread.
    pub hello: Option<Box<RawValue>>,
    /// The items, unread.
    pub items: Vec<Box<RawValue>>,
    /// The type that the path of a single message names.
    pub kind: Option<String>,
    /// Remarks on the envelope itself. [`super::check`] adds them to the first item's remarks.
    pub notices: Vec<Rejection>,
}
