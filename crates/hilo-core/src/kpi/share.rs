//! Figures with the count behind them: counts and sums → shares and means, with a 95 % interval where the figure is a share.
//!
//! A figure of nobody is `None`, and never 0.

/// The normal deviate of a two-sided 95 % interval.
const DEVIATE: f64 = 1.959_963_984_540_054;

/// A value and the interval around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// The lower end of the interval.
    pub lower: f64,
    /// The upper end of the interval.
    pub upper: f64,
}

impl Estimate {
    /// The estimate in another unit. A negative factor swaps the ends.
    #[must_use]
    pub fn scaled(self, by: f64) -> Estimate {
        let (one, other) = (self.lower * by, self.upper * by);
        Estimate { value: self.value * by, lower: one.min(other), upper: one.max(other) }
    }

    /// Whether the interval excludes 0, so that the sign of the value is known.
    #[must_use]
    pub fn is_clear(self) -> bool {
        self.lower > 0.0 || self.upper < 0.0
    }
}

/// How many of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Those who did it.
    pub part: u32,
    /// The group.
    pub all: u32,
}

impl Share {
    /// Counts a group.
    pub fn of<T>(group: impl IntoIterator<Item = T>, is_part: impl Fn(&T) -> bool) -> Share {
        group.into_iter().fold(Share { part: 0, all: 0 }, |share, one| Share {
            part: share.part + u32::from(is_part(&one)),
            all: share.all + 1,
        })
    }

    /// The share with Wilson's interval, which stays between 0 and 1. `None` for an empty group.
    #[must_use]
    pub fn estimate(self) -> Option<Estimate> {
        if self.all == 0 {
            return None;
        }
        let (part, all) = (f64::from(self.part), f64::from(self.all));
        let (rate, square) = (part / all, DEVIATE * DEVIATE);
        let whole = 1.0 + square / all;
        let center = (rate + square / (2.0 * all)) / whole;
        let spread = rate * (1.0 - rate) / all + square / (4.0 * all * all);
        let half = DEVIATE * spread.sqrt() / whole;
        Some(Estimate {
            value: rate,
            lower: (center - half).max(0.0),
            upper: (center + half).min(1.0),
        })
    }

    /// The difference of this share and `other`, with Newcombe's interval of two Wilson intervals. `None` where a group is empty.
    ///
    /// The two groups chose themselves, unless chance divided them: a difference between channels has no cause in it.
    #[must_use]
    pub fn minus(self, other: Share) -> Option<Estimate> {
        let (own, other) = (self.estimate()?, other.estimate()?);
        let value = own.value - other.value;
        let down = (own.value - own.lower).hypot(other.upper - other.value);
        let up = (own.upper - own.value).hypot(other.value - other.lower);
        Some(Estimate { value, lower: value - down, upper: value + up })
    }
}

/// A sum and how many share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mean {
    /// The sum, in minor units where it is money.
    pub sum: i64,
    /// How many share it.
    pub count: u32,
}

impl Mean {
    /// The mean with its fraction. `None` where nobody shares the sum.
    #[must_use]
    pub fn value(self) -> Option<f64> {
        (self.count > 0).then(|| float(self.sum) / f64::from(self.count))
    }

    /// The mean in whole units, halves away from 0. `None` where nobody shares the sum.
    #[must_use]
    pub fn rounded(self) -> Option<i64> {
        let count = i64::from(self.count);
        let (whole, left) = (self.sum.checked_div(count)?, self.sum.checked_rem(count)?);
        let is_half = left.unsigned_abs() * 2 >= u64::from(self.count);
        Some(whole + if is_half { self.sum.signum() } else { 0 })
    }
}

/// An amount as a number that can be divided.
#[expect(clippy::cast_precision_loss, reason = "amounts of a shop are below 2^53")]
pub(super) fn float(minor: i64) -> f64 {
    minor as f64
}

/// How many elements.
pub(super) fn count<T>(of: &[T]) -> u32 {
    u32::try_from(of.len()).unwrap_or(u32::MAX)
}
