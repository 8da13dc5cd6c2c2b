//! The numbers of the pyramid, and what is wrong with them. In: numbers of a deployer. Out: the first one that cannot be used.

use crate::config::ProblemCode;

/// The most days of a window: ten years.
pub const DAYS_MAX: u16 = 3_650;

/// The days that decide about levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The days after a counted order in which somebody is active.
    pub active_days: u16,
    /// The days after a signal in which a stranger is probable.
    pub probable_days: u16,
    /// The days after which a relation lapses. Without a number a relation does not lapse.
    pub potential_days: Option<u16>,
}

impl Default for Windows {
    fn default() -> Windows {
        Windows { active_days: 365, probable_days: 90, potential_days: None }
    }
}

/// A number that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadNumber {
    /// The name of the number.
    pub field: &'static str,
    /// The kind of mistake.
    pub code: ProblemCode,
    /// The remedy, in one sentence.
    pub message: String,
}

impl BadNumber {
    /// A mistake of the number called `field`.
    pub(crate) fn new(field: &'static str, message: String) -> BadNumber {
        BadNumber { field, code: ProblemCode::BadValue, message }
    }

    /// Checks a number of days.
    pub(crate) fn check_days(field: &'static str, days: u16) -> Result<(), BadNumber> {
        if (1..=DAYS_MAX).contains(&days) {
            return Ok(());
        }
        Err(BadNumber::new(field, format!("write days from 1 to {DAYS_MAX} here")))
    }
}

impl Windows {
    /// Checks the numbers.
    ///
    /// # Errors
    /// The first window that has no day, or more than [`DAYS_MAX`].
    pub fn check(&self) -> Result<(), BadNumber> {
        BadNumber::check_days("active_days", self.active_days)?;
        BadNumber::check_days("probable_days", self.probable_days)?;
        let lapses = self.potential_days.map(|days| BadNumber::check_days("potential_days", days));
        lapses.unwrap_or(Ok(()))
    }
}
