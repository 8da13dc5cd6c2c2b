//! The queue: events that may be sent and are not yet durable at the collector.
//!
//! In: finished events. Out: batches, oldest first. An event leaves the queue when the collector has judged it. Events of one
//! task share a storage key and are written together at the task's end, because a write costs more than everything else. Such a
//! group is written again only when a part of it has left. Several tabs share the storage: a tab sends its own events and those that
//! it recovers, or hands its own over to the tab that sends for all. The queue is bounded in number, bytes and age. Dropped events are
//! counted by reason.

mod batch;

pub use batch::Batch;

use hilo_core::text::{concat, cut, put, words};

use crate::json::{number, read_number, write_number};
use crate::platform::Platform;
use crate::platform::codes::PERSISTENCE_LOCAL;

/// Prefix of the storage keys.
pub const PREFIX: &str = "hilo.q.";
/// Events that are kept in any case (protocol.md).
const EVENTS_KEPT: usize = 1_000;
/// Most events of the queue. A full queue drops a group, and the room of one group keeps the rest from falling below a thousand.
pub const EVENTS_MAX: usize = EVENTS_KEPT + GROUP_EVENTS_MAX;
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
    /// Whether another tab sends what this tab stores. It begins while nothing is on its way.
    pub is_handing_over: bool,
    dropped: Counts,
}

impl Queue {
    /// Takes up the stored events of the tab `of`, of every tab for empty text, except those that this tab has already.
    ///
    /// They are this tab's from now on, under keys of its own: a tab that still has them finds its keys gone, and sends them no more.
    pub fn recover<P: Platform>(&mut self, of: &str, tab: &str, platform: &P) {
        for key in words(&platform.keys(&concat(&[PREFIX, of])), b'\n') {
            if self.events.iter().any(|event| event.key == key) {
                continue;
            }
            let stored = platform.load(key).unwrap_or_default();
            let own = self.new_key(tab);
            for text in words(&stored, BETWEEN) {
                match read(&own, text) {
                    Some(event) => self.keep(event),
                    // Text of another version, or cut off. The valid events beside it stay.
                    None => self.count("corrupt", 1),
                }
            }
            let mut left = key;
            if !self.write(&own, platform) {
                // A full storage keeps them where they are, so this tab has them under the old key.
                for event in self.events.iter_mut().filter(|event| event.key == own) {
                    event.key = key.to_owned();
                    event.is_stored = true;
                }
                left = &own;
            }
            platform.remove(left);
        }
        self.trim(platform);
    }

    /// A storage key that no other tab and no other event has.
    fn new_key(&mut self, tab: &str) -> String {
        self.made = self.made.wrapping_add(1);
        concat(&[PREFIX, tab, &number(i64::from(self.made))])
    }

