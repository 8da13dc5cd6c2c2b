//! The messages that a person got, and how the person reacted to each.
//! In: fates in any order, also twice. Out: the first time of each fate of each message, and numbers by the way that messages go. A
//! machine's clicks are told apart from the person's as soon as what shows them has come (`clicks.rs`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clicks::{Click, Clicks};
use super::recent::{Listed, Recent};
use crate::journey::{Fate, Followed};

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
    /// The clicks. The first of a person and the first of a machine are fates.
    #[serde(default, skip_serializing_if = "Clicks::is_empty")]
    pub clicks: Clicks,
    /// The time of the latest event of it.
    pub last: Timestamp,
}

/// How many messages met each fate, by the way that they went.
pub type MessageSums = BTreeMap<String, BTreeMap<Fate, u64>>;

impl Message {
    /// A message that met a fate, and the link of a click.
    pub(super) fn of(
        way: String,
        fate: Fate,
        at: Timestamp,
        followed: Option<Followed>,
    ) -> Message {
        let mut fates = BTreeMap::new();
        fates.insert(fate, at);
        let mut message = Message { way, fates, clicks: Clicks::default(), last: at };
        if let Some(followed) = followed {
            message.clicks.add(Click { at, followed });
            message.part_clicks();
        }
        message
    }

    /// Whether a machine made a click of the message, as far as is known.
    pub fn is_by_machine(&self, click: &Click) -> bool {
        self.clicks.is_by_machine(click, self.fates.get(&Fate::Delivered).copied())
    }

    /// Parts the clicks into those of the person and those of machines. What is told later may change it.
    fn part_clicks(&mut self) {
        if self.clicks.is_empty() {
            return;
        }
        let delivered = self.fates.get(&Fate::Delivered).copied();
        let (person, machine) = self.clicks.first_of_each(delivered);
        for (fate, first) in [(Fate::Clicked, person), (Fate::ClickedByMachine, machine)] {
            match first {
                Some(at) => self.fates.insert(fate, at),
                None => self.fates.remove(&fate),
            };
        }
    }

    /// The clicks. A message that an earlier version folded, and whose events are removed, has its first one only.
    fn take_clicks(&mut self) -> Clicks {
        let mut clicks = std::mem::take(&mut self.clicks);
        if let (true, Some(at)) = (clicks.is_empty(), self.fates.get(&Fate::Clicked)) {
            clicks.add(Click { at: *at, followed: Followed::default() });
        }
        clicks
    }
}

impl Listed for Message {
    /// A message a day for two months.
    const MAX: usize = 64;
    type Sums = MessageSums;

    fn last_at(&self) -> Timestamp {
        self.last
    }

    fn join(&mut self, mut other: Message) {
        self.clicks = self.take_clicks();
        self.clicks.join(other.take_clicks());
        // One vendor may name the way in some of its events only.
        if self.way == OTHER || (other.way != OTHER && other.way < self.way) {
            self.way = other.way;
        }
        for (fate, at) in other.fates {
            let known = self.fates.entry(fate).or_insert(at);
            *known = at.min(*known);
        }
        self.last = self.last.max(other.last);
        self.part_clicks();
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
