//! Deliveries: a profile's outbox sends them through the queue to the consumer, and confirmations come back.

use std::rc::Rc;

use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::profile::Person;
use serde::{Deserialize, Serialize};

use super::{body, decode, encode};
use crate::platform::Failure;

/// The most deliveries of one message. Together with the consumer's `max_batch_size` it bounds the deliveries of one
/// invocation.
pub const MESSAGE_DELIVERIES_MAX: usize = 25;
/// A message with this many bytes of events and persons takes no further delivery. The queue allows 128 KB for a
/// message. An event has up to 32 KB and the fields that normalize adds, a person has up to about 24 KB, and the list
/// needs room too.
const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// How long a delivery belongs to its message. The object does not send it again within this time, unless the result
/// comes earlier. It covers the wait in the queue and the attempt.
pub const LEASE_MS: i64 = 120_000;
/// A delivery that is older than this when the consumer takes it up is asked about: its person may have withdrawn, or had
/// everything erased, while it was in the queue. Mostly a message is there for a second, and asking would cost each a call.
pub const ASKED_AFTER_MS: i64 = 10_000;
/// The longest time from the taking up of a delivery to the end of its attempt: the longest start of a group, one attempt, and the
/// clocks of two machines.
pub const ATTEMPT_MS: i64 = 30_000;
/// How long after the end of its row a delivery may still reach its destination.
pub const LAST_ATTEMPT_MS: i64 = ASKED_AFTER_MS + ATTEMPT_MS;

/// One attempt to deliver.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Delivery {
    /// The name of the profile object that stores the outbox row.
    pub profile: String,
    /// The id of the outbox row.
    pub row: i64,
    /// The event's id.
    pub message_id: String,
    /// The destination's name.
    pub destination: String,
    /// The number of attempts that failed or were lost before this one.
    pub attempt: u32,
    /// Since when the delivery is pending, milliseconds since the epoch. A replay begins anew.
    pub since_ms: i64,
    /// The end of the lease, milliseconds since the epoch: later the object sends the delivery again, so the consumer must
    /// have reported the result before.
    pub until_ms: i64,
    /// The number of steps that earlier attempts have done. A destination may need several requests for one event, in
    /// order.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub steps: u32,
    /// The purposes that the profile's record denies. A destination that does not need them may still tell its service about them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<Purpose>,
    /// The name of the source that told the event, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The event as stored. Only the consumer parses it. In a message the event stands behind the list, see
    /// [`messages`].
    #[serde(skip)]
    pub event: String,
    /// The person of the event, as far as consent allows, and the key of its archive. `None` for a destination that wants neither. In a message
    /// the person stands behind the events.
    #[serde(skip)]
    pub person: Option<Rc<Person>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
const fn is_zero(steps: &u32) -> bool {
    *steps == 0
}

impl Delivery {
    /// Parses the event.
    ///
    /// # Errors
    /// `Fatal` if the text is no event. This crate stored it, so that is a bug.
    pub fn read_event(&self) -> Result<Event, Failure> {
        decode(&self.event)
    }

    /// What the profile is asked about this delivery with.
    pub fn under_way(&self) -> UnderWay {
        UnderWay {
            row: self.row,
            message_id: self.message_id.clone(),
            destination: self.destination.clone(),
            attempt: self.attempt,
            denied: self.denied.clone(),
            mark: None,
        }
    }
}

/// A delivery that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// The id of the outbox row.
    pub row: i64,
    /// The event's id.
    pub message_id: String,
    /// The destination's name.
    pub destination: String,
    /// The number of the attempt, as the delivery has it.
    #[serde(default)]
    pub attempt: u32,
    /// The denied purposes, as the delivery has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied: Vec<Purpose>,
    /// The random id of the attempt that asks for a mark. The queue may bring a message twice, so all else may be alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
}

/// The result of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// The id of the outbox row.
    pub row: i64,
    /// The id of the event in that row.
    pub message_id: String,
    /// The destination's name. A late result may meet another row, because numbers of rows that ended come back.
    pub destination: String,
    /// The number of the attempt, as the delivery had it. A newer attempt may be under way.
    pub attempt: u32,
    /// The id under which the attempt has asked for a mark, if it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The result.
    pub result: DeliveryResult,
}

/// The ways an attempt can end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryResult {
    /// The destination accepted the event.
    Delivered,
    /// The event does not go there, and nothing is wrong.
    Skipped {
        /// The reason, for people.
        reason: String,
    },
    /// No answer came, and the destination would count a repeat twice: the event counts as sent.
    Assumed {
        /// The reason, for people.
        reason: String,
    },
    /// The attempt failed and will be repeated.
    Retry {
        /// The seconds before the next attempt.
        after_s: u32,
        /// The reason of the failure.
        reason: String,
        /// Steps that are done and must not be repeated.
        #[serde(default)]
        steps: u32,
    },
    /// The delivery was not attempted, and no attempt counts.
    Wait {
        /// The seconds before the delivery is sent again.
        after_s: u32,
        /// The reason, for people.
        reason: String,
        /// Steps that are done and must not be repeated.
        #[serde(default)]
        steps: u32,
    },
    /// The delivery is given up.
    Dead {
        /// The reason of the failure.
        reason: String,
        /// Steps that are done and must not be repeated by a replay.
        #[serde(default)]
        steps: u32,
    },
}

