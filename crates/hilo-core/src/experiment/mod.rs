//! What a change causes: people divided by chance, and whether what they did later differs.
//!
//! A person's id → an arm ([`Experiment`]). People of each arm → an [`EValue`], or a difference with an interval ([`compare`]) → a
//! [`Reading`]. All of these may be looked at after every person: looking often adds no false alarms. Nothing here stores an
//! exposure, reads an event or counts people.

mod assignment;
mod bucket;
mod discovery;
mod e_value;
mod exposure;
mod holdout;
mod log_gamma;
mod means;
mod planner;
mod reading;

pub use assignment::{Arms, Experiment};
pub use bucket::{BUCKETS, bucket};
pub use discovery::discoveries;
pub use e_value::{ArmCount, EValue, SampleRatio};
pub use exposure::{Exposure, MULTIPLE_SHARE_MAX, are_too_many_multiple};
pub use holdout::{Holdout, caused, half_width_planned};
pub use means::{Comparison, Sample, cap, compare};
pub use planner::{PeoplePerArm, WEEKS_MAX, people_per_arm, weeks};
pub use reading::{Reading, is_go};

/// The share of false alarms that a test may have, over all looks at it together.
pub const ALPHA: f64 = 0.05;

#[cfg(test)]
mod chance;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
