//! The queue: events that may be sent and are not yet durable at the collector.
//!
//! In: finished events. Out: batches, oldest first. An event leaves the queue when the collector has judged it. Events of one
//! task share a storage key and are written together at the task's end, because a write costs more than everything else. Such a
//! group is written again only when a part of it has left. Several tabs share the storage: each tab sends its own events and
//! those of closed tabs. The queue is bounded in number, bytes and age. Dropped events are counted by reason.

use hilo_core::text::{concat, cut, parts};

use crate::json::{number, read_number};
use crate::platform::Platform;

/// Prefix of the storage keys.
pub const PREFIX: &str = "hilo.q.";
/// Events kept (protocol.md).
pub const EVENTS_MAX: usize = 1_000;
/// Bytes kept (protocol.md).
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Age at which an event is dropped (protocol.md).
pub const AGE_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Events and bytes that are written together.
const GROUP_EVENTS_MAX: usize = 32;
const GROUP_BYTES_MAX: usize = 16 * 1024;
/// Stands between events that are written together. No JSON contains it.
const BETWEEN: u8 = b'\r';
/// Bytes of one event: the collector's own limit.
const EVENT_BYTES_MAX: usize = 32 * 1024;

/// One event, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
struct QueuedEvent {
    /// The storage key, which other events of the same task share.
    key: String,
    /// The time of the event, page clock.
    at_ms: i64,
    /// The event as JSON.
    json: String,
    /// Whether the event is worth money. Such events are dropped last.
    is_essential: bool,
    /// Whether the storage holds the event too.
    is_stored: bool,
    /// The request that carries the event; 0 for none.
    ticket: u32,
}

/// How many events were dropped, by reason. There are a dozen reasons at most, and a map is larger than this list.
pub type Counts = Vec<(&'static str, u32)>;

/// The events of one request. Line breaks, which JSON has nowhere else, part an event into pieces: a beginning, its ids, `"context":{"hilo":{`,
/// its session, `}`, its page, `}`, `}`. The pieces that all events share stand once in the envelope.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch<'q> {
    /// The events as a JSON list without its brackets; empty when there is nothing to send.
    pub events: String,
    /// Each of them is empty where events differ. Ids and page begin with a comma.
    pub ids: &'q str,
    /// `"session":{…}`.
    pub session: &'q str,
    /// `,"page":{…}`.
    pub page: &'q str,
}

/// Events in the order they happened.
#[derive(Debug, Default)]
pub struct Queue {
    events: Vec<QueuedEvent>,
    bytes: usize,
    made: u32,
    /// The storage key of this task's events; empty when all events are written.
    group: String,
    /// Events and bytes of the group.
    group_size: (usize, usize),
    dropped: Counts,
}

impl Queue {
    /// Takes up the events that earlier pages left. The queue must be empty, because its own events are stored as well.
    ///
    /// They are this tab's from now on, under keys of its own: a tab that still has them finds its keys gone, and sends them no more.
    pub fn recover<P: Platform>(&mut self, tab: &str, platform: &P) {
        for key in platform.keys(PREFIX) {
            let stored = platform.load(&key).unwrap_or_default();
            let own = self.new_key(tab);
            for text in parts(&stored, BETWEEN) {
                match read(&own, text) {
                    Some(event) => self.keep(event),
                    // Text of another version, or cut off. The valid events beside it stay.
                    None => self.count("corrupt", 1),
                }
            }
            // A full storage keeps them where they are.
            if self.write(&own, platform) {
                platform.remove(&key);
            }
        }
        self.trim(platform);
    }

    /// A storage key that no other tab and no other event has.
    fn new_key(&mut self, tab: &str) -> String {
        self.made = self.made.wrapping_add(1);
        concat(&[PREFIX, tab, ".", &number(i64::from(self.made))])
    }

