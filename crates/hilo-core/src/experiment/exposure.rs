//! What a person has seen of an experiment: exposures of two linked profiles → the person's exposure.

use jiff::Timestamp;

/// The share of people with several arms above which the division itself is in doubt.
pub const MULTIPLE_SHARE_MAX: f64 = 0.01;

/// A person's first sight of an arm of one version of an experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exposure {
    /// The number of the arm.
    pub arm: usize,
    /// When the person saw it first.
    pub at: Timestamp,
    /// Whether the person has seen another arm as well. Such a person is counted, and is left out of the results.
    pub is_multiple: bool,
}

impl Exposure {
    /// The exposure of the person to whom both profiles belong. The earliest arm wins. The order of profiles does not matter.
    #[must_use]
    pub fn linked(self, other: Exposure) -> Exposure {
        let first = if (self.at, self.arm) <= (other.at, other.arm) { self } else { other };
        let is_multiple = self.is_multiple || other.is_multiple || self.arm != other.arm;
        Exposure { is_multiple, ..first }
    }
}

/// Whether more people than expected have seen several arms, so that a warning belongs beside the results.
#[must_use]
pub fn are_too_many_multiple(multiple: u32, exposed: u32) -> bool {
    f64::from(multiple) > MULTIPLE_SHARE_MAX * f64::from(exposed)
}
