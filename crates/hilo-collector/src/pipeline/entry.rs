//! One entry of an envelope in the stages: the event, its destinations, and its one outcome.

use hilo_core::event::{Event, Trust};
use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Outcome, Rejection};
use hilo_core::validate::Judged;

use crate::calls::Recorded;

/// The most notices of one envelope that are logged and answered. Refusals do not count here, so no flood of notices
/// hides one.
pub(super) const NOTICES_MAX: usize = 50;

/// An entry of an envelope: an event, or something that could not be read as an event.
#[derive(Debug)]
pub struct Entry {
    /// The entry's index in the envelope.
    pub index: usize,
    /// The event's id, if it has one.
    pub message_id: Option<String>,
    /// The entry's outcome.
    pub outcome: Outcome,
    /// The event, if the entry could be read as one.
    pub event: Option<Box<Event>>,
    /// The name of the object of the event's profile; empty where no profile was asked.
    pub profile: String,
    /// The names of the event's destinations.
    pub destinations: Vec<String>,
    /// The remarks on an event that is kept all the same.
    pub notices: Vec<Rejection>,
    /// The item's shape without values, for the reject log.
    pub redacted: Option<String>,
}

impl From<Judged> for Entry {
    fn from(judged: Judged) -> Entry {
        let (outcome, event) = match judged.result {
            Ok(event) => (Outcome::Accepted, Some(event)),
            Err(outcome) => (outcome, None),
        };
        Entry {
            index: judged.index,
            message_id: judged.message_id,
            outcome,
            event,
            profile: String::new(),
            destinations: Vec::new(),
            notices: judged.notices,
            redacted: judged.redacted,
        }
    }
}

impl Entry {
    /// Refuses the event: it is not kept, and the live stream must not show it either.
    pub(super) fn refuse(&mut self, why: Rejection) {
        self.outcome = Outcome::Rejected(why);
        self.event = None;
    }

    /// Drops the event of a bot, as `hilo.toml` wants it.
    pub(super) fn refuse_bot(&mut self) {
        let message = "a program that calls itself a bot has sent this, and [normalize] of hilo.toml refuses bots";
        self.outcome = Outcome::Dropped(Rejection::new(Code::BotRefused, message));
        self.event = None;
    }

    /// Makes the entry of an event that was judged before.
    pub(super) fn of(index: usize, event: Event) -> Entry {
        Entry {
            index,
            message_id: Some(event.message_id.clone()),
            outcome: Outcome::Accepted,
            event: Some(Box::new(event)),
            profile: String::new(),
            destinations: Vec::new(),
            notices: Vec::new(),
            redacted: None,
        }
    }

    /// Takes over the result from the profile, which differs from the plan.
    pub(super) fn correct(&mut self, recorded: Recorded) {
        self.destinations.clear();
        match recorded {
            Recorded::Stored { channel, destinations } => {
                self.destinations = destinations;
                if let Some(event) = &mut self.event {
                    event.context.hilo.channel = channel;
                }
            }
            Recorded::Duplicate => self.outcome = Outcome::Duplicate,
            Recorded::ConsentDenied => {
                let message = "the recorded consent denies a purpose of this event";
                self.refuse(Rejection::new(Code::ConsentDenied, message));
            }
            Recorded::Erased => self.refuse(erased()),
        }
    }
}

/// The refusal of what is about somebody who had everything erased.
pub(super) fn erased() -> Rejection {
    let message = "everything about this id was erased at its person's wish: forget the id, and ask for consent before you make another";
    Rejection::new(Code::Erased, message)
}

/// Finds the profile of an event: a person that a server vouches for, a device, or a contact whom nobody knows. Validation requires one of
/// the two ids. A page that learned a contact's label has no way into its profile.
pub(super) fn profile_key(event: &Event, trust: Trust) -> ProfileKey {
    match (&event.user_id, &event.anonymous_id) {
        (Some(user), _) => ProfileKey::User(user.clone()),
        (None, Some(label)) if trust == Trust::Server && is_contact(label) => {
            let id = label.strip_prefix(CONTACT).unwrap_or_default();
            ProfileKey::Contact(id.to_owned())
        }
        (None, Some(anonymous)) => ProfileKey::Anonymous(anonymous.clone()),
        (None, None) => ProfileKey::Anonymous(event.message_id.clone()),
    }
}

/// How the label of a contact begins. It is the `anonymousId` of the contact's events.
const CONTACT: &str = "c:";

fn is_contact(label: &str) -> bool {
    matches!(ProfileKey::parse(label), Some(ProfileKey::Contact(_)))
}

/// Counts equal notices, each with its first entry: the events of an envelope mostly have the same fault, and each row
/// of the log is paid for.
pub(super) fn counted_notices(entries: &[Entry]) -> Vec<(&Entry, &Rejection, usize)> {
    let mut counted: Vec<(&Entry, &Rejection, usize)> = Vec::new();
    for entry in entries {
        for notice in &entry.notices {
            if let Some((.., count)) = counted.iter_mut().find(|(_, known, _)| *known == notice) {
                *count += 1;
            } else if counted.len() < NOTICES_MAX {
                counted.push((entry, notice, 1));
            }
        }
    }
    counted
}