    /// How many events wait.
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds an event. Returns whether it opened a group, which [`Queue::write_group`] has to write at the end of the task.
    pub fn push<P: Platform>(
        &mut self,
        at_ms: i64,
        json: String,
        is_essential: bool,
        tab: &str,
        platform: &P,
    ) -> bool {
        if json.len() > EVENT_BYTES_MAX {
            self.count("event_too_large", 1);
            return false;
        }
        let is_first = self.group.is_empty();
        if is_first {
            self.group_size = (0, 0);
            self.group = self.new_key(tab);
        }
        let (key, bytes) = (self.group.clone(), json.len());
        self.keep(QueuedEvent { key, at_ms, json, is_essential, is_stored: false, ticket: 0 });
        self.trim(platform);
        self.group_size = (self.group_size.0 + 1, self.group_size.1 + bytes);
        if self.group_size.0 >= GROUP_EVENTS_MAX || self.group_size.1 >= GROUP_BYTES_MAX {
            self.write_group(platform);
        }
        is_first
    }

    /// Writes the events of this task. Called at the end of each task, and before a batch is sent.
    pub fn write_group<P: Platform>(&mut self, platform: &P) {
        let key = std::mem::take(&mut self.group);
        if !key.is_empty() {
            self.write(&key, platform);
        }
    }

    /// Writes the events of `key`, or removes the key if it has none. Returns `false` if only memory keeps them.
    fn write<P: Platform>(&mut self, key: &str, platform: &P) -> bool {
        let mut text = String::new();
        for event in self.events.iter().filter(|event| event.key == key) {
            if !text.is_empty() {
                text.push(char::from(BETWEEN));
            }
            let mark = if event.is_essential { "!" } else { "." };
            for part in [&number(event.at_ms), mark, &event.json] {
                text.push_str(part);
            }
        }
        if text.is_empty() {
            platform.remove(key);
            return true;
        }
        let is_stored = platform.save(key, &text);
        for event in self.events.iter_mut().filter(|event| event.key == key) {
            event.is_stored = is_stored;
        }
        is_stored
    }

    /// Gives the oldest events that fit together into `bytes_max`, at most `count_max` of them, to the request `ticket`.
    ///
    /// Forgets the events that another tab has sent or purged meanwhile.
    pub fn load<P: Platform>(
        &mut self,
        ticket: u32,
        count_max: usize,
        bytes_max: usize,
        platform: &P,
    ) {
        self.write_group(platform);
        self.trim(platform);
        let (mut count, mut bytes, mut is_full) = (0, 0, false);
        // Events of one key stand together, so each key is looked up once.
        let (mut looked, mut is_there) = (String::new(), true);
        self.events.retain_mut(|event| {
            is_full |= count >= count_max;
            if is_full || event.ticket != 0 {
                return true;
            }
            if looked != event.key {
                looked.clone_from(&event.key);
                is_there = !event.is_stored || platform.load(&looked).is_some();
            }
            if !is_there {
                self.bytes = self.bytes.saturating_sub(event.json.len());
                return false;
            }
            // A single event always fits, because it is smaller than any envelope.
            if count > 0 && bytes + event.json.len() >= bytes_max {
                is_full = true;
                return true;
            }
            bytes += event.json.len() + 1;
            event.ticket = ticket;
            count += 1;
            true
        });
    }

