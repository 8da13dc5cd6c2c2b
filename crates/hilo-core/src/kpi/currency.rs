//! Amounts of several currencies → one sum: in the currency of the shop by the rates of the days, or in the one with most orders.
//!
//! An amount that does not enter the sum stays beside it, in its own currency: a report that hides money has to say how much.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::digits;
use crate::money::{Amount, Currency, Totals};
use crate::text::cut;

/// The decimals of a rate.
const RATE_DECIMALS: usize = 12;
/// The rate of a currency to itself.
const RATE_PARTS: u64 = 1_000_000_000_000;
/// How many days an earlier rate serves: central banks publish none on holidays.
const RATE_AGE_DAYS_MAX: i64 = 7;
/// The most decimals of a currency.
const EXPONENT_MAX: u8 = 4;

/// What one unit of a currency is worth in another, such as 1.0541 euros for a franc. It is exact to twelve decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(u64);

impl Rate {
    /// Reads plain decimal text with a point. Decimals behind the twelfth are dropped. `None` for 0, for what is no number, and
    /// above 18 million.
    #[must_use]
    pub fn parse(text: &str) -> Option<Rate> {
        let (whole, decimals) = cut(text, b'.');
        let decimals = decimals.unwrap_or("0");
        let is_number =
            |text: &str| !text.is_empty() && text.bytes().all(|one| one.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) {
            return None;
        }
        let kept = decimals.get(..RATE_DECIMALS.min(decimals.len()))?;
        let mut parts = digits::append(digits::append(0, whole)?, kept)?;
        for _ in kept.len()..RATE_DECIMALS {
            parts = digits::append(parts, "0")?;
        }
        (parts > 0).then_some(Rate(parts))
    }
}

/// The rates of a currency, day by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    base: Currency,
    days: BTreeMap<(Currency, Date), Rate>,
}

/// Amounts in one currency, and those for which no rate is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The sum in the base currency.
    pub sum: Amount,
    /// The others, each in its own currency.
    pub apart: Totals,
}

impl Rates {
    /// Rates to `base`, the currency of the shop.
    #[must_use]
    pub fn new(base: Currency) -> Rates {
        Rates { base, days: BTreeMap::new() }
    }

    /// Stores the rate of a day: what one unit of `currency` is worth in the base currency. It replaces an earlier one.
    pub fn set(&mut self, currency: Currency, day: Date, rate: Rate) {
        self.days.insert((currency, day), rate);
    }

    /// Sums up net amounts, each with the local day of its order. The sum is rounded once, halves away from 0.
    ///
    /// A refund has to be taken off its order before: it has the rate of the order, so that a wholly refunded order leaves nothing.
    /// An amount beyond the range stays apart as well.
    pub fn sum(&self, amounts: impl IntoIterator<Item = (Date, Amount)>) -> Converted {
        let mut apart = Totals::default();
        let mut parts = 0_i128;
        for (day, amount) in amounts {
            let with = self.parts(day, amount).and_then(|own| parts.checked_add(own));
            match with.filter(|with| rounded(*with).is_some()) {
                Some(with) => parts = with,
                // What does not even fit into a sum of its own currency is no amount of a shop.
                None => apart.add(amount).unwrap_or_default(),
            }
        }
        let minor = rounded(parts).unwrap_or_default();
        Converted { sum: Amount { minor, currency: self.base }, apart }
    }

    /// The amount in the smallest part that a rate has of the base currency's minor unit.
    fn parts(&self, day: Date, amount: Amount) -> Option<i128> {
        let rate = i128::from(self.rate(day, amount.currency)?.0);
        let exponent = u32::from(EXPONENT_MAX + self.base.exponent());
        let scale = 10_i128.pow(exponent.checked_sub(u32::from(amount.currency.exponent()))?);
        i128::from(amount.minor).checked_mul(rate)?.checked_mul(scale)
    }

    /// The rate of a day, or the last one of the seven days before.
    fn rate(&self, day: Date, currency: Currency) -> Option<Rate> {
        if currency == self.base {
            return Some(Rate(RATE_PARTS));
        }
        let earliest = day.saturating_sub(RATE_AGE_DAYS_MAX.days());
        let known = self.days.range((currency, earliest)..=(currency, day));
        known.last().map(|(_, rate)| *rate)
    }
}

/// Parts in whole minor units.
fn rounded(parts: i128) -> Option<i64> {
    let unit = i128::from(RATE_PARTS) * 10_i128.pow(u32::from(EXPONENT_MAX));
    let half = if parts < 0 { -unit / 2 } else { unit / 2 };
    i64::try_from(parts.checked_add(half)? / unit).ok()
}

/// The currency of a report without rates, and what it leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneCurrency {
    /// The currency with most orders, of equally frequent ones the first by its letters.
    pub currency: Currency,
    /// The amounts of the others.
    pub hidden: Totals,
}

/// Chooses the currency of a report by the amounts of its orders. `None` without orders.
#[must_use]
pub fn one_currency(orders: &[Amount]) -> Option<OneCurrency> {
    let mut counts: BTreeMap<Currency, usize> = BTreeMap::new();
    for order in orders {
        *counts.entry(order.currency).or_default() += 1;
    }
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    let currency = most?.0;
    let mut hidden = Totals::default();
    for order in orders.iter().filter(|one| one.currency != currency) {
        hidden.add(*order).unwrap_or_default();
    }
    Some(OneCurrency { currency, hidden })
}
