//! After how many days without an order a customer is at risk, and after how many lost, learned from how long customers take.
//!
//! The days of the counted orders of all customers → [`Gaps`] → [`Lapse`]. Trade without contracts shows no cancellation, so these numbers
//! are a convention. They are computed once a month and stored with the number of gaps behind them.

use jiff::civil::Date;

use super::days_between;
use super::windows::{BadNumber, DAYS_MAX};

/// The gaps from which on percentiles are used in place of the usual days.
pub const GAPS_MIN: usize = 200;
/// The days that every gap is given to end. Gaps that began later are left out, whether they have ended or not: otherwise the short ones
/// would be too many, because the long ones of a young shop have not ended yet.
pub const HORIZON_DAYS: i64 = 365;
/// The share of the gaps that end before a customer is at risk, in percent.
const AT_RISK_PERCENT: usize = 75;
/// The share of the gaps that end before a customer is lost, in percent.
const LAPSED_PERCENT: usize = 95;

/// The days without an order that decide about the lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lapse {
    /// After these a customer is at risk.
    pub at_risk_days: u16,
    /// After these a customer is lost.
    pub lapsed_days: u16,
}

impl Default for Lapse {
    fn default() -> Lapse {
        Lapse { at_risk_days: 90, lapsed_days: 180 }
    }
}

impl Lapse {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Days out of range, or a customer who is lost before being at risk.
    pub fn check(&self) -> Result<(), BadNumber> {
        BadNumber::check_days("at_risk_days", self.at_risk_days)?;
        if (self.at_risk_days..=DAYS_MAX).contains(&self.lapsed_days) {
            return Ok(());
        }
        let message = format!("write days from `at_risk_days` to {DAYS_MAX} here");
        Err(BadNumber::new("lapsed_days", message))
    }
}

/// The days between consecutive orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    /// Each gap that ended within [`HORIZON_DAYS`], in days, in no order.
    days: Vec<u16>,
    /// Orders that no other one followed within them.
    no_repeats: u32,
}

impl Gaps {
    /// Adds the orders of one customer, as they are known on `day`: the days of the counted ones, the first one first.
    pub fn add(&mut self, orders: &[Date], day: Date) {
        let is_complete = |from: &Date| days_between(*from, day) >= HORIZON_DAYS;
        for (at, from) in orders.iter().enumerate().filter(|(_, from)| is_complete(from)) {
            let next = orders.get(at + 1).map(|next| days_between(*from, *next));
            match next.filter(|gap| *gap <= HORIZON_DAYS).map(u16::try_from) {
                Some(Ok(gap)) => self.days.push(gap),
                Some(Err(_)) | None => self.no_repeats = self.no_repeats.saturating_add(1),
            }
        }
    }

    /// The number of gaps.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.days.len()
    }

    /// The number of orders that no other one followed in time.
    #[must_use]
    pub const fn no_repeats(&self) -> u32 {
        self.no_repeats
    }

    /// The percentiles of the gaps: the least days within which that share of them ended. The usual days while there are too few gaps.
    #[must_use]
    pub fn lapse(&self) -> Lapse {
        if self.days.len() < GAPS_MIN {
            return Lapse::default();
        }
        let mut sorted = self.days.clone();
        sorted.sort_unstable();
        let percentile = |percent: usize| {
            let gaps = sorted.len().saturating_mul(percent).div_ceil(100);
            gaps.checked_sub(1).and_then(|at| sorted.get(at)).copied().unwrap_or_default()
        };
        Lapse {
            // Orders of one day would put everybody at risk at once.
            at_risk_days: percentile(AT_RISK_PERCENT).max(1),
            lapsed_days: percentile(LAPSED_PERCENT).max(1),
        }
    }
}
