//! Whether two arms differ: what their people did → the difference, with an interval that holds at every look.
//!
//! The interval is an asymptotic confidence sequence (Waudby-Smith and others, arXiv 2103.06476), as GrowthBook computes it. It is
//! narrowest at the planned number of people. The unit is the exposed person, and a person without an order counts as 0.

use super::{ALPHA, EValue};
use crate::kpi::{Estimate, percentile};

/// The people of an arm below whom nothing is computed, because the interval holds for many people only.
const PEOPLE_MIN: u32 = 100;
/// The people with an outcome below whom nothing is computed.
const CONVERTED_MIN: u32 = 5;
/// The percentile at which amounts are capped.
const CAP_PERCENT: u8 = 99;

/// What the people of an arm did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// The exposed people.
    pub people: u32,
    /// Those of them with an outcome.
    pub converted: u32,
    /// The mean over all exposed people: a rate, or minor units.
    pub mean: f64,
    /// The variance between people.
    pub variance: f64,
}

impl Sample {
    /// Counts how many converted.
    #[must_use]
    pub fn of_rate(people: u32, converted: u32) -> Sample {
        let rate = if people > 0 { f64::from(converted) / f64::from(people) } else { 0.0 };
        Sample { people, converted, mean: rate, variance: rate * (1.0 - rate) }
    }

    /// Reads what each ordering person has spent since the first exposure, in minor units, at most `cap` each. The others of `people`
    /// have spent nothing.
    #[must_use]
    pub fn of_amounts(people: u32, amounts: &[i64], cap: Option<i64>) -> Sample {
        let capped = |one: &i64| {
            #[expect(clippy::cast_precision_loss, reason = "amounts of a shop are below 2^53")]
            let amount = cap.map_or(*one, |cap| *one.min(&cap)) as f64;
            amount
        };
        let converted = u32::try_from(amounts.len()).unwrap_or(u32::MAX);
        let all = f64::from(people.max(1));
        let mean = amounts.iter().map(capped).sum::<f64>() / all;
        let of_orders: f64 = amounts.iter().map(|one| (capped(one) - mean).powi(2)).sum();
        let squares = of_orders + f64::from(people.saturating_sub(converted)) * mean * mean;
        let variance = squares / f64::from(people.saturating_sub(1).max(1));
        Sample { people, converted, mean, variance }
    }

    fn is_enough(&self) -> bool {
        self.people >= PEOPLE_MIN && self.converted >= CONVERTED_MIN
    }
}

/// The cap of an experiment that begins: the 99th percentile of what each ordering person spent in the month before. It is fixed
/// before the start, so that no result can choose it. The capped amounts decide, and the raw ones are shown beside them. `None` where
/// nobody ordered.
#[must_use]
pub fn cap(month_before: &[i64]) -> Option<i64> {
    percentile(month_before, CAP_PERCENT)
}

/// The difference between two arms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// The second arm's mean less the first one's, with an interval that holds at every look.
    pub difference: Estimate,
    /// The evidence against the arms being alike.
    pub evidence: EValue,
}

/// Compares an arm with the one it is measured by. `planned` is the number of people of both arms at the planned end.
///
/// `None` while an arm has fewer than 100 people or fewer than 5 with an outcome, and where nobody differs from anybody.
#[must_use]
pub fn compare(control: &Sample, arm: &Sample, planned: u32) -> Option<Comparison> {
    let of_mean = |one: &Sample| one.variance / f64::from(one.people.max(1));
    let error = (of_mean(control) + of_mean(arm)).sqrt();
    if !control.is_enough() || !arm.is_enough() || error <= 0.0 {
        return None;
    }
    let value = arm.mean - control.mean;
    let people = f64::from(control.people) + f64::from(arm.people);
    let half = error * half_width(people, f64::from(planned));
    let tuned = people * tuning(f64::from(planned));
    let log = tuned / (2.0 * (tuned + 1.0)) * (value / error).powi(2) - (tuned + 1.0).ln() / 2.0;
    let difference = Estimate { value, lower: value - half, upper: value + half };
    Some(Comparison { difference, evidence: EValue { log } })
}

/// Half the width of the interval in standard errors. A test that is looked at once has 1.96.
pub(super) fn half_width(people: f64, planned: f64) -> f64 {
    let tuned = people * tuning(planned);
    (2.0 * (tuned + 1.0) / tuned * ((tuned + 1.0).sqrt() / ALPHA).ln()).sqrt()
}

/// ρ², which makes the interval narrowest at `planned` people.
fn tuning(planned: f64) -> f64 {
    let log = -2.0 * ALPHA.ln();
    (log + (1.0 + log).ln()) / planned.max(1.0)
}
