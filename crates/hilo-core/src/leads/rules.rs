//! The numbers of the scores and of the states, and what is wrong with them. In: numbers of a deployer. Out: the first bad one.

use super::points::{ByGroup, Group};
use crate::pyramid::BadNumber;

/// The most points of a score or a limit, in millipoints.
const MILLIPOINTS_MAX: i64 = 1_000_000;

/// The numbers of a group of acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRules {
    /// The days after which points are worth half.
    pub half_life_days: u16,
    /// The most millipoints of the group; the least where it is below 0.
    pub limit: i64,
}

/// Two numbers of millipoints, so that nobody flips at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// With these a state begins.
    pub enters: i64,
    /// Below these it ends.
    pub leaves: i64,
}

/// The numbers of leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeadRules {
    /// Those of each group.
    pub groups: ByGroup<GroupRules>,
    /// The most millipoints of a score.
    pub score_max: i64,
    /// The score of somebody qualified.
    pub qualified: Threshold,
    /// The score of somebody hot.
    pub hot: Threshold,
    /// The days after a touchpoint in which somebody is hot.
    pub hot_days: u16,
    /// The millipoints below which a lead cools down.
    pub cold_below: i64,
    /// The days that it takes.
    pub cold_days: u16,
}

impl Default for LeadRules {
    fn default() -> LeadRules {
        let group =
            |half_life_days, points: i64| GroupRules { half_life_days, limit: 1_000 * points };
        LeadRules {
            groups: ByGroup {
                browse: group(7, 10),
                intent: group(7, 40),
                ask: group(30, 60),
                message: group(14, 15),
                relation: group(90, 15),
                minus: group(30, -40),
            },
            score_max: 100_000,
            qualified: Threshold { enters: 30_000, leaves: 20_000 },
            hot: Threshold { enters: 60_000, leaves: 40_000 },
            hot_days: 14,
            cold_below: 5_000,
            cold_days: 90,
        }
    }
}

impl LeadRules {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Days out of range, limits of the wrong sign, a state that ends before it begins.
    pub fn check(&self) -> Result<(), BadNumber> {
        for group in Group::ALL {
            let rules = self.groups.of(group);
            BadNumber::check_days(group.word(), rules.half_life_days)?;
            let sign = if group == Group::Minus { -1 } else { 1 };
            in_range(group.word(), sign * rules.limit, sign)?;
        }
        BadNumber::check_days("hot_days", self.hot_days)?;
        BadNumber::check_days("cold_days", self.cold_days)?;
        in_range("score_max", self.score_max, 1)?;
        in_range("cold_below", self.cold_below, 1)?;
        for (field, one) in [("qualified", self.qualified), ("hot", self.hot)] {
            in_range(field, one.leaves, 1)?;
            if one.leaves >= one.enters || one.enters > self.score_max {
                let message = "let the state end below the points with which it begins, and begin within the most points of a score";
                return Err(BadNumber::new(field, message.to_owned()));
            }
        }
        if self.hot.enters < self.qualified.enters {
            let message = "let `hot` begin with at least as many points as `qualified`".to_owned();
            return Err(BadNumber::new("hot", message));
        }
        Ok(())
    }
}

fn in_range(field: &'static str, millipoints: i64, sign: i64) -> Result<(), BadNumber> {
    if (1..=MILLIPOINTS_MAX).contains(&millipoints) {
        return Ok(());
    }
    let message = format!("write millipoints from {sign} to {} here", sign * MILLIPOINTS_MAX);
    Err(BadNumber::new(field, message))
}
