//! What each touchpoint of a journey is worth: an order's net amount, shared out over the touches before it.
//!
//! The touches of a person and an order → a [`Path`] → the weight of each touch by a model → whole minor units ([`split`]) that
//! always add up to the order. The rules ([`Rule`]) look at one path. [`Markov`] and [`Shapley`] look at all journeys of a period,
//! also at those that ended without an order. Every model shows an association and no cause.

mod markov;
mod path;
mod rules;
mod shapley;
mod split;

pub use markov::Markov;
pub use path::{LOOKBACK_DAYS, Met, Path, PathRules, TOUCHES_MAX};
pub use rules::{HALF_LIFE_DAYS, Rule, Step, weights};
pub use shapley::{PRIOR_JOURNEYS, Shapley};
pub use split::split;

/// Journeys with the same channels in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journeys<C> {
    /// The channels, the oldest touch first.
    pub channels: Vec<C>,
    /// How many of the journeys ended with an order.
    pub orders: u32,
    /// The net amount of these orders, in minor units of one currency.
    pub value: i64,
    /// How many ended without an order.
    pub nulls: u32,
}

impl<C> Journeys<C> {
    const fn count(&self) -> u32 {
        self.orders.saturating_add(self.nulls)
    }
}

/// Shares the weight of each channel equally among its touches. A path none of whose channels has a weight is shared equally.
fn per_touch<C: Ord>(channels: &[C], weight: impl Fn(&C) -> f64) -> Vec<f64> {
    let touches = |of: &C| channels.iter().filter(|one| *one == of).count();
    let weights: Vec<f64> =
        channels.iter().map(|one| weight(one) / rules::number(touches(one))).collect();
    let sum: f64 = weights.iter().sum();
    if sum > 0.0 {
        return weights.into_iter().map(|one| one / sum).collect();
    }
    let equal = 1.0 / rules::number(channels.len());
    vec![equal; channels.len()]
}

#[cfg(test)]
mod tests;
