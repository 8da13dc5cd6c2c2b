//! Orders → net revenue, and what each customer has ordered.
//!
//! An order counts while it is neither cancelled nor wholly refunded. A later refund can therefore change who is a customer, and
//! every figure is one of a day, `as_of`.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// The local days of a report, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

impl Period {
    /// Whether the day is in the period.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

/// Money that went back to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The local day.
    pub day: Date,
    /// The amount, a positive number.
    pub amount: i64,
}

/// An order of a person. Taxes and shipping are in the amounts or are not, as the report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order<P> {
    /// Who ordered.
    pub person: P,
    /// The local day.
    pub day: Date,
    /// The amount before refunds.
    pub gross: i64,
    /// The day on which the order was cancelled.
    pub cancelled: Option<Date>,
    /// What went back.
    pub refunds: Vec<Refund>,
}

impl<P> Order<P> {
    /// The net amount at the end of `as_of`; `None` unless the order counts then. One cent left counts.
    #[must_use]
    pub fn net(&self, as_of: Date) -> Option<i64> {
        let refunds = self.refunds.iter().filter(|one| one.day <= as_of);
        let net = self.gross.saturating_sub(sum(refunds.map(|one| one.amount)));
        (self.day <= as_of && !self.is_cancelled(as_of) && net > 0).then_some(net)
    }

    fn is_cancelled(&self, as_of: Date) -> bool {
        self.cancelled.is_some_and(|day| day <= as_of)
    }
}

/// On which day a refund lowers the revenue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dating {
    /// On the day of its order: what the orders of a period were worth in the end.
    Order,
    /// On its own day, as in the books.
    Movement,
}

/// The net revenue of a period, as it is known at the end of `as_of`.
///
/// Over all days up to `as_of` both ways of dating add up to the same, unless more was refunded than an order was worth.
#[must_use]
pub fn net_revenue<P>(orders: &[Order<P>], period: Period, as_of: Date, dating: Dating) -> i64 {
    let is_known = |day: Date| period.contains(day) && day <= as_of;
    match dating {
        Dating::Order => {
            sum(orders.iter().filter(|one| is_known(one.day)).filter_map(|one| one.net(as_of)))
        }
        // A wholly refunded order stays in the books of its day.
        Dating::Movement => {
            let orders = orders.iter().filter(|one| !one.is_cancelled(as_of));
            sum(orders.map(|one| {
                let gross = if is_known(one.day) { one.gross } else { 0 };
                let refunds = one.refunds.iter().filter(|one| is_known(one.day));
                gross.saturating_sub(sum(refunds.map(|one| one.amount)))
            }))
        }
    }
}

/// What a customer has ordered. Only a person with a counted order has a history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The local day of the first counted order.
    pub first: Date,
    /// Days since the first counted order, and net amount, of each counted order. The oldest is the first.
    pub(super) orders: Vec<(i64, i64)>,
}

/// The history of each customer at the end of `as_of`.
#[must_use]
pub fn histories<P: Ord + Clone>(orders: &[Order<P>], as_of: Date) -> BTreeMap<P, History> {
    let mut counted: BTreeMap<P, Vec<(Date, i64)>> = BTreeMap::new();
    for order in orders {
        if let Some(net) = order.net(as_of) {
            counted.entry(order.person.clone()).or_default().push((order.day, net));
        }
    }
    let history = |(person, mut orders): (P, Vec<(Date, i64)>)| {
        orders.sort_unstable();
        let first = orders.first()?.0;
        let orders = orders.into_iter().map(|(day, net)| (days(first, day), net)).collect();
        Some((person, History { first, orders }))
    };
    counted.into_iter().filter_map(history).collect()
}

impl History {
    /// The days from the first counted order to `as_of`.
    #[must_use]
    pub fn age_days(&self, as_of: Date) -> i64 {
        days(self.first, as_of)
    }

    /// The net amount of all counted orders.
    #[must_use]
    pub fn net(&self) -> i64 {
        sum(self.amounts())
    }

    /// The net amount of the orders of the first day and of `horizon` days after it.
    #[must_use]
    pub fn net_within(&self, horizon: u16) -> i64 {
        let inside = self.orders.iter().filter(|(day, _)| *day <= i64::from(horizon));
        sum(inside.map(|(_, net)| *net))
    }

    /// Whether the second counted order came at most `horizon` days after the first.
    #[must_use]
    pub fn is_repeat_within(&self, horizon: u16) -> bool {
        self.orders.get(1).is_some_and(|(day, _)| *day <= i64::from(horizon))
    }

    /// The net amount of each counted order, the oldest first.
    pub fn amounts(&self) -> impl Iterator<Item = i64> {
        self.orders.iter().map(|(_, net)| *net)
    }

    /// The days between each counted order and the next.
    pub fn gaps(&self) -> impl Iterator<Item = i64> {
        self.orders.iter().zip(self.orders.iter().skip(1)).map(|(one, next)| next.0 - one.0)
    }
}

fn days(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

/// Adds amounts. The sum stops at the end of the range: a stranger's absurd amount must not turn it negative.
pub(super) fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}
