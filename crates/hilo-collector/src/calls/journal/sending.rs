//! Sends what an isolate has gathered to the journal, and reads refusals back.
//!
//! Nothing here runs in the way of a request: sending is deferred work. Only admin calls and the consumer
//! wait for an answer.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use serde::Serialize;

use super::gathered::{Bundle, GATHER_MS, Gathered, HOUR_MS, Shard};
use super::lines::{Attempt, DeadLetter, LiveEvent, Reject, RejectCount};
use super::live::{LiveAnswer, LiveCall};
use super::{JournalCall, KeptRejects, RejectIndex, RejectsCall, ask_journal, ask_live, ask_shard};
use crate::platform::{Failure, Platform, log_line};

/// The most calls of the live object in a row: the first may only learn the object's life.
const LIVE_CALLS_MAX: usize = 3;
/// The most shards that one admin call reads. A Worker may call a thousand objects for each request.
const SHARDS_READ_MAX: usize = 400;
/// The most shards that are read at the same time.
const SHARDS_AT_ONCE: usize = 8;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * HOUR_MS;

/// The reject log, and the number of all refusals by code.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rejects {
    /// The number of refusals by code, over the hours of the time range.
    pub counts: BTreeMap<String, u32>,
    /// The number of refusals by code that have no line, because their kind had too many.
    pub left_out: BTreeMap<String, u32>,
    /// The start of the time range, RFC 3339. It is later than asked where the range has too many objects.
    pub from: String,
    /// The newest refusals that have a line.
    pub rejects: Vec<Reject>,
}

/// Notes refusals, see [`Gathered::note_reject`].
pub fn note_rejects<P: Platform>(platform: &P, note: impl FnOnce(&mut Gathered)) {
    platform.with_gathered(note);
    send_later(platform);
}

/// Counts attempts to deliver. [`send_counted`] sends the counts.
pub fn note_attempts<P: Platform>(platform: &P, attempts: &[Attempt]) {
    let at = platform.now().to_string();
    platform.with_gathered(|gathered| {
        attempts.iter().for_each(|attempt| gathered.note_attempt(attempt, &at));
    });
}

/// Counts deliveries that ended without the consumer, and sends the counts after a while.
pub fn note_endings<P: Platform>(platform: &P, endings: &[Attempt]) {
    if !endings.is_empty() {
        note_attempts(platform, endings);
        send_later(platform);
    }
}

/// Lists deliveries that were given up, and counts them.
///
/// A dead letter is no counter: without its line in the list nobody could replay it. So the consumer waits for the list, and
/// confirms the end of no delivery that is not listed.
///
/// # Errors
/// A failure to call the journal. Nothing is counted then.
pub async fn list_dead<P: Platform>(platform: &P, dead: &[Attempt]) -> Result<(), Failure> {
    if dead.is_empty() {
        return Ok(());
    }
    let at = platform.now().to_string();
    let letters = dead.iter().map(|attempt| DeadLetter::of(attempt, &at)).collect();
    let () = ask_journal(platform, &JournalCall::Dead { letters }).await?;
    note_attempts(platform, dead);
    Ok(())
}

/// Lets the journal forget a profile's object: its dead letters, and the lines of its events in the memory of the live object and of
/// this isolate. Another isolate has its last events in memory until newer ones take their place.
///
/// # Errors
/// A failure to call an object.
pub async fn forget_profile<P: Platform>(platform: &P, profile: &str) -> Result<(), Failure> {
    platform.with_gathered(|gathered| gathered.live.forget(profile));
    let call = LiveCall { forget: Some(profile.to_owned()), ..LiveCall::default() };
    let _: LiveAnswer = ask_live(platform, &call).await?;
    ask_journal(platform, &JournalCall::Forget { profile: profile.to_owned() }).await
}

/// Sends what the consumer has counted. It does not wait for more: the queue takes deferred work for a part of the
/// consumer's, and brings the next messages when that has ended.
pub async fn send_counted<P: Platform>(platform: &P) {
    log_failure(platform, "journal", send_gathered(platform).await);
}

/// Sends the bundle after a while, if nobody else has promised that.
fn send_later<P: Platform>(platform: &P) {
    let now_ms = platform.now().as_millisecond();
    if platform.with_gathered(|gathered| gathered.promise(now_ms)) {
        let own = platform.clone();
        platform.defer(async move {
            own.pause(GATHER_MS).await;
            log_failure(&own, "journal", send_gathered(&own).await);
        });
    }
}

/// Sends the bundle.
///
/// # Errors
/// A failure to call an object. The bundle's refusals or counters are lost then.
pub async fn send_gathered<P: Platform>(platform: &P) -> Result<(), Failure> {
    let now_ms = platform.now().as_millisecond();
    let bundle = platform.with_gathered(|gathered| gathered.take(now_ms));
    let Some(bundle) = bundle else { return Ok(()) };
    let Bundle { shard, is_unlisted, counts, rejects, attempts } = bundle;
    if is_unlisted || !attempts.is_empty() {
        // The index comes first: a shard that nobody can find keeps its refusals in vain.
        let shard = Some(shard).filter(|_| is_unlisted);
        let () = ask_journal(platform, &JournalCall::Counted { shard, attempts }).await?;
        if let Some(shard) = shard {
            platform.with_gathered(|gathered| gathered.is_listed(shard));
        }
    }
    if !counts.is_empty() {
        let call = RejectsCall::Keep(KeptRejects { counts, rejects });
        let () = ask_shard(platform, shard, &call).await?;
    }
    Ok(())
}

