//! What an isolate has gathered for the journal and not sent yet: refusals, their numbers, results of attempts.
//!
//! Noted refusals and attempts → one [`Bundle`] from time to time. No request waits for the journal. An isolate that dies
//! loses what it has gathered; events are never gathered here. This file sends nothing: `sending.rs` does.

use std::collections::BTreeMap;

use super::lines::{Attempt, AttemptEnd, Health, Reject, RejectCount, RejectKind};
use super::live::Live;

/// The most lines for refusals of one kind in a bundle. They are enough for a sender that gets 2,500 events wrong. More
/// are counted, and have no line.
const KIND_LINES_MAX: u32 = 100;
/// The most lines of a bundle. A bundle is one row, and a row may have 2 MB.
const LINES_MAX: usize = 400;
/// The most characters of each text of a line, but for the shape of the item, which is bounded already.
const TEXT_CHARS_MAX: usize = 300;
/// The most kinds of refusals in a bundle. Sources and codes are few; more kinds are counted together.
const KINDS_MAX: usize = 500;
/// The most destinations in a bundle. `hilo.toml` has fewer, but it may change.
const DESTINATIONS_MAX: usize = 200;
/// How long a bundle is gathered. Shorter costs more calls and rows, longer shows refusals later.
pub const GATHER_MS: u32 = 2_000;
/// How long after a promise to send the bundle another request may promise it too. A request whose work was cut short
/// sends nothing.
const PROMISE_MS: i64 = 5 * GATHER_MS as i64;
/// The number of objects that share the refusals of one hour.
const SHARDS: i64 = 4;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;

/// One of the objects that keep the refusals of an hour.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Shard {
    /// Hours since the epoch.
    pub hour: i64,
    /// The object's number within its hour.
    pub number: i64,
}

impl Shard {
    /// The name of the object.
    pub fn name(self) -> String {
        format!("rejects-{}-{}", self.hour, self.number)
    }
}

/// The state of an isolate's gathering.
#[derive(Debug, Default)]
pub struct Gathered {
    counts: BTreeMap<RejectKind, RejectCount>,
    rejects: Vec<Reject>,
    attempts: BTreeMap<String, Health>,
    /// The number of the isolate's shard within every hour, as soon as it is drawn.
    number: Option<i64>,
    /// The last shard that the journal's head has in its index.
    listed: Option<Shard>,
    /// When a request has promised to send the bundle.
    promised_ms: Option<i64>,
    /// The part of the live stream.
    pub live: Live,
}

/// What an isolate sends to the journal at once.
#[derive(Debug, Default)]
pub struct Bundle {
    /// The object that gets the refusals.
    pub shard: Shard,
    /// Whether the journal's head must list the shard first.
    pub is_unlisted: bool,
    /// The number of refusals by kind.
    pub counts: Vec<RejectCount>,
    /// The refusals that have a line.
    pub rejects: Vec<Reject>,
    /// The counted attempts, one entry per destination.
    pub attempts: Vec<Health>,
}

impl Gathered {
    /// Counts a refusal, and keeps its line if its kind has few.
    pub fn note_reject(&mut self, kind: RejectKind, line: impl FnOnce() -> Reject) {
        let count = self.count(kind);
        count.seen = count.seen.saturating_add(1);
        if count.kept < KIND_LINES_MAX && self.rejects.len() < LINES_MAX {
            let reject = cut(line());
            self.count(RejectKind::of(&reject)).kept += 1;
            self.rejects.push(reject);
        }
    }

    /// Returns the count of a kind.
    fn count(&mut self, kind: RejectKind) -> &mut RejectCount {
        let is_full = self.counts.len() >= KINDS_MAX && !self.counts.contains_key(&kind);
        let kind = if is_full { RejectKind::of(&Reject::default()) } else { kind };
        let new = RejectCount { kind: kind.clone(), seen: 0, kept: 0 };
        self.counts.entry(kind).or_insert(new)
    }

