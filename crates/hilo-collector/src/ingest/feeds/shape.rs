//! The parts of a feed: its kind, the next request, and what an answer or a call tells. What differs between services is data or
//! one of these functions.
//!
//! Shapes only. `pipeline/feeds` sends, waits and repeats, so a reader cannot send, wait or read a clock.

use hilo_core::config::{Problem, Settings};
use hilo_core::inbound::{Report, Who};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::access::{Access, MissingSecret, OAuth, SecretName};
use crate::calls::feed::Touch;
use crate::platform::{Outgoing, Response};

/// A kind of feed: one row of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The `vendor` in `hilo.toml`, and the name of its folder in `tests/golden/feeds`.
    pub name: &'static str,
    /// The service's own name, for people.
    pub title: &'static str,
    /// Reads the settings.
    ///
    /// # Errors
    /// The problem of a wrong setting, with line, column and remedy.
    pub load: fn(&Settings) -> Result<Box<dyn Reader>, Problem>,
    /// The usual minutes between two readings; `None` for a service that only calls.
    pub every_minutes: Option<u32>,
    /// The usual most calls in 24 hours. Other programs share the service's own limit, so it is lower.
    pub daily_calls: u32,
}

/// A configured feed. Pure: the same input gives the same output.
pub trait Reader {
    /// The next request of a run. The state tells what was read before. `None` for a service that only calls.
    ///
    /// # Errors
    /// The secret that is not set.
    fn request(&self, _turn: &Turn<'_>) -> Result<Option<Outgoing>, MissingSecret> {
        Ok(None)
    }

    /// What the answer tells, and the state behind it.
    ///
    /// # Errors
    /// Why the answer tells nothing.
    fn read(&self, turn: &Turn<'_>, _response: &Response) -> Result<Page, Refusal> {
        Ok(Page { state: turn.state.clone(), is_done: true, ..Page::default() })
    }

    /// How the feed gets access tokens. `None` if it needs none, or has a secret that stays.
    fn oauth(&self) -> Option<OAuth> {
        None
    }

    /// How the service proves that a call of `POST /v1/in/:source` is its own; `None` for a service that does not call.
    fn proof(&self) -> Option<Proof<'_>> {
        None
    }

    /// What a deletion of somebody's record, of which a call tells, erases here.
    fn deletion(&self) -> Deletion {
        Deletion::Nothing
    }

    /// What a call tells. Its proof was checked.
    fn called(&self, _body: &Value) -> Called {
        Called::default()
    }
}

/// What a request and its answer are made with.
pub struct Turn<'t> {
    /// What the pages before have left; null at the very first one.
    pub state: &'t Value,
    /// Ids of which the service has told by a call, and that are not read yet.
    pub told: &'t [String],
    /// What opens the service's door.
    pub access: Access<'t>,
    /// The time. A request and its answer have the same.
    pub now: Timestamp,
}

/// What one answer tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What it tells about people.
    pub reports: Vec<Report>,
    /// What the records of people say each time that they are told.
    pub flags: Vec<Flag>,
    /// The records of people, so that the deletion of one reaches its person.
    pub records: Vec<Recorded>,
    /// What it tells about posts and channels.
    pub touches: Vec<Touch>,
    /// The number of its parts that cannot be used.
    pub odd: u32,
    /// The state from now on.
    pub state: Value,
    /// The ids of `told` that are read now.
    pub read: Vec<String>,
    /// Whether there is nothing more to read now.
    pub is_done: bool,
}

/// What a record says of a channel whenever the record is told, whatever was changed in it, and without the time of the choice.
#[derive(Clone, Debug, PartialEq)]
pub struct Flag {
    /// The record and its field, unique within the feed.
    pub of: String,
    /// The opt-out, where the record says that the person wants no more. It is a new one only where it was not heard before.
    pub opt_out: Option<Report>,
}

/// A record, and how it names its person.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded {
    /// The record, unique within the feed.
    pub of: String,
    /// The person.
    pub who: Who,
}

/// What the deletion of a record erases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// Nothing.
    Nothing,
    /// What the feed has told about the person: events, traits, and the address where nothing else tells it.
    #[default]
    Told,
    /// The whole person, as the person's own wish does.
    Person,
}

/// Why an answer tells nothing. No text has a secret or anything about a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not now.
    Later {
        /// The seconds that the service asks to wait.
        after_s: Option<u32>,
        /// The reason, for people.
        reason: String,
    },
    /// The token or the secret does not open the door.
    Unauthorized(String),
    /// The same request will be refused again: the deployer has to mend it.
    Wrong(String),
}

/// How a call proves whose it is.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'r> {
    /// `Authorization: Bearer` with this secret.
    Bearer(&'r SecretName),
    /// `?key=` in the address with this secret, for a service that sends no proof of its own.
    Query(&'r SecretName),
    /// HubSpot's third form of signature: method, address, body and time, under the app's secret.
    HubSpot(&'r SecretName),
}

impl Proof<'_> {
    /// The secret.
    pub fn secret(&self) -> &SecretName {
        match self {
            Proof::Bearer(name) | Proof::Query(name) | Proof::HubSpot(name) => name,
        }
    }
}

/// What a call tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Called {
    /// What it tells about people.
    pub reports: Vec<Report>,
    /// Ids of what the next run has to read.
    pub ids: Vec<String>,
    /// Records that were deleted because their persons must be forgotten.
    pub deleted: Vec<String>,
    /// The number of its parts that cannot be used, or that nobody wants.
    pub odd: u32,
}
