//! What an experiment tells: the sample-ratio check and the interval → one of five answers.

use super::{Comparison, SampleRatio};

/// What the interval tells of an arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// People did not fall into the arms as planned. There is no result: look for what differs between the arms.
    Invalid,
    /// The arm is better.
    Better,
    /// The arm is worse.
    Worse,
    /// If the arms differ, then by less than matters.
    Equivalent,
    /// It is too early to tell.
    Undecided,
}

impl Reading {
    /// Reads a comparison where more is better. `worthwhile` is the smallest difference that matters.
    #[must_use]
    pub fn of(ratio: SampleRatio, comparison: Option<&Comparison>, worthwhile: f64) -> Reading {
        if ratio == SampleRatio::Broken {
            return Reading::Invalid;
        }
        let Some(comparison) = comparison else { return Reading::Undecided };
        let interval = comparison.difference;
        if interval.lower > 0.0 {
            Reading::Better
        } else if interval.upper < 0.0 {
            Reading::Worse
        } else if interval.upper < worthwhile && interval.lower > -worthwhile {
            Reading::Equivalent
        } else {
            Reading::Undecided
        }
    }

    /// The reading of a measure of which less is better, such as refunds.
    #[must_use]
    pub fn where_less_is_better(self) -> Reading {
        match self {
            Reading::Better => Reading::Worse,
            Reading::Worse => Reading::Better,
            Reading::Invalid | Reading::Equivalent | Reading::Undecided => self,
        }
    }
}

/// Whether the arm may become the rule: it is better, and no guardrail became worse.
#[must_use]
pub fn is_go(metric: Reading, guardrails: &[Reading]) -> bool {
    metric == Reading::Better && !guardrails.contains(&Reading::Worse)
}
