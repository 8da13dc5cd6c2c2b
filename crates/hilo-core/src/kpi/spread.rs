//! Values that lie far apart: values → the value in the middle, and the one that most do not reach.

use jiff::SignedDuration;

use super::share::Share;

/// The smallest of the values that at least `percent` of a hundred do not exceed, so that the answer is always one of them.
/// 50 is the median. `None` without values.
#[must_use]
pub fn percentile<T: Ord + Copy>(values: &[T], percent: u8) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * usize::from(percent.min(100))).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied()
}

/// How long something took those who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeTo {
    /// The median.
    pub median: Option<SignedDuration>,
    /// The time in which nine of ten did it.
    pub ninetieth: Option<SignedDuration>,
    /// How many did it at all. The times leave the others out, so they tell little without this share.
    pub done: Share,
}

/// Reads how long it took each person, where `None` is a person who has not done it.
#[must_use]
pub fn time_to(times: &[Option<SignedDuration>]) -> TimeTo {
    let done: Vec<SignedDuration> = times.iter().flatten().copied().collect();
    TimeTo {
        median: percentile(&done, 50),
        ninetieth: percentile(&done, 90),
        done: Share::of(times, |one| one.is_some()),
    }
}
