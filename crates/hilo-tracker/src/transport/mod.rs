//! The pace and size of batches, and the effect of an answer.
//!
//! In: answers and the monotonic clock. Out: the batch's fate, and when the next batch may go. It never reads an event, and no
//! number of attempts makes it give up.

use hilo_core::outcome::{Code, PAGE_REFUSALS};
use hilo_core::text::lists;

use crate::platform::Answer;

/// Events of one envelope. The bytes that a browser sends with keepalive are reached much earlier.
const COUNT_MAX: usize = 500;
/// First delay after a failure (protocol.md).
const DELAY_MS: i64 = 500;
/// Longest delay that the tracker chooses itself.
const DELAY_MS_MAX: i64 = 60_000;
/// Longest delay that `Retry-After` may ask for.
const RETRY_AFTER_S_MAX: u32 = 300;
/// The one code that ends a tracker.
const KEY_REVOKED: &str = Code::KeyRevoked.name();
/// Pause after a refusal of key, origin or consent.
const REFUSED_MS: i64 = 600_000;

/// What happens to a batch after its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchFate {
    /// Each event was judged: all of them leave the queue.
    Done,
    /// The envelope is unusable: smaller ones follow until the poisonous event stands alone.
    Split,
    /// The poisonous event stood alone: it is dropped and counted.
    Poison,
    /// The events stay for another attempt.
    Keep,
    /// The events stay, and nothing is sent for a while.
    Refused,
    /// The key was revoked: everything is dropped.
    Purge,
}

/// The pace of sending.
#[derive(Debug)]
pub struct Transport {
    failures: u32,
    not_before_ms: i64,
    /// Whether the collector itself asked for the wait.
    is_ordered: bool,
    count_max: usize,
}

impl Default for Transport {
    fn default() -> Transport {
        Transport { failures: 0, not_before_ms: 0, is_ordered: false, count_max: COUNT_MAX }
    }
}

impl Transport {
    /// How many events the next envelope may hold.
    pub const fn count_max(&self) -> usize {
        self.count_max
    }

    /// Milliseconds until something may be sent; 0 for now.
    pub fn wait_ms(&self, now_ms: i64) -> i64 {
        (self.not_before_ms - now_ms).max(0)
    }

    /// The network is back: ends a delay, unless the collector asked for it.
    pub const fn hurry(&mut self) {
        if !self.is_ordered {
            self.not_before_ms = 0;
        }
    }

    /// Ends any delay: the site called `flush`, or the visitor withdrew consent.
    pub const fn insist(&mut self) {
        self.not_before_ms = 0;
        self.is_ordered = false;
    }

    /// Judges the answer to a batch of `count` events. `chance` is a fresh random number in 0..=u16::MAX.
    pub fn judge(&mut self, answer: &Answer, count: usize, now_ms: i64, chance: u16) -> BatchFate {
        self.is_ordered = false;
        let is_ours = is_own(answer.status, &answer.word);
        match answer.status {
            200 => {
                self.failures = 0;
                self.not_before_ms = 0;
                self.count_max = (self.count_max * 2).min(COUNT_MAX);
                BatchFate::Done
            }
            400 | 413 | 415 | 422 if is_ours => {
                self.failures = 0;
                if count <= 1 {
                    return BatchFate::Poison;
                }
                self.count_max = count.div_ceil(2);
                BatchFate::Split
            }
            401 | 403 if is_ours => {
                self.not_before_ms = now_ms + REFUSED_MS;
                self.is_ordered = true;
                BatchFate::Refused
            }
            410 if answer.word == KEY_REVOKED => BatchFate::Purge,
            // 408, 429, 5xx, no answer, or an answer that is not our collector's: the events may not be durable.
            _ => {
                let own = backoff_ms(self.failures, chance);
                self.failures = self.failures.saturating_add(1);
                let ordered =
                    answer.retry_after_s.map(|s| i64::from(s.min(RETRY_AFTER_S_MAX)) * 1_000);
                self.is_ordered = ordered.is_some();
                self.not_before_ms = now_ms + ordered.unwrap_or(own);
                BatchFate::Keep
            }
        }
    }
}

/// Whether an answer with this status and error code is the collector's own. A proxy, a firewall or a portal decides nothing about
/// events, though it may name codes too.
pub fn is_own(status: u16, code: &str) -> bool {
    status == 200 || lists(PAGE_REFUSALS, code)
}