    /// The events of the request `ticket` as JSON, and what all of them share.
    pub fn batch(&self, ticket: u32) -> Batch<'_> {
        let (ids, session, page) =
            (self.shared(ticket, 1), self.shared(ticket, 3), self.shared(ticket, 5));
        // A bit for each piece that stands in the events, the first piece lowest.
        let mut own = 0b1000_0001;
        if ids.is_empty() {
            own |= 0b10;
        }
        if session.is_empty() {
            own |= 0b101_1100;
        }
        if page.is_empty() {
            own |= 0b111_0100;
        }
        let mut events = String::new();
        for event in self.events.iter().filter(|event| event.ticket == ticket) {
            if !events.is_empty() {
                events.push(',');
            }
            for nth in 0..8 {
                if own >> nth & 1 == 1 {
                    events.push_str(piece(&event.json, nth));
                }
            }
        }
        Batch { events, ids, session, page }
    }

    /// The piece number `nth` of the events of the request `ticket`, if it is the same in all of them; else empty. An event without
    /// its own would get the envelope's. So all events share a piece, or none does.
    #[inline(never)]
    fn shared(&self, ticket: u32, nth: u8) -> &str {
        let mut shared = "";
        for event in self.events.iter().filter(|event| event.ticket == ticket) {
            let piece = piece(&event.json, nth);
            if shared.is_empty() {
                shared = piece;
            }
            if shared != piece {
                return "";
            }
        }
        shared
    }

    /// How many events the request `ticket` carries.
    pub fn carried(&self, ticket: u32) -> usize {
        self.events.iter().filter(|event| event.ticket == ticket).count()
    }

    /// The request `ticket` was answered. Its events leave if they were judged; else they wait for another attempt.
    pub fn landed<P: Platform>(&mut self, ticket: u32, is_judged: bool, platform: &P) {
        let (bytes, mut keys) = (&mut self.bytes, Vec::new());
        self.events.retain_mut(|event| {
            if event.ticket != ticket {
                return true;
            }
            event.ticket = 0;
            if is_judged {
                *bytes = bytes.saturating_sub(event.json.len());
                if keys.last() != Some(&event.key) {
                    keys.push(event.key.clone());
                }
            }
            !is_judged
        });
        for key in keys {
            self.write(&key, platform);
        }
    }

    /// Removes every event, also those that other tabs stored.
    pub fn purge<P: Platform>(&mut self, platform: &P) {
        for key in platform.keys(PREFIX) {
            platform.remove(&key);
        }
        self.events.clear();
        self.group.clear();
        self.bytes = 0;
    }

    /// Counts dropped events by reason.
    #[inline(never)]
    pub fn count(&mut self, reason: &'static str, events: u32) {
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count = count.saturating_add(events),
            None => self.dropped.push((reason, events)),
        }
    }

    /// The events dropped since the last envelope that arrived.
    pub const fn dropped(&self) -> &Counts {
        &self.dropped
    }

    /// Subtracts counts that have arrived at the collector.
    pub fn reported(&mut self, counts: &Counts) {
        self.dropped.retain_mut(|(reason, count)| {
            let told = counts.iter().find(|(told, _)| told == reason).map_or(0, |(_, told)| *told);
            *count = count.saturating_sub(told);
            *count > 0
        });
    }

    fn keep(&mut self, event: QueuedEvent) {
        self.bytes += event.json.len();
        self.events.push(event);
        // Events come in the order of their times, so the loop hardly ever runs.
        let mut end = self.events.len();
        while let Some([.., before, last]) = self.events.get_mut(..end)
            && before.at_ms > last.at_ms
        {
            std::mem::swap(before, last);
            end -= 1;
        }
    }

    /// Enforces age, number and bytes: the oldest events go first, the essential ones last.
    ///
    /// Events that were written together go together. Else the rest of the group would be written again for each.
    fn trim<P: Platform>(&mut self, platform: &P) {
        let now = platform.now_ms();
        while let Some(oldest) = self.events.first() {
            let (victim, reason) = if now - oldest.at_ms > AGE_MS_MAX {
                (oldest, "expired")
            } else if self.events.len() > EVENTS_MAX || self.bytes > BYTES_MAX {
                (
                    self.events.iter().find(|event| !event.is_essential).unwrap_or(oldest),
                    "queue_full",
                )
            } else {
                return;
            };
            let (key, is_essential) = (victim.key.clone(), victim.is_essential);
            let (bytes, mut gone) = (&mut self.bytes, 0);
            self.events.retain(|event| {
                let stays = event.key != key || event.is_essential != is_essential;
                if !stays {
                    *bytes = bytes.saturating_sub(event.json.len());
                    gone += 1;
                }
                stays
            });
            if key != self.group {
                self.write(&key, platform);
            }
            self.count(reason, gone);
        }
    }
}

/// The piece number `nth` of an event, as [`Batch`] says; empty for none.
#[inline(never)]
fn piece(json: &str, nth: u8) -> &str {
    let mut rest = json;
    for _ in 0..nth {
        rest = cut(rest, b'\n').1.unwrap_or_default();
    }
    cut(rest, b'\n').0
}

