//! Whether people fell into the arms as planned: people of each arm → an e-value.
//!
//! One test answers two questions. Of all exposed people it tells whether the division works (the sample-ratio check). Of the
//! people who converted it tells whether an arm changes what they do: if none does, each of them was drawn by the weights again,
//! whatever the rate of conversions is that day.
//!
//! The test is the multinomial one with a Dirichlet prior (Lindon and Malek, arXiv 2011.03567).

use super::log_gamma::log_gamma;

/// How strongly the prior expects the planned shares, as a number of people. 100 finds large imbalances early.
const PRIOR_PEOPLE: f64 = 100.0;
/// Below this chance an imbalance is an alarm, the threshold of the field's products.
const ALARM: f64 = 0.001;
/// From this chance on an imbalance is worth a note.
const NOTE: f64 = 0.01;

/// The people of an arm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArmCount {
    /// The arm's weight, in relation to those of the other arms.
    pub weight: u32,
    /// The people who were counted.
    pub people: u32,
}

/// The evidence against chance, as the logarithm of an e-value.
///
/// If there is nothing but chance, an e-value reaches 1/α at any time with a probability of at most α, however often somebody looks.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct EValue {
    /// Its natural logarithm.
    pub log: f64,
}

impl EValue {
    /// The evidence of the arms' people against their weights. It is infinite where an arm without a weight has people.
    #[must_use]
    pub fn of(arms: &[ArmCount]) -> EValue {
        EValue::with_prior(arms, PRIOR_PEOPLE)
    }

    /// The same with a prior of as many people.
    pub(super) fn with_prior(arms: &[ArmCount], prior: f64) -> EValue {
        if arms.iter().any(|one| one.weight == 0 && one.people > 0) {
            return EValue { log: f64::INFINITY };
        }
        let weighted = arms.iter().filter(|one| one.weight > 0);
        let whole: f64 = weighted.clone().map(|one| f64::from(one.weight)).sum();
        let all: f64 = weighted.clone().map(|one| f64::from(one.people)).sum();
        let own = weighted.map(|one| {
            let (share, people) = (f64::from(one.weight) / whole, f64::from(one.people));
            log_rising(prior * share, people) - people * share.ln()
        });
        EValue { log: own.sum::<f64>() - log_rising(prior, all) }
    }

    /// The p-value that holds at every look.
    #[must_use]
    pub fn p_value(self) -> f64 {
        (-self.log).exp().min(1.0)
    }

    /// Whether chance alone gets here with a probability of at most `alpha`.
    #[must_use]
    pub fn rejects(self, alpha: f64) -> bool {
        self.log >= -alpha.ln()
    }

    /// The stronger one. Whoever guards keeps the strongest so far: an alarm does not end by luck.
    #[must_use]
    pub fn or_stronger(self, other: EValue) -> EValue {
        EValue { log: self.log.max(other.log) }
    }
}

/// ln Γ(from + steps) − ln Γ(from).
fn log_rising(from: f64, steps: f64) -> f64 {
    log_gamma(from + steps) - log_gamma(from)
}

/// What the sample-ratio check tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SampleRatio {
    /// People fell into the arms as planned.
    AsPlanned,
    /// Worth a look.
    Doubtful,
    /// The division or the counting is broken. There is no result.
    Broken,
}

impl SampleRatio {
    /// Judges the strongest evidence so far.
    #[must_use]
    pub fn of(strongest: EValue) -> SampleRatio {
        match strongest.p_value() {
            ..ALARM => SampleRatio::Broken,
            ..=NOTE => SampleRatio::Doubtful,
            _ => SampleRatio::AsPlanned,
        }
    }
}
