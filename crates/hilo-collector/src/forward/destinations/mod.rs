//! Every destination: a pure mapping of an event to requests, and of an answer to a verdict.
//!
//! To add one: a file, a `mod` line, a variant, its arms, golden cases. No file here can send, wait or read a clock.

pub mod target;
pub mod webhook;

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use serde::Deserialize;

use crate::platform::{Outgoing, Response};

/// A configured place to forward to.
#[derive(Debug)]
pub enum Destination {
    /// Any URL that takes signed JSON.
    Webhook(webhook::Settings),
}

/// The types of destination, as `hilo.toml` names them.
pub const KINDS: [&str; 1] = ["webhook"];

/// What a destination's answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has the event.
    Delivered,
    /// Not now. `Retry-After` as sent, if it was.
    Retry {
        /// The header's text.
        after: Option<String>,
        /// Why, for people.
        reason: String,
    },
    /// Never: the destination does not want this event, or nothing any more.
    Rejected {
        /// Why, for people.
        reason: String,
    },
}

/// Why an event could not be mapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmapped {
    /// A secret that the settings name is not set: a deployer's work, so it is tried again.
    NoSecret(String),
    /// The event is not for this destination, or lacks what it needs.
    NotForUs(String),
}

/// A secret by its name: `{ secret = "NAME" }`. Shows its name and never its value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretName {
    /// What `wrangler secret put` was given.
    pub secret: String,
}

/// Looks a secret up by its name.
pub type Secrets<'s> = &'s dyn Fn(&str) -> Option<String>;

impl Destination {
    /// Types the settings of an entry.
    ///
    /// # Errors
    /// An unknown type, or a setting that does not fit, with line, column and remedy.
    pub fn load(entry: &DestinationEntry) -> Result<Destination, Problem> {
        match entry.kind.as_str() {
            "webhook" => webhook::load(entry).map(Destination::Webhook),
            other => {
                let message = format!("there is no type `{other}`; there is {}", KINDS.join(", "));
                Err(entry.problem("", ProblemCode::BadValue, message))
            }
        }
    }

    /// Purposes that this type of service needs, whatever the configuration adds.
    pub const fn purposes(&self) -> &'static [Purpose] {
        match self {
            Destination::Webhook(_) => webhook::PURPOSES,
        }
    }

    /// The requests that bring `event` there; `now_s` is the moment of this attempt.
    ///
    /// # Errors
    /// What keeps the event from being mapped.
    pub fn requests(
        &self,
        event: &Event,
        secrets: Secrets<'_>,
        now_s: i64,
    ) -> Result<Vec<Outgoing>, Unmapped> {
        match self {
            Destination::Webhook(settings) => webhook::requests(settings, event, secrets, now_s),
        }
    }

    /// What its answer means.
    pub fn classify(&self, response: &Response) -> Verdict {
        match self {
            Destination::Webhook(_) => webhook::classify(response),
        }
    }
}