    /// Counts an attempt to deliver; `at` is the time as RFC 3339 writes it.
    pub fn note_attempt(&mut self, attempt: &Attempt, at: &str) {
        let name = &attempt.destination;
        if self.attempts.len() >= DESTINATIONS_MAX && !self.attempts.contains_key(name) {
            return;
        }
        let health = self
            .attempts
            .entry(name.clone())
            .or_insert_with(|| Health { destination: name.clone(), ..Health::default() });
        let count = match attempt.end {
            AttemptEnd::Delivered => Some(&mut health.delivered),
            AttemptEnd::Assumed => Some(&mut health.assumed),
            AttemptEnd::Skipped => Some(health.skipped.entry(attempt.code.clone()).or_default()),
            AttemptEnd::Retried => Some(&mut health.retried),
            AttemptEnd::Shut => None,
            AttemptEnd::Dead => Some(&mut health.dead),
        };
        count.into_iter().for_each(|count| *count = count.saturating_add(1));
        if attempt.end == AttemptEnd::Delivered {
            health.last_delivered_at = Some(at.to_owned());
            health.failing_since = None;
        } else if attempt.reason.is_some() {
            health.last_error.clone_from(&attempt.reason);
            health.last_error_at = Some(at.to_owned());
        }
        if attempt.is_failure() {
            health.failing_since.get_or_insert_with(|| at.to_owned());
        }
    }

    /// Whether the caller must send the bundle after [`GATHER_MS`], because nobody else has promised it.
    pub fn promise(&mut self, now_ms: i64) -> bool {
        let is_empty = self.counts.is_empty() && self.attempts.is_empty();
        if is_empty || self.promised_ms.is_some_and(|at_ms| now_ms - at_ms < PROMISE_MS) {
            return false;
        }
        self.promised_ms = Some(now_ms);
        true
    }

    /// Takes everything that was gathered; `None` where there is nothing.
    pub fn take(&mut self, now_ms: i64) -> Option<Bundle> {
        self.promised_ms = None;
        if self.counts.is_empty() && self.attempts.is_empty() {
            return None;
        }
        // The clock's last digits are as good as a die: isolates begin at different times.
        let number = *self.number.get_or_insert(now_ms.rem_euclid(SHARDS));
        let shard = Shard { hour: now_ms.div_euclid(HOUR_MS), number };
        let counts: Vec<_> = std::mem::take(&mut self.counts).into_values().collect();
        Some(Bundle {
            shard,
            is_unlisted: !counts.is_empty() && self.listed != Some(shard),
            counts,
            rejects: std::mem::take(&mut self.rejects),
            attempts: std::mem::take(&mut self.attempts).into_values().collect(),
        })
    }

    /// Notes that the journal's head lists a shard.
    pub fn is_listed(&mut self, shard: Shard) {
        self.listed = Some(shard);
    }
}

/// Cuts the texts that a sender may have made long.
fn cut(mut reject: Reject) -> Reject {
    let long = |text: &String| text.len() > TEXT_CHARS_MAX;
    let short = |text: &String| text.chars().take(TEXT_CHARS_MAX).collect();
    if long(&reject.message) {
        reject.message = short(&reject.message);
    }
    for text in [&mut reject.field, &mut reject.message_hash] {
        if let Some(shortened) = text.as_ref().filter(|text| long(text)).map(short) {
            *text = Some(shortened);
        }
    }
    reject
}

