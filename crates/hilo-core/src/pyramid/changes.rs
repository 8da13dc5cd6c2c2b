//! A person's levels over time: each change with its day and its cause, and the day of the next one if nothing happens.
//!
//! `(history, until, windows, basis)` → [`Change`]s. A level can only change on a day on which something counts for the first time, or on
//! which a window ends. These days are looked at and no others, so nobody has to scan all people each night.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::history::{Basis, History, Moment, Order};
use super::level::{Level, Standing, known_level};
use super::windows::Windows;

/// Why a level changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// An order.
    Order,
    /// A refund of all that was left of an order.
    Refund,
    /// A cancelled order.
    Cancel,
    /// A window ended.
    Time,
    /// The beginning of a relation.
    Relation,
    /// A signal.
    Signal,
    /// What was known under another name turned out to be the same person's.
    Link,
    /// The person was erased.
    Erase,
    /// The windows are others now.
    RuleChange,
}

impl Cause {
    /// The word, as reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Cause::Order => "order",
            Cause::Refund => "refund",
            Cause::Cancel => "cancel",
            Cause::Time => "time",
            Cause::Relation => "relation",
            Cause::Signal => "signal",
            Cause::Link => "link",
            Cause::Erase => "erase",
            Cause::RuleChange => "rule_change",
        }
    }
}

/// A change of level, at the end of a local day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The day.
    pub day: Date,
    /// The level before; none for a first appearance.
    pub from: Option<Level>,
    /// The level from this day on; none after an erasure.
    pub to: Option<Level>,
    /// Why.
    pub cause: Cause,
    /// The day on which the cause came to be known.
    pub known: Date,
    /// Whether the cause is older than the day, because the figures of its own month were frozen.
    pub is_carried: bool,
}

/// The changes of level up to the end of `until`, the first one first.
#[must_use]
pub fn changes(history: &History, until: Date, windows: &Windows, basis: Basis) -> Vec<Change> {
    let mut found = Vec::new();
    let mut from = None;
    for day in days(history, windows, basis).into_iter().take_while(|day| *day <= until) {
        let to = known_level(history, day, windows, basis);
        if to != from {
            found.push(Now { history, day, windows, basis }.change(from, to));
            from = to;
        }
    }
    found
}

/// The first day after `day` at whose end the level is another one, if nothing happens that is not known yet.
#[must_use]
pub fn next_change(history: &History, day: Date, windows: &Windows, basis: Basis) -> Option<Date> {
    let now = known_level(history, day, windows, basis);
    let mut later = days(history, windows, basis).into_iter().filter(|later| *later > day);
    later.find(|later| known_level(history, *later, windows, basis) != now)
}

/// The change of level because other windows hold from `day` on.
#[must_use]
pub fn change_of_rules(
    history: &History,
    day: Date,
    before: &Windows,
    after: &Windows,
    basis: Basis,
) -> Option<Change> {
    let level = |windows| known_level(history, day, windows, basis);
    let (from, to) = (level(before), level(after));
    let change = Change { day, from, to, cause: Cause::RuleChange, known: day, is_carried: false };
    (from != to).then_some(change)
}

/// Every day on which the level can change.
fn days(history: &History, windows: &Windows, basis: Basis) -> BTreeSet<Date> {
    let moments = history.beginnings().chain(history.withdrawals());
    let mut days: BTreeSet<Date> = moments.map(|moment| basis.day(moment)).collect();
    days.extend(history.erased);
    let mut ends = |moments: &mut dyn Iterator<Item = Moment>, window: u16| {
        days.extend(moments.map(|one| one.on.saturating_add(i64::from(window).days())));
    };
    ends(&mut history.orders_but_tests().map(|order| order.placed), windows.active_days);
    ends(&mut history.signals.iter().copied(), windows.probable_days);
    if let Some(window) = windows.potential_days {
        ends(&mut history.relation.iter().copied(), window);
    }
    days
}

/// A history on a day on which the level changed.
struct Now<'a> {
    history: &'a History,
    day: Date,
    windows: &'a Windows,
    basis: Basis,
}

impl Now<'_> {
    fn change(&self, from: Option<Level>, to: Option<Level>) -> Change {
        let day = self.day;
        let caused = match to {
            None => None,
            Some(to) if from < Some(to) => self.rise(to),
            Some(to) => self.fall(to),
        };
        let by_itself = if to.is_none() { Cause::Erase } else { Cause::Time };
        let (cause, known, is_carried) =
            caused.map_or((by_itself, day, false), |(cause, moment)| {
                let cause = if moment.by_link { Cause::Link } else { cause };
                (cause, moment.known, moment.on < day)
            });
        Change { day, from, to, cause, known, is_carried }
    }

    /// What lifted the person to `to`: the first thing of its kind that counts from this day on.
    fn rise(&self, to: Level) -> Option<(Cause, Moment)> {
        let kind = |cause, moments: &mut dyn Iterator<Item = Moment>| {
            self.first(moments).map(|one| (cause, one))
        };
        let placed = |orders: &mut dyn Iterator<Item = &Order>| {
            kind(Cause::Order, &mut orders.map(|order| order.placed))
        };
        let relation = || kind(Cause::Relation, &mut self.history.relation.iter().copied());
        let signal = || kind(Cause::Signal, &mut self.history.signals.iter().copied());
        match to {
            Level::Active | Level::Inactive => {
                placed(&mut self.history.counted(self.day, self.basis))
            }
            Level::Potential => relation(),
            Level::Probable => signal(),
            // What came to be known first is nothing that counts: a cancelled order, a signal of long ago.
            Level::Rest => {
                placed(&mut self.history.orders_but_tests()).or_else(relation).or_else(signal)
            }
        }
    }

    /// What made the person fall to `to`, unless a window ended.
    fn fall(&self, to: Level) -> Option<(Cause, Moment)> {
        let before = self.day.yesterday().ok()?;
        let lost: Vec<&Order> = self
            .history
            .counted(before, self.basis)
            .filter(|order| !order.counts(self.day, self.basis))
            .collect();
        let mut standing = Standing::of(self.history, self.day, self.basis);
        let last_lost = lost.iter().map(|order| order.placed.on).max();
        standing.last_order = standing.last_order.max(last_lost);
        if standing.level(self.day, self.windows) == to {
            return None;
        }
        let cancelled = self.first(lost.iter().filter_map(|order| order.cancelled));
        let refunds = lost.iter().flat_map(|order| order.refunds.values());
        let refunded = || self.first(refunds.map(|refund| refund.at));
        cancelled
            .map(|one| (Cause::Cancel, one))
            .or_else(|| refunded().map(|one| (Cause::Refund, one)))
    }

    /// The first of the moments that count from this day on. What the person did under their own name comes first.
    fn first(&self, moments: impl Iterator<Item = Moment>) -> Option<Moment> {
        moments.filter(|one| self.basis.day(*one) == self.day).min()
    }
}
