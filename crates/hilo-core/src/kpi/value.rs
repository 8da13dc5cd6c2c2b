//! What a group of customers is worth: histories and costs → lifetime value, repeat rate, payback, return.
//!
//! A figure with a horizon looks at customers who are as old as the horizon, so that old and new channels compare. It counts those
//! who are too young, and guesses nothing about them.

use jiff::civil::Date;

use super::order::{History, sum};
use super::share::{Mean, Share, count, float};

/// The steps in which [`payback`] looks for the day.
const STEP_DAYS: u16 = 30;
/// The last day at which [`payback`] looks.
const PAYBACK_DAYS_MAX: u16 = 365;

/// A figure of the customers who are old enough for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aged<T> {
    /// The figure.
    pub figure: T,
    /// The customers who are left out.
    pub too_young: u32,
}

/// The net revenue of each customer until now. It favours channels that have brought customers for long: see [`lifetime_value`].
#[must_use]
pub fn revenue_per_customer(group: &[&History]) -> Mean {
    Mean { sum: sum(group.iter().map(|one| one.net())), count: count(group) }
}

/// The net revenue of each customer within `horizon` days of the first order.
#[must_use]
pub fn lifetime_value(group: &[&History], horizon: u16, as_of: Date) -> Aged<Mean> {
    let (old, too_young) = old_enough(group, horizon, as_of);
    let net = sum(old.iter().map(|one| one.net_within(horizon)));
    Aged { figure: Mean { sum: net, count: count(&old) }, too_young }
}

/// How many customers ordered again within `horizon` days of the first order.
#[must_use]
pub fn repeat_rate(group: &[&History], horizon: u16, as_of: Date) -> Aged<Share> {
    let (old, too_young) = old_enough(group, horizon, as_of);
    Aged { figure: Share::of(old, |one| one.is_repeat_within(horizon)), too_young }
}

/// The net amount of each counted order. A median belongs beside it: a few large orders move the mean.
#[must_use]
pub fn order_value(group: &[&History]) -> Mean {
    let amounts: Vec<i64> = group.iter().flat_map(|one| one.amounts()).collect();
    Mean { sum: sum(amounts.iter().copied()), count: count(&amounts) }
}

/// The counted orders of each customer.
#[must_use]
pub fn orders_per_customer(group: &[&History]) -> Mean {
    let orders = group.iter().map(|one| i64::from(count(&one.orders)));
    Mean { sum: sum(orders), count: count(group) }
}

/// The net revenue that a model credits, for each unit of cost. `None` without a cost.
#[must_use]
pub fn roas(credited: i64, cost: i64) -> Option<f64> {
    (cost > 0).then(|| float(credited) / float(cost))
}

/// The profit for each unit of cost, where `margin` is the share of net revenue that the shop keeps. `None` without a cost.
///
/// There is no return on revenue: whoever has no margin shows [`roas`].
#[must_use]
pub fn roi(margin: f64, credited: i64, cost: i64) -> Option<f64> {
    (cost > 0).then(|| (margin * float(credited) - float(cost)) / float(cost))
}

/// When customers have brought in what they cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payback {
    /// So many days after the first order, in steps of 30.
    After(u16),
    /// Not within 365 days.
    Never,
    /// Nobody is old enough to tell.
    TooYoung,
}

/// Finds the first step at which the margin of the lifetime value reaches `acquisition`, the cost of a new customer.
#[must_use]
pub fn payback(group: &[&History], margin: f64, acquisition: Mean, as_of: Date) -> Payback {
    let Some(cost) = acquisition.value() else { return Payback::TooYoung };
    for horizon in (STEP_DAYS..=PAYBACK_DAYS_MAX).step_by(usize::from(STEP_DAYS)) {
        match lifetime_value(group, horizon, as_of).figure.value() {
            None => return Payback::TooYoung,
            Some(value) if margin * value >= cost => return Payback::After(horizon),
            Some(_) => {}
        }
    }
    Payback::Never
}

/// The customers who are `horizon` days old, and the number of the others.
fn old_enough<'a>(group: &[&'a History], horizon: u16, as_of: Date) -> (Vec<&'a History>, u32) {
    let is_old = |one: &&&History| one.age_days(as_of) >= i64::from(horizon);
    let old: Vec<&History> = group.iter().filter(is_old).copied().collect();
    let too_young = count(group) - count(&old);
    (old, too_young)
}
