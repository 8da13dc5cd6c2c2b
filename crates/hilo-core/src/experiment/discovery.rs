//! Many looks at one experiment, by segment or channel: the e-value of each → those that are more than luck.
//!
//! The rule is e-BH (Wang and Ramdas, arXiv 2009.02824): of what it accepts, at most a share of α is false on average, however
//! the looks depend on each other. What it does not accept is exploratory.

use super::EValue;

/// Tells of each look whether it is accepted. The e-values must be those of now: the rule does not hold for their strongest so far.
#[must_use]
pub fn discoveries(looks: &[EValue], alpha: f64) -> Vec<bool> {
    let mut sorted: Vec<f64> = looks.iter().map(|one| one.log).collect();
    sorted.sort_unstable_by(|one, other| other.total_cmp(one));
    let all = u32::try_from(sorted.len()).map_or(f64::INFINITY, f64::from);
    // The bound falls with each place, so equal e-values are accepted together.
    let places = (1_u32..).zip(sorted);
    let is_reached = |place: u32, log: f64| log >= (all / (f64::from(place) * alpha)).ln();
    let weakest = places.filter(|(place, log)| is_reached(*place, *log)).last();
    looks.iter().map(|one| weakest.is_some_and(|(_, weakest)| one.log >= weakest)).collect()
}
