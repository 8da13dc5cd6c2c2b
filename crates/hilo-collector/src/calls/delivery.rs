//! Deliveries: from a profile's outbox through the queue to the consumer, and the confirmations that go back.

use std::rc::Rc;

use hilo_core::event::Event;
use hilo_core::profile::Person;
use serde::{Deserialize, Serialize};

use super::{body, decode, encode};
use crate::platform::Failure;

/// Deliveries of one message. With the consumer's `max_batch_size` it bounds what one invocation sends.
pub const MESSAGE_DELIVERIES_MAX: usize = 25;
/// Bytes of events and persons beyond which a message takes no further delivery. A message may have 128 KB; an event has up
/// to 32 KB and what normalize adds, a person up to about 24 KB, and the list comes on top.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// One attempt to deliver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// Name of the profile object that keeps the outbox row.
    pub profile: String,
    /// The outbox row.
    pub row: i64,
    /// Which event.
    pub message_id: String,
    /// Where to.
    pub destination: String,
    /// Attempts that failed before this one.
    pub attempt: u32,
    /// Steps that earlier attempts have done: a destination may need several requests for one event, in order.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps: u32,
    /// The event as stored. Only the consumer parses it. In a message it follows the list, see [`messages`].
    #[serde(skip)]
    pub event: String,
    /// The person of the event, as far as consent allows. `None` for a destination that wants no person. In a message it
    /// follows the events.
    #[serde(skip)]
    pub person: Option<Rc<Person>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(steps: &u32) -> bool {
    *steps == 0
}

impl Delivery {
    /// The event.
    ///
    /// # Errors
    /// `Fatal`: it was stored by this crate.
    pub fn read_event(&self) -> Result<Event, Failure> {
        decode(&self.event)
    }
}

/// What became of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The outbox row.
    pub row: i64,
    /// Which event of it.
    pub message_id: String,
    /// What happened.
    pub result: DeliveryResult,
}

/// The end of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryResult {
    /// The destination has it.
    Delivered,
    /// Try again.
    Retry {
        /// Not before.
        after_s: u32,
        /// Why.
        reason: String,
        /// Steps that are done and must not be repeated.
        #[serde(default)]
        steps: u32,
    },
    /// Given up.
    Dead {
        /// Why.
        reason: String,
        /// Steps that are done and must not be repeated by a replay.
        #[serde(default)]
        steps: u32,
    },
}

/// Deliveries of one profile as messages of the queue.
///
/// A message is a list on one line, each delivery with the bytes of its event and the place of its person, then the events one
/// right after another, then the persons. Deliveries of one row stay in one message if they fit, because answers that differ
/// part the row.
///
/// # Errors
/// `Fatal`: what cannot be written is a bug.
pub fn messages(deliveries: &[Delivery]) -> Result<Vec<String>, Failure> {
    let mut messages = Vec::new();
    let mut open = Message::default();
    for row in deliveries.chunk_by(|one, next| one.row == next.row) {
        let mut is_begun = false;
        for delivery in row {
            let more = if is_begun { std::slice::from_ref(delivery) } else { row };
            if !open.fits(more)? && !open.list.is_empty() {
                messages.push(std::mem::take(&mut open).encode()?);
            }
            open.add(delivery)?;
            is_begun = true;
        }
    }
    if !open.list.is_empty() {
        messages.push(open.encode()?);
    }
    Ok(messages)
}

/// A delivery in the list of a message: with the bytes of its event, and the place of its person if it has one.
#[derive(Serialize)]
struct Listed<'d>(
    &'d Delivery,
    usize,
    #[serde(skip_serializing_if = "Option::is_none")] Option<usize>,
);

