//! The real time of an event. A server's own time stands. A visitor's clock is corrected by its time at sending.
//! `occurred = received − (sent − original)` (Segment's rule), at most 8 days back and never in the future.

use jiff::{SignedDuration, Timestamp};

use crate::event::{Clock, Event, Facts, Trust};

/// Pages and apps keep events for a week at most. A visitor's event that is older by its times comes from a broken clock.
const AGE_MAX: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Sets `occurred_at`, and `context.hilo.clock` where that is not the sender's time.
pub fn apply(event: &mut Event, facts: &Facts) {
    // Without a readable time validation has set the time of receipt.
    let Some(original) = event.original_at else { return };
    (event.occurred_at, event.context.hilo.clock) =
        occurred(original, event.sent_at, event.received_at, facts.trust);
}

fn occurred(
    original: Timestamp,
    sent: Option<Timestamp>,
    received: Timestamp,
    trust: Trust,
) -> (Timestamp, Option<Clock>) {
    // A server may import old events, and its clients always send `sentAt`: its own time counts.
    let Trust::Public = trust else { return until(original, received) };
    let waited = sent.map(|sent| sent.duration_since(original));
    let corrected = match waited {
        Some(waited) => received.checked_sub(waited).unwrap_or(received),
        None => original,
    };
    match received.checked_sub(AGE_MAX) {
        Ok(earliest) if corrected < earliest => (earliest, Some(Clock::TooOld)),
        _ => until(corrected, received),
    }
}

fn until(time: Timestamp, received: Timestamp) -> (Timestamp, Option<Clock>) {
    if time > received { (received, Some(Clock::Future)) } else { (time, None) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(original: &str, sent: &str, trust: Trust, expected: &str, clock: Option<Clock>) {
        let received = "2026-11-24T10:00:00Z".parse().unwrap();
        let (original, sent) = (original.parse().unwrap(), sent.parse().ok());
        let (at, noted) = occurred(original, sent, received, trust);
        assert_eq!((at.to_string().as_str(), noted), (expected, clock));
    }

    #[test]
    fn a_wrong_page_clock_does_not_matter() {
        for (original, sent) in [
            ("2036-11-24T09:59:50Z", "2036-11-24T09:59:55Z"),
            ("2016-01-01T00:00:00Z", "2016-01-01T00:00:05Z"),
        ] {
            check(original, sent, Trust::Public, "2026-11-24T09:59:55Z", None);
        }
    }

    #[test]
    fn a_visitors_time_is_at_most_eight_days_ago() {
        let earliest = "2026-11-16T10:00:00Z";
        for sent in ["2026-11-24T10:00:00Z", ""] {
            check("2026-11-16T10:00:00Z", sent, Trust::Public, earliest, None);
            check("2026-11-16T09:59:59Z", sent, Trust::Public, earliest, Some(Clock::TooOld));
            check("2016-01-01T00:00:00Z", sent, Trust::Public, earliest, Some(Clock::TooOld));
        }
    }

    #[test]
    fn a_servers_own_time_stands_however_old_it_is() {
        for sent in ["2026-11-24T10:00:00Z", ""] {
            check("2024-03-05T08:30:00Z", sent, Trust::Server, "2024-03-05T08:30:00Z", None);
        }
    }

    #[test]
    fn no_time_is_in_the_future() {
        let received = "2026-11-24T10:00:00Z";
        for (sent, trust) in [
            ("", Trust::Public),
            ("2026-11-24T09:00:00Z", Trust::Public),
            ("", Trust::Server),
            ("2027-01-01T00:00:01Z", Trust::Server),
        ] {
            check("2027-01-01T00:00:00Z", sent, trust, received, Some(Clock::Future));
        }
    }
}