    /// How many events wait.
    pub const fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether nothing waits.
    pub const fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Adds an event; empty text is one that the site dropped. Returns whether it opened a group, which [`Queue::write_group`] has to
    /// write at the end of the task.
    pub fn push<P: Platform>(
        &mut self,
        at_ms: i64,
        json: String,
        is_essential: bool,
        tab: &str,
        platform: &P,
    ) -> bool {
        if json.is_empty() || json.len() > EVENT_BYTES_MAX {
            self.count(if json.is_empty() { "site_dropped" } else { "event_too_large" }, 1);
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
        if self.is_handing_over {
            self.sweep(platform);
        }
    }

    /// Writes the events of `key`, or removes the key if it has none. Returns `false` if only memory keeps them.
    fn write<P: Platform>(&mut self, key: &str, platform: &P) -> bool {
        let mut text = String::new();
        for event in self.events.iter().filter(|event| event.key == key) {
            if event.json.is_empty() {
                continue;
            }
            if !text.is_empty() {
                put(&mut text, "\r");
            }
            write_number(&mut text, event.at_ms);
            put(&mut text, if event.is_essential { "|!" } else { "|" });
            text.push_str(&event.json);
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
        let (mut count, mut bytes) = (0, 0);
        // Events of one key stand together, so each key is looked up once.
        let (mut looked, mut is_there) = (String::new(), true);
        for event in &mut self.events {
            if count >= count_max {
                break;
            }
            if event.ticket != 0 {
                continue;
            }
            if looked != event.key {
                looked.clone_from(&event.key);
                is_there = !event.is_stored || platform.load(&looked).is_some();
            }
            if !is_there {
                // The key is the other tab's: the rest of the group is not written again.
                event.key.clear();
                event.json.clear();
                continue;
            }
            // A single event always fits, because it is smaller than any envelope.
            if count > 0 && bytes + event.json.len() >= bytes_max {
                break;
            }
            bytes += event.json.len() + 1;
            event.ticket = ticket;
            count += 1;
        }
        self.sweep(platform);
    }

    /// Takes out the events whose JSON was cleared, and writes the rest of their groups. Forgets the events that are the other tab's, because
    /// the storage of all tabs holds them. One function for all ways out: each would be a copy of the code that closes the gaps.
    fn sweep<P: Platform>(&mut self, platform: &P) {
        let mut written = String::new();
        for at in 0..self.events.len() {
            if let Some(event) = self.events.get(at)
                && event.json.is_empty()
                && event.key != written
            {
                written.clone_from(&event.key);
                // The events of this task are written at its end.
                if written != self.group {
                    self.write(&written, platform);
                }
            }
        }
        let mut bytes = 0;
        let hands_over = self.is_handing_over && platform.persistence() == PERSISTENCE_LOCAL;
        self.events.retain(|event| {
            let stays = !(event.json.is_empty() || hands_over && event.is_stored);
            if stays {
                bytes += event.json.len();
            }
            stays
        });
        self.bytes = bytes;
    }

    /// How many events the request `ticket` carries.
    pub fn carried(&self, ticket: u32) -> usize {
        self.events.iter().filter(|event| event.ticket == ticket).count()
    }

    /// The request `ticket` was answered. Its events leave if they were judged; else they wait for another attempt.
    pub fn landed<P: Platform>(&mut self, ticket: u32, is_judged: bool, platform: &P) {
        for event in self.events.iter_mut().filter(|event| event.ticket == ticket) {
            event.ticket = 0;
            if is_judged {
                event.json.clear();
            }
        }
        self.sweep(platform);
    }

    /// Removes every event, also those that other tabs stored.
    pub fn purge<P: Platform>(&mut self, platform: &P) {
        platform.forget(PREFIX);
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

    /// Takes the counts of dropped events for an envelope. Those of an envelope that does not arrive come back by [`Queue::count`].
    pub fn take_dropped(&mut self) -> Counts {
        std::mem::take(&mut self.dropped)
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
            let mut gone = 0;
            for event in &mut self.events {
                if event.key == key && event.is_essential == is_essential {
                    event.json.clear();
                    gone += 1;
                }
            }
            self.sweep(platform);
            self.count(reason, gone);
        }
    }
}

/// Reads a stored event: time, a bar, `!` where it is essential, JSON.
fn read(key: &str, text: &str) -> Option<QueuedEvent> {
    let (at, rest) = cut(text, b'|');
    let (at_ms, rest) = (read_number(at)?, rest?);
    let essential = rest.strip_prefix("!");
    let (json, is_essential) = (essential.unwrap_or(rest), essential.is_some());
    // A value that was cut off would make the whole batch unreadable.
    let is_whole = json.starts_with("{") && json.ends_with("}") && json.len() <= EVENT_BYTES_MAX;
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
        // Each time another tab.
        queue.recover("", &format!("r{}.", platform.saved().len()), platform);
        queue
    }

    #[test]
    fn a_full_queue_drops_the_oldest_events_and_keeps_essential_ones() {
        let (platform, mut queue) = (page(), Queue::default());
        queue.push(platform.now_ms(), "{\"order\":1}".to_owned(), true, "t", &platform);
        fill(&mut queue, &platform, EVENTS_MAX);
        assert_eq!(queue.len(), EVENTS_MAX);
        assert_eq!(queue.dropped, [("queue_full", 1)]);
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
        assert_eq!(queue.dropped, [("queue_full", GROUP_EVENTS_MAX as u32 - 1)]);
        assert_eq!(load(&mut queue, 1, 2, 1_000, &platform), r#"{"i":3},{"i":32}"#);
        assert_eq!(recover(&platform).len(), queue.len(), "what is stored");
    }

    #[test]
    fn a_full_queue_keeps_the_newest_thousand_events_whatever_the_size_of_its_groups() {
        for size in [1, 7, GROUP_EVENTS_MAX] {
            let (platform, mut queue) = (page(), Queue::default());
            let mut held = Vec::new();
            for i in 1..3 * EVENTS_KEPT {
                queue.push(platform.now_ms(), format!("{{\"i\":{i}}}"), false, "t", &platform);
                if i % size == 0 {
                    queue.write_group(&platform);
                }
                held.push(queue.len());
            }
            let full = held.get(EVENTS_KEPT..).unwrap_or_default();
            let range = (full.iter().min(), full.iter().max());
            assert!(range.0 >= Some(&EVENTS_KEPT) && range.1 == Some(&EVENTS_MAX), "{range:?}");
        }
    }

    #[test]
    fn an_event_older_than_a_week_is_dropped() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 2);
        platform.pass(AGE_MS_MAX + 1);
        assert_eq!(load(&mut queue, 1, 10, 1_000, &platform), "");
        assert_eq!(queue.dropped, [("expired", 2)]);
    }

    #[test]
    fn the_next_page_recovers_whole_events() {
        let (platform, mut queue) = (page(), Queue::default());
        queue.push(platform.now_ms(), "{\"order\":1}".to_owned(), true, "t", &platform);
        queue.write_group(&platform);
        fill(&mut queue, &platform, 3);
        platform.save("hilo.q.9.x.9", "17|{\"cut");
        let recovered = recover(&platform);
        assert_eq!(recovered.dropped, [("corrupt", 1)]);
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
    fn counts_of_dropped_events_leave_with_an_envelope_and_add_up() {
        let mut queue = Queue::default();
        queue.count("expired", 1);
        assert_eq!(queue.take_dropped(), [("expired", 1)]);
        queue.count("expired", 1);
        queue.count("expired", 2);
        assert_eq!(queue.take_dropped(), [("expired", 3)]);
    }
}
