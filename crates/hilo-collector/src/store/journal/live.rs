//! The live object's memory: the last lines of the live stream, and a bounded channel for each watcher.
//!
//! A [`LiveCall`] → lines for the watchers. Nothing is stored: isolates keep their last events and send them again when
//! the object has lost its memory.

use std::collections::VecDeque;

use jiff::Timestamp;

use crate::calls::journal::live::{LiveAnswer, LiveCall};
use crate::calls::{decode, encode};
use crate::platform::Failure;

/// The most lines that the object remembers: a watcher who connects later still gets them.
const RING_MAX: usize = 200;
/// The most lines that wait for one watcher. A watcher who reads more slowly misses the oldest.
const CHANNEL_MAX: usize = RING_MAX;

/// The object's memory.
#[derive(Debug, Default)]
pub struct Ring {
    /// The time of the first call, which names this life of the object.
    life: Option<i64>,
    /// The last lines, oldest first.
    lines: VecDeque<Line>,
}

/// A line with the number of its event, and the object of the event's profile.
#[derive(Debug)]
struct Line {
    seq: i64,
    profile: String,
    text: String,
}

/// What a call brings to each watcher.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// JSON lines, oldest first.
    pub lines: Vec<String>,
    /// The number of events that the calling isolate could not keep.
    pub missed: u32,
}

impl Ring {
    /// Answers one call.
    ///
    /// # Errors
    /// A call that cannot be read.
    pub fn answer(
        &mut self,
        call: &str,
        is_watched: bool,
        now: Timestamp,
    ) -> Result<(String, News), Failure> {
        let life = *self.life.get_or_insert(now.as_millisecond());
        let LiveCall { life: meant, events, missed, forget } = decode(call)?;
        if let Some(profile) = forget {
            self.lines.retain(|line| line.profile != profile);
        }
        let mut news = News::default();
        if meant == life {
            news.missed = missed;
            for mut event in events {
                let profile = std::mem::take(&mut event.profile);
                let text = encode(&event)?;
                news.lines.push(text.clone());
                self.lines.push_back(Line { seq: event.seq, profile, text });
            }
            let surplus = self.lines.len().saturating_sub(RING_MAX);
            self.lines.drain(..surplus);
        }
        Ok((encode(&LiveAnswer { watched: is_watched, life })?, news))
    }

    /// Opens a channel for a watcher who has all lines up to number `after`.
    pub fn open(&self, after: i64) -> Channel {
        let mut channel = Channel::default();
        let mut lines: Vec<&Line> = self.lines.iter().filter(|line| line.seq > after).collect();
        // Isolates send at different times. Their events are in order by number.
        lines.sort_by_key(|line| line.seq);
        lines.into_iter().for_each(|line| channel.push(&line.text));
        channel
    }
}

/// The lines that wait for one watcher.
#[derive(Debug, Default)]
pub struct Channel {
    lines: VecDeque<String>,
    missed: u64,
}

impl Channel {
    /// Adds what a call brings.
    pub fn add(&mut self, news: &News) {
        self.missed += u64::from(news.missed);
        news.lines.iter().for_each(|line| self.push(line));
    }

    fn push(&mut self, line: &str) {
        if self.lines.len() >= CHANNEL_MAX {
            self.lines.pop_front();
            self.missed += 1;
        }
        self.lines.push_back(line.to_owned());
    }

    /// Takes everything that waits, as server-sent events; `None` where nothing waits.
    pub fn take(&mut self) -> Option<String> {
        let mut text = String::new();
        let missed = std::mem::take(&mut self.missed);
        if missed > 0 {
            text.push_str(&format!("event: missed\ndata: {{\"missed\":{missed}}}\n\n"));
        }
        // JSON has no raw line breaks, so a line needs no splitting.
        for line in self.lines.drain(..) {
            text.push_str("data: ");
            text.push_str(&line);
            text.push_str("\n\n");
        }
        Some(text).filter(|text| !text.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::journal::lines::LiveEvent;

    fn call(life: i64, seqs: std::ops::Range<i64>) -> String {
        let event = |seq| LiveEvent { seq, ..LiveEvent::default() };
        encode(&LiveCall { life, events: seqs.map(event).collect(), ..LiveCall::default() })
            .unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_millisecond(7).unwrap()
    }

    fn seqs(text: Option<String>) -> Vec<i64> {
        let text = text.unwrap_or_default();
        let seq = |line: &str| {
            let line: serde_json::Value =
                serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
            line["seq"].as_i64()
        };
        text.lines().filter_map(seq).collect()
    }

    #[test]
    fn a_call_that_means_another_life_brings_nothing_and_learns_the_life() {
        let mut ring = Ring::default();
        let (answer, news) = ring.answer(&call(3, 1..4), true, now()).unwrap();
        assert_eq!((answer.as_str(), news), (r#"{"watched":true,"life":7}"#, News::default()));
        let (_, news) = ring.answer(&call(7, 1..4), true, now()).unwrap();
        assert_eq!(news.lines.len(), 3);
    }

    #[test]
    fn the_events_of_an_erased_person_are_forgotten_and_no_watcher_gets_their_profile() {
        let mut ring = Ring::default();
        let event = |seq, profile: &str| LiveEvent {
            seq,
            profile: profile.to_owned(),
            ..LiveEvent::default()
        };
        let events = vec![event(1, "ana"), event(2, "bob"), event(3, "ana")];
        let (_, news) = ring.answer(&call(7, 0..0), true, now()).unwrap();
        assert_eq!(news, News::default());
        let shown = encode(&LiveCall { life: 7, events, ..LiveCall::default() }).unwrap();
        let (_, news) = ring.answer(&shown, true, now()).unwrap();
        assert!(news.lines.iter().all(|line| !line.contains("ana") && !line.contains("bob")));
        let forget = LiveCall { forget: Some("ana".to_owned()), ..LiveCall::default() };
        ring.answer(&encode(&forget).unwrap(), true, now()).unwrap();
        assert_eq!(seqs(ring.open(0).take()), [2]);
    }

    #[test]
    fn a_watcher_gets_the_lines_that_it_does_not_have_in_the_order_of_their_numbers() {
        let mut ring = Ring::default();
        for seqs in [50..53, 10..12] {
            ring.answer(&call(7, seqs), false, now()).unwrap();
        }
        assert_eq!(seqs(ring.open(10).take()), [11, 50, 51, 52]);
        ring.answer(&call(7, 100..400), false, now()).unwrap();
        assert_eq!(seqs(ring.open(0).take()).len(), RING_MAX);
    }

    #[test]
    fn a_slow_watcher_misses_the_oldest_lines_and_is_told_how_many() {
        let mut ring = Ring::default();
        ring.answer(&call(7, 0..0), true, now()).unwrap();
        let mut channel = ring.open(0);
        assert_eq!(channel.take(), None);
        for first in [0, 150] {
            let (_, news) = ring.answer(&call(7, first..first + 150), true, now()).unwrap();
            channel.add(&news);
        }
        let text = channel.take().unwrap();
        assert!(text.starts_with("event: missed\ndata: {\"missed\":100}\n\ndata: "), "{text}");
        assert_eq!(seqs(Some(text)), (100..300).collect::<Vec<_>>());
        assert_eq!(channel.take(), None, "the number is told once");
    }
}
