//! What a destination is: its kind, its limits, and two pure functions, from a batch to requests and from an answer to what
//! became of each event.
//!
//! Shapes only. The kinds are in `destinations/`. Grouping, sending, bisecting, pacing and retry are the rest of `forward`, so a
//! destination cannot send, wait or read a clock.

use hilo_core::config::{DestinationEntry, Problem};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::profile::Person;
use jiff::Timestamp;
use serde::Deserialize;

use crate::platform::{Outgoing, Response};

/// Steps that the requests for one event may have.
pub const STEPS_MAX: u32 = 8;

/// A kind of destination: one row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The `type` in `hilo.toml`, and the name of its folder in `tests/golden/forward`.
    pub name: &'static str,
    /// Types the settings of an entry.
    ///
    /// # Errors
    /// A setting that does not fit, with line, column and remedy.
    pub load: fn(&DestinationEntry) -> Result<Box<dyn Destination>, Problem>,
    /// Purposes that the service needs, whatever the configuration adds.
    pub purposes: &'static [Purpose],
    /// What a batch for it may be.
    pub limits: Limits,
}

/// What a batch for one kind of destination may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Events of one batch.
    pub events: usize,
    /// Bytes that the events of one batch have together as stored. A larger event is a batch of its own.
    pub bytes: usize,
    /// Seconds after which an event is too old for the service.
    pub age_s_max: Option<u32>,
    /// Whether events are sent in the order in which they happened, one request at a time. An event that waits for its next
    /// attempt holds back the later events of its person that were handed over with it; events of later messages may
    /// overtake it.
    pub is_ordered: bool,
    /// Whether a batch may hold events of several persons.
    pub mixes_people: bool,
    /// Whether the person goes along with the event. Otherwise no personal data leaves the profile for it.
    pub wants_person: bool,
}

/// A configured destination. Pure: the same input gives the same output.
pub trait Destination {
    /// The requests that bring a batch there, of all steps.
    ///
    /// Each event is named by at most one request of each step, and by one at least unless it is left out with a reason. A
    /// request of a step is sent only for events whose requests of all earlier steps succeeded. Steps that are done are not
    /// sent again, so a step keeps its meaning when the code changes.
    ///
    /// # Errors
    /// A secret that is not set.
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret>;

    /// What the answer to `request` means for its events.
    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception;
}

/// Events on their way to one destination.
pub struct Batch<'b> {
    /// The events. Requests name them by their place here.
    pub events: Vec<BatchEvent<'b>>,
    /// Looks up secrets.
    pub secrets: Secrets<'b>,
    /// The moment of this attempt.
    pub now: Timestamp,
}

/// An event of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchEvent<'b> {
    /// The event.
    pub event: &'b Event,
    /// Its person, as far as consent allows. `None` if the kind wants no person.
    pub person: Option<&'b Person>,
}

/// What a destination makes of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The requests, in the order in which they are to be sent.
    pub requests: Vec<MappedRequest>,
    /// The places of events that the destination does not take, each with a reason for people.
    pub left_out: Vec<(usize, String)>,
}

/// One request, and the events that it carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedRequest {
    /// What is sent.
    pub outgoing: Outgoing,
    /// The places of its events in the batch.
    pub events: Vec<usize>,
    /// 0 for the first request that an event needs, 1 for the request that may only follow it, and so on.
    pub step: u32,
}

/// What an answer means for the events of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reception {
    /// The same for all of them.
    All(Acceptance),
    /// One result per event, in the order in which the request names them.
    Each(Vec<Acceptance>),
    /// The request was refused as a whole because of one of its events, and the answer does not name the event.
    Poison {
        /// Why, for people.
        reason: String,
    },
}

/// Whether a destination took an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It has the event.
    Delivered,
    /// It did not take the event now.
    Retry {
        /// `Retry-After` as sent, if it was.
        after: Option<String>,
        /// Why, for people.
        reason: String,
    },
    /// It will never take the event.
    Rejected {
        /// Why, for people.
        reason: String,
    },
}

/// A secret that a destination needs and that is not set or cannot be one. The deployer can set it, so it is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSecret(pub String);

/// A secret by its name: `{ secret = "NAME" }`. `Debug` shows the name and never the value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretName {
    /// What `wrangler secret put` was given.
    pub secret: String,
}

/// Looks a secret up by its name.
pub type Secrets<'s> = &'s dyn Fn(&str) -> Option<String>;
