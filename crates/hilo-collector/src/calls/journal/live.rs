//! An isolate's part of the live stream: its last events, and whether anybody watches.
//!
//! Judged events and the live object's answers → the calls that this isolate makes. While nobody watches, an isolate keeps
//! its last events and asks now and then. This file sends nothing: `sending.rs` does.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::lines::LiveEvent;

/// The most events that an isolate keeps while nobody watches: a watcher who connects sees what happened before.
pub const UNSEEN_MAX: usize = 20;
/// Within this time an isolate that nobody watches keeps no more events than that.
const UNSEEN_EVERY_MS: i64 = 1_000;
/// The most events that wait for a call while somebody watches. The oldest give way, and the watchers are told how many.
pub const WAITING_MAX: usize = 200;
/// How long events wait for others while somebody watches.
const WATCHED_MS: u32 = 100;
/// How long an isolate that nobody watches waits between two questions. It asks only after events, and so learns of a
/// watcher that another isolate has connected.
const ASK_MS: i64 = 10_000;
/// How long after a promise to call another request may promise it too, see `gathered.rs`.
const PROMISE_MS: i64 = 2_000;
/// The numbers of a millisecond's events: an isolate does not judge a thousand in one.
const SEQS_PER_MS: i64 = 1_000;

/// A call of the live object: show these events. Answers [`LiveAnswer`].
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct LiveCall {
    /// The object's life that the caller means; 0 if it knows none. An object in another life takes no events, because
    /// it has lost those that it was sent before.
    pub life: i64,
    /// The events, oldest first.
    pub events: Vec<LiveEvent>,
    /// The number of events that had to give way since the last call.
    pub missed: u32,
    /// The name of a profile's object whose events are forgotten, because its person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forget: Option<String>,
}

/// The answer of the live object.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct LiveAnswer {
    /// Whether there are watchers.
    pub watched: bool,
    /// The name of the object's life: its memory is lost at its end.
    pub life: i64,
}

/// The events and the knowledge of one isolate.
#[derive(Debug, Default)]
pub struct Live {
    /// The last events, oldest first. An event stays after it was sent: the object's next life needs it again.
    events: VecDeque<LiveEvent>,
    /// The number of the last event.
    seq: i64,
    /// The number of the last event that was sent to the object.
    sent_seq: i64,
    /// The object's life, as far as this isolate knows.
    life: i64,
    is_watched: bool,
    missed: u32,
    /// When the last call began.
    asked_ms: Option<i64>,
    /// When a watcher connected by way of this isolate.
    connected_ms: i64,
    /// When a request has promised to call.
    promised_ms: Option<i64>,
}

impl Live {
    /// The most events of an envelope that are worth keeping. An isolate that nobody watches keeps as many in a second as it shows later:
    /// a line for each event of a busy shop would be a twentieth of the work.
    pub fn room(&self, now_ms: i64) -> usize {
        if self.is_watched {
            return WAITING_MAX;
        }
        let since = now_ms.saturating_sub(UNSEEN_EVERY_MS).saturating_mul(SEQS_PER_MS);
        let newest = self.events.iter().rev().take_while(|event| event.seq >= since);
        UNSEEN_MAX.saturating_sub(newest.count())
    }

    const fn kept_max(&self) -> usize {
        if self.is_watched { WAITING_MAX } else { UNSEEN_MAX }
    }

    /// Keeps events, and forgets the oldest.
    pub fn keep(&mut self, events: impl IntoIterator<Item = LiveEvent>, now_ms: i64) {
        for event in events {
            self.seq = self.seq.saturating_add(1).max(now_ms.saturating_mul(SEQS_PER_MS));
            self.events.push_back(LiveEvent { seq: self.seq, ..event });
        }
        let surplus = self.events.len().saturating_sub(self.kept_max());
        let lost = self.events.drain(..surplus).filter(|event| event.seq > self.sent_seq).count();
        if self.is_watched {
            self.missed = self.missed.saturating_add(u32::try_from(lost).unwrap_or(u32::MAX));
        }
    }

    /// Forgets the events of a profile's object.
    pub fn forget(&mut self, profile: &str) {
        self.events.retain(|event| event.profile != profile);
    }

