//! What the journal's objects answer, and the bounds that they share.

use crate::calls::journal::gathered::HOUR_MS;

/// The most rows of one answer.
pub(super) const ROWS_MAX: u32 = 500;
/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 24 * HOUR_MS;

/// The answer of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalAnswer {
    /// JSON for the caller.
    pub reply: String,
    /// The time of the next alarm, milliseconds since the epoch.
    pub alarm_ms: Option<i64>,
}

/// What an alarm leaves to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterAlarm {
    /// Nothing is left that has an end.
    Rest,
    /// Set the alarm for this time, milliseconds since the epoch.
    Again(i64),
    /// Delete all storage of the object.
    Delete,
}
