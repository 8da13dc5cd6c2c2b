//! Events on their way into a profile's object: the call that carries them, and what becomes of each.
//!
//! The events' JSON follows the call, so that the object can store it without parsing it.

use std::ops::Range;

use hilo_core::consent::{OptInChannel, Purpose};
use hilo_core::event::Gist;
use hilo_core::journey::Channel;
use serde::{Deserialize, Serialize};

use crate::platform::Failure;

/// An event to store, and its destinations.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The event's gist.
    pub gist: Gist,
    /// Bytes of the normalized event, as it will be stored.
    pub bytes: usize,
    /// Its destinations, as places in the call's plans.
    pub to: Vec<usize>,
}

/// A destination that events are meant for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The destination's name in `hilo.toml`.
    pub name: String,
    /// The purposes it needs: asked again before every attempt.
    pub purposes: Vec<Purpose>,
    /// The channel by which it writes to people: asked again before every attempt too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<OptInChannel>,
    /// Whether the person goes along with the event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wants_person: bool,
}

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// Durable, with its outbox rows.
    Stored {
        /// The channel of its session, as the wire writes it.
        channel: Option<Channel>,
        /// The destinations that got an outbox row.
        destinations: Vec<String>,
    },
    /// The same `messageId` is stored already.
    Duplicate,
    /// The profile's own record denies a purpose the event needs.
    ConsentDenied,
}

/// The part of `bodies` that an event is.
///
/// # Errors
/// `Fatal`: both sides are this crate.
pub fn body(bodies: &str, place: Range<usize>) -> Result<&str, Failure> {
    bodies.get(place).ok_or_else(|| Failure::Fatal("an event is cut short".to_owned()))
}
