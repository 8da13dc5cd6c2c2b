//! A person's orders: what each is worth, what of it was refunded, and whether it counts.
//!
//! In: steps and refunds in any order, also twice. Out: the same orders. An order counts unless it was cancelled or wholly refunded; one
//! cent that is left counts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::recent::{Listed, Recent, earlier, later};
use crate::journey::{OrderStep, Sums, Worth};
use crate::money::Amount;

/// The most refunds of one order that are told apart. Further ones are added up.
const REFUNDS_MAX: usize = 16;

/// A person's orders.
pub type Orders = Recent<Order>;

/// One order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Order {
    /// When it was placed; unknown where only a later step is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placed: Option<Timestamp>,
    /// What it is worth, by the latest event that tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Told>,
    /// When it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipped: Option<Timestamp>,
    /// When it arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered: Option<Timestamp>,
    /// When it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Timestamp>,
    /// When all of it was refunded, by an event without an amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wholly_refunded: Option<Timestamp>,
    /// Refunds by their ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<String, Told>,
    /// The sums of further refunds.
    #[serde(skip_serializing_if = "Sums::is_empty")]
    pub refunded_before: Sums,
    /// The time of the latest event of it.
    pub last: Timestamp,
}

/// An amount, and when it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told {
    /// When.
    pub at: Timestamp,
    /// The amount.
    pub worth: Worth,
}

/// The sums of the orders that have left the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrderSums {
    /// Orders that count.
    pub counted: u64,
    /// Orders that were cancelled.
    pub cancelled: u64,
    /// Orders of which something was refunded.
    pub refunded: u64,
    /// The first order that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first: Option<Timestamp>,
    /// The last order that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// What the orders that were not cancelled are worth.
    pub gross: Sums,
    /// What was refunded of them.
    pub returned: Sums,
}

impl Order {
    /// A step.
    pub(super) fn of_step(step: OrderStep, total: Option<Worth>, at: Timestamp) -> Order {
        let mut order = Order { last: at, ..Order::default() };
        let when = match step {
            OrderStep::Placed => &mut order.placed,
            OrderStep::Shipped => &mut order.shipped,
            OrderStep::Delivered => &mut order.delivered,
            OrderStep::Cancelled => &mut order.cancelled,
            OrderStep::Updated => &mut None,
        };
        *when = Some(at);
        // A cancellation may tell what was cancelled, and a parcel its part.
        if matches!(step, OrderStep::Placed | OrderStep::Updated) {
            order.total = total.map(|worth| Told { at, worth });
        }
        order
    }

    /// A refund; the whole order without an amount.
    pub(super) fn of_refund(id: String, amount: Option<Worth>, at: Timestamp) -> Order {
        let mut order = Order { last: at, ..Order::default() };
        match amount {
            Some(worth) => drop(order.refunds.insert(id, Told { at, worth })),
            None => order.wholly_refunded = Some(at),
        }
        order
    }

    /// What was refunded before `before`, at most what the order is worth.
    pub fn refunded(&self, before: Timestamp) -> Option<Worth> {
        let Worth(total) = self.total?.worth;
        if self.wholly_refunded.is_some_and(|at| at < before) {
            return Some(Worth(total));
        }
        let mut sums = self.refunded_before.clone();
        for refund in self.refunds.values().filter(|refund| refund.at < before) {
            sums.add(refund.worth);
        }
        let minor = sums.of(total.currency).min(total.minor);
        (minor > 0).then_some(Worth(Amount { minor, ..total }))
    }

    /// Whether it counts at a moment, by what happened before.
    pub fn counts(&self, before: Timestamp) -> bool {
        let is_before = |at: Option<Timestamp>| at.is_some_and(|at| at < before);
        if !is_before(self.placed) || is_before(self.cancelled) {
            return false;
        }
        match self.total {
            None => !is_before(self.wholly_refunded),
            Some(Told { worth: Worth(total), .. }) => {
                let left = self.refunded(before).map_or(0, |Worth(refunded)| refunded.minor);
                total.minor > left
            }
        }
    }

    fn shorten(&mut self) {
        while self.refunds.len() > REFUNDS_MAX {
            let oldest = self.refunds.iter().min_by_key(|(id, refund)| (refund.at, *id));
            let Some(id) = oldest.map(|(id, _)| id.clone()) else { break };
            if let Some(refund) = self.refunds.remove(&id) {
                self.refunded_before.add(refund.worth);
            }
        }
    }
}

impl Listed for Order {
    /// The orders of some years. Later refunds and repeats find their order among these.
    const MAX: usize = 50;
    type Sums = OrderSums;

    fn last_at(&self) -> Timestamp {
        self.last
    }

    fn join(&mut self, other: Order) {
        self.placed = earlier(self.placed, other.placed);
        self.total = self.total.into_iter().chain(other.total).max();
        self.shipped = earlier(self.shipped, other.shipped);
        self.delivered = earlier(self.delivered, other.delivered);
        self.cancelled = earlier(self.cancelled, other.cancelled);
        self.wholly_refunded = earlier(self.wholly_refunded, other.wholly_refunded);
        self.refunded_before.join(&other.refunded_before);
        for (id, refund) in other.refunds {
            let known = self.refunds.entry(id).or_insert(refund);
            *known = refund.max(*known);
        }
        self.last = self.last.max(other.last);
        self.shorten();
    }

    fn leave(self, sums: &mut OrderSums) {
        let ever = Timestamp::MAX;
        let refunded = self.refunded(ever);
        sums.refunded += u64::from(refunded.is_some() || self.wholly_refunded.is_some());
        if self.cancelled.is_some() {
            sums.cancelled += 1;
        } else if self.placed.is_some()
            && let Some(total) = self.total
        {
            sums.gross.add(total.worth);
            refunded.into_iter().for_each(|refunded| sums.returned.add(refunded));
        }
        if self.counts(ever) {
            sums.counted += 1;
            sums.first = earlier(sums.first, self.placed);
            sums.last = later(sums.last, self.placed);
        }
    }

    fn add(sums: &mut OrderSums, others: OrderSums) {
        sums.counted += others.counted;
        sums.cancelled += others.cancelled;
        sums.refunded += others.refunded;
        sums.first = earlier(sums.first, others.first);
        sums.last = later(sums.last, others.last);
        sums.gross.join(&others.gross);
        sums.returned.join(&others.returned);
    }
}

/// The sums of all orders, those in the list too.
#[must_use]
pub(super) fn sums(orders: &Orders) -> OrderSums {
    let mut sums = orders.older().clone();
    orders.iter().for_each(|(_, order)| order.clone().leave(&mut sums));
    sums
}