impl RejectKind {
    /// The kind of a refusal.
    pub fn of(reject: &Reject) -> RejectKind {
        RejectKind {
            source: reject.source.clone(),
            outcome: reject.outcome.clone(),
            code: reject.code.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(gathered: &mut Gathered, code: &str, n: u32) {
        for index in 0..n {
            let reject = Reject { code: code.to_owned(), index: Some(index), ..Reject::default() };
            gathered.note_reject(RejectKind::of(&reject), || reject);
        }
    }

    fn counts(bundle: &Bundle) -> Vec<(&str, u32, u32)> {
        let count = |count: &'_ RejectCount| (count.seen, count.kept);
        let of = |one| {
            let (seen, kept) = count(one);
            (one.kind.code.as_str(), seen, kept)
        };
        bundle.counts.iter().map(of).collect()
    }

    #[test]
    fn refusals_beyond_the_bound_of_their_kind_are_counted_and_hide_no_other_kind() {
        let mut gathered = Gathered::default();
        note(&mut gathered, "unknown_key", 10_000);
        note(&mut gathered, "no_consent", 1);
        let bundle = gathered.take(0).unwrap();
        assert_eq!(counts(&bundle), [("no_consent", 1, 1), ("unknown_key", 10_000, 100)]);
        assert_eq!(bundle.rejects.len(), 101);
        assert!(gathered.take(0).is_none(), "a bundle is taken once");
    }

    #[test]
    fn a_bundle_has_a_bounded_number_of_lines_and_kinds_and_counts_all_refusals() {
        let mut gathered = Gathered::default();
        for kind in 0..2 * KINDS_MAX {
            note(&mut gathered, &format!("code-{kind}"), 2);
        }
        let bundle = gathered.take(0).unwrap();
        assert_eq!(bundle.rejects.len(), LINES_MAX);
        assert_eq!(bundle.counts.len(), KINDS_MAX + 1);
        let seen: u32 = bundle.counts.iter().map(|count| count.seen).sum();
        assert_eq!(seen, 4 * u32::try_from(KINDS_MAX).unwrap());
    }

    #[test]
    fn a_line_has_a_bounded_length() {
        let mut gathered = Gathered::default();
        let text = "ü".repeat(50_000);
        let reject =
            Reject { message: text.clone(), message_hash: Some(text), ..Reject::default() };
        gathered.note_reject(RejectKind::of(&reject), || reject);
        let [line] = gathered.take(0).unwrap().rejects.try_into().unwrap();
        let expected = "ü".repeat(TEXT_CHARS_MAX);
        assert_eq!((line.message, line.message_hash), (expected.clone(), Some(expected)));
    }

    #[test]
    fn one_request_at_a_time_promises_to_send_the_bundle() {
        let mut gathered = Gathered::default();
        assert!(!gathered.promise(0), "there is nothing to send");
        note(&mut gathered, "no_consent", 1);
        assert!(gathered.promise(0));
        assert!(!gathered.promise(PROMISE_MS - 1));
        assert!(gathered.promise(PROMISE_MS), "the first promise was not kept");
        gathered.take(PROMISE_MS);
        note(&mut gathered, "no_consent", 1);
        assert!(gathered.promise(PROMISE_MS), "a taken bundle has kept the promise");
    }

    #[test]
    fn an_isolate_keeps_to_one_shard_of_each_hour_and_has_it_listed_once() {
        let mut gathered = Gathered::default();
        let mut take = |now_ms| {
            note(&mut gathered, "no_consent", 1);
            let bundle = gathered.take(now_ms).unwrap();
            gathered.is_listed(bundle.shard);
            (bundle.shard.name(), bundle.is_unlisted)
        };
        assert_eq!(take(2 * HOUR_MS + 3), ("rejects-2-3".to_owned(), true));
        assert_eq!(take(2 * HOUR_MS + 4), ("rejects-2-3".to_owned(), false));
        assert_eq!(take(3 * HOUR_MS), ("rejects-3-3".to_owned(), true));
    }

    #[test]
    fn attempts_add_up_to_one_entry_per_destination_with_the_last_error() {
        let mut gathered = Gathered::default();
        for (at, end, code, reason) in [
            ("t1", AttemptEnd::Delivered, "", None),
            ("t2", AttemptEnd::Retried, "other", Some("slow")),
            ("t3", AttemptEnd::Dead, "refused", Some("gone")),
            ("t4", AttemptEnd::Skipped, "missing_identifier", None),
            ("t5", AttemptEnd::Assumed, "assumed_sent", None),
        ] {
            let attempt = Attempt {
                destination: "webhook".to_owned(),
                profile: "p".to_owned(),
                message_hash: "m".to_owned(),
                end,
                code: code.to_owned(),
                reason: reason.map(str::to_owned),
                shown: None,
            };
            gathered.note_attempt(&attempt, at);
        }
        let expected = Health {
            destination: "webhook".to_owned(),
            delivered: 1,
            retried: 1,
            dead: 1,
            assumed: 1,
            skipped: BTreeMap::from([("missing_identifier".to_owned(), 1)]),
            last_delivered_at: Some("t1".to_owned()),
            last_error: Some("gone".to_owned()),
            last_error_at: Some("t3".to_owned()),
            failing_since: Some("t2".to_owned()),
        };
        assert_eq!(gathered.take(0).unwrap().attempts, [expected]);
    }
}
