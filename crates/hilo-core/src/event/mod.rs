//! What travels on the wire: one event, its kind, its context, and what the edge knows about the request.
//!
//! The shapes are the Segment spec's (`track`, `page`, `identify`, `messageId` …), with hilo's own facts under
//! `context.hilo`. Reading them from bytes is `validate`'s work; improving them is `normalize`'s.

mod context;
mod facts;
pub mod fields;
mod gist;
mod kind;
mod limits;
mod properties;

pub use context::{
    Browser, Campaign, ConsentClaim, Context, Device, HiloContext, Landing, Library, Location, Os,
    Page, SessionHint,
};
pub use facts::{Facts, Geo, Trust};
pub use gist::Gist;
pub use kind::EventKind;
pub use limits::{
    BATCH_EVENTS_MAX, BODY_BYTES_MAX, DEPTH_MAX, EVENT_BYTES_MAX, INFLATED_BYTES_MAX,
    KEY_BYTES_MAX, OBJECT_KEYS_MAX, STRING_BYTES_MAX,
};
pub use properties::Properties;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// One thing that happened, as stored and forwarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Unique per source; storing twice is a no-op.
    pub message_id: String,
    /// What happened, with its payload.
    #[serde(flatten)]
    pub kind: EventKind,
    /// The device's random id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// A person's id that the sender may vouch for: a verified token or a server source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// A person's id that a page merely claims. Forwarded, never linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_id: Option<String>,
    /// When it happened, corrected for the page's clock.
    #[serde(rename = "timestamp")]
    pub occurred_at: Timestamp,
    /// When the page said it happened.
    #[serde(rename = "originalTimestamp", skip_serializing_if = "Option::is_none")]
    pub original_at: Option<Timestamp>,
    /// When the page said it sent the envelope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When it reached the collector.
    pub received_at: Timestamp,
    /// Circumstances.
    pub context: Context,
    /// Which destinations the sender wants (Segment's `integrations`); it can only take away.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub integrations: Properties,
}

impl Event {
    /// The purposes this event needs, all of them.
    ///
    /// Every kind is a touchpoint that carries an identifier, so every kind needs `analytics`.
    pub fn purposes(&self) -> &'static [crate::consent::Purpose] {
        match self.kind {
            EventKind::Track { .. }
            | EventKind::Page { .. }
            | EventKind::Screen { .. }
            | EventKind::Identify { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => &[crate::consent::Purpose::Analytics],
        }
    }
}