    /// Returns how long to wait before the caller must call the live object; `None` if no call is due, or if another
    /// request has promised it.
    pub fn promise(&mut self, now_ms: i64) -> Option<u32> {
        let is_due =
            self.is_watched || self.asked_ms.is_none_or(|asked_ms| now_ms - asked_ms >= ASK_MS);
        let is_promised = self.promised_ms.is_some_and(|at_ms| now_ms - at_ms < PROMISE_MS);
        if !is_due || is_promised || !self.has_unsent() {
            return None;
        }
        self.promised_ms = Some(now_ms);
        Some(if self.is_watched { WATCHED_MS } else { 0 })
    }

    fn has_unsent(&self) -> bool {
        self.events.back().is_some_and(|event| event.seq > self.sent_seq)
    }

    /// Makes the next call. It has events if there are watchers, or if one is about to connect. They count as sent at once,
    /// because another call may begin before this one is answered.
    pub fn call(&mut self, is_connecting: bool, now_ms: i64) -> LiveCall {
        self.promised_ms = None;
        self.asked_ms = Some(now_ms);
        let mut call = LiveCall { life: self.life, ..LiveCall::default() };
        if self.is_watched || is_connecting {
            let unsent = self.events.iter().filter(|event| event.seq > self.sent_seq);
            call.events.extend(unsent.cloned());
            self.sent_seq = call.events.last().map_or(self.sent_seq, |event| event.seq);
            call.missed = std::mem::take(&mut self.missed);
        }
        call
    }

    /// Takes the answer to a call that began at `began_ms`. Returns whether another call must follow at once.
    pub fn hear(&mut self, call: &LiveCall, answer: LiveAnswer, began_ms: i64) -> bool {
        // An answer from before a watcher connected does not count.
        if answer.watched || began_ms > self.connected_ms {
            self.is_watched = answer.watched;
        }
        if answer.life == call.life {
            return false;
        }
        // Of several calls under way the first answer from a new life counts.
        if answer.life != self.life {
            self.life = answer.life;
            self.sent_seq = 0;
        }
        self.missed = self.missed.saturating_add(call.missed);
        self.has_unsent() && (self.is_watched || !call.events.is_empty())
    }

    /// Notes that a call failed. Its events are counted as missed, because nobody knows whether the object has them.
    pub fn fail(&mut self, call: &LiveCall) {
        let lost = u32::try_from(call.events.len()).unwrap_or(u32::MAX);
        self.missed = self.missed.saturating_add(lost).saturating_add(call.missed);
    }

    /// Notes that a watcher has connected by way of this isolate.
    pub fn connect(&mut self, now_ms: i64) {
        self.is_watched = true;
        self.connected_ms = now_ms;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: usize) -> LiveEvent {
        LiveEvent { at: name.to_string(), ..LiveEvent::default() }
    }

    fn names(call: &LiveCall) -> Vec<&str> {
        call.events.iter().map(|event| event.at.as_str()).collect()
    }

    #[test]
    fn an_isolate_that_nobody_watches_keeps_its_last_events_and_asks_now_and_then() {
        let mut live = Live::default();
        assert_eq!(live.promise(0), None, "there is nothing to show");
        live.keep((0..UNSEEN_MAX + 2).map(event), 0);
        assert_eq!(live.promise(0), Some(0));
        assert_eq!(live.promise(1), None, "one question at a time");
        let call = live.call(false, 1);
        assert_eq!(names(&call), [""; 0], "nobody watches yet");
        assert!(!live.hear(&call, LiveAnswer { watched: false, life: 7 }, 1), "nobody watches");
        live.keep([event(99)], 3);
        assert_eq!(live.promise(ASK_MS), None);
        assert_eq!(live.promise(ASK_MS + 1), Some(0));
        let shown = live.call(true, ASK_MS + 1);
        assert_eq!((names(&shown).len(), names(&shown).last()), (UNSEEN_MAX, Some(&"99")));
    }

