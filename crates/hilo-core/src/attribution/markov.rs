//! Removal effects by a Markov chain: how many orders are missing if nobody is ever met by a channel.
//!
//! [`Journeys`] of a period → [`Markov`]. A walk goes from the start over windows of `order` channels to an order or to its end
//! without one. The chain is solved and not simulated. Its probability of an order is the observed rate, by its making.

use std::collections::{BTreeMap, BTreeSet};

use super::{Journeys, per_touch};

/// The chain is solved when no value moves more than this.
const PRECISION: f64 = 1e-13;
/// The most rounds. A walk of a hundred steps needs some hundred.
const ROUNDS_MAX: usize = 20_000;

/// The removal effects of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Markov<C> {
    /// The share of journeys that end with an order.
    pub rate: f64,
    /// The share of the orders that is missing without the channel.
    pub effects: BTreeMap<C, f64>,
    /// The share of their value that is missing without the channel.
    pub value_effects: BTreeMap<C, f64>,
}

/// Where walks go from one state.
#[derive(Default)]
struct State {
    /// Walks to other states.
    to: BTreeMap<usize, f64>,
    /// Orders right after this state.
    orders: f64,
    /// Their value.
    value: f64,
    /// All walks that leave the state.
    all: f64,
}

impl<C: Ord + Clone> Markov<C> {
    /// Solves the chain of `journeys` over windows of `order` channels. `None` where no journey ended with an order: then nothing is
    /// known about any channel.
    #[must_use]
    pub fn of(journeys: &[Journeys<C>], order: usize) -> Option<Markov<C>> {
        let mut chain = Chain::default();
        for one in journeys.iter().filter(|one| one.count() > 0) {
            chain.take(one, order.max(1));
        }
        let rate = chain.solve(None, |state| state.orders);
        let worth = chain.solve(None, |state| state.value);
        if rate <= 0.0 {
            return None;
        }
        let channels: BTreeSet<C> =
            journeys.iter().flat_map(|one| one.channels.iter().cloned()).collect();
        let (mut effects, mut value_effects) = (BTreeMap::new(), BTreeMap::new());
        for channel in channels {
            let left = chain.solve(Some(&channel), |state| state.orders);
            let worth_left = chain.solve(Some(&channel), |state| state.value);
            effects.insert(channel.clone(), 1.0 - left / rate);
            let effect = if worth > 0.0 { 1.0 - worth_left / worth } else { 0.0 };
            value_effects.insert(channel, effect);
        }
        Some(Markov { rate, effects, value_effects })
    }

    /// Shares `total` of the period by `effects`. It differs from the sum of all orders' [`Markov::weights`]: use it to compare models.
    #[must_use]
    pub fn share(total: f64, effects: &BTreeMap<C, f64>) -> BTreeMap<C, f64> {
        let sum: f64 = effects.values().sum();
        let share = |effect: f64| if sum > 0.0 { total * effect / sum } else { 0.0 };
        effects.iter().map(|(channel, effect)| (channel.clone(), share(*effect))).collect()
    }

    /// The weight of each touch of one order's path.
    #[must_use]
    pub fn weights(&self, channels: &[C]) -> Vec<f64> {
        per_touch(channels, |one| self.effects.get(one).copied().unwrap_or_default())
    }
}

struct Chain<C> {
    /// The number of each window.
    numbers: BTreeMap<Vec<C>, usize>,
    /// The start, then the windows.
    states: Vec<State>,
}

impl<C> Default for Chain<C> {
    fn default() -> Chain<C> {
        Chain { numbers: BTreeMap::new(), states: vec![State::default()] }
    }
}

impl<C: Ord + Clone> Chain<C> {
    fn take(&mut self, journeys: &Journeys<C>, order: usize) {
        let mut channels = journeys.channels.clone();
        channels.dedup();
        let size = order.min(channels.len()).max(1);
        let all = f64::from(journeys.count());
        let mut at = 0;
        for window in channels.windows(size) {
            let next = self.number(window);
            if let Some(state) = self.states.get_mut(at) {
                state.all += all;
                *state.to.entry(next).or_default() += all;
            }
            at = next;
        }
        if let Some(state) = self.states.get_mut(at) {
            state.all += all;
            state.orders += f64::from(journeys.orders);
            #[expect(clippy::cast_precision_loss, reason = "amounts of a shop are below 2^53")]
            let value = journeys.value as f64;
            state.value += value;
        }
    }

    fn number(&mut self, window: &[C]) -> usize {
        if let Some(number) = self.numbers.get(window) {
            return *number;
        }
        let number = self.states.len();
        self.states.push(State::default());
        self.numbers.insert(window.to_vec(), number);
        number
    }

    /// What a walk from the start may expect of `gain`, if each walk that meets `removed` ends there with nothing.
    fn solve(&self, removed: Option<&C>, gain: impl Fn(&State) -> f64) -> f64 {
        let mut is_gone = vec![false; self.states.len()];
        for (window, number) in &self.numbers {
            let gone = is_gone
                .get_mut(*number)
                .filter(|_| removed.is_some_and(|one| window.contains(one)));
            if let Some(gone) = gone {
                *gone = true;
            }
        }
        let mut expected = vec![0.0_f64; self.states.len()];
        for _ in 0..ROUNDS_MAX {
            let mut moved = 0.0_f64;
            // Backwards: mostly a state leads to one that was met after it.
            for (at, state) in self.states.iter().enumerate().rev() {
                if state.all <= 0.0 || is_gone.get(at).copied().unwrap_or_default() {
                    continue;
                }
                let further = |(to, walks): (&usize, &f64)| {
                    expected.get(*to).map_or(0.0, |expected: &f64| walks * expected)
                };
                let value = (gain(state) + state.to.iter().map(further).sum::<f64>()) / state.all;
                if let Some(before) = expected.get_mut(at) {
                    moved = moved.max((value - *before).abs());
                    *before = value;
                }
            }
            if moved <= PRECISION {
                break;
            }
        }
        expected.first().copied().unwrap_or_default()
    }
}
