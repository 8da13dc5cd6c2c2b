//! The time of a delivery's next attempt, and the end of its attempts.
//!
//! An attempt that failed or was lost counts. A delivery that was not attempted waits, and the wait does not count: its
//! destination is unknown, has no secret, or fails for everybody.

use core::hash::{Hash, Hasher as _};
use std::hash::DefaultHasher;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};

/// The seconds before each next attempt. The first ones are short because a receiver may restart; the later ones follow
/// the suggestion of Standard Webhooks, three days in all.
const DELAYS_S: [u32; 18] = [
    1, 2, 4, 8, 15, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 18_000, 36_000, 50_400, 57_600,
    72_000,
];
/// The seconds before the attempt that follows a lost one. They begin gently, because every delivery under way is lost when a
/// process is killed, mostly by no fault of its own: after a dozen kills in a row each is still sent within a minute. None
/// is much longer than all before it together, so an outage ends soon for its deliveries too.
const LOST_DELAYS_S: [u32; 18] =
    [1, 2, 4, 8, 15, 15, 15, 30, 30, 30, 30, 30, 300, 900, 3_600, 14_400, 36_000, 72_000];
/// The seconds after which a delivery is given up, however few its attempts were: a day more than all delays of
/// attempts together, so that a destination that was away over a long weekend gets its events.
pub const PENDING_S_MAX: u32 = 4 * 86_400;
/// The longest wait of a delivery that is not attempted: so long after the remedy it may still take.
const WAIT_S_MAX: u32 = 3_600;
/// A wait is this part of the time for which the delivery is pending, so an outage of a day costs some dozen waits.
const WAIT_PART: u32 = 4;

/// The decision about a delivery that did not reach its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try again after this number of seconds.
    After(u32),
    /// Give the delivery up.
    GiveUp,
}

/// Decides after attempt number `attempt` (0 for the first) has failed. The delivery is pending for `pending_s` seconds.
///
/// Half of the delay is jitter from `chance`, so that deliveries that failed together do not return together.
/// `asked_s` counts if the answer asks for more, see [`retry_after_s`].
pub fn after_failure(attempt: u32, pending_s: u32, asked_s: Option<u32>, chance: u8) -> Next {
    if is_over(attempt.saturating_add(1)) || pending_s >= PENDING_S_MAX {
        return Next::GiveUp;
    }
    Next::After(jittered(delay_s(&DELAYS_S, attempt), chance).max(asked_s.unwrap_or(0)))
}

/// Decides about a delivery that was not attempted. It waits `at_least_s` seconds, and longer the longer it is pending.
pub fn after_wait(pending_s: u32, at_least_s: u32, chance: u8) -> Next {
    if pending_s >= PENDING_S_MAX {
        return Next::GiveUp;
    }
    Next::After(wait_s(pending_s, at_least_s, chance))
}

/// Returns the seconds that a delivery waits. One that waits only for its turn here is never given up.
pub fn wait_s(pending_s: u32, at_least_s: u32, chance: u8) -> u32 {
    let own = (pending_s / WAIT_PART).clamp(1, WAIT_S_MAX);
    // A wait is no attempt, so nothing else ends a loop of waits without a pause.
    jittered(own, chance).max(at_least_s.min(WAIT_S_MAX)).max(1)
}

/// Returns the delay after attempt number `attempt` was lost: its result is unknown.
pub fn after_loss_s(attempt: u32) -> u32 {
    delay_s(&LOST_DELAYS_S, attempt)
}

fn delay_s(delays_s: &[u32], attempt: u32) -> u32 {
    let longest = delays_s.last().copied().unwrap_or(0);
    usize::try_from(attempt).ok().and_then(|n| delays_s.get(n)).copied().unwrap_or(longest)
}

/// Whether a delivery has had its last attempt, after `attempts` attempts that failed or were lost.
pub fn is_over(attempts: u32) -> bool {
    usize::try_from(attempts).map_or(true, |attempts| attempts > DELAYS_S.len())
}

/// Makes a chance that is the same for the same `seed`.
pub fn chance(seed: impl Hash) -> u8 {
    let mut hasher = DefaultHasher::new();
    seed.hash(&mut hasher);
    let [chance, ..] = hasher.finish().to_le_bytes();
    chance
}

fn jittered(delay: u32, chance: u8) -> u32 {
    delay / 2 + (delay - delay / 2) * u32::from(chance) / u32::from(u8::MAX)
}

/// Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or an HTTP date. The result is no longer than our own longest delay. Anything
/// else asks for nothing.
pub fn retry_after_s(text: &str, now: Timestamp) -> Option<u32> {
    let text = text.trim();
    let longest = DELAYS_S.last().copied().unwrap_or(0);
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let asked = match is_number {
        true => text.parse().unwrap_or(u32::MAX),
        false => {
            let left_s = http_date(text)?.as_second() - now.as_second();
            u32::try_from(left_s.max(0)).unwrap_or(u32::MAX)
        }
    };
    Some(asked.min(longest))
}

