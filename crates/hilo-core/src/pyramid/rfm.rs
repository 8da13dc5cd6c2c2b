//! How recently, how often and for how much a customer buys, each as a score from 1 to 5, and the name for the three together.
//!
//! The figures of all customers → [`RfmCuts`], a small table that a monthly job publishes; the table and one customer → [`Rfm`]. So a
//! customer is scored without the others. Figures of money are in one currency; nothing is converted here.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::days_between;
use super::history::{Basis, History, Purchases};
use super::windows::BadNumber;

/// The customers below whom nobody is ranked: too few say nothing.
pub const CUSTOMERS_MIN: usize = 200;
/// The most months that are looked at.
const MONTHS_MAX: u16 = 120;

/// The numbers of the scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RfmRules {
    /// The months in which orders count.
    pub months: u16,
    /// The numbers of orders from which on the frequency scores 1, 2, 3, 4 and 5. Most customers have one order, so ranks would tell
    /// nothing.
    pub frequency_steps: [u32; 5],
}

impl Default for RfmRules {
    fn default() -> RfmRules {
        RfmRules { months: 24, frequency_steps: [1, 2, 3, 5, 8] }
    }
}

impl RfmRules {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Months out of range, or steps that do not begin with 1 and grow.
    pub fn check(&self) -> Result<(), BadNumber> {
        if !(1..=MONTHS_MAX).contains(&self.months) {
            let message = format!("write months from 1 to {MONTHS_MAX} here");
            return Err(BadNumber::new("months", message));
        }
        let grows = self.frequency_steps.windows(2).all(|pair| pair.first() < pair.last());
        if self.frequency_steps.first() == Some(&1) && grows {
            return Ok(());
        }
        let message = "write five growing numbers of orders here, the first one 1".to_owned();
        Err(BadNumber::new("frequency_steps", message))
    }

    /// The day after which orders count on `day`.
    fn since(&self, day: Date) -> Date {
        day.saturating_sub(i64::from(self.months).months())
    }

    /// What a person bought in the time that counts on `day`.
    #[must_use]
    pub fn purchases(&self, history: &History, day: Date, basis: Basis) -> Option<Purchases> {
        history.purchases(self.since(day), day, basis)
    }
}

/// The figures of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The days since the last counted order.
    pub recency_days: i64,
    /// The counted orders.
    pub orders: u32,
    /// What they are worth, in minor units of the one currency.
    pub net: i64,
}

impl Customer {
    /// The figures on `day` of somebody who bought this. `net` is the worth of the purchases in the one currency.
    #[must_use]
    pub fn of(purchases: &Purchases, net: i64, day: Date) -> Customer {
        let recency_days = days_between(purchases.last, day);
        Customer { recency_days, orders: purchases.orders, net }
    }
}

/// The scores of a customer, each from 1 to 5. 5 is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfm {
    /// How recently.
    pub recency: u8,
    /// How often.
    pub frequency: u8,
    /// For how much.
    pub monetary: u8,
}

/// The values that have to be passed for the scores 2, 3, 4 and 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RfmCuts {
    /// The days since the last order: fewer days score more.
    pub recency_days: [i64; 4],
    /// The net revenue: more scores more.
    pub net: [i64; 4],
}

impl RfmCuts {
    /// Ranks the customers. With `n` of them, of whom `w` are worse, a score is `1 + ⌊5·w/n⌋`, so equal figures score equally. `None`
    /// below [`CUSTOMERS_MIN`].
    #[must_use]
    pub fn of(customers: &[Customer]) -> Option<RfmCuts> {
        if customers.len() < CUSTOMERS_MIN {
            return None;
        }
        let recency = cuts(customers.iter().map(|one| one.recency_days.saturating_neg()))?;
        let net = cuts(customers.iter().map(|one| one.net))?;
        Some(RfmCuts { recency_days: recency.map(i64::saturating_neg), net })
    }

    /// The scores of a customer.
    #[must_use]
    pub fn scores(&self, customer: &Customer, rules: &RfmRules) -> Rfm {
        let steps = rules.frequency_steps.iter().skip(1);
        Rfm {
            recency: score(self.recency_days.iter().map(|cut| customer.recency_days < *cut)),
            frequency: score(steps.map(|step| customer.orders >= *step)),
            monetary: score(self.net.iter().map(|cut| customer.net > *cut)),
        }
    }
}

/// For each score from 2 on: the greatest value that is still below it.
fn cuts(values: impl Iterator<Item = i64>) -> Option<[i64; 4]> {
    let mut sorted: Vec<i64> = values.collect();
    sorted.sort_unstable();
    let cut = |fifths: usize| {
        let worse = sorted.len().saturating_mul(fifths).div_ceil(5);
        sorted.get(worse.checked_sub(1)?).copied()
    };
    Some([cut(1)?, cut(2)?, cut(3)?, cut(4)?])
}

fn score(passed: impl Iterator<Item = bool>) -> u8 {
    passed.fold(1, |score, is_passed| score + u8::from(is_passed))
}

impl Rfm {
    /// Frequency and money as one score.
    #[must_use]
    pub const fn fm(self) -> u8 {
        (self.frequency + self.monetary).div_ceil(2)
    }

    /// The name of the customer's cell. Every cell has one.
    #[must_use]
    pub const fn segment(self) -> RfmSegment {
        match (self.recency, self.fm()) {
            (4.., 4..) => RfmSegment::Champion,
            (3.., 3..) => RfmSegment::Loyal,
            (4.., 2) => RfmSegment::Promising,
            (4.., _) => RfmSegment::New,
            (3, _) => RfmSegment::NeedsAttention,
            (..=1, 4..) => RfmSegment::CannotLose,
            (_, 3..) => RfmSegment::AtRisk,
            (2, _) => RfmSegment::AboutToSleep,
            (_, _) => RfmSegment::Hibernating,
        }
    }
}

/// A cell of the grid of recency and of frequency with money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RfmSegment {
    /// Bought lately, and little so far.
    New,
    /// Bought lately, and a second time or for more.
    Promising,
    /// Comes again.
    Loyal,
    /// Bought lately, often and for much.
    Champion,
    /// Bought little, a while ago.
    NeedsAttention,
    /// Bought little, long ago.
    AboutToSleep,
    /// Bought often or for much, long ago.
    AtRisk,
    /// Bought little, longest ago.
    Hibernating,
    /// Bought often and for much, longest ago.
    CannotLose,
}

impl RfmSegment {
    /// The word, as reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            RfmSegment::New => "nuevo",
            RfmSegment::Promising => "prometedor",
            RfmSegment::Loyal => "leal",
            RfmSegment::Champion => "campeon",
            RfmSegment::NeedsAttention => "necesita_atencion",
            RfmSegment::AboutToSleep => "a_punto_de_dormirse",
            RfmSegment::AtRisk => "en_riesgo",
            RfmSegment::Hibernating => "hibernando",
            RfmSegment::CannotLose => "no_perder",
        }
    }
}
