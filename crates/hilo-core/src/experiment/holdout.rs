//! What messages cause: people who get none, chosen by chance → the money or the orders that would be missing without the messages.
//!
//! Models of attribution show what goes together; a holdout shows a cause. Service messages, legal notices and answers are never held
//! out: nobody asks here for them.

use super::bucket::{BUCKETS, bucket};
use super::means::{Sample, compare, half_width};
use crate::kpi::Estimate;

/// Who gets no message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holdout {
    /// What is held out: everything, or a campaign's plan.
    pub name: String,
    /// The version. Each draws anew, so that nobody is left out for ever.
    pub version: String,
    /// How many of the 10,000 buckets get no message.
    pub held: u16,
}

impl Holdout {
    /// The holdout of all campaigns and experiments in a quarter, such as `2026-Q4`.
    #[must_use]
    pub fn of_all(quarter: &str, held: u16) -> Holdout {
        Holdout { name: "holdout".to_owned(), version: quarter.to_owned(), held }
    }

    /// The holdout of one campaign's plan.
    #[must_use]
    pub fn of_campaign(plan: &str, version: &str, held: u16) -> Holdout {
        Holdout { name: format!("holdout/{plan}"), version: version.to_owned(), held }
    }

    /// Whether the person is left out. Ask at the moment of sending and store the answer for both groups: only people who would have
    /// got a message may be compared.
    #[must_use]
    pub fn has(&self, unit: &str) -> bool {
        bucket(&self.name, &self.version, unit) < self.held
    }
}

/// What the messages caused in all: the difference of the means, for all people who got them. In minor units for amounts, in orders
/// for rates. `planned` is the number of people of both groups at the planned end.
///
/// Divided by what a model credits to the campaign ([`Estimate::scaled`]) it is the campaign's calibration factor. `None` while there
/// are too few people.
#[must_use]
pub fn caused(held: &Sample, sent: &Sample, planned: u32) -> Option<Estimate> {
    let comparison = compare(held, sent, planned)?;
    Some(comparison.difference.scaled(f64::from(sent.people)))
}

/// How exactly a holdout will tell, before it begins: half the width of the interval as a share of all orders, at the planned end.
/// `held` of 10,000 people get no message. A holdout is no use where this is more than the share that is credited to the channel.
/// `None` where nothing can be told: without orders, with nobody held out or with everybody.
#[must_use]
pub fn half_width_planned(people: u32, orders: u32, held: u16) -> Option<f64> {
    let all = f64::from(people);
    let rate = f64::from(orders) / all;
    let share = f64::from(held) / f64::from(BUCKETS);
    let error = (rate * (1.0 - rate) / (all * share * (1.0 - share))).sqrt();
    let half = half_width(all, all) * error / rate;
    (rate < 1.0 && half.is_finite()).then_some(half)
}
