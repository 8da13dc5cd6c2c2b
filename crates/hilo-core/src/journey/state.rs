//! The state of a person before a touchpoint: the same page means attraction for a stranger and retention for a customer.
//! Shapes only: `profile/lifecycle.rs` finds the state.

use serde::{Deserialize, Serialize};

/// What a person is to the company at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// No counted order, and no earlier visit or contact.
    New,
    /// No counted order, but something earlier is known.
    Known,
    /// The last counted order is not long ago, or its delivery is under way.
    Fresh,
    /// A counted order, longer ago.
    Customer,
    /// A customer who orders again and again, who recommends, or who belongs to the loyalty program.
    Loyal,
}

impl State {
    /// Every state.
    pub const ALL: [State; 5] =
        [State::New, State::Known, State::Fresh, State::Customer, State::Loyal];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            State::New => "new",
            State::Known => "known",
            State::Fresh => "fresh",
            State::Customer => "customer",
            State::Loyal => "loyal",
        }
    }
}

/// The deployer's numbers for the states, `[touchpoints]` of `hilo.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateRules {
    /// The days after an order, or after its delivery, in which somebody is `fresh`.
    pub post_days: u32,
    /// The counted orders within a year that make somebody `loyal`.
    pub loyal_orders: u32,
}

impl Default for StateRules {
    fn default() -> StateRules {
        StateRules { post_days: 30, loyal_orders: 3 }
    }
}

impl StateRules {
    /// Whether these are the usual numbers.
    pub fn is_usual(&self) -> bool {
        *self == StateRules::default()
    }
}