/// Reads a stored event: time, `!` or `.`, JSON.
fn read(key: &str, text: &str) -> Option<QueuedEvent> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit())?;
    let is_essential = cut(text, b'!').0.len() == end;
    let (at_ms, json) = (read_number(text.get(..end)?)?, text.get(end + 1..)?);
    // A value that was cut off would make the whole batch unreadable.
    let is_whole = json.starts_with('{') && json.ends_with('}') && json.len() <= EVENT_BYTES_MAX;
    is_whole.then(|| QueuedEvent {
        key: key.to_owned(),
        at_ms,
        json: json.to_owned(),
        is_essential,
        is_stored: true,
        ticket: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::memory::Memory;

    /// Each event in a task of its own.
    fn fill(queue: &mut Queue, platform: &Memory, count: usize) {
        for i in 0..count {
            queue.push(platform.now_ms(), format!("{{\"i\":{i}}}"), false, "t", platform);
            queue.write_group(platform);
        }
    }

    fn page() -> Memory {
        Memory::new("https://a.example/")
    }

    /// The events that the request `ticket` takes.
    fn load(
        queue: &mut Queue,
        ticket: u32,
        count_max: usize,
        bytes_max: usize,
        platform: &Memory,
    ) -> String {
        queue.load(ticket, count_max, bytes_max, platform);
        queue.batch(ticket).events
    }

    fn recover(platform: &Memory) -> Queue {
        let mut queue = Queue::default();
        queue.recover("r", platform);
        queue
    }

    #[test]
    fn a_full_queue_drops_the_oldest_events_and_keeps_essential_ones() {
        let (platform, mut queue) = (page(), Queue::default());
        queue.push(platform.now_ms(), "{\"order\":1}".to_owned(), true, "t", &platform);
        fill(&mut queue, &platform, EVENTS_MAX);
        assert_eq!(queue.len(), EVENTS_MAX);
        assert_eq!(queue.dropped()[..], [("queue_full", 1)]);
        assert_eq!(load(&mut queue, 1, 1, 1_000, &platform), "{\"order\":1}");
    }

    #[test]
    fn events_written_together_are_dropped_together_except_essential_ones() {
        let (platform, mut queue) = (page(), Queue::default());
        let pushed = EVENTS_MAX + 1;
        for i in 0..pushed {
            queue.push(platform.now_ms(), format!("{{\"i\":{i}}}"), i == 3, "t", &platform);
        }
        queue.write_group(&platform);
        assert_eq!(queue.len(), pushed - (GROUP_EVENTS_MAX - 1));
        assert_eq!(queue.dropped()[..], [("queue_full", GROUP_EVENTS_MAX as u32 - 1)]);
        assert_eq!(load(&mut queue, 1, 2, 1_000, &platform), r#"{"i":3},{"i":32}"#);
        assert_eq!(recover(&platform).len(), queue.len(), "what is stored");
    }

    #[test]
    fn an_event_older_than_a_week_is_dropped() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 2);
        platform.pass(AGE_MS_MAX + 1);
        assert_eq!(load(&mut queue, 1, 10, 1_000, &platform), "");
        assert_eq!(queue.dropped()[..], [("expired", 2)]);
    }

    #[test]
    fn the_next_page_recovers_whole_events() {
        let (platform, mut queue) = (page(), Queue::default());
        queue.push(platform.now_ms(), "{\"order\":1}".to_owned(), true, "t", &platform);
        queue.write_group(&platform);
        fill(&mut queue, &platform, 3);
        platform.save("hilo.q.9.x.9", "17.{\"cut");
        let recovered = recover(&platform);
        assert_eq!(recovered.dropped()[..], [("corrupt", 1)]);
        let essential: Vec<_> = recovered.events.iter().map(|event| event.is_essential).collect();
        assert_eq!(essential.iter().filter(|is| **is).count(), 1);
        assert_eq!(essential.len(), 4);
    }

    #[test]
    fn an_event_that_another_tab_has_sent_is_not_sent_again() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 2);
        let mut other = recover(&platform);
        assert_eq!(load(&mut queue, 1, 10, 1_000, &platform), "", "the other tab has them now");
        assert!(queue.is_empty());
        assert_eq!(load(&mut other, 1, 1, 1_000, &platform), "{\"i\":0}");
        other.landed(1, true, &platform);
        assert_eq!(load(&mut recover(&platform), 1, 9, 1_000, &platform), "{\"i\":1}");
    }

    #[test]
    fn events_of_one_task_are_written_once_and_the_rest_of_them_stays() {
        let (platform, mut queue) = (page(), Queue::default());
        let opened: Vec<bool> = (0..3)
            .map(|i| {
                queue.push(platform.now_ms(), format!("{{\"i\":{i}}}"), i == 1, "t", &platform)
            })
            .collect();
        assert_eq!((opened, platform.stored().len()), (vec![true, false, false], 0));
        queue.write_group(&platform);
        assert_eq!(platform.stored().len(), 1);
        queue.load(1, 2, 1_000, &platform);
        queue.landed(1, true, &platform);
        let mut next = recover(&platform);
        assert_eq!(load(&mut next, 1, 9, 1_000, &platform), r#"{"i":2}"#);
        next.landed(1, true, &platform);
        assert!(platform.stored().is_empty());
    }

    #[test]
    fn the_events_of_a_long_task_are_written_in_pieces() {
        let (platform, mut queue) = (page(), Queue::default());
        for i in 0..GROUP_EVENTS_MAX + 1 {
            queue.push(platform.now_ms(), format!("{{\"i\":{i}}}"), false, "t", &platform);
        }
        assert_eq!(recover(&platform).len(), GROUP_EVENTS_MAX);
        queue.write_group(&platform);
        assert_eq!(recover(&platform).len(), GROUP_EVENTS_MAX + 1);
    }

    #[test]
    fn a_batch_obeys_number_and_bytes_and_is_never_stuck() {
        for (count_max, bytes_max, expected) in [(2, 1_000, 2), (10, 17, 2), (10, 1, 1)] {
            let (platform, mut queue) = (page(), Queue::default());
            fill(&mut queue, &platform, 5);
            queue.load(7, count_max, bytes_max, &platform);
            assert_eq!(queue.carried(7), expected);
        }
    }

    #[test]
    fn what_all_events_share_is_written_once_and_what_differs_with_each_event() {
        let event = |[id, session, page]: [u8; 3]| {
            format!(
                "{{\"t\":1\n,\"a\":{id}\n,\"c\":{{\"h\":{{\n\"s\":{session}\n}}\n,\"p\":{page}\n}}\n}}"
            )
        };
        let (a, s, p) = (",\"a\":1", "\"s\":1", ",\"p\":1");
        for (second, events, shared) in [
            ([1, 1, 1], r#"{"t":1},{"t":1}"#, [a, s, p]),
            ([2, 1, 1], r#"{"t":1,"a":1},{"t":1,"a":2}"#, ["", s, p]),
            ([1, 2, 1], r#"{"t":1,"c":{"h":{"s":1}}},{"t":1,"c":{"h":{"s":2}}}"#, [a, "", p]),
            ([1, 1, 2], r#"{"t":1,"c":{"h":{},"p":1}},{"t":1,"c":{"h":{},"p":2}}"#, [a, s, ""]),
            (
                [2, 2, 2],
                r#"{"t":1,"a":1,"c":{"h":{"s":1},"p":1}},{"t":1,"a":2,"c":{"h":{"s":2},"p":2}}"#,
                ["", "", ""],
            ),
        ] {
            let (platform, mut queue) = (page(), Queue::default());
            for pieces in [[1, 1, 1], second] {
                queue.push(platform.now_ms(), event(pieces), false, "t", &platform);
            }
            queue.load(1, 9, 1_000, &platform);
            let batch = queue.batch(1);
            let found = (batch.events.as_str(), [batch.ids, batch.session, batch.page]);
            assert_eq!(found, (events, shared));
        }
    }

    #[test]
    fn an_event_on_its_way_is_not_sent_twice_and_waits_again_after_a_failure() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 3);
        assert_eq!(load(&mut queue, 1, 2, 1_000, &platform), r#"{"i":0},{"i":1}"#);
        assert_eq!(load(&mut queue, 2, 2, 1_000, &platform), r#"{"i":2}"#);
        assert_eq!(load(&mut queue, 3, 2, 1_000, &platform), "");
        queue.landed(1, false, &platform);
        queue.landed(2, true, &platform);
        assert_eq!(load(&mut queue, 4, 9, 1_000, &platform), r#"{"i":0},{"i":1}"#);
    }

    #[test]
    fn counts_of_dropped_events_leave_when_they_have_arrived() {
        let mut queue = Queue::default();
        queue.count("expired", 1);
        let told = queue.dropped().clone();
        queue.count("expired", 1);
        queue.reported(&told);
        assert_eq!(queue.dropped()[..], [("expired", 1)]);
    }
}
