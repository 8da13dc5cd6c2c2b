//! The time of a delivery's next attempt, and the end of its attempts.
//!
//! `(attempt, Retry-After, chance) → next`. Pure: the outbox stores the time of the next attempt.

/// The seconds before each next attempt. The first ones are short because a receiver may restart; the later ones follow
/// the suggestion of Standard Webhooks, three days in all.
const DELAYS_S: [u32; 18] = [
    1, 2, 4, 8, 15, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 18_000, 36_000, 50_400, 57_600,
    72_000,
];

/// The decision after a failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Try again after this number of seconds.
    Retry(u32),
    /// Give the delivery up.
    GiveUp,
}

/// Returns the delay after attempt number `attempt` (0 for the first) has failed.
///
/// Half of the delay is jitter from `chance`, so that deliveries that failed together do not return together.
/// `Retry-After` counts if it asks for more, up to our own longest delay.
pub(super) fn next(attempt: u32, retry_after: Option<&str>, chance: u8) -> Next {
    let Some(delay) = usize::try_from(attempt).ok().and_then(|n| DELAYS_S.get(n)) else {
        return Next::GiveUp;
    };
    let jittered = delay / 2 + (delay - delay / 2) * u32::from(chance) / u32::from(u8::MAX);
    let longest = DELAYS_S.last().copied().unwrap_or(*delay);
    let asked = retry_after.and_then(seconds).map_or(0, |asked| asked.min(longest));
    Next::Retry(jittered.max(asked))
}

/// Reads `Retry-After` in seconds. For a date or anything else our own delay counts.
fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_until_the_delivery_is_given_up() {
        assert_eq!(next(0, None, 255), Next::Retry(1));
        assert_eq!(next(5, None, 255), Next::Retry(30));
        assert_eq!(next(5, None, 0), Next::Retry(15));
        assert_eq!(next(18, None, 0), Next::GiveUp);
        let total: u32 = DELAYS_S.iter().sum();
        assert!((2 * 86_400..=4 * 86_400).contains(&total), "{total} s");
    }

    #[test]
    fn retry_after_lengthens_a_delay_and_never_shortens_it() {
        assert_eq!(next(0, Some("120"), 255), Next::Retry(120));
        assert_eq!(next(6, Some("0"), 255), Next::Retry(60));
        assert_eq!(next(0, Some("1000000000"), 255), Next::Retry(72_000));
        assert_eq!(next(0, Some("Wed, 21 Oct 2026 07:28:00 GMT"), 255), Next::Retry(1));
    }
}
