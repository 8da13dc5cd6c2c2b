//! What a profile looks at in an event: enough to judge, attribute and fold it without reading all of it again.
//!
//! The event travels beside its gist as JSON that nobody opens: reading and writing ten events anew was a third of
//! what a batch cost the edge in its own code. Shapes only.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Event;
use crate::consent::Purpose;
use crate::journey::{Channel, Touch};

/// The gist of one event. Every field is the event's own, see [`Event`] and [`super::Context`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gist {
    /// The event's id.
    pub message_id: String,
    /// The wire's `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    #[serde(rename = "timestamp")]
    pub occurred_at: Timestamp,
    /// The purposes it needs, all of them.
    pub purposes: Vec<Purpose>,
    /// The revision of the consent it claims; 0 without one.
    pub revision: u32,
    /// Whom a page merely claims it to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_id: Option<String>,
    /// Its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Its session's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The touch it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touch: Option<Touch>,
    /// The channel it is attributed to so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

impl Gist {
    /// The gist of `event`.
    pub fn of(event: &Event) -> Gist {
        let (context, hilo) = (&event.context, &event.context.hilo);
        Gist {
            message_id: event.message_id.clone(),
            kind: event.kind.name().to_owned(),
            occurred_at: event.occurred_at,
            purposes: event.purposes().to_vec(),
            revision: context.consent.as_ref().map_or(0, |claim| claim.revision),
            claimed_id: event.claimed_id.clone(),
            locale: context.locale.clone(),
            session: hilo.session.as_ref().map(|session| session.id.clone()),
            touch: hilo.touch.clone(),
            channel: hilo.channel,
        }
    }
}