/// 0.5 s · 2ⁿ up to 60 s, with full jitter: many pages must not come back at the same moment.
fn backoff_ms(failures: u32, chance: u16) -> i64 {
    let ceiling = (DELAY_MS << failures.min(16)).min(DELAY_MS_MAX);
    ceiling * (i64::from(chance) + 1) / (i64::from(u16::MAX) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An answer of the collector.
    fn answer(status: u16) -> Answer {
        let word = match status {
            401 => "unknown_key",
            403 => "origin_refused",
            410 => "key_revoked",
            413 => "body_too_large",
            415 => "unsupported_encoding",
            422 => "wrong_type",
            _ => "malformed_body",
        };
        Answer { status, word: word.to_owned(), ..Answer::default() }
    }

    fn judge(status: u16, count: usize) -> BatchFate {
        Transport::default().judge(&answer(status), count, 0, 0)
    }

    #[test]
    fn every_status_has_its_fate() {
        assert_eq!(judge(200, 9), BatchFate::Done);
        for status in [400, 413, 415, 422] {
            assert_eq!((judge(status, 9), judge(status, 1)), (BatchFate::Split, BatchFate::Poison));
        }
        for status in [401, 403] {
            assert_eq!(judge(status, 9), BatchFate::Refused);
        }
        for status in [0, 408, 429, 500, 502, 503, 302, 404] {
            assert_eq!(judge(status, 9), BatchFate::Keep);
        }
        assert_eq!(judge(410, 9), BatchFate::Purge);
    }

    #[test]
    fn an_answer_that_is_not_the_collectors_decides_nothing() {
        for status in [204, 400, 401, 403, 410, 413, 415, 422] {
            let mut transport = Transport::default();
            let foreign = Answer { status, ..Answer::default() };
            assert_eq!(transport.judge(&foreign, 1, 0, u16::MAX), BatchFate::Keep, "{status}");
            assert_eq!(transport.wait_ms(0), 500, "{status}");
        }
    }

    #[test]
    fn a_foreign_refusal_with_a_code_of_its_own_decides_nothing() {
        for (status, word) in [
            (400, "bad_request"),
            (401, "unauthorized"),
            (403, "forbidden"),
            (403, "access_denied"),
            (410, "not_found"),
            (410, "malformed_body"),
            (413, "payload_too_large"),
            (422, "malformed_body wrong_type"),
            (422, "validation_error"),
        ] {
            let foreign = Answer { status, word: word.to_owned(), ..Answer::default() };
            let fate = Transport::default().judge(&foreign, 1, 0, 0);
            assert_eq!(fate, BatchFate::Keep, "{status} {word}");
        }
    }

    #[test]
    fn delays_double_up_to_a_minute_and_end_with_a_success() {
        let mut transport = Transport::default();
        for expected in [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            transport.judge(&answer(503), 1, 0, u16::MAX);
            assert_eq!(transport.wait_ms(0), expected);
        }
        transport.judge(&answer(200), 1, 0, 0);
        assert_eq!(transport.wait_ms(0), 0);
    }

    #[test]
    fn a_returning_network_does_not_end_a_delay_that_the_collector_asked_for() {
        let mut transport = Transport::default();
        transport.judge(&answer(503), 1, 0, u16::MAX);
        transport.hurry();
        assert_eq!(transport.wait_ms(0), 0);
        let busy = Answer { retry_after_s: Some(9), ..answer(429) };
        for (asked, wait) in [(busy, 9_000), (answer(403), REFUSED_MS)] {
            transport.judge(&asked, 1, 0, u16::MAX);
            transport.hurry();
            assert_eq!(transport.wait_ms(0), wait);
            transport.insist();
            assert_eq!(transport.wait_ms(0), 0);
        }
    }

    #[test]
    fn retry_after_is_obeyed_up_to_five_minutes() {
        for (seconds, expected) in [(0, 0), (5, 5_000), (u32::MAX, 300_000)] {
            let mut transport = Transport::default();
            let busy = Answer { retry_after_s: Some(seconds), ..answer(429) };
            transport.judge(&busy, 1, 0, 0);
            assert_eq!(transport.wait_ms(0), expected);
        }
    }

    #[test]
    fn an_unusable_envelope_is_halved_until_one_event_is_left() {
        let mut transport = Transport::default();
        let mut count = 50;
        let mut rounds = 0;
        while transport.judge(&answer(400), count, 0, 0) == BatchFate::Split {
            count = transport.count_max();
            rounds += 1;
        }
        assert_eq!((count, rounds), (1, 6));
    }
}
