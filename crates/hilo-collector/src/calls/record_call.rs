//! Events on their way into a profile's object, being put together as one call.

use hilo_core::event::{Event, Gist};

use super::{Planned, ProfileCall, Record, Recorded, ask, encode};
use crate::platform::{Failure, Platform};

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
