//! What a call of a profile's object answers, and what has to follow. Shapes only.

use jiff::Timestamp;

/// The result of a call: its reply, and the next work of the outbox.
#[derive(Debug, Default)]
pub struct CallResult {
    /// JSON for the caller.
    pub reply: String,
    /// Whether a delivery is ready.
    pub pump: bool,
    /// The latest time for the next check of the outbox. Set the alarm in the same turn as the rows, so that both are
    /// written or neither: pending rows without an alarm would be lost.
    pub alarm: Option<Timestamp>,
    /// Whether the storage was wiped, with the alarm that was set before.
    pub is_wiped: bool,
}

impl CallResult {
    /// The same result, with an alarm at this time at the latest.
    pub(super) fn no_later(self, alarm: Option<Timestamp>) -> CallResult {
        let alarm = self.alarm.into_iter().chain(alarm).min();
        CallResult { alarm, ..self }
    }
}
