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

/// The events of one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// The events as a JSON list without its brackets; empty when there is nothing to send.
    pub events: String,
    /// The fields that all events share, so that the envelope's context holds them once; empty for none.
    pub shared: String,
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
    pub fn recover<P: Platform>(&mut self, platform: &P) {
        for key in platform.keys(PREFIX) {
            let stored = platform.load(&key).unwrap_or_default();
            let mut is_whole = true;
            for text in parts(&stored, BETWEEN) {
                match read(&key, text) {
                    Some(event) => self.keep(event),
                    None => {
                        // Text of another version, or cut off. The valid events beside it stay.
                        self.count("corrupt", 1);
                        is_whole = false;
                    }
                }
            }
            if !is_whole {
                self.write(&key, platform);
            }
        }
        self.trim(platform);
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
            self.made = self.made.wrapping_add(1);
            let number_of = number(i64::from(self.made));
            self.group_size = (0, 0);
            self.group = concat(&[PREFIX, &number(at_ms), ".", tab, ".", &number_of]);
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

    /// Writes the events of `key`, or removes the key if it has none.
    fn write<P: Platform>(&mut self, key: &str, platform: &P) {
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
            return platform.remove(key);
        }
        let is_stored = platform.save(key, &text);
        for event in self.events.iter_mut().filter(|event| event.key == key) {
            event.is_stored = is_stored;
        }
    }

    /// Gives the oldest events that fit together into `bytes_max`, at most `count_max` of them, to the request `ticket`.
    ///
    /// Forgets the events that another tab has sent or purged meanwhile.
    pub fn batch<P: Platform>(
        &mut self,
        ticket: u32,
        count_max: usize,
        bytes_max: usize,
        platform: &P,
    ) -> Batch {
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
        self.written(ticket)
    }

    /// The events of the request `ticket` as JSON. Text between marks that is the same in all events is returned once.
    fn written(&self, ticket: u32) -> Batch {
        let mine = || self.events.iter().filter(|event| event.ticket == ticket);
        let shared = mine().next().map_or("", |event| thirds(&event.json)[1]);
        // An event without the shared fields would get them from the envelope. So all events share them, or none does.
        let is_shared = mine().all(|event| thirds(&event.json)[1] == shared);
        let mut events = String::new();
        for event in mine() {
            if !events.is_empty() {
                events.push(',');
            }
            let [head, middle, tail] = thirds(&event.json);
            events.push_str(head);
            events.push_str(if is_shared { "" } else { middle });
            events.push_str(tail);
        }
        let shared = if is_shared { shared.get(1..).unwrap_or_default() } else { "" };
        Batch { events, shared: shared.to_owned() }
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

/// The text before, between and behind the marks of an event. A mark is a line break, which JSON has nowhere else.
fn thirds(json: &str) -> [&str; 3] {
    let (head, rest) = cut(json, b'\n');
    let (middle, tail) = cut(rest.unwrap_or_default(), b'\n');
    [head, middle, tail.unwrap_or_default()]
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

    fn recover(platform: &Memory) -> Queue {
        let mut queue = Queue::default();
        queue.recover(platform);
        queue
    }

    #[test]
    fn a_full_queue_drops_the_oldest_events_and_keeps_essential_ones() {
        let (platform, mut queue) = (page(), Queue::default());
        queue.push(platform.now_ms(), "{\"order\":1}".to_owned(), true, "t", &platform);
        fill(&mut queue, &platform, EVENTS_MAX);
        assert_eq!(queue.len(), EVENTS_MAX);
        assert_eq!(queue.dropped()[..], [("queue_full", 1)]);
        assert_eq!(queue.batch(1, 1, 1_000, &platform).events, "{\"order\":1}");
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
        assert_eq!(queue.batch(1, 2, 1_000, &platform).events, r#"{"i":3},{"i":32}"#);
        assert_eq!(recover(&platform).len(), queue.len(), "what is stored");
    }

    #[test]
    fn an_event_older_than_a_week_is_dropped() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 2);
        platform.pass(AGE_MS_MAX + 1);
        assert_eq!(queue.batch(1, 10, 1_000, &platform).events, "");
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
        assert_eq!(other.batch(1, 1, 1_000, &platform).events, "{\"i\":0}");
        other.landed(1, true, &platform);
        assert_eq!(queue.batch(1, 10, 1_000, &platform).events, "{\"i\":1}");
        assert_eq!(queue.len(), 1);
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
        queue.batch(1, 2, 1_000, &platform);
        queue.landed(1, true, &platform);
        let mut next = recover(&platform);
        assert_eq!(next.batch(1, 9, 1_000, &platform).events, r#"{"i":2}"#);
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
            queue.batch(7, count_max, bytes_max, &platform);
            assert_eq!(queue.carried(7), expected);
        }
    }

    #[test]
    fn fields_that_all_events_share_are_written_once_and_others_with_each_event() {
        let event = |page: &str| format!("{{\"c\":{{\"h\":1\n,{page}\n}}}}");
        for (second, events, shared) in [
            ("\"p\":1", r#"{"c":{"h":1}},{"c":{"h":1}}"#, "\"p\":1"),
            ("\"p\":2", r#"{"c":{"h":1,"p":1}},{"c":{"h":1,"p":2}}"#, ""),
        ] {
            let (platform, mut queue) = (page(), Queue::default());
            for page in ["\"p\":1", second] {
                queue.push(platform.now_ms(), event(page), false, "t", &platform);
            }
            let batch = queue.batch(1, 9, 1_000, &platform);
            assert_eq!((batch.events.as_str(), batch.shared.as_str()), (events, shared));
        }
    }

    #[test]
    fn an_event_on_its_way_is_not_sent_twice_and_waits_again_after_a_failure() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 3);
        assert_eq!(queue.batch(1, 2, 1_000, &platform).events, r#"{"i":0},{"i":1}"#);
        assert_eq!(queue.batch(2, 2, 1_000, &platform).events, r#"{"i":2}"#);
        assert_eq!(queue.batch(3, 2, 1_000, &platform).events, "");
        queue.landed(1, false, &platform);
        queue.landed(2, true, &platform);
        assert_eq!(queue.batch(4, 9, 1_000, &platform).events, r#"{"i":0},{"i":1}"#);
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