    #[test]
    fn an_isolate_that_nobody_watches_keeps_few_events_of_a_second() {
        let mut live = Live::default();
        assert_eq!(live.room(5_000), UNSEEN_MAX);
        live.keep((0..12).map(event), 5_000);
        assert_eq!(live.room(5_900), UNSEEN_MAX - 12);
        live.keep((0..UNSEEN_MAX - 12).map(event), 5_900);
        assert_eq!(live.room(6_000), 0);
        assert_eq!(live.room(6_001), 12);
        assert_eq!(live.room(6_901), UNSEEN_MAX);
        live.connect(6_000);
        assert_eq!(live.room(6_000), WAITING_MAX, "a watcher sees each event");
    }

    #[test]
    fn a_watched_isolate_sends_each_event_once_and_all_of_them_to_a_new_life() {
        let mut live = Live::default();
        live.connect(1);
        live.keep([event(1)], 1);
        let first = live.call(false, 1);
        assert!(live.hear(&first, LiveAnswer { watched: true, life: 7 }, 1));
        let second = live.call(false, 2);
        assert_eq!((second.life, names(&second)), (7, vec!["1"]));
        assert!(!live.hear(&second, LiveAnswer { watched: true, life: 7 }, 2));
        live.keep([event(2)], 3);
        assert_eq!(live.promise(3), Some(WATCHED_MS));
        let third = live.call(false, 3);
        assert_eq!(names(&third), ["2"]);
        assert!(live.hear(&third, LiveAnswer { watched: true, life: 8 }, 3), "a new life");
        assert_eq!(names(&live.call(false, 4)), ["1", "2"]);
    }

    #[test]
    fn two_calls_under_way_at_once_send_each_event_once_also_into_a_new_life() {
        let mut live = Live::default();
        live.connect(1);
        live.keep([event(1)], 1);
        let first = live.call(false, 1);
        live.keep([event(2)], 1);
        let second = live.call(false, 1);
        assert_eq!((names(&first), names(&second)), (vec!["1"], vec!["2"]));
        let answer = LiveAnswer { watched: true, life: 7 };
        assert!(live.hear(&first, answer, 1), "the object took nothing");
        let again = live.call(false, 2);
        assert_eq!((again.life, names(&again)), (7, vec!["1", "2"]));
        assert!(!live.hear(&second, answer, 1), "the call before has its events");
    }

    #[test]
    fn events_of_a_failed_call_count_as_missed() {
        let mut live = Live::default();
        live.connect(1);
        live.keep([event(1), event(2)], 1);
        let failed = live.call(false, 1);
        live.fail(&failed);
        let next = live.call(false, 2);
        assert_eq!((next.events.len(), next.missed), (0, 2));
    }

    #[test]
    fn the_events_of_an_erased_person_are_sent_to_no_later_life() {
        let mut live = Live::default();
        live.connect(1);
        let of = |profile: &str, name| LiveEvent { profile: profile.to_owned(), ..event(name) };
        live.keep([of("ana", 1), of("bob", 2)], 1);
        live.forget("ana");
        assert_eq!(names(&live.call(false, 2)), ["2"]);
    }

    #[test]
    fn an_answer_from_before_a_watcher_connected_does_not_end_the_watching() {
        let mut live = Live::default();
        let asked = live.call(false, 5);
        live.connect(6);
        live.hear(&asked, LiveAnswer { watched: false, life: 7 }, 5);
        assert!(live.is_watched);
        let asked = live.call(false, 7);
        live.hear(&asked, LiveAnswer { watched: false, life: 7 }, 7);
        assert!(!live.is_watched);
    }

    #[test]
    fn a_flood_of_events_gives_way_and_the_watchers_are_told_how_many() {
        let mut live = Live::default();
        live.connect(1);
        live.keep((0..WAITING_MAX + 3).map(event), 1);
        let call = live.call(false, 1);
        assert_eq!((call.events.len(), call.missed), (WAITING_MAX, 3));
        assert_eq!(call.events.first().map(|event| event.at.as_str()), Some("3"));
    }

    #[test]
    fn numbers_of_events_grow_also_over_the_restart_of_an_isolate() {
        let (mut before, mut after) = (Live::default(), Live::default());
        before.keep((0..3).map(event), 5);
        after.keep([event(0)], 6);
        let seqs = |live: &Live| live.events.iter().map(|event| event.seq).collect::<Vec<_>>();
        assert_eq!(seqs(&before), [5_000, 5_001, 5_002]);
        assert_eq!(seqs(&after), [6_000]);
    }
}
