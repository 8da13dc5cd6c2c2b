//! The figures of a profile at a moment, for people: state, orders, revenue, messages, open questions.
//! `(profile, moment, rules) → figures`. The profile keeps what they are made of.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::messages::{self, MessageSums};
use super::orders::{self, OrderSums};
use super::{Profile, lifecycle};
use crate::journey::{State, StateRules, Sums};

/// The figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// What the person is to the company.
    pub state: State,
    /// Numbers of orders, the first and the last, what they are worth and what of it was refunded.
    pub orders: OrderSums,
    /// Revenue without what was refunded, by currency, in minor units.
    pub net: Sums,
    /// How many messages met each fate, by the way that they went.
    pub messages: MessageSums,
    /// Conversations that wait for an answer.
    pub open_questions: usize,
}

/// Makes the figures.
#[must_use]
pub fn figures(profile: &Profile, now: Timestamp, rules: &StateRules) -> Figures {
    let orders = orders::sums(&profile.orders);
    let mut net = orders.gross.clone();
    net.less(&orders.returned);
    // What has just happened counts.
    let at = now.checked_add(SignedDuration::from_millis(1)).unwrap_or(now);
    Figures {
        state: lifecycle::state(profile, at, None, rules),
        net,
        orders,
        messages: messages::sums(&profile.messages),
        open_questions: profile.talks.iter().filter(|(_, talk)| talk.is_open()).count(),
    }
}
