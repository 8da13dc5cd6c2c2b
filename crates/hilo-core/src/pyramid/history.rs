//! What the pyramid knows of a person: orders with their refunds, the relation, the signals, each with its local days.
//!
//! Facts of a person in any order → a [`History`]; a history and a day → which orders count, and what they are worth. The days are those
//! of the shop's zone ([`crate::zone::Zone::day`]), never of the visitor's. A renewal of a subscription is an order like any other. A
//! store purchase without a person belongs to no history.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::journey::{Sums, Worth};
use crate::money::Amount;

/// When something happened, and when it came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Whether it came with the profile of another device or address that turned out to be the same person.
    pub by_link: bool,
    /// The day on which it came to be known.
    pub known: Date,
    /// The day on which it happened.
    pub on: Date,
}

impl Moment {
    /// A moment that was known at once.
    #[must_use]
    pub const fn at_once(on: Date) -> Moment {
        Moment { by_link: false, known: on, on }
    }

    /// A moment that came to be known on another day.
    #[must_use]
    pub const fn late(on: Date, known: Date) -> Moment {
        Moment { by_link: false, known, on }
    }

    const fn linked(self) -> Moment {
        Moment { by_link: true, ..self }
    }
}

/// From which day on a moment counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// From the day on which it happened: what is true, as far as it is known now.
    Happened,
    /// From the day on which it happened, unless it came to be known when the figures of that month were frozen; then from the day
    /// on which it came to be known. So a printed figure never changes.
    Printed {
        /// The days after the end of a month at whose end its figures are frozen.
        late_days: u16,
    },
}

impl Basis {
    /// The usual printed figures: a month is frozen 30 days after its end.
    pub const PRINTED: Basis = Basis::Printed { late_days: 30 };

    /// The day from which on a moment counts.
    #[must_use]
    pub fn day(self, moment: Moment) -> Date {
        let Basis::Printed { late_days } = self else { return moment.on };
        let frozen_after = moment.on.last_of_month().saturating_add(i64::from(late_days).days());
        if moment.known <= frozen_after { moment.on } else { moment.known }
    }

    /// Whether a moment counts at the end of `day`.
    pub(super) fn has(self, moment: Moment, day: Date) -> bool {
        self.day(moment) <= day
    }
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// When it was placed.
    pub placed: Moment,
    /// What it is worth; unknown where no event told it.
    pub total: Option<Amount>,
    /// Whether the shop only tries itself out. Such an order is in no report.
    pub is_test: bool,
    /// When it was cancelled.
    pub cancelled: Option<Moment>,
    /// The refunds by their ids.
    pub refunds: BTreeMap<String, Refund>,
}

/// A refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    /// When.
    pub at: Moment,
    /// How much; without an amount all of the order.
    pub amount: Option<Amount>,
}

impl Order {
    /// An order of which nothing but the day and the worth is known.
    #[must_use]
    pub const fn of(placed: Moment, total: Amount) -> Order {
        let refunds = BTreeMap::new();
        Order { placed, total: Some(total), is_test: false, cancelled: None, refunds }
    }

    /// Whether it counts at the end of `day`: it is placed, not cancelled, and something of it is left. One cent that is left counts.
    #[must_use]
    pub fn counts(&self, day: Date, basis: Basis) -> bool {
        let is_standing = !self.is_test
            && basis.has(self.placed, day)
            && !self.cancelled.is_some_and(|cancelled| basis.has(cancelled, day));
        is_standing
            && match self.left(day, basis) {
                Some(left) => left.minor > 0,
                None => !self.is_sent_back(day, basis),
            }
    }

    /// What of it is not refunded at the end of `day`, if its worth is known. Refunds in another currency cannot be compared.
    fn left(&self, day: Date, basis: Basis) -> Option<Amount> {
        let total = self.total?;
        if self.is_sent_back(day, basis) {
            return Some(Amount { minor: 0, ..total });
        }
        let refunds = self.refunds.values().filter(|refund| basis.has(refund.at, day));
        let refunded = refunds
            .filter_map(|refund| refund.amount)
            .filter(|amount| amount.currency == total.currency)
            .fold(0_i64, |sum, amount| sum.saturating_add(amount.minor));
        Some(Amount { minor: total.minor.saturating_sub(refunded), ..total })
    }

