//! Puts events together into one call of a profile's object.

use hilo_core::event::{Event, Gist};
use hilo_core::journey::StateRules;
use serde::Serialize;

use super::{Claimed, Planned, Proof, Record, Recorded, ask, decode, encode};
use crate::platform::{Failure, Object, Platform};

/// A [`ProfileCall::Record`] under construction: the call on one line, then the events, one right after another.
#[derive(Debug)]
pub struct RecordCall {
    source: String,
    is_public: bool,
    states: StateRules,
    claim: Option<Proof>,
    plans: Vec<Planned>,
    records: Vec<Record>,
    bodies: String,
}

impl RecordCall {
    /// Begins a call without events. `source` is the name of the source that sent them. `is_public` tells whether anybody could
    /// send them: see [`ProfileCall::Record`](super::ProfileCall::Record).
    pub fn of(source: &str, is_public: bool) -> RecordCall {
        let (states, plans, records, bodies) = Default::default();
        let source = source.to_owned();
        RecordCall { source, is_public, states, claim: None, plans, records, bodies }
    }

    /// Stores each event with the state of the person by these numbers.
    pub fn judging(self, states: StateRules) -> RecordCall {
        RecordCall { states, ..self }
    }

    /// Lets the events be stored only if this proof gives a right to the profile.
    pub fn claiming(self, proof: Proof) -> RecordCall {
        RecordCall { claim: Some(proof), ..self }
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
            Record {
                source: &'c str,
                is_public: bool,
                #[serde(skip_serializing_if = "StateRules::is_usual")]
                states: StateRules,
                #[serde(skip_serializing_if = "Option::is_none")]
                claim: Option<&'c Proof>,
                plans: &'c [Planned],
                records: &'c [Record],
            },
        }
        let RecordCall { source, is_public, claim, plans, records, .. } = self;
        let (is_public, states, claim) = (*is_public, self.states, claim.as_ref());
        let call = Call::Record { source, is_public, states, claim, plans, records };
        let mut call = encode(&call)?;
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

    /// Sends a call with a claim to the profile object with this name. Returns what became of the claim, and the results of the records
    /// as [`RecordCall::ask`] does. Nothing is stored where the claim gives no right, or where the profile has moved.
    ///
    /// # Errors
    /// Those of [`RecordCall::ask`].
    pub async fn ask_claiming<P: Platform>(
        &self,
        platform: &P,
        name: String,
    ) -> Result<(Claimed, Option<Vec<Recorded>>), Failure> {
        let answer = platform.ask(&Object::Profile(name), self.encode()?).await?;
        let (claimed, recorded) = answer.split_once('\n').unwrap_or((&answer, ""));
        Ok((decode(claimed)?, decode(if recorded.is_empty() { "null" } else { recorded })?))
    }

    /// The same call without its claim.
    pub fn unclaimed(self) -> RecordCall {
        RecordCall { claim: None, ..self }
    }
}
