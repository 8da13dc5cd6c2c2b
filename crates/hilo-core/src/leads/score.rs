//! The score of a person: points that halve with time, added up by groups with limits.
//!
//! Acts in any order → a [`Score`]; a score and an instant → millipoints, and the instant at which they change enough to matter. One number for
//! each group is enough: no list of acts is kept, and an act that comes late has the points that are left of it.

use jiff::{SignedDuration, Timestamp};

use super::decay::decayed;
use super::points::{ByGroup, Group, Points};
use super::rules::LeadRules;

/// The parts of a millipoint that sums are kept in. Each step rounds, and thousands of steps must not show in a millipoint.
const FINE: i64 = 1_000_000;
const DAY_MS: i64 = 86_400_000;
/// The days that are looked ahead. A score that is not there by then changes by a new act first.
const AHEAD_DAYS: i64 = 365;

/// Something that a person did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// What it is worth.
    pub points: Points,
}

/// The points of one group, as they were at the newest act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sum {
    at: Timestamp,
    fine: i64,
}

/// The points of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score(ByGroup<Sum>);

impl Score {
    /// Adds an act. The order does not matter.
    pub fn add(&mut self, act: &Act, rules: &LeadRules) {
        let half_life_days = rules.groups.of(act.points.group).half_life_days;
        let fine = act.points.millipoints.saturating_mul(FINE);
        let sum = self.0.of_mut(act.points.group);
        if sum.fine == 0 {
            *sum = Sum { at: act.at, fine };
            return;
        }
        let at = sum.at.max(act.at);
        let left = |fine: i64, of: Timestamp| left(fine, of, at, half_life_days);
        *sum = Sum { at, fine: left(sum.fine, sum.at).saturating_add(left(fine, act.at)) };
    }

    /// The millipoints of a group at an instant that is not before the newest act.
    #[must_use]
    pub fn part(&self, group: Group, at: Timestamp, rules: &LeadRules) -> i64 {
        let (sum, group) = (self.0.of(group), rules.groups.of(group));
        let fine = left(sum.fine, sum.at, at, group.half_life_days);
        let millipoints = fine.saturating_add(FINE / 2).div_euclid(FINE);
        if group.limit < 0 { millipoints.max(group.limit) } else { millipoints.min(group.limit) }
    }

    /// The millipoints at an instant that is not before the newest act: the sum of the parts, up to the most of a score.
    #[must_use]
    pub fn at(&self, at: Timestamp, rules: &LeadRules) -> i64 {
        let parts = Group::ALL.iter().map(|group| self.part(*group, at, rules));
        parts.sum::<i64>().min(rules.score_max)
    }

    /// The first whole minute after `now` at which the score is such, if nothing happens until then; none within a year. Points below 0
    /// are forgotten as well, so a score may also rise: each day is looked at, and the day in which it happens is halved.
    #[must_use]
    pub fn when(
        &self,
        now: Timestamp,
        rules: &LeadRules,
        is_such: impl Fn(i64) -> bool,
    ) -> Option<Timestamp> {
        let first = now.as_second().div_euclid(60) + 1;
        let at = |minute: i64| Timestamp::from_second(minute * 60).ok();
        let is_there = |minute| at(minute).is_some_and(|at| is_such(self.at(at, rules)));
        let mut before = first - 1;
        for end in (0..=AHEAD_DAYS).map(|days| first + days * 24 * 60) {
            if is_there(end) {
                let mut after = end;
                while after - before > 1 {
                    let middle = i64::midpoint(before, after);
                    if is_there(middle) { after = middle } else { before = middle }
                }
                return at(after);
            }
            before = end;
        }
        None
    }
}

/// What is left at `at` of points that were there at `of`.
pub(super) fn left(fine: i64, of: Timestamp, at: Timestamp, half_life_days: u16) -> i64 {
    let age = at.duration_since(of).max(SignedDuration::ZERO).as_millis();
    let half_life = i64::from(half_life_days) * DAY_MS;
    decayed(fine, u64::try_from(age).unwrap_or(u64::MAX), half_life.unsigned_abs())
}
