//! The brake before a destination: after some failures in a row, one probe at a time finds out whether it is back.
//!
//! Answers and times → may the next request go out? A brake is only memory, and may be lost at any time: the rows of the
//! outbox stay the truth, and a new brake learns the same from its first requests.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString as _};

use crate::rate::{Bucket, Rate};

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
    /// Whether the destination did not let us in: one such answer is enough.
    is_shut: bool,
    /// The requests of late, for the destination's own pace.
    bucket: Bucket,
}

impl Brake {
    /// The seconds before the next probe of a destination that does not let us in. Only a person can mend that.
    pub const SHUT_S: u32 = 300;

    /// Whether a request may go out now. Otherwise: how long to wait. A request that may go out as a probe keeps the
    /// others back until [`Brake::note`] tells its result.
    ///
    /// # Errors
    /// The milliseconds until the next probe.
    pub fn permit(&mut self, now_ms: i64) -> Result<(), i64> {
        if !self.is_held() {
            return Ok(());
        }
        let left_ms = self.left_ms(now_ms);
        if left_ms > 0 {
            return Err(left_ms);
        }
        self.until_ms = now_ms + PROBE_MS_MAX;
        Ok(())
    }

    /// Whether [`Brake::permit`] would refuse now. It starts no probe.
    pub const fn is_closed(&self, now_ms: i64) -> bool {
        self.is_held() && self.left_ms(now_ms) > 0
    }

    /// Whether [`Brake::keep_pace`] would refuse now. It takes nothing.
    pub fn is_out_of_pace(&self, pace: Rate, now_ms: i64) -> bool {
        let mut bucket = self.bucket;
        bucket.take(pace, 1, now_ms).is_err()
    }

    const fn is_held(&self) -> bool {
        self.is_shut || self.failures >= FAILURES_MAX
    }

    const fn left_ms(&self, now_ms: i64) -> i64 {
        self.until_ms - now_ms
    }

    /// Takes a request of the pace that the destination allows.
    ///
    /// # Errors
    /// The seconds after which there is one again.
    pub fn keep_pace(&mut self, pace: Rate, now_ms: i64) -> Result<(), u32> {
        self.bucket.take(pace, 1, now_ms)
    }

    /// Notes that the destination answered, whatever it thinks of the events.
    pub fn release(&mut self) {
        *self = Brake { bucket: self.bucket, ..Brake::default() };
    }

    /// Notes that the destination did not let us in. It gets a probe every few minutes.
    pub fn shut(&mut self, reason: &str, now_ms: i64) {
        self.is_shut = true;
        self.reason = reason.to_string();
        self.until_ms = now_ms + i64::from(Self::SHUT_S) * 1_000;
    }

    /// Notes that a request failed after `took_ms`: no answer came, or one that asks to try again, after `asked_s` perhaps.
    pub fn press(&mut self, took_ms: i64, asked_s: Option<u32>, reason: &str, now_ms: i64) {
        self.is_shut = false;
        self.failures = self.failures.saturating_add(1);
        self.reason = reason.to_string();
        let Some(over) = self.failures.checked_sub(FAILURES_MAX) else { return };
        let own = PAUSE_MS.checked_shl(over).unwrap_or(PAUSE_MS_MAX).clamp(PAUSE_MS, PAUSE_MS_MAX);
        let asked_ms = i64::from(asked_s.unwrap_or(0)) * 1_000;
        let pause_ms = own.max(took_ms * PAUSE_PER_REQUEST).max(asked_ms.min(ASKED_MS_MAX));
        self.until_ms = now_ms + pause_ms;
    }

    /// Says why deliveries wait, for people.
    pub fn reason(&self) -> String {
        let Brake { failures, reason, is_shut, .. } = self;
        if *is_shut {
            return alloc::format!("waits: the destination does not let us in, last: {reason}");
        }
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
        let asked = |asked_s| {
            let mut brake = after(3, 10);
            brake.press(10, Some(asked_s), "status 429", 0);
            brake.permit(0)
        };
        assert_eq!(asked(120), Err(120_000));
        assert_eq!(asked(0), Err(2_000));
        assert_eq!(asked(86_400), Err(3_600_000));
    }

    #[test]
    fn a_destination_that_does_not_let_us_in_gets_one_probe_in_five_minutes() {
        let mut brake = Brake::default();
        brake.shut("unauthorized: status 401", 0);
        assert_eq!((brake.permit(299_999), brake.is_closed(299_999)), (Err(1), true));
        assert!(brake.reason().ends_with("does not let us in, last: unauthorized: status 401"));
        assert!(!brake.is_closed(300_000), "a look starts no probe");
        assert_eq!(brake.permit(300_000), Ok(()));
        assert_eq!(brake.permit(300_000), Err(15_000), "the probe is under way");
        brake.shut("unauthorized: status 401", 300_100);
        assert_eq!(brake.permit(301_000), Err(299_100));
        brake.release();
        assert_eq!(brake.permit(301_000), Ok(()));
    }

    #[test]
    fn an_answer_does_not_lift_the_pace_of_a_destination() {
        let (mut brake, pace) = (Brake::default(), Rate { per_s: 1, burst: 2 });
        let mut take = |at_ms| {
            brake.release();
            brake.keep_pace(pace, at_ms)
        };
        assert_eq!(
            [0, 0, 0, 1_000, 1_000].map(&mut take),
            [Ok(()), Ok(()), Err(1), Ok(()), Err(1)]
        );
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
