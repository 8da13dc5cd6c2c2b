//! The brake before a destination: after some failures in a row, one probe at a time finds out whether it is back.
//!
//! Answers and times → may the next request go out? A brake is only memory, and may be lost at any time: the rows of the
//! outbox stay the truth, and a new brake learns the same from its first requests.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};

use super::retry::asked_s;

/// After this number of failures in a row a destination gets only probes. A receiver that restarts, or one that fails for
/// each hundredth request, mostly stays below.
const FAILURES_MAX: u32 = 3;
/// The first pause before a probe. Each failure doubles it.
const PAUSE_MS: i64 = 1_000;
/// The longest pause: so long after its return a destination may still be waited for.
const PAUSE_MS_MAX: i64 = 300_000;
/// A pause is at least this many times as long as the request that failed: probes of a destination that hangs hold up its
/// consumer for a fourth of the time at most.
const PAUSE_PER_REQUEST: i64 = 3;
/// The longest pause that `Retry-After` can ask for.
const ASKED_MS_MAX: i64 = 3_600_000;
/// The time after which a probe without a result no longer counts: an attempt ends before.
const PROBE_MS_MAX: i64 = 15_000;
/// The most destinations whose brakes are kept: more than any configuration has.
const BRAKES_MAX: usize = 256;

/// The brake of one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brake {
    /// The number of failures since the last answer that was none.
    failures: u32,
    /// The time of the next probe.
    until_ms: i64,
    /// The reason of the last failure.
    reason: String,
}

impl Brake {
    /// Whether a request may go out now. Otherwise: how long to wait. A request that may go out as a probe keeps the
    /// others back until [`Brake::note`] tells its result.
    ///
    /// # Errors
    /// The milliseconds until the next probe.
    pub fn permit(&mut self, now_ms: i64) -> Result<(), i64> {
        if self.failures < FAILURES_MAX {
            return Ok(());
        }
        if now_ms < self.until_ms {
            return Err(self.until_ms - now_ms);
        }
        self.until_ms = now_ms + PROBE_MS_MAX;
        Ok(())
    }

    /// Notes that the destination answered, whatever it thinks of the events.
    pub fn release(&mut self) {
        *self = Brake::default();
    }

    /// Notes that a request failed after `took_ms`: no answer came, or one that asks to try again.
    pub fn press(&mut self, took_ms: i64, retry_after: Option<&str>, reason: &str, now_ms: i64) {
        self.failures = self.failures.saturating_add(1);
        self.reason = reason.to_string();
        let Some(over) = self.failures.checked_sub(FAILURES_MAX) else { return };
        let own = PAUSE_MS.checked_shl(over).unwrap_or(PAUSE_MS_MAX).clamp(PAUSE_MS, PAUSE_MS_MAX);
        let asked_ms = i64::from(retry_after.and_then(asked_s).unwrap_or(0)) * 1_000;
        let pause_ms = own.max(took_ms * PAUSE_PER_REQUEST).max(asked_ms.min(ASKED_MS_MAX));
        self.until_ms = now_ms + pause_ms;
    }

    /// Says why deliveries wait, for people.
    pub fn reason(&self) -> String {
        let Brake { failures, reason, .. } = self;
        alloc::format!("waits: the destination failed {failures} times in a row, last: {reason}")
    }
}

/// The brakes of an isolate, by the destination's name.
#[derive(Debug, Default)]
pub struct Brakes(BTreeMap<String, Brake>);

impl Brakes {
    /// Returns the brake of a destination.
    pub fn of(&mut self, destination: &str) -> &mut Brake {
        // Names of configurations that are gone take the room. The few in use learn again.
        if self.0.len() >= BRAKES_MAX && !self.0.contains_key(destination) {
            self.0.clear();
        }
        self.0.entry(destination.to_string()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A brake after this number of failures at time 0, each of which took `took_ms`.
    fn after(failures: u32, took_ms: i64) -> Brake {
        let mut brake = Brake::default();
        (0..failures).for_each(|_| brake.press(took_ms, None, "status 503", 0));
        brake
    }

    #[test]
    fn a_few_failures_hold_nothing_back() {
        assert_eq!(after(2, 10).permit(0), Ok(()));
        assert_eq!(after(3, 10).permit(0), Err(1_000));
    }

    #[test]
    fn a_pause_ends_with_one_probe_at_a_time() {
        let mut brake = after(3, 10);
        assert_eq!(brake.permit(1_000), Ok(()));
        assert_eq!(brake.permit(1_000), Err(15_000), "the probe is under way");
        brake.press(10, None, "status 503", 1_100);
        assert_eq!(brake.permit(1_100), Err(2_000), "each failure doubles the pause");
        assert_eq!(brake.permit(3_100), Ok(()));
        brake.release();
        assert_eq!((brake.permit(3_200), brake.permit(3_200)), (Ok(()), Ok(())));
    }

    #[test]
    fn a_probe_without_a_result_does_not_end_the_probes() {
        let mut brake = after(3, 10);
        assert_eq!(brake.permit(1_000), Ok(()));
        assert_eq!(brake.permit(16_000), Ok(()));
    }

    #[test]
    fn a_destination_that_hangs_is_probed_seldom() {
        assert_eq!(after(3, 10_000).permit(0), Err(30_000));
        assert_eq!(after(9, 10_000).permit(0), Err(64_000));
        assert_eq!(after(100, 10_000).permit(0), Err(300_000));
    }

    #[test]
    fn retry_after_lengthens_a_pause_up_to_an_hour() {
        let asked = |text| {
            let mut brake = after(3, 10);
            brake.press(10, Some(text), "status 429", 0);
            brake.permit(0)
        };
        assert_eq!(asked("120"), Err(120_000));
        assert_eq!(asked("0"), Err(2_000));
        assert_eq!(asked("86400"), Err(3_600_000));
    }

    #[test]
    fn the_brakes_of_an_isolate_are_bounded() {
        let mut brakes = Brakes::default();
        (0..3).for_each(|_| brakes.of("dead").press(10, None, "status 503", 0));
        assert!(brakes.of("dead").permit(0).is_err() && brakes.of("other").permit(0).is_ok());
        (0..=BRAKES_MAX).for_each(|n| brakes.of(&n.to_string()).release());
        assert!(brakes.0.len() <= BRAKES_MAX);
    }
}