/// One message of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// The text.
    pub text: String,
    /// The number of its deliveries.
    pub count: usize,
}

/// Writes the deliveries of one profile as messages of the queue, in order.
///
/// A message begins with a list on one line. Each delivery in the list has the number of bytes of its event and the
/// index of its person. Behind the list stand the events, one right after another, then the persons. The deliveries of
/// one row stay in one message if they fit, because different answers split the row.
///
/// # Errors
/// `Fatal` if a delivery cannot be written as JSON, which is a bug.
pub fn messages(deliveries: &[Delivery]) -> Result<Vec<Packed>, Failure> {
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

/// A delivery in the list of a message, with the number of bytes of its event and the index of its person, if it has
/// one.
#[derive(Serialize)]
struct Listed<'d>(
    &'d Delivery,
    usize,
    #[serde(skip_serializing_if = "Option::is_none")] Option<usize>,
);

/// The same item as [`read_message`] reads it.
#[derive(Deserialize)]
struct Unlisted(Delivery, usize, #[serde(default)] Option<usize>);

/// A message under construction.
#[derive(Default)]
struct Message<'d> {
    list: Vec<Listed<'d>>,
    /// The number of bytes of events and persons.
    bytes: usize,
    /// The persons as JSON, each once.
    persons: Vec<(&'d Person, String)>,
}

impl<'d> Message<'d> {
    /// Whether `more` fits into the message.
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

    fn encode(self) -> Result<Packed, Failure> {
        let mut message = encode(&self.list)?;
        message.push('\n');
        message.extend(self.list.iter().map(|Listed(one, ..)| one.event.as_str()));
        if !self.persons.is_empty() {
            let persons: Vec<_> = self.persons.into_iter().map(|(_, text)| text).collect();
            message.push_str(&format!("[{}]", persons.join(",")));
        }
        Ok(Packed { text: message, count: self.list.len() })
    }
}

/// Reads the deliveries of a message.
///
/// # Errors
/// `Fatal` if another version of this crate wrote the message.
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
            since_ms: 1,
            until_ms: 2,
            steps: 0,
            denied: Vec::new(),
            source: None,
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
        assert!(messages.iter().all(|message| message.text.len() < MESSAGE_BYTES_MAX + 8_192));
        let read = messages.iter().map(|message| read_message(&message.text).unwrap());
        let lists: Vec<Vec<Delivery>> = read.collect();
        assert!(messages.iter().map(|message| message.count).eq(lists.iter().map(Vec::len)));
        assert!(lists.iter().all(|list| (1..=MESSAGE_DELIVERIES_MAX).contains(&list.len())));
        // There are six rows, and no row is split between messages.
        let rows = |list: &Vec<Delivery>| list.iter().map(|one| one.row).collect::<BTreeSet<_>>();
        let rows = lists.iter().map(rows);
        assert_eq!(rows.flatten().count(), 6);
        let read = lists.into_iter().flatten().map(|one| (one.message_id, one.event));
        assert!(read.eq(sent.into_iter().map(|one| (one.message_id, one.event))));
    }

    #[test]
    fn a_message_contains_each_person_once_and_each_delivery_is_read_with_its_own() {
        let person =
            |id: &str| Some(Rc::new(Person { user_id: Some(id.to_owned()), ..Person::default() }));
        let mut sent: Vec<_> = (0..12).map(|at| delivery(at, format!("{{{at}}}"))).collect();
        for (at, person) in [(1, person("ana")), (2, person("ana")), (11, person("bob"))] {
            sent[at].person = person;
        }
        sent[2].steps = 1;
        sent[2].denied = vec![Purpose::SaleShare];
        sent[2].source = Some("till".to_owned());
        let messages = messages(&sent).unwrap();
        assert_eq!(
            messages.iter().map(|one| one.text.matches("ana").count()).collect::<Vec<_>>(),
            [1]
        );
        let read = read_message(&messages[0].text).unwrap();
        let seen = |one: &Delivery| {
            let Delivery { event, steps, denied, source, person, .. } = one.clone();
            (event, steps, denied, source, person)
        };
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
    fn a_message_of_another_version_is_refused() {
        assert!(read_message("[{\"profile\":\"p\",\"event\":{}}]").is_err());
        // A delivery without a lease: nobody could tell whether it is under way elsewhere.
        assert!(read_message("[[{\"profile\":\"p\",\"row\":1,\"message_id\":\"1\",\"destination\":\"w\",\"attempt\":0},2]]\n{}").is_err());
        let one = &messages(&[delivery(0, "{}".to_owned())]).unwrap()[0].text;
        assert_eq!(read_message(one).unwrap().len(), 1);
        assert!(read_message(&one.replace(",2]]", ",9]]")).is_err(), "{one}");
    }
}
