//! Events on their way into a profile's object: the call that carries them, and what becomes of each.
//!
//! The events' JSON follows the call, so that the object can store it without parsing it.

use std::ops::Range;

use hilo_core::consent::{OptInChannel, Purpose};
use hilo_core::event::{Event, Gist};
use hilo_core::journey::Channel;
use serde::{Deserialize, Serialize};

use super::{ProfileCall, ask, encode};
use crate::platform::{Failure, Platform};

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
#[serde(tag = "recorded", rename_all = "snake_case")]
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

/// A [`ProfileCall::Record`] being put together: the call on one line, and behind it the events, one right after another.
#[derive(Debug)]
pub struct RecordCall {
    source: String,
    plans: Vec<Planned>,
    records: Vec<Record>,
    bodies: String,
}

impl RecordCall {
    /// A call without events. `source` is the name of the source that sent them.
    pub fn of(source: &str) -> RecordCall {
        let (plans, records, bodies) = Default::default();
        RecordCall { source: source.to_owned(), plans, records, bodies }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// `Fatal`: an event that is no JSON is a bug.
    pub fn add(&mut self, event: &Event, to: &[&Planned]) -> Result<(), Failure> {
        let body = encode(event)?;
        let to = to.iter().map(|planned| self.place(planned)).collect();
        self.records.push(Record { gist: Gist::of(event), bytes: body.len(), to });
        self.bodies.push_str(&body);
        Ok(())
    }

    fn place(&mut self, planned: &Planned) -> usize {
        self.plans.iter().position(|one| one == planned).unwrap_or_else(|| {
            self.plans.push(planned.clone());
            self.plans.len() - 1
        })
    }

    /// The call as text.
    ///
    /// # Errors
    /// `Fatal`: what cannot be written is a bug.
    pub fn encode(self) -> Result<String, Failure> {
        let RecordCall { source, plans, records, bodies } = self;
        let mut call = encode(&ProfileCall::Record { source, plans, records })?;
        call.push('\n');
        call.push_str(&bodies);
        Ok(call)
    }

    /// Sends the call to the profile object with this name. Returns what became of the records, or `None` if each was stored
    /// and goes where it was planned to.
    ///
    /// # Errors
    /// The object's own failure, or that it could not be reached.
    pub async fn ask<P: Platform>(
        self,
        platform: &P,
        name: String,
    ) -> Result<Option<Vec<Recorded>>, Failure> {
        ask(platform, name, self.encode()?).await
    }
}

/// The part of `bodies` that an event is.
///
/// # Errors
/// `Fatal`: both sides are this crate.
pub fn body(bodies: &str, place: Range<usize>) -> Result<&str, Failure> {
    bodies.get(place).ok_or_else(|| Failure::Fatal("an event is cut short".to_owned()))
}
