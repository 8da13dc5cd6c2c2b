//! Who sees what: an experiment and a person → an arm, or none.
//!
//! Each arm has a range of buckets. Whoever has seen an arm keeps it, whatever the weights become. Does not look at consent,
//! holdouts, bots and staff: whoever must not take part is not asked for here.

use super::bucket::{BUCKETS, bucket};
use super::e_value::ArmCount;
use super::exposure::Exposure;

/// The arms of an experiment, with the buckets of each in the order of the definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arms {
    /// The first bucket behind each arm's range.
    ends: Vec<u16>,
}

impl Arms {
    /// Divides the buckets by the arms' weights. Each range differs from its exact share by less than one bucket. `None` where no arm
    /// has a weight.
    #[must_use]
    pub fn of(weights: &[u32]) -> Option<Arms> {
        let whole: u64 = weights.iter().copied().map(u64::from).sum();
        let end = |until: &mut u64, weight: &u32| {
            *until += u64::from(*weight);
            u16::try_from((*until * u64::from(BUCKETS)).checked_div(whole)?).ok()
        };
        let ends: Vec<u16> = weights.iter().scan(0, end).collect();
        (whole > 0).then_some(Arms { ends })
    }

    /// The number of the arm whose range has the bucket.
    pub(super) fn arm_of(&self, bucket: u16) -> usize {
        self.ends.partition_point(|end| *end <= bucket)
    }

    /// What the sample-ratio check compares: the people of each arm beside its buckets. `people` are in the order of the arms.
    #[must_use]
    pub fn counts(&self, people: &[u32]) -> Vec<ArmCount> {
        let starts = std::iter::once(&0).chain(&self.ends);
        let weights = self.ends.iter().zip(starts).map(|(end, start)| u32::from(end - start));
        let people = people.iter().copied().chain(std::iter::repeat(0));
        weights.zip(people).map(|(weight, people)| ArmCount { weight, people }).collect()
    }
}

/// What decides who sees what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experiment {
    /// The name.
    pub name: String,
    /// The version. Changed weights make a new version, which divides people anew and is read apart.
    pub version: String,
    /// The arms.
    pub arms: Arms,
    /// How many of the 10,000 buckets take part.
    pub coverage: u16,
}

impl Experiment {
    /// The arm that `unit` sees, by its number; `None` for a person who does not take part. `exposed` is the person's exposure to
    /// this version.
    #[must_use]
    pub fn arm_of(&self, unit: &str, exposed: Option<Exposure>) -> Option<usize> {
        if let Some(exposed) = exposed {
            return Some(exposed.arm);
        }
        // A hash of its own: more coverage moves nobody between the arms.
        let covered = bucket(&format!("{}/coverage", self.name), &self.version, unit);
        let arm = self.arms.arm_of(bucket(&self.name, &self.version, unit));
        (covered < self.coverage).then_some(arm)
    }
}
