//! The movement between the levels in a month: who stands where at its beginning and at its end, and how often levels changed.
//!
//! The histories of all people and a month → [`Matrix`], a comparison of two stocks; their [`Change`]s → [`Flow`]. Both add up to the change
//! of the stocks: newcomers come from no level, and erased people go to none.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::changes::Change;
use super::history::{Basis, History};
use super::level::{Level, known_level};
use super::windows::Windows;

/// The movements that have names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Movement {
    /// Somebody without an order becomes active.
    Acquisition,
    /// Somebody inactive becomes active.
    Recovery,
    /// Somebody active becomes inactive.
    Loss,
    /// Somebody probable begins a relation.
    Activation,
    /// Somebody probable does not come back.
    Cooling,
}

impl Movement {
    /// Every movement.
    pub const ALL: [Movement; 5] = [
        Movement::Acquisition,
        Movement::Recovery,
        Movement::Loss,
        Movement::Activation,
        Movement::Cooling,
    ];

    /// The word, as reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Movement::Acquisition => "captacion",
            Movement::Recovery => "recuperacion",
            Movement::Loss => "perdida",
            Movement::Activation => "activacion",
            Movement::Cooling => "enfriamiento",
        }
    }

    /// The movement from one level to another, if it has a name.
    #[must_use]
    pub const fn of(from: Level, to: Level) -> Option<Movement> {
        match (from, to) {
            (Level::Potential | Level::Probable, Level::Active) => Some(Movement::Acquisition),
            (Level::Inactive, Level::Active) => Some(Movement::Recovery),
            (Level::Active, Level::Inactive) => Some(Movement::Loss),
            (Level::Probable, Level::Potential) => Some(Movement::Activation),
            (Level::Probable, Level::Rest) => Some(Movement::Cooling),
            _ => None,
        }
    }
}

/// The levels of people at the end of the month before, and at the end of the month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix(BTreeMap<(Option<Level>, Option<Level>), u32>);

/// The active people that a month has lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Churn {
    /// The people who were active before the month, and are not at its end.
    pub lost: u32,
    /// The people who were active before the month. Nobody who was won inside the month is among them.
    pub base: u32,
}

impl Matrix {
    /// The matrix of the month in which `day` lies.
    pub fn of<'a>(
        people: impl IntoIterator<Item = &'a History>,
        day: Date,
        windows: &Windows,
        basis: Basis,
    ) -> Matrix {
        let end = day.last_of_month();
        let before = day.first_of_month().yesterday().unwrap_or(Date::MIN);
        let mut matrix = Matrix::default();
        for person in people {
            let level = |day| known_level(person, day, windows, basis);
            matrix.add(level(before), level(end));
        }
        matrix
    }

    /// Adds a person. Nobody who is unknown both before and after is counted.
    pub fn add(&mut self, before: Option<Level>, after: Option<Level>) {
        if before.is_some() || after.is_some() {
            *self.0.entry((before, after)).or_default() += 1;
        }
    }

    /// The people who stood at `before` and stand at `after`.
    #[must_use]
    pub fn count(&self, before: Option<Level>, after: Option<Level>) -> u32 {
        self.0.get(&(before, after)).copied().unwrap_or_default()
    }

    /// The people on a level at the end of the month before, those included who are erased by now.
    #[must_use]
    pub fn before(&self, level: Level) -> u32 {
        self.sum(|before, _| before == Some(level))
    }

    /// The people on a level at the end of the month.
    #[must_use]
    pub fn after(&self, level: Level) -> u32 {
        self.sum(|_, after| after == Some(level))
    }

    /// The people who made a movement.
    #[must_use]
    pub fn moved(&self, movement: Movement) -> u32 {
        self.sum(|before, after| {
            before.zip(after).and_then(|(from, to)| Movement::of(from, to)) == Some(movement)
        })
    }

    /// The churn of the month. Erased people are neither lost nor kept.
    #[must_use]
    pub fn churn(&self) -> Churn {
        let was_active = |before| before == Some(Level::Active);
        Churn {
            lost: self.sum(|before, after| {
                was_active(before) && after.is_some_and(|level| level != Level::Active)
            }),
            base: self.sum(|before, after| was_active(before) && after.is_some()),
        }
    }

    fn sum(&self, is_meant: impl Fn(Option<Level>, Option<Level>) -> bool) -> u32 {
        let meant = self.0.iter().filter(|((before, after), _)| is_meant(*before, *after));
        meant.map(|(_, people)| people).sum()
    }
}

impl Churn {
    /// The share of the active people that is lost; none where there were no active people. What is left to 1 is the retention.
    #[must_use]
    pub fn rate(self) -> Option<f64> {
        (self.base > 0).then(|| f64::from(self.lost) / f64::from(self.base))
    }
}

/// How often levels changed in a month. Somebody may change more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow(BTreeMap<(Option<Level>, Option<Level>), Moves>);

/// Changes from one level to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// All of them.
    pub all: u32,
    /// Those that were carried over from a frozen month.
    pub carried: u32,
}

impl Flow {
    /// The flow of the month in which `day` lies. Changes of other months are left out.
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>, day: Date) -> Flow {
        let month = day.first_of_month();
        let mut flow = Flow::default();
        for one in changes.into_iter().filter(|one| one.day.first_of_month() == month) {
            let moves = flow.0.entry((one.from, one.to)).or_default();
            moves.all += 1;
            moves.carried += u32::from(one.is_carried);
        }
        flow
    }

    /// The changes from one level to another.
    #[must_use]
    pub fn moves(&self, from: Option<Level>, to: Option<Level>) -> Moves {
        self.0.get(&(from, to)).copied().unwrap_or_default()
    }

    /// By how much the stock of a level grew.
    #[must_use]
    pub fn growth(&self, level: Level) -> i64 {
        let count = |(&(from, to), moves): (&(Option<Level>, Option<Level>), &Moves)| {
            let is = |one: Option<Level>| i64::from(one == Some(level));
            i64::from(moves.all) * (is(to) - is(from))
        };
        self.0.iter().map(count).sum()
    }
}
