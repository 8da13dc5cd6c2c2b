//! The parts of a destination: its kind, its limits, and two pure functions. The first makes requests from a batch. The
//! second reads the result of each event from an answer. What differs between services is data or one of these functions.
//!
//! This file has only shapes. `destinations/` has the kinds. The rest of `forward` groups, sends, bisects, waits and
//! repeats, so a destination cannot send, wait or read a clock.

use hilo_core::config::{DestinationEntry, Problem};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::profile::Person;
use hilo_core::rate::Rate;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::platform::{Outgoing, Response};

pub use crate::access::{Access, ClientAuth, Flow, MissingSecret, OAuth, SecretName, Secrets};
pub use crate::calls::tokens::Token;

/// The most steps that the requests for one event may have.
pub const STEPS_MAX: u32 = 8;

/// A kind of destination: one row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The `type` in `hilo.toml`, and the name of its folder in `tests/golden/forward`.
    pub name: &'static str,
    /// The service's own name, for people.
    pub title: &'static str,
    /// Whether the service never tells which events it has kept: its 2xx only means that it has read the request.
    pub is_silent: bool,
    /// What the service does with opt-ins.
    pub optins: OptIns,
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

/// What a service does with the events of the ledger of opt-ins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptIns {
    /// They are events like others there.
    Read,
    /// It keeps whom the company may write to, so it must learn of an opt-out whatever purposes the person allows.
    Kept,
    /// It keeps them, and can bring the links of `Opt-In Requested` to an address.
    Carried,
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
    /// The pace of requests that the service allows. Each isolate keeps it, so set it below the service's own limit.
    pub pace: Option<Rate>,
}

/// A configured destination. Pure: the same input gives the same output.
pub trait Destination {
    /// Whether the service has any use for such an event. It is asked before anything is stored, so answer by the event's type and
    /// name, not by what it lacks.
    fn wants(&self, _event: &Event) -> bool {
        true
    }

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

    /// Reads from a 2xx answer what the requests of later steps need: `(name, value)`, such as an address and the service's own id of that
    /// person. It is kept for this attempt only. If a later step fails, the next attempt begins with this step again, so each step
    /// from here on must bear to be repeated. The last one need not.
    fn found(&self, _request: &MappedRequest, _response: &Response) -> Vec<(String, String)> {
        Vec::new()
    }

    /// Whether an event counts as sent where nobody knows what became of its request of this step: the process died, or the answer did
    /// not come in time. True where the service would count the repeat of that very request. The event then ends without its later
    /// steps, and is marked before the request, which costs a call of its profile. Decide by the name that is sent, not by hilo's own.
    fn assumes_sent(&self, _one: &BatchEvent<'_>, _step: u32) -> bool {
        false
    }

    /// Whether the destination seals each event under its person's own key, [`hilo_core::profile::ArchiveKey`]. The person is sent with
    /// the event then, and has nothing else if the kind wants no person.
    fn wants_key(&self) -> bool {
        false
    }

    /// How the destination gets access tokens. `None` if it needs none, or has a secret that stays.
    fn oauth(&self) -> Option<OAuth> {
        None
    }

    /// Makes the request that deletes a person, who asked for it. `None` for a service without such a call, whoever the person is. The
    /// answer is classified like that of an event.
    fn deletion(
        &self,
        _person: &Person,
        _access: &Access<'_>,
    ) -> Option<Result<Outgoing, MissingSecret>> {
        None
    }
}

/// Events for one destination.
pub struct Batch<'b> {
    /// The events. A request refers to an event by its index in this list.
    pub events: Vec<BatchEvent<'b>>,
    /// What opens the service's door.
    pub access: Access<'b>,
    /// What the answers to earlier steps of this attempt told ([`Destination::found`]).
    pub found: &'b [(String, String)],
    /// The time of this attempt.
    pub now: Timestamp,
}

impl Batch<'_> {
    /// The value that an earlier step of this attempt found.
    pub fn found(&self, name: &str) -> Option<&str> {
        self.found.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// An event of a batch.
#[derive(Clone, Copy, Debug)]
pub struct BatchEvent<'b> {
    /// The event.
    pub event: &'b Event,
    /// The name of the source that told it, where it is known.
    pub source: Option<&'b str>,
    /// The event's person, as far as consent allows. `None` if the destination wants neither a person nor its key.
    pub person: Option<&'b Person>,
    /// What `[[destination.map]]` of `hilo.toml` says about the event.
    pub mapped: &'b Mapped,
}

/// What the deployer's rules say about one event, beside the kind's own mapping.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapped {
    /// The name that the service shall get, instead of the kind's own.
    pub name: Option<String>,
    /// Fields of the service, with their values. They go where the service keeps such fields, and win over the kind's own.
    pub fields: Map<String, Value>,
}

/// The result of mapping a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The requests, in the order in which they must be sent.
    pub requests: Vec<MappedRequest>,
    /// The indexes of events that the destination does not take.
    pub left_out: Vec<(usize, LeftOut)>,
}

/// Why an event of a batch has no request. The text begins with a code of [`super::reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeftOut {
    /// The service cannot use the event, and nothing is wrong: nothing names the person there, for example. It is counted.
    Skipped(String),
    /// The service would refuse the event. It becomes a dead letter, because somebody may mend it and replay it.
    Refused(String),
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
    /// The destination took nothing of the request because of other events of it, which the answer names. This event is sent again in the
    /// same attempt, without those. Another event of the request has another result.
    Again,
    /// The destination will never accept the event.
    Rejected {
        /// The reason, for people.
        reason: String,
    },
    /// The token or the secret does not open the door any more. A token is renewed once, and then the request is repeated. Otherwise
    /// the deliveries wait, because the deployer can mend it.
    Unauthorized {
        /// The reason, for people.
        reason: String,
    },
}
