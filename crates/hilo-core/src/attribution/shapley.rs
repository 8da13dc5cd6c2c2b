//! Shapley values of one order: what each channel of its path adds to the rate of orders, over all ways in which the channels may
//! have come.
//!
//! [`Journeys`] of a period → [`Shapley`] → the weights of an order's touches. The worth of a set of channels is the rate of orders
//! of all journeys that met no other channel. The game is played among the channels of one order alone: rates know no volume, so
//! sharing out all orders of a period by them would give a rare channel far too much.

use std::collections::BTreeMap;

use super::{Journeys, per_touch};

/// Journeys at the period's own rate that are added to each set, so that one lucky journey tells little.
pub const PRIOR_JOURNEYS: f64 = 20.0;
/// The channels that play, the most frequent ones. All others play as one.
const CHANNELS_MAX: usize = 14;

/// The rates of every set of channels.
#[derive(Clone, Debug)]
pub struct Shapley<C> {
    players: BTreeMap<C, usize>,
    /// The rate of the journeys whose channels are all in a set; a set is the sum of its players' bits.
    rates: Vec<f64>,
}

impl<C: Ord + Clone> Shapley<C> {
    /// Counts `journeys`, with `prior` journeys more in each set. `None` where no journey ended with an order.
    #[must_use]
    pub fn of(journeys: &[Journeys<C>], prior: f64) -> Option<Shapley<C>> {
        let players = players(journeys);
        let count = players.values().max().map_or(0, |last| last + 1);
        let mut sets = vec![(0.0_f64, 0.0_f64); 1 << count];
        let mut whole = (0.0_f64, 0.0_f64);
        for one in journeys {
            let (orders, all) = (f64::from(one.orders), f64::from(one.count()));
            whole = (whole.0 + orders, whole.1 + all);
            if let Some(set) = sets.get_mut(set_of(&players, &one.channels)) {
                *set = (set.0 + orders, set.1 + all);
            }
        }
        if whole.0 <= 0.0 {
            return None;
        }
        for player in 0..count {
            for set in (0..sets.len()).filter(|set| set & (1 << player) != 0) {
                let smaller = sets.get(set ^ (1 << player)).copied().unwrap_or_default();
                if let Some(sum) = sets.get_mut(set) {
                    *sum = (sum.0 + smaller.0, sum.1 + smaller.1);
                }
            }
        }
        let mean = whole.0 / whole.1;
        let rate = |(orders, all): (f64, f64)| {
            if all + prior > 0.0 { (orders + prior * mean) / (all + prior) } else { 0.0 }
        };
        let mut rates: Vec<f64> = sets.into_iter().map(rate).collect();
        // No channel, no order.
        if let Some(nothing) = rates.first_mut() {
            *nothing = 0.0;
        }
        Some(Shapley { players, rates })
    }

    /// The weight of each touch of one order's path. A channel that adds nothing gets nothing, unless no channel adds anything.
    #[must_use]
    pub fn weights(&self, channels: &[C]) -> Vec<f64> {
        let mut own: Vec<usize> =
            channels.iter().filter_map(|one| self.players.get(one).copied()).collect();
        own.sort_unstable();
        own.dedup();
        let worth = |set: usize| {
            let bits = own.iter().enumerate().filter(|(at, _)| set & (1 << at) != 0);
            let set = bits.fold(0, |set, (_, player)| set | 1 << player);
            self.rates.get(set).copied().unwrap_or_default()
        };
        let values = values(own.len(), worth);
        let value = |player: usize| {
            let at = own.iter().position(|one| *one == player)?;
            values.get(at).map(|value| value.max(0.0))
        };
        // Channels that play as one share what they get by their touches.
        let touches = |player: usize| {
            channels.iter().filter(|one| self.players.get(one) == Some(&player)).count()
        };
        let own_touches = |channel: &C| channels.iter().filter(|one| *one == channel).count();
        per_touch(channels, |channel| {
            let Some(player) = self.players.get(channel).copied() else { return 0.0 };
            let part =
                super::rules::number(own_touches(channel)) / super::rules::number(touches(player));
            value(player).unwrap_or_default() * part
        })
    }
}

/// Numbers the channels, the most frequent first; of equally frequent ones the first by name.
fn players<C: Ord + Clone>(journeys: &[Journeys<C>]) -> BTreeMap<C, usize> {
    let mut counts: BTreeMap<&C, u64> = BTreeMap::new();
    for one in journeys {
        let mut distinct: Vec<&C> = one.channels.iter().collect();
        distinct.sort_unstable();
        distinct.dedup();
        for channel in distinct {
            *counts.entry(channel).or_default() += u64::from(one.count());
        }
    }
    let mut order: Vec<(&C, u64)> = counts.into_iter().collect();
    order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let numbered = order.into_iter().enumerate();
    numbered.map(|(at, (channel, _))| (channel.clone(), at.min(CHANNELS_MAX))).collect()
}

fn set_of<C: Ord>(players: &BTreeMap<C, usize>, channels: &[C]) -> usize {
    channels.iter().filter_map(|one| players.get(one)).fold(0, |set, player| set | 1 << player)
}

/// The Shapley values of a game: `worth` of each set of `players`, where bit n stands for player n.
pub(super) fn values(players: usize, worth: impl Fn(usize) -> f64) -> Vec<f64> {
    let worths: Vec<f64> = (0..1_usize << players).map(worth).collect();
    let worth = |set: usize| worths.get(set).copied().unwrap_or_default();
    // |S|! (n − |S| − 1)! / n!, from one size to the next.
    let mut chances = vec![1.0 / super::rules::number(players.max(1))];
    for size in 1..players {
        let before = chances.last().copied().unwrap_or_default();
        chances.push(before * super::rules::number(size) / super::rules::number(players - size));
    }
    let value = |player: usize| {
        let own = 1 << player;
        let without = (0..worths.len()).filter(|set| set & own == 0);
        without
            .map(|set| {
                let chance = chances.get(set.count_ones() as usize).copied().unwrap_or_default();
                chance * (worth(set | own) - worth(set))
            })
            .sum()
    };
    (0..players).map(value).collect()
}