/// Keeps judged events for the live stream, and sends them if somebody watches. `read` makes the last events of an
/// envelope, at most as many as it is told.
pub fn show_events<P: Platform>(platform: &P, read: impl FnOnce(usize) -> Vec<LiveEvent>) {
    let now_ms = platform.now().as_millisecond();
    let wait_ms = platform.with_gathered(|gathered| {
        let events = read(gathered.live.room(now_ms));
        gathered.live.keep(events, now_ms);
        gathered.live.promise(now_ms)
    });
    let Some(wait_ms) = wait_ms else { return };
    let own = platform.clone();
    platform.defer(async move {
        if wait_ms > 0 {
            own.pause(wait_ms).await;
        }
        log_failure(&own, "live", call_live(&own, false).await);
    });
}

/// Sends the kept events of this isolate before a watcher connects.
///
/// # Errors
/// A failure to call the live object.
pub async fn show_before_watching<P: Platform>(platform: &P) -> Result<(), Failure> {
    call_live(platform, true).await
}

async fn call_live<P: Platform>(platform: &P, is_connecting: bool) -> Result<(), Failure> {
    for _ in 0..LIVE_CALLS_MAX {
        let began_ms = platform.now().as_millisecond();
        let call = platform.with_gathered(|gathered| gathered.live.call(is_connecting, began_ms));
        let answer = match ask_live(platform, &call).await {
            Ok(answer) => answer,
            Err(failure) => {
                platform.with_gathered(|gathered| gathered.live.fail(&call));
                return Err(failure);
            }
        };
        let again = platform.with_gathered(|gathered| gathered.live.hear(&call, answer, began_ms));
        if !again {
            break;
        }
    }
    Ok(())
}

fn log_failure<P: Platform>(platform: &P, what: &str, done: Result<(), Failure>) {
    if let Err(failure) = done {
        platform.log(&log_line("warn", what, &[("why", failure.message())]));
    }
}

/// Which refusals are wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'w> {
    /// Only refusals from this time on, milliseconds since the epoch.
    pub since_ms: i64,
    /// The most refusals to answer.
    pub limit: u32,
    /// Only refusals whose code begins so.
    pub code: Option<&'w str>,
}

/// Reads the reject log, newest first, as far back as refusals are kept.
///
/// # Errors
/// A failure to call an object.
pub async fn read_rejects<P: Platform>(
    platform: &P,
    wanted: &Wanted<'_>,
    rejects_days: u32,
) -> Result<Rejects, Failure> {
    let Wanted { since_ms, limit, code } = *wanted;
    // The refusals of this isolate must not be missing, for example after one call on a developer's machine.
    send_gathered(platform).await?;
    let kept_ms = platform.now().as_millisecond() - i64::from(rejects_days) * DAY_MS;
    let since_ms = since_ms.max(kept_ms);
    let question = JournalCall::RejectIndex { since_ms, limit };
    let RejectIndex { mut shards, mut own } = ask_journal(platform, &question).await?;
    let mut from_ms = since_ms;
    if let Some(beyond) = shards.get(SHARDS_READ_MAX) {
        from_ms = from_ms.max((beyond.hour + 1) * HOUR_MS);
        shards.retain(|shard| shard.hour * HOUR_MS >= from_ms);
    }
    let read = RefCell::new(Reading::default());
    let ask = |shard: Shard| {
        // Shards are asked newest first, and the older ones need not send lines that nobody would see.
        let limit = limit.saturating_sub(read.borrow().lines());
        let code = code.map(str::to_owned);
        async move { ask_shard(platform, shard, &RejectsCall::Read { since_ms, limit, code }).await }
    };
    let mut answers = stream::iter(shards).map(ask).buffered(SHARDS_AT_ONCE);
    while let Some(answer) = answers.next().await {
        read.borrow_mut().add(answer?);
    }
    drop(answers);
    let mut read = read.into_inner();
    let is_wanted = |found: &str| code.is_none_or(|code| found.starts_with(code));
    own.counts.retain(|count| is_wanted(&count.kind.code));
    own.rejects.retain(|reject| is_wanted(&reject.code));
    read.add(own);
    Ok(read.finish(limit, from_ms))
}

/// The answers that were read so far.
#[derive(Default)]
struct Reading {
    counts: BTreeMap<String, u32>,
    left_out: BTreeMap<String, u32>,
    rejects: Vec<Reject>,
}

impl Reading {
    fn lines(&self) -> u32 {
        u32::try_from(self.rejects.len()).unwrap_or(u32::MAX)
    }

    fn add(&mut self, kept: KeptRejects) {
        for RejectCount { kind, seen, kept } in kept.counts {
            let left_out = seen.saturating_sub(kept);
            if left_out > 0 {
                let sum = self.left_out.entry(kind.code.clone()).or_default();
                *sum = sum.saturating_add(left_out);
            }
            let sum = self.counts.entry(kind.code).or_default();
            *sum = sum.saturating_add(seen);
        }
        self.rejects.extend(kept.rejects);
    }

    fn finish(mut self, limit: u32, from_ms: i64) -> Rejects {
        let at = |reject: &Reject| reject.at.parse::<Timestamp>().unwrap_or_default();
        // The sort is stable: refusals of one envelope stay in the order of their shard.
        self.rejects.sort_by_cached_key(|reject| std::cmp::Reverse(at(reject)));
        self.rejects.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let from = Timestamp::from_millisecond(from_ms).unwrap_or_default().to_string();
        let Reading { counts, left_out, rejects } = self;
        Rejects { counts, left_out, from, rejects }
    }
}
