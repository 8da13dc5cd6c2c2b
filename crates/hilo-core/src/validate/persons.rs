//! How many persons an envelope under a public key may be about.
//!
//! A judged item → the same item, or its refusal. Counts accepted events only: a refused event costs no object.

use std::collections::BTreeSet;

use super::judged::Judged;
use crate::event::{PUBLIC_PERSONS_MAX, Trust};
use crate::outcome::{Code, Outcome, Rejection};

/// The persons of one envelope, in the order of its events.
pub(super) struct Persons {
    known: BTreeSet<String>,
    trust: Trust,
}

impl Persons {
    /// Begins an envelope of a sender with this trust.
    pub(super) const fn of(trust: Trust) -> Persons {
        Persons { known: BTreeSet::new(), trust }
    }

    /// Refuses the event if it is about one person too many. A server vouches for its persons and may name any number.
    pub(super) fn admit(&mut self, judged: &mut Judged) {
        let Ok(event) = &judged.result else { return };
        if self.trust == Trust::Server {
            return;
        }
        // A public key vouches for no user id, so the device is the person.
        let person = event.anonymous_id.as_ref().unwrap_or(&event.message_id);
        if self.known.contains(person) {
            return;
        }
        if self.known.len() < PUBLIC_PERSONS_MAX {
            self.known.insert(person.clone());
            return;
        }
        let message = format!(
            "an envelope under a public key is about at most {PUBLIC_PERSONS_MAX} persons: send the events of one person together, or send from a backend with a server key"
        );
        let why = Rejection::at(Code::TooManyPersons, "anonymousId", message);
        judged.result = Err(Outcome::Rejected(why));
    }
}
