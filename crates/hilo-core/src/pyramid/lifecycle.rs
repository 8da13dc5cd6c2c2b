//! Where a customer is between two orders: after the first one, coming again, at risk, lost, won back.
//!
//! `(days of the counted orders, day, rules)` → [`Lifecycle`]. The first state that fits counts: won back, then as the list has them.

use jiff::civil::Date;

use super::days_between;
use super::lapse::Lapse;
use super::windows::BadNumber;

/// The numbers of the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifecycleRules {
    /// The days in which a first order, or one that wins somebody back, is new.
    pub onboarding_days: u16,
    /// The days without an order.
    pub lapse: Lapse,
}

impl Default for LifecycleRules {
    fn default() -> LifecycleRules {
        LifecycleRules { onboarding_days: 30, lapse: Lapse::default() }
    }
}

impl LifecycleRules {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first one that cannot be used.
    pub fn check(&self) -> Result<(), BadNumber> {
        BadNumber::check_days("onboarding_days", self.onboarding_days)?;
        self.lapse.check()
    }
}

/// Where a customer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    /// The first order is not long ago.
    First,
    /// Orders again and again.
    Repeat,
    /// One order, and none since.
    Single,
    /// No order for longer than most customers take.
    AtRisk,
    /// No order for longer than nearly all customers take.
    Lost,
    /// Was lost, and ordered again not long ago.
    Recovered,
}

impl Lifecycle {
    /// The word, as reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Lifecycle::First => "primera_compra",
            Lifecycle::Repeat => "recurrente",
            Lifecycle::Single => "de_una_vez",
            Lifecycle::AtRisk => "en_riesgo",
            Lifecycle::Lost => "perdido",
            Lifecycle::Recovered => "recuperado",
        }
    }
}

/// The state at the end of `day` of somebody with counted orders on these days, the first one first. `None` without an order.
#[must_use]
pub fn lifecycle(orders: &[Date], day: Date, rules: &LifecycleRules) -> Option<Lifecycle> {
    let mut newest = orders.iter().rev().filter(|order| **order <= day);
    let (last, before) = (*newest.next()?, newest.next());
    let gap = days_between(last, day);
    let Lapse { at_risk_days, lapsed_days } = rules.lapse;
    let (at_risk, lapsed) = (i64::from(at_risk_days), i64::from(lapsed_days));
    let is_new = gap <= i64::from(rules.onboarding_days);
    // Lost at the end of the day before the last order.
    let was_lost = before.is_some_and(|before| days_between(*before, last) - 1 > lapsed);
    Some(match before {
        Some(_) if is_new && was_lost => Lifecycle::Recovered,
        None if is_new => Lifecycle::First,
        Some(_) if gap <= at_risk => Lifecycle::Repeat,
        None if gap <= at_risk => Lifecycle::Single,
        _ if gap <= lapsed => Lifecycle::AtRisk,
        _ => Lifecycle::Lost,
    })
}
