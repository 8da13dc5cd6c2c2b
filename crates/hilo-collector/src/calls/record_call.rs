//! Puts events together into one call of a profile's object.

use hilo_core::event::{Event, Gist};
use serde::Serialize;

use super::{Planned, Record, Recorded, ask, encode};
use crate::platform::{Failure, Platform};

/// A [`ProfileCall::Record`] under construction: the call on one line, then the events, one right after another.
#[derive(Debug)]
pub struct RecordCall {
    source: String,
    is_public: bool,
    plans: Vec<Planned>,
    records: Vec<Record>,
    bodies: String,
}

impl RecordCall {
    /// Begins a call without events. `source` is the name of the source that sent them. `is_public` tells whether anybody could
    /// send them: see [`ProfileCall::Record`](super::ProfileCall::Record).
    pub fn of(source: &str, is_public: bool) -> RecordCall {
        let (plans, records, bodies) = Default::default();
        RecordCall { source: source.to_owned(), is_public, plans, records, bodies }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// `Fatal` if the event cannot be written as JSON, which is a bug.
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

    /// The ids of the events.
    pub fn message_ids(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|record| record.gist.message_id.as_str())
    }

    /// Writes the call as text.
    ///
    /// # Errors
    /// `Fatal` if the call cannot be written as JSON, which is a bug.
    pub fn encode(&self) -> Result<String, Failure> {
        /// [`ProfileCall::Record`](super::ProfileCall::Record), which may be written twice.
        #[derive(Serialize)]
        #[serde(rename_all = "snake_case")]
        enum Call<'c> {
            Record { source: &'c str, is_public: bool, plans: &'c [Planned], records: &'c [Record] },
        }
        let RecordCall { source, is_public, plans, records, .. } = self;
        let mut call = encode(&Call::Record { source, is_public: *is_public, plans, records })?;
        call.push('\n');
        call.push_str(&self.bodies);
        Ok(call)
    }

    /// Sends the call to the profile object with this name. Returns the results of the records, or `None` if each event
    /// was stored and goes to the destinations of its plan.
    ///
    /// # Errors
    /// The object's own failure, or a failure to reach the object.
    pub async fn ask<P: Platform>(
        self,
        platform: &P,
        name: String,
    ) -> Result<Option<Vec<Recorded>>, Failure> {
        ask(platform, name, 1, || self.encode()).await
    }
}
