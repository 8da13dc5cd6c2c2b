//! The call that brings events to a profile's object, and the result of each event.
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
    /// The small values that the profile needs of the event.
    pub gist: Gist,
    /// The number of bytes of the normalized event, as it will be stored.
    pub bytes: usize,
    /// The event's destinations, as indexes into the call's plans.
    pub to: Vec<usize>,
}

/// A destination that events are meant for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// The destination's name in `hilo.toml`.
    pub name: String,
    /// The purposes that the destination needs. The object checks them again before every attempt.
    pub purposes: Vec<Purpose>,
    /// The channel by which the destination writes to people. The object checks the opt-in again before every attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<OptInChannel>,
    /// Whether the destination wants the person together with the event.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wants_person: bool,
    /// Whether it wants the key of the person's lines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wants_key: bool,
    /// Whether the event goes there whatever purposes the person allows: the service keeps what people chose about a channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_owed: bool,
}

/// The result of one record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recorded {
    /// The event and its outbox rows are durable.
    Stored {
        /// The channel of its session, as the wire writes it.
        channel: Option<Channel>,
        /// The destinations that got an outbox row.
        destinations: Vec<String>,
    },
    /// The same `messageId` is stored already.
    Duplicate,
    /// The consent that the profile has recorded denies a purpose that the event needs.
    ConsentDenied,
    /// The person was erased, and the event is from before or about an erased device.
    Erased,
}

/// Returns the part of `bodies` that is one event.
///
/// # Errors
/// `Fatal` if the place is outside the text. This crate writes both sides, so that is a bug.
pub fn body(bodies: &str, place: Range<usize>) -> Result<&str, Failure> {
    bodies.get(place).ok_or_else(|| Failure::Fatal("an event is cut short".to_owned()))
}
