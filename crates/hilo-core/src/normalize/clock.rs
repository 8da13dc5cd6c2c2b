//! The real time of an event: the page's clock is corrected by its time at sending.
//! `occurred = received − (sent − original)` (Segment's rule), never in the future.

use jiff::{SignedDuration, Timestamp};

use crate::event::{Event, Facts};

/// The page keeps events for a week at most. An event that waited longer by its times comes from a broken clock.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Sets `occurred_at`.
pub fn apply(event: &mut Event, _facts: &Facts) {
    event.occurred_at = occurred(event.original_at, event.sent_at, event.received_at);
}

fn occurred(
    original: Option<Timestamp>,
    sent: Option<Timestamp>,
    received: Timestamp,
) -> Timestamp {
    let Some(original) = original else { return received };
    let Some(sent) = sent else {
        // A server without `sentAt` may import old events: its own time counts.
        return original.min(received);
    };
    let waited = sent.duration_since(original);
    if waited.is_negative() || waited > AGE_MAX {
        // The clock was set between event and sending, so its times cannot be compared.
        return received;
    }
    received.checked_sub(waited).unwrap_or(received)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(original: &str, sent: &str, expected: &str) {
        let received = "2026-11-24T10:00:00Z".parse().unwrap();
        let time = |text: &str| text.parse::<Timestamp>().ok();
        assert_eq!(occurred(time(original), time(sent), received).to_string(), expected);
    }

    #[test]
    fn a_wrong_page_clock_does_not_matter() {
        check("2036-11-24T09:59:50Z", "2036-11-24T09:59:55Z", "2026-11-24T09:59:55Z");
        check("2016-01-01T00:00:00Z", "2016-01-01T00:00:05Z", "2026-11-24T09:59:55Z");
    }

    #[test]
    fn a_clock_that_was_set_between_event_and_sending_does_not_count() {
        check("2026-11-24T12:00:00Z", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z");
        check("2016-11-24T12:00:00Z", "2026-11-24T09:00:00Z", "2026-11-24T10:00:00Z");
    }

    #[test]
    fn without_a_sending_time_a_past_time_counts_and_a_future_time_does_not() {
        check("2026-01-01T00:00:00Z", "", "2026-01-01T00:00:00Z");
        check("2027-01-01T00:00:00Z", "", "2026-11-24T10:00:00Z");
        check("", "", "2026-11-24T10:00:00Z");
    }
}