    /// Whether a refund without an amount took all of it back.
    fn is_sent_back(&self, day: Date, basis: Basis) -> bool {
        self.refunds.values().any(|one| one.amount.is_none() && basis.has(one.at, day))
    }

    fn linked(mut self) -> Order {
        self.placed = self.placed.linked();
        self.cancelled = self.cancelled.map(Moment::linked);
        self.refunds.values_mut().for_each(|refund| refund.at = refund.at.linked());
        self
    }

    fn join(&mut self, other: Order) {
        self.placed = self.placed.min(other.placed);
        self.total = self.total.or(other.total);
        self.is_test |= other.is_test;
        self.cancelled = self.cancelled.into_iter().chain(other.cancelled).min();
        for (id, refund) in other.refunds {
            self.refunds.entry(id).or_insert(refund);
        }
    }
}

/// What is known of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The orders by their ids, so that an order that is told twice is one order.
    pub orders: BTreeMap<String, Order>,
    /// When the person began or renewed a relation: a verified sign-in, an address or number that they gave, an opt-in, a conversation
    /// that they began, an enrolment. A visit is none.
    pub relation: BTreeSet<Moment>,
    /// When the person did something of their own accord, with consent and as no bot; when their data were imported as a lead of
    /// somebody else's. One a day is enough.
    pub signals: BTreeSet<Moment>,
    /// When the person was erased. Nobody is there from that day on.
    pub erased: Option<Date>,
}

/// What a person bought in a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchases {
    /// The counted orders.
    pub orders: u32,
    /// The day of the last one.
    pub last: Date,
    /// What they are worth without what was sent back, by currency.
    pub net: Sums,
}

impl History {
    /// Takes over all of another history of the same person. What comes with it is marked, so that changes of level say why.
    pub fn take_over(&mut self, other: History) {
        for (id, order) in other.orders {
            let order = order.linked();
            match self.orders.get_mut(&id) {
                Some(known) => known.join(order),
                None => drop(self.orders.insert(id, order)),
            }
        }
        self.relation.extend(other.relation.into_iter().map(Moment::linked));
        self.signals.extend(other.signals.into_iter().map(Moment::linked));
    }

    /// The orders that count at the end of `day`.
    pub fn counted(&self, day: Date, basis: Basis) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(move |order| order.counts(day, basis))
    }

    /// The days of the orders that count at the end of `day`, the first one first.
    #[must_use]
    pub fn counted_days(&self, day: Date, basis: Basis) -> Vec<Date> {
        let mut days: Vec<Date> = self.counted(day, basis).map(|order| order.placed.on).collect();
        days.sort_unstable();
        days
    }

    /// What the person bought after `since`, as it counts at the end of `day`. A refund lowers its order from the refund's day on.
    #[must_use]
    pub fn purchases(&self, since: Date, day: Date, basis: Basis) -> Option<Purchases> {
        let mut net = Sums::default();
        let (mut orders, mut last) = (0, None);
        for order in self.counted(day, basis).filter(|order| order.placed.on > since) {
            orders += 1;
            last = last.max(Some(order.placed.on));
            order.left(day, basis).into_iter().for_each(|left| net.add(Worth(left)));
        }
        Some(Purchases { orders, last: last?, net })
    }

    /// What makes a person known: orders, relations and signals, in no order. Orders that are tests make nobody known.
    pub(super) fn beginnings(&self) -> impl Iterator<Item = Moment> {
        let others = self.relation.iter().chain(&self.signals).copied();
        self.orders_but_tests().map(|order| order.placed).chain(others)
    }

    /// The cancellations and refunds, in no order.
    pub(super) fn withdrawals(&self) -> impl Iterator<Item = Moment> {
        self.orders_but_tests().flat_map(|order| {
            order.cancelled.into_iter().chain(order.refunds.values().map(|refund| refund.at))
        })
    }

    /// The orders, whether they count or not.
    pub(super) fn orders_but_tests(&self) -> impl Iterator<Item = &Order> {
        self.orders.values().filter(|order| !order.is_test)
    }
}