/// Reads an HTTP date in the one form that may be written today, such as `Wed, 21 Oct 2026 07:28:00 GMT` (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = text.split_once(", ")?.1.split_whitespace();
    let day: i8 = words.next()?.parse().ok()?;
    let month = words.next().filter(|word| word.len() == 3).and_then(|word| MONTHS.find(word))?;
    if month % 3 != 0 {
        return None;
    }
    let year: i16 = words.next()?.parse().ok()?;
    let mut time = words.next()?.split(':').map(str::parse::<i8>);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    let month = i8::try_from(month / 3 + 1).ok()?;
    let date = civil::Date::new(year, month, day).ok()?;
    let at = DateTime::from_parts(date, civil::Time::new(hour, minute, second, 0).ok()?);
    let is_whole = words.next() == Some("GMT") && words.next().is_none();
    TimeZone::UTC.to_timestamp(at).ok().filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(attempt: u32, chance: u8) -> Next {
        after_failure(attempt, 0, None, chance)
    }

    #[test]
    fn delays_grow_until_the_delivery_is_given_up() {
        assert_eq!(failed(0, 255), Next::After(1));
        assert_eq!(failed(5, 255), Next::After(30));
        assert_eq!(failed(5, 0), Next::After(15));
        assert_eq!(failed(17, 0), Next::After(36_000));
        assert_eq!(failed(18, 0), Next::GiveUp);
        let total: u32 = DELAYS_S.iter().sum();
        assert!((2 * 86_400..PENDING_S_MAX).contains(&total), "{total} s");
    }

    #[test]
    fn lost_attempts_are_repeated_soon_and_not_for_ever() {
        assert_eq!([0, 1, 5].map(after_loss_s), [1, 2, 15]);
        assert!((0..12).all(|attempt| after_loss_s(attempt) <= 30));
        assert_eq!(after_loss_s(100), 72_000);
        let mut before = 1;
        for delay in LOST_DELAYS_S {
            assert!(delay <= 3 * before, "{delay} s after {before} s");
            before += delay;
        }
        assert!((86_400..PENDING_S_MAX).contains(&before), "{before} s");
    }

    #[test]
    fn retry_after_lengthens_a_delay_and_never_shortens_it() {
        let asked = |attempt, asked_s| after_failure(attempt, 0, Some(asked_s), 255);
        assert_eq!(asked(0, 120), Next::After(120));
        assert_eq!(asked(6, 0), Next::After(60));
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now: Timestamp = "2026-10-21T07:27:00Z".parse().unwrap();
        for (text, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999", Some(72_000)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", Some(60)),
            ("Wed, 21 Oct 2026 07:26:00 GMT", Some(0)),
            ("Fri, 01 Jan 2027 00:00:00 GMT", Some(72_000)),
            ("Wed, 32 Oct 2026 07:28:00 GMT", None),
            ("Wed, 21 anF 2026 07:28:00 GMT", None),
            ("Wed, 21 Oct 2026 07:28:00", None),
            ("2026-10-21T07:28:00Z", None),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after_s(text, now), expected, "{text}");
        }
    }

    #[test]
    fn a_wait_grows_with_the_time_for_which_the_delivery_is_pending() {
        assert_eq!(after_wait(0, 0, 255), Next::After(1));
        assert_eq!(after_wait(0, 0, 0), Next::After(1), "never at once");
        assert_eq!(after_wait(400, 0, 255), Next::After(100));
        assert_eq!(after_wait(400, 0, 0), Next::After(50));
        assert_eq!(after_wait(400, 300, 255), Next::After(300));
        assert_eq!(after_wait(300_000, 9_999_999, 255), Next::After(3_600));
    }

    #[test]
    fn no_delivery_is_pending_for_more_than_four_days() {
        assert_eq!(after_wait(PENDING_S_MAX - 1, 0, 255), Next::After(3_600));
        assert_eq!(after_wait(PENDING_S_MAX, 0, 255), Next::GiveUp);
        assert_eq!(wait_s(PENDING_S_MAX, 9_999_999, 255), 3_600, "the turn of a delivery comes");
        assert_eq!(after_failure(0, PENDING_S_MAX, None, 255), Next::GiveUp);
    }

    #[test]
    fn a_day_of_waits_is_a_few_dozen() {
        let (mut pending_s, mut waits) = (0, 0);
        while pending_s < 86_400 {
            let Next::After(wait_s) = after_wait(pending_s, 0, 128) else { panic!("given up") };
            pending_s += wait_s;
            waits += 1;
        }
        assert!(waits < 90, "{waits} waits");
    }
}
