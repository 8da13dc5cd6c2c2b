//! The parts of a destination: its kind, its limits, and two pure functions. The first makes requests from a batch. The
//! second reads the result of each event from an answer.
//!
//! This file has only shapes. `destinations/` has the kinds. The rest of `forward` groups, sends, bisects, waits and
//! repeats, so a destination cannot send, wait or read a clock.

use hilo_core::config::{DestinationEntry, Problem};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::profile::Person;
use jiff::Timestamp;
use serde::Deserialize;

use crate::platform::{Outgoing, Response};

/// The most steps that the requests for one event may have.
pub const STEPS_MAX: u32 = 8;

/// A kind of destination: one row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The `type` in `hilo.toml`, and the name of its folder in `tests/golden/forward`.
    pub name: &'static str,
    /// Reads the settings of an entry.
    ///
    /// # Errors
    /// The problem of a wrong setting, with line, column and remedy.
    pub load: fn(&DestinationEntry) -> Result<Box<dyn Destination>, Problem>,
    /// The purposes that the service needs, in addition to those of the configuration.
    pub purposes: &'static [Purpose],
    /// The limits of a batch for this kind.
    pub limits: Limits,
}

/// The limits of a batch for one kind of destination.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most events of one batch.
    pub events: usize,
    /// The most bytes of all events of one batch, as they are stored. A larger event gets a batch of its own.
    pub bytes: usize,
    /// The seconds after which an event is too old for the service.
    pub age_s_max: Option<u32>,
    /// Whether events are sent in the order in which they happened, one request at a time. An event that waits for its
    /// next attempt holds back later events of its person, but only those that the consumer got together with it.
    /// Events of later messages may overtake it.
    pub is_ordered: bool,
    /// Whether a batch may contain events of several persons.
    pub mixes_people: bool,
    /// Whether the person is sent with the event. Otherwise the destination gets no personal data of the profile.
    pub wants_person: bool,
}

/// A configured destination. Pure: the same input gives the same output.
pub trait Destination {
    /// Makes the requests of all steps that bring a batch to the destination.
    ///
    /// Each step has at most one request for an event. Each event has at least one request, unless it is left out with a
    /// reason. A request of a step is sent only for events whose requests of all earlier steps succeeded. Steps that are
    /// done are not sent again, so a step must keep its meaning when the code changes.
    ///
    /// # Errors
    /// The secret that is not set.
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret>;

    /// Reads the results of the request's events from the answer.
    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception;

    /// Makes the request that deletes a person, who asked for it. `None` for a service without such a call, whoever the person is. The
    /// answer is classified like that of an event.
    fn deletion(
        &self,
        _person: &Person,
        _secrets: Secrets<'_>,
    ) -> Option<Result<Outgoing, MissingSecret>> {
        None
    }
}

/// Events for one destination.
pub struct Batch<'b> {
    /// The events. A request refers to an event by its index in this list.
    pub events: Vec<BatchEvent<'b>>,
    /// Looks up secrets.
    pub secrets: Secrets<'b>,
    /// The time of this attempt.
    pub now: Timestamp,
}

/// An event of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchEvent<'b> {
    /// The event.
    pub event: &'b Event,
    /// The event's person, as far as consent allows. `None` if the kind wants no person.
    pub person: Option<&'b Person>,
}

/// The result of mapping a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The requests, in the order in which they must be sent.
    pub requests: Vec<MappedRequest>,
    /// The indexes of events that the destination does not take, each with a reason for people.
    pub left_out: Vec<(usize, String)>,
}

/// One request and its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedRequest {
    /// The request.
    pub outgoing: Outgoing,
    /// The indexes of the request's events in the batch.
    pub events: Vec<usize>,
    /// The step: 0 for the first request of an event, 1 for the request that must follow it, and so on.
    pub step: u32,
}

/// The results of a request's events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reception {
    /// All events have the same result.
    All(Acceptance),
    /// Each event has its own result, in the order of the request's `events`.
    Each(Vec<Acceptance>),
    /// The whole request was refused because of one of its events, and the answer does not tell which event it is.
    Poison {
        /// The reason, for people.
        reason: String,
    },
}

/// The result of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// The destination accepted the event.
    Delivered,
    /// The destination did not accept the event now.
    Retry {
        /// The text of `Retry-After`, if the answer has it.
        after: Option<String>,
        /// The reason, for people.
        reason: String,
    },
    /// The destination will never accept the event.
    Rejected {
        /// The reason, for people.
        reason: String,
    },
}

/// The name of a secret that a destination needs and that is not set or not valid. The deployer can still set the
/// secret, so the delivery is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSecret(pub String);

/// A secret by its name: `{ secret = "NAME" }`. `Debug` shows the name and never the value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the name of a secret, { secret = \"NAME\" },")]
pub struct SecretName {
    /// The name under which `wrangler secret put` stored the secret.
    pub secret: String,
}

/// Looks a secret up by its name.
pub type Secrets<'s> = &'s dyn Fn(&str) -> Option<String>;
