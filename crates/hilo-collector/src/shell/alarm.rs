//! The one alarm of an object, and the memory of its time.
//!
//! Setting an alarm writes a row, so an alarm that is set already is not set again. A restarted object does not remember
//! its alarm.

use std::cell::Cell;

use crate::platform::Failure;

/// The time until the next alarm of an object that could not do its work: the storage failed, or it is newer than this
/// version.
pub(super) const AGAIN_MS: i64 = 600_000;
/// How late an alarm may be before it counts as lost. Alarms are late under load, and setting one again would delay it
/// more.
const LATE_MS: i64 = 10_000;

/// The time of the alarm, if it is set.
#[derive(Debug, Default)]
pub struct Alarm {
    at_ms: Cell<Option<i64>>,
}

impl Alarm {
    /// Calls `set` for `at_ms`, unless the alarm is set for that time or earlier.
    ///
    /// # Errors
    /// The error that `set` returns.
    pub fn arm(
        &self,
        at_ms: i64,
        now_ms: i64,
        set: impl FnOnce(i64) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let is_covered = |set_ms: i64| set_ms <= at_ms && now_ms - set_ms < LATE_MS;
        if self.at_ms.get().is_some_and(is_covered) {
            return Ok(());
        }
        set(at_ms)?;
        self.at_ms.set(Some(at_ms));
        Ok(())
    }

    /// Whether a time is remembered. Without one the stored alarm may be earlier than any time that is asked for.
    pub fn is_known(&self) -> bool {
        self.at_ms.get().is_some()
    }

    /// Notes that the alarm has fired.
    pub fn clear(&self) {
        self.at_ms.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_is_set_only_where_no_earlier_alarm_is_set() {
        let (alarm, set) = (Alarm::default(), Cell::new(0));
        let arm = |at_ms, now_ms| {
            let note = |at_ms| {
                set.set(at_ms);
                Ok(())
            };
            alarm.arm(at_ms, now_ms, note).unwrap();
            set.get()
        };
        assert_eq!(arm(5_000, 0), 5_000);
        assert_eq!(arm(6_000, 0), 5_000, "a later time waits for the alarm that is set");
        assert_eq!(arm(4_000, 0), 4_000);
        assert_eq!(arm(20_000, 13_999), 4_000, "an alarm may be late");
        assert_eq!(arm(20_000, 14_000), 20_000, "an alarm that is too late is lost");
        alarm.clear();
        assert_eq!(arm(30_000, 14_000), 30_000);
    }

    #[test]
    fn an_alarm_that_could_not_be_set_is_set_at_the_next_attempt() {
        let alarm = Alarm::default();
        let full = |_| Err(Failure::Retriable("the disk is full".to_owned()));
        assert!(alarm.arm(1, 0, full).is_err());
        let mut is_set = false;
        let note = |_| {
            is_set = true;
            Ok(())
        };
        assert_eq!(alarm.arm(1, 0, note), Ok(()));
        assert!(is_set);
    }
}
