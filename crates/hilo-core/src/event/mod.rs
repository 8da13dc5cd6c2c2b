//! The shapes on the wire: one event, its kind, its context, and the edge's facts about the request.
//!
//! The shapes are those of the Segment spec (`track`, `page`, `identify`, `messageId` …), with hilo's own fields under
//! `context.hilo`. `validate` reads events from bytes, and `normalize` makes them alike.

mod context;
mod facts;
pub mod fields;
mod gist;
mod kind;
mod limits;
mod properties;
mod service_ids;
pub mod touchpoints;

pub use context::{
    Browser, Campaign, Clock, ConsentClaim, Context, Device, HiloContext, Landing, Library,
    Location, OptInLinks, Os, Page, Referrer, SessionHint,
};
pub use facts::{ClientHints, Facts, Geo, Trust};
pub use gist::Gist;
pub use kind::{CONSENT_UPDATED, EventKind, OPT_IN_CONFIRMED, OPT_IN_REQUESTED, OPT_IN_WITHDRAWN};
pub use limits::{
    BATCH_EVENTS_MAX, BODY_BYTES_MAX, DEPTH_MAX, EVENT_BYTES_MAX, INFLATED_BYTES_MAX,
    KEY_BYTES_MAX, OBJECT_KEYS_MAX, PUBLIC_PERSONS_MAX, STRING_BYTES_MAX,
};
pub use properties::Properties;
pub use service_ids::{SERVICE_IDS, purposes_of_service_id};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// One event, as stored and forwarded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The event's id, unique per source. A second event with one id changes nothing.
    pub message_id: String,
    /// The kind of event, with its own fields.
    #[serde(flatten)]
    pub kind: EventKind,
    /// The device's random id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// A verified user id: a token or a server source vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// A user id that a page merely claims. Forwarded, never linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claimed_id: Option<String>,
    /// When the event happened, corrected for the page's clock.
    #[serde(rename = "timestamp")]
    pub occurred_at: Timestamp,
    /// When the event happened by the page's clock.
    #[serde(rename = "originalTimestamp", skip_serializing_if = "Option::is_none")]
    pub original_at: Option<Timestamp>,
    /// When the page sent the envelope, by the page's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When the event reached the collector, by the edge clock.
    pub received_at: Timestamp,
    /// The circumstances.
    pub context: Context,
    /// The destinations that the sender wants (Segment's `integrations`). A sender can only exclude destinations.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub integrations: Properties,
}

impl Event {
    /// Whether the collector made the event, to ask somebody to confirm a subscription.
    pub const fn is_optin_request(&self) -> bool {
        self.context.hilo.optin.is_some()
    }

    /// Whether the collector made the event, because its ledger of opt-ins has changed.
    pub const fn is_optin_change(&self) -> bool {
        self.context.hilo.ledger
    }

    /// The purposes that this event needs, all of them.
    ///
    /// Every kind carries an identifier, so every kind needs `analytics`. A report of a changed consent needs no consent: it is
    /// the record itself, and it is not kept as an event. A request to confirm a subscription is what the person has asked for, and a
    /// change of an opt-in is the person's own word.
    pub fn purposes(&self) -> &'static [crate::consent::Purpose] {
        match self.kind {
            _ if self.kind.is_consent_change()
                || self.is_optin_request()
                || self.is_optin_change() =>
            {
                &[crate::consent::Purpose::Essential]
            }
            EventKind::Track { .. }
            | EventKind::Page { .. }
            | EventKind::Screen { .. }
            | EventKind::Identify { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => &[crate::consent::Purpose::Analytics],
        }
    }
}
