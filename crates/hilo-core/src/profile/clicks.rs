//! The clicks of one message, and which of them a machine made: programs that check mail follow its links as soon as it is there, and
//! follow all of them.
//!
//! In: clicks in any order, and the message's delivery. Out: whether a machine made a click. Bounded; the order does not matter.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::journey::Followed;

/// How near to the delivery of its message a click is a machine's, because nobody reads that fast.
const MACHINE_TIME: SignedDuration = SignedDuration::from_secs(2);
/// The links of one message that nobody follows within that time.
const MACHINE_LINKS: usize = 3;
/// The first and the last clicks that are kept. A machine's come together, and those between change little.
const FIRST_MAX: usize = 8;
const LAST_MAX: usize = 4;

/// One click.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Click {
    /// When.
    pub at: Timestamp,
    /// The link, and who is told to have followed it.
    #[serde(flatten)]
    pub followed: Followed,
}

/// The clicks of a message, by time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Clicks(Vec<Click>);

impl Clicks {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a click. One that is told again counts once.
    pub(super) fn add(&mut self, click: Click) {
        if let Err(place) = self.0.binary_search(&click) {
            self.0.insert(place, click);
        }
        if self.0.len() > FIRST_MAX + LAST_MAX {
            self.0.remove(FIRST_MAX);
        }
    }

    /// Adds other clicks.
    pub(super) fn join(&mut self, others: Clicks) {
        others.0.into_iter().for_each(|click| self.add(click));
    }

    /// The first click of a person, and the first one of a machine.
    pub(super) fn first_of_each(
        &self,
        delivered: Option<Timestamp>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let of = |machine: bool| {
            let made = |click: &&Click| self.is_by_machine(click, delivered) == machine;
            self.0.iter().find(made).map(|click| click.at)
        };
        (of(false), of(true))
    }

    /// Whether a machine made a click: its service says so, it came with the delivery, or several links were followed at once.
    pub(super) fn is_by_machine(&self, click: &Click, delivered: Option<Timestamp>) -> bool {
        click.followed.by_machine
            || delivered.is_some_and(|at| click.at.duration_since(at).abs() <= MACHINE_TIME)
            || self.0.iter().any(|first| {
                is_within(click.at, first.at) && self.links_from(first.at) >= MACHINE_LINKS
            })
    }

    /// The links that were followed within the time from a moment on.
    fn links_from(&self, first: Timestamp) -> usize {
        let mut links: Vec<u32> = Vec::new();
        for click in self.0.iter().filter(|click| is_within(click.at, first)) {
            links.extend(click.followed.link.filter(|link| !links.contains(link)));
        }
        links.len()
    }
}

fn is_within(at: Timestamp, first: Timestamp) -> bool {
    at >= first && at.duration_since(first) <= MACHINE_TIME
}
