//! What channels cost: entries of days → sums of a period, apart by the people who were addressed.
//!
//! Costs that belong to no channel, such as an agency's fee, stay apart. They are part of the cost of all new customers, and of no
//! channel's.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::order::{Period, sum};
use crate::attribution::split;

/// Whom a campaign addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// People who are no customers yet.
    New,
    /// Customers.
    Existing,
}

/// What was spent on one day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost<C> {
    /// The local day.
    pub day: Date,
    /// The channel; `None` for a cost of the whole shop.
    pub channel: Option<C>,
    /// Whom the campaign addressed, where its plan says so.
    pub audience: Option<Audience>,
    /// The amount.
    pub amount: i64,
}

/// What was spent in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// On people who are no customers yet.
    pub new: i64,
    /// On customers.
    pub existing: i64,
    /// On nobody knows whom.
    pub unknown: i64,
}

impl Spent {
    /// All of it: what a return is compared with.
    #[must_use]
    pub fn all(self) -> i64 {
        sum([self.new, self.existing, self.unknown].into_iter())
    }

    /// What new customers have cost. [`Spent::is_blended`] tells whether other people's cost is in it.
    #[must_use]
    pub fn on_new(self) -> i64 {
        self.new.saturating_add(self.unknown)
    }

    /// Whether nobody knows whom a part of it addressed.
    #[must_use]
    pub fn is_blended(self) -> bool {
        self.unknown != 0
    }

    fn add(&mut self, audience: Option<Audience>, amount: i64) {
        let sum = match audience {
            Some(Audience::New) => &mut self.new,
            Some(Audience::Existing) => &mut self.existing,
            None => &mut self.unknown,
        };
        *sum = sum.saturating_add(amount);
    }
}

/// What a period has cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Costs<C> {
    /// Each channel.
    pub channels: BTreeMap<C, Spent>,
    /// The whole shop's costs.
    pub fixed: Spent,
}

impl<C: Ord + Clone> Costs<C> {
    /// Sums up the days of a period.
    #[must_use]
    pub fn of(costs: &[Cost<C>], period: Period) -> Costs<C> {
        let mut all = Costs { channels: BTreeMap::new(), fixed: Spent::default() };
        for one in costs.iter().filter(|one| period.contains(one.day)) {
            let spent = match &one.channel {
                Some(channel) => all.channels.entry(channel.clone()).or_default(),
                None => &mut all.fixed,
            };
            spent.add(one.audience, one.amount);
        }
        all
    }

    /// Everything together.
    #[must_use]
    pub fn total(&self) -> Spent {
        self.channels.values().fold(self.fixed, |total, one| Spent {
            new: total.new.saturating_add(one.new),
            existing: total.existing.saturating_add(one.existing),
            unknown: total.unknown.saturating_add(one.unknown),
        })
    }
}

/// Spreads a cost without a day, such as a fair's, over its days. The parts add up to the amount; no part where the last day lies
/// before the first.
#[must_use]
pub fn spread_evenly(amount: i64, over: Period) -> Vec<(Date, i64)> {
    let next = |day: &Date| day.tomorrow().ok().filter(|day| over.contains(*day));
    let first = Some(over.first).filter(|day| over.contains(*day));
    let days: Vec<Date> = std::iter::successors(first, next).collect();
    let parts = split(amount, &vec![1.0; days.len()]);
    days.into_iter().zip(parts).collect()
}
