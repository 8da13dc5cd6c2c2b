//! The conversations of a person with the company, and which of them wait for an answer.
//! In: turns in any order. Out: the last time of each turn. A conversation is open where the person had the last word.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::recent::{Listed, Recent, later};
use crate::journey::Turn;

/// The conversations of a person.
pub type Talks = Recent<Talk>;

/// One conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Talk {
    /// When the person asked last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<Timestamp>,
    /// When the company answered last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<Timestamp>,
    /// When it ended last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Timestamp>,
}

/// The sums of the conversations that have left the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TalkSums {
    /// All of them.
    pub all: u64,
    /// Those without an answer.
    pub unanswered: u64,
}

impl Talk {
    /// A turn.
    pub(super) fn of(turn: Turn, at: Timestamp) -> Talk {
        let mut talk = Talk::default();
        let when = match turn {
            Turn::Asked => &mut talk.asked,
            Turn::Answered => &mut talk.answered,
            Turn::Closed => &mut talk.closed,
        };
        *when = Some(at);
        talk
    }

    /// Whether the person waits for an answer.
    pub fn is_open(&self) -> bool {
        self.asked > later(self.answered, self.closed)
    }
}

impl Listed for Talk {
    /// More than anybody has open at a time.
    const MAX: usize = 32;
    type Sums = TalkSums;

    fn last_at(&self) -> Timestamp {
        later(later(self.asked, self.answered), self.closed).unwrap_or_default()
    }

    fn join(&mut self, other: Talk) {
        self.asked = later(self.asked, other.asked);
        self.answered = later(self.answered, other.answered);
        self.closed = later(self.closed, other.closed);
    }

    fn leave(self, sums: &mut TalkSums) {
        sums.all += 1;
        sums.unanswered += u64::from(self.is_open());
    }

    fn add(sums: &mut TalkSums, others: TalkSums) {
        sums.all += others.all;
        sums.unanswered += others.unanswered;
    }
}
