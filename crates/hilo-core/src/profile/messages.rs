//! The messages that a person got, and how the person reacted to each.
//! In: fates in any order, also twice. Out: the first time of each fate of each message, and numbers by the way that messages go.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::recent::{Listed, Recent};
use crate::journey::Fate;

/// The most ways of messages. Further ways are counted as one.
const WAYS_MAX: usize = 12;
/// The name of the further ways.
const OTHER: &str = "other";

/// The messages of a person.
pub type Messages = Recent<Message>;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The way that it went: `email`, `sms` …
    pub way: String,
    /// The first time of each fate.
    #[serde(flatten)]
    pub fates: BTreeMap<Fate, Timestamp>,
    /// The time of the latest event of it.
    pub last: Timestamp,
}

/// How many messages met each fate, by the way that they went.
pub type MessageSums = BTreeMap<String, BTreeMap<Fate, u64>>;

impl Message {
    /// A message that met a fate.
    pub(super) fn of(way: String, fate: Fate, at: Timestamp) -> Message {
        let mut fates = BTreeMap::new();
        fates.insert(fate, at);
        Message { way, fates, last: at }
    }
}

impl Listed for Message {
    /// A message a day for two months.
    const MAX: usize = 64;
    type Sums = MessageSums;

    fn last_at(&self) -> Timestamp {
        self.last
    }

    fn join(&mut self, other: Message) {
        // One vendor may name the way in some of its events only.
        if self.way == OTHER || (other.way != OTHER && other.way < self.way) {
            self.way = other.way;
        }
        for (fate, at) in other.fates {
            let known = self.fates.entry(fate).or_insert(at);
            *known = at.min(*known);
        }
        self.last = self.last.max(other.last);
    }

    fn leave(self, sums: &mut MessageSums) {
        for fate in self.fates.into_keys() {
            count(sums, &self.way, fate, 1);
        }
    }

    fn add(sums: &mut MessageSums, others: MessageSums) {
        for (way, fates) in others {
            for (fate, n) in fates {
                count(sums, &way, fate, n);
            }
        }
    }
}

fn count(sums: &mut MessageSums, way: &str, fate: Fate, n: u64) {
    let is_listed = sums.contains_key(way) || sums.len() < WAYS_MAX;
    let way = if is_listed { way } else { OTHER };
    *sums.entry(way.to_owned()).or_default().entry(fate).or_default() += n;
}

/// The numbers of all messages, those in the list too.
#[must_use]
pub(super) fn sums(messages: &Messages) -> MessageSums {
    let mut sums = messages.older().clone();
    messages.iter().for_each(|(_, message)| message.clone().leave(&mut sums));
    sums
}
