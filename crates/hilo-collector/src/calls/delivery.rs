//! Deliveries on their way from a profile's outbox through the queue to the consumer, and what became of them.

use hilo_core::event::Event;
use serde::{Deserialize, Serialize};

use super::{body, decode, encode};
use crate::platform::Failure;

/// Deliveries of one message, and the bytes after which no other is added (a message may have 128 KB, an event 32 and what
/// normalize and the wrapping add). With the consumer's `max_batch_size` the first bounds what one invocation sends.
pub const MESSAGE_DELIVERIES_MAX: usize = 25;
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
    /// The event as stored: only who sends it reads it. Travels behind the list, see [`messages`].
    #[serde(skip)]
    pub event: String,
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
#[serde(tag = "result", rename_all = "snake_case")]
pub enum DeliveryResult {
    /// The destination has it.
    Delivered,
    /// Try again.
    Retry {
        /// Not before.
        after_s: u32,
        /// Why.
        reason: String,
    },
    /// Given up.
    Dead {
        /// Why.
        reason: String,
    },
}

/// Deliveries as messages of the queue: a list on one line, each delivery with its event's bytes, and behind it the events,
/// one right after another. A row that fits goes whole: answers that come apart part it.
///
/// # Errors
/// `Fatal`: what cannot be written is a bug.
pub fn messages(deliveries: &[Delivery]) -> Result<Vec<String>, Failure> {
    let mut messages = vec![Vec::new()];
    for row in deliveries.chunk_by(|one, next| one.row == next.row) {
        let mut is_begun = false;
        for delivery in row {
            let more = if is_begun { std::slice::from_ref(delivery) } else { row };
            match messages.last_mut() {
                Some(open) if fits(open, more) => open.push(delivery),
                Some(_) | None => messages.push(vec![delivery]),
            }
            is_begun = true;
        }
    }
    messages.retain(|message| !message.is_empty());
    messages.iter().map(|message| encode_message(message)).collect()
}

/// Whether a message of `open` can take `more`.
fn fits(open: &[&Delivery], more: &[Delivery]) -> bool {
    let bytes = open.iter().copied().chain(more).map(|one| one.event.len());
    open.len() + more.len() <= MESSAGE_DELIVERIES_MAX && bytes.sum::<usize>() <= MESSAGE_BYTES_MAX
}

fn encode_message(deliveries: &[&Delivery]) -> Result<String, Failure> {
    let list: Vec<_> = deliveries.iter().map(|one| (one, one.event.len())).collect();
    let mut message = encode(&list)?;
    message.push('\n');
    message.extend(deliveries.iter().map(|one| one.event.as_str()));
    Ok(message)
}

/// The deliveries of a message.
///
/// # Errors
/// `Fatal` for a message of another version.
pub fn read_message(message: &str) -> Result<Vec<Delivery>, Failure> {
    let (list, bodies) = message.split_once('\n').unwrap_or((message, ""));
    let mut at = 0;
    let whole = |(mut delivery, bytes): (Delivery, usize)| {
        body(bodies, at..at + bytes)?.clone_into(&mut delivery.event);
        at += bytes;
        Ok(delivery)
    };
    decode::<Vec<(Delivery, usize)>>(list)?.into_iter().map(whole).collect()
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
            event,
        }
    }

    #[test]
    fn what_goes_into_messages_comes_out_in_order_and_within_their_bounds() {
        let big = format!("\"{}\"", "ñ\\n".repeat(8_000));
        let events = (0..60).map(|at| if at % 7 == 0 { big.clone() } else { format!("{{{at}}}") });
        let sent: Vec<Delivery> =
            events.enumerate().map(|(at, event)| delivery(at, event)).collect();
        let messages = messages(&sent).unwrap();
        assert!(messages.iter().all(|message| message.len() < MESSAGE_BYTES_MAX + 8_192));
        let read = messages.iter().map(|message| read_message(message).unwrap());
        let lists: Vec<Vec<Delivery>> = read.collect();
        assert!(lists.iter().all(|list| (1..=MESSAGE_DELIVERIES_MAX).contains(&list.len())));
        // Six rows, and none comes apart.
        let rows = |list: &Vec<Delivery>| list.iter().map(|one| one.row).collect::<BTreeSet<_>>();
        let rows = lists.iter().map(rows);
        assert_eq!(rows.flatten().count(), 6);
        let read = lists.into_iter().flatten().map(|one| (one.message_id, one.event));
        assert!(read.eq(sent.into_iter().map(|one| (one.message_id, one.event))));
    }

    #[test]
    fn a_message_of_another_version_is_told_apart() {
        assert!(read_message("[{\"profile\":\"p\",\"event\":{}}]").is_err());
        assert!(read_message("[[{\"profile\":\"p\",\"row\":1,\"message_id\":\"1\",\"destination\":\"w\",\"attempt\":0},9]]\n{}").is_err());
    }
}