/// The same on the way out of a message.
#[derive(Deserialize)]
struct Unlisted(Delivery, usize, #[serde(default)] Option<usize>);

/// A message being put together.
#[derive(Default)]
struct Message<'d> {
    list: Vec<Listed<'d>>,
    /// Bytes of events and persons.
    bytes: usize,
    /// The persons, each once, as JSON.
    persons: Vec<(&'d Person, String)>,
}

impl<'d> Message<'d> {
    /// Whether `more` can be added.
    fn fits(&self, more: &[Delivery]) -> Result<bool, Failure> {
        let mut bytes = self.bytes + more.iter().map(|one| one.event.len()).sum::<usize>();
        // The deliveries of a row share their person.
        if let Some(person) = more.first().and_then(|one| one.person.as_deref())
            && self.place(person).is_none()
        {
            bytes += encode(person)?.len();
        }
        let count = self.list.len() + more.len();
        Ok(count <= MESSAGE_DELIVERIES_MAX && bytes <= MESSAGE_BYTES_MAX)
    }

    fn place(&self, person: &Person) -> Option<usize> {
        self.persons.iter().position(|(known, _)| *known == person)
    }

    fn add(&mut self, delivery: &'d Delivery) -> Result<(), Failure> {
        let person = match delivery.person.as_deref() {
            None => None,
            Some(person) => Some(match self.place(person) {
                Some(place) => place,
                None => {
                    let text = encode(person)?;
                    self.bytes += text.len();
                    self.persons.push((person, text));
                    self.persons.len() - 1
                }
            }),
        };
        self.bytes += delivery.event.len();
        self.list.push(Listed(delivery, delivery.event.len(), person));
        Ok(())
    }

    fn encode(self) -> Result<String, Failure> {
        let mut message = encode(&self.list)?;
        message.push('\n');
        message.extend(self.list.iter().map(|Listed(one, ..)| one.event.as_str()));
        if !self.persons.is_empty() {
            let persons: Vec<_> = self.persons.into_iter().map(|(_, text)| text).collect();
            message.push_str(&format!("[{}]", persons.join(",")));
        }
        Ok(message)
    }
}

/// The deliveries of a message.
///
/// # Errors
/// `Fatal` for a message of another version.
pub fn read_message(message: &str) -> Result<Vec<Delivery>, Failure> {
    let (list, bodies) = message.split_once('\n').unwrap_or((message, ""));
    let list: Vec<Unlisted> = decode(list)?;
    let events: usize = list.iter().map(|Unlisted(_, bytes, _)| bytes).sum();
    let persons: Vec<Rc<Person>> = match body(bodies, events..bodies.len())? {
        "" => Vec::new(),
        persons => decode::<Vec<Person>>(persons)?.into_iter().map(Rc::new).collect(),
    };
    let mut at = 0;
    let whole = |Unlisted(mut delivery, bytes, person): Unlisted| {
        body(bodies, at..at + bytes)?.clone_into(&mut delivery.event);
        delivery.person = person.and_then(|place| persons.get(place).cloned());
        at += bytes;
        Ok(delivery)
    };
    list.into_iter().map(whole).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn delivery(at: usize, event: String) -> Delivery {
        Delivery {
            profile: "p".to_owned(),
            row: i64::try_from(at / 10).unwrap(),
            message_id: at.to_string(),
            destination: "webhook".to_owned(),
            attempt: 0,
            steps: 0,
            event,
            person: None,
        }
    }

    #[test]
    fn deliveries_come_out_of_messages_in_order_and_within_their_bounds() {
        let big = format!("\"{}\"", "ñ\\n".repeat(8_000));
        let events = (0..60).map(|at| if at % 7 == 0 { big.clone() } else { format!("{{{at}}}") });
        let sent: Vec<Delivery> =
            events.enumerate().map(|(at, event)| delivery(at, event)).collect();
        let messages = messages(&sent).unwrap();
        assert!(messages.iter().all(|message| message.len() < MESSAGE_BYTES_MAX + 8_192));
        let read = messages.iter().map(|message| read_message(message).unwrap());
        let lists: Vec<Vec<Delivery>> = read.collect();
        assert!(lists.iter().all(|list| (1..=MESSAGE_DELIVERIES_MAX).contains(&list.len())));
        // There are six rows, and none of them is parted.
        let rows = |list: &Vec<Delivery>| list.iter().map(|one| one.row).collect::<BTreeSet<_>>();
        let rows = lists.iter().map(rows);
        assert_eq!(rows.flatten().count(), 6);
        let read = lists.into_iter().flatten().map(|one| (one.message_id, one.event));
        assert!(read.eq(sent.into_iter().map(|one| (one.message_id, one.event))));
    }

    #[test]
    fn a_message_carries_each_person_once_and_each_delivery_gets_its_own_back() {
        let person =
            |id: &str| Some(Rc::new(Person { user_id: Some(id.to_owned()), ..Person::default() }));
        let mut sent: Vec<_> = (0..12).map(|at| delivery(at, format!("{{{at}}}"))).collect();
        for (at, person) in [(1, person("ana")), (2, person("ana")), (11, person("bob"))] {
            sent[at].person = person;
        }
        sent[2].steps = 1;
        let messages = messages(&sent).unwrap();
        assert_eq!(
            messages.iter().map(|text| text.matches("ana").count()).collect::<Vec<_>>(),
            [1]
        );
        let read = read_message(&messages[0]).unwrap();
        let seen = |one: &Delivery| (one.event.clone(), one.steps, one.person.clone());
        assert_eq!(
            read.iter().map(seen).collect::<Vec<_>>(),
            sent.iter().map(seen).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_person_counts_toward_the_bytes_of_a_message() {
        let large = vec!["x".repeat(MESSAGE_BYTES_MAX / 2)];
        let mut sent = vec![delivery(0, "{0}".to_owned()), delivery(10, "{1}".to_owned())];
        for (at, one) in sent.iter_mut().enumerate() {
            let user_id = Some(at.to_string());
            let person = Person { user_id, claimed_ids: large.clone(), ..Person::default() };
            one.person = Some(Rc::new(person));
        }
        assert_eq!(messages(&sent).unwrap().len(), 2);
    }

    #[test]
    fn a_message_of_the_version_before_is_read() {
        let list = r#"[[{"profile":"p","row":1,"message_id":"1","destination":"w","attempt":2},2],[{"profile":"p","row":1,"message_id":"2","destination":"w","attempt":0},3]]"#;
        let read = read_message(&format!("{list}\n{{}}[1]")).unwrap();
        let seen = read.iter().map(|one| (one.event.as_str(), one.attempt, one.steps));
        assert_eq!(seen.collect::<Vec<_>>(), [("{}", 2, 0), ("[1]", 0, 0)]);
        assert!(read.iter().all(|one| one.person.is_none()));
    }

    #[test]
    fn a_message_of_another_version_is_refused() {
        assert!(read_message("[{\"profile\":\"p\",\"event\":{}}]").is_err());
        assert!(read_message("[[{\"profile\":\"p\",\"row\":1,\"message_id\":\"1\",\"destination\":\"w\",\"attempt\":0},9]]\n{}").is_err());
    }
}
