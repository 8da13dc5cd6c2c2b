//! The levels of the pyramid, and on which of them a person stands at the end of a local day.
//!
//! `(history, day, windows, basis)` → [`Level`]. The first condition that fits decides: an order in the window, any order, a relation, a
//! signal in the window.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::days_between;
use super::history::{Basis, History, Moment};
use super::windows::Windows;

/// A level of the pyramid, the lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing lately. Among stored people these are strangers who did not come back, and not the rest of the world.
    Rest,
    /// No relation, and a signal lately.
    Probable,
    /// A relation, and no counted order.
    Potential,
    /// A counted order, and none lately.
    Inactive,
    /// A counted order lately.
    Active,
}

impl Level {
    /// Every level, the lowest first.
    pub const ALL: [Level; 5] =
        [Level::Rest, Level::Probable, Level::Potential, Level::Inactive, Level::Active];

    /// The word, as reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Level::Rest => "resto",
            Level::Probable => "probable",
            Level::Potential => "potencial",
            Level::Inactive => "inactivo",
            Level::Active => "activo",
        }
    }

    /// The level of a company: the highest one of its people.
    #[must_use]
    pub fn of_group(people: impl IntoIterator<Item = Level>) -> Option<Level> {
        people.into_iter().max()
    }
}

/// What decides about the level on a day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The day of the last counted order.
    pub(super) last_order: Option<Date>,
    /// The day of the last beginning of a relation.
    relation: Option<Date>,
    /// The day of the last signal.
    signal: Option<Date>,
}

impl Standing {
    pub(super) fn of(history: &History, day: Date, basis: Basis) -> Standing {
        let last = |moments: &BTreeSet<Moment>| {
            moments.iter().filter(|one| basis.has(**one, day)).map(|one| one.on).max()
        };
        Standing {
            last_order: history.counted(day, basis).map(|order| order.placed.on).max(),
            relation: last(&history.relation),
            signal: last(&history.signals),
        }
    }

    pub(super) fn level(self, day: Date, windows: &Windows) -> Level {
        let is_within = |on: Date, days: u16| days_between(on, day) < i64::from(days);
        let has_relation = self
            .relation
            .is_some_and(|on| windows.potential_days.is_none_or(|days| is_within(on, days)));
        match (self.last_order, self.signal) {
            (Some(on), _) if is_within(on, windows.active_days) => Level::Active,
            (Some(_), _) => Level::Inactive,
            (None, _) if has_relation => Level::Potential,
            (None, Some(on)) if is_within(on, windows.probable_days) => Level::Probable,
            (None, _) => Level::Rest,
        }
    }
}

/// The level at the end of `day`. Nobody who is not known yet, or not any more, is above [`Level::Rest`].
#[must_use]
pub fn level(history: &History, day: Date, windows: &Windows, basis: Basis) -> Level {
    known_level(history, day, windows, basis).unwrap_or(Level::Rest)
}

/// The level at the end of `day` of somebody who is known: `None` before the first thing that is known of them, and once they are
/// erased.
#[must_use]
pub fn known_level(history: &History, day: Date, windows: &Windows, basis: Basis) -> Option<Level> {
    let is_erased = history.erased.is_some_and(|erased| erased <= day);
    let is_known = || history.beginnings().any(|moment| basis.has(moment, day));
    (!is_erased && is_known()).then(|| Standing::of(history, day, basis).level(day, windows))
}
