//! The queue: events that may be sent and are not yet known durable at the collector.
//!
//! In: finished events. Out: batches, oldest first; an event leaves when it was judged. Events of one task of the page share
//! a storage key and are written together at its end: a write costs more than everything else, and nothing of the queue is
//! ever written again but what is left of such a group. Several tabs share the storage: each sends its own, and what closed
//! tabs left. Bounded in number, bytes and age; what falls out is counted by reason.

use hilo_core::text::{concat, cut, parts};

use crate::json::{number, read_number};
use crate::platform::Platform;

/// Prefix of the storage keys.
pub const PREFIX: &str = "hilo.q.";
/// Events kept (protocol.md).
pub const EVENTS_MAX: usize = 1_000;
/// Bytes kept (protocol.md).
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Age at which an event is of no use any more (protocol.md).
pub const AGE_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Events and bytes that are written together.
const GROUP_EVENTS_MAX: usize = 32;
const GROUP_BYTES_MAX: usize = 16 * 1024;
/// Stands between events that are written together: JSON has it nowhere.
const BETWEEN: u8 = b'\r';
/// Bytes of one event: the collector's own limit.
const EVENT_BYTES_MAX: usize = 32 * 1024;

/// One event, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
struct QueuedEvent {
    /// Where it is stored, alone or with others.
    key: String,
    /// When it happened.
    at_ms: i64,
    /// The event as JSON.
    json: String,
    /// Whether losing it would cost money: these go last.
    is_essential: bool,
    /// Whether the storage holds it too.
    is_stored: bool,
    /// The request that carries it; 0 for none.
    ticket: u32,
}

/// How many were lost, by reason. A dozen reasons at most: a map would cost every visitor more bytes than it saves.
pub type Counts = Vec<(&'static str, u32)>;

/// What one request carries.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// A list for JSON, without its brackets; empty when there is nothing to send.
    pub events: String,
    /// What every event leaves out because the envelope's context says it once; empty for nothing.
    pub shared: String,
}

/// Events in the order they happened.
#[derive(Debug, Default)]
pub struct Queue {
    events: Vec<QueuedEvent>,
    bytes: usize,
    made: u32,
    /// Where the events of this task will be written; empty when all are.
    group: String,
    /// Events and bytes of it.
    group_size: (usize, usize),
    dropped: Counts,
}

impl Queue {
    /// Takes up what earlier pages left behind. Only for a queue that is empty: its own events are stored as well.
    pub fn recover<P: Platform>(&mut self, platform: &P) {
        for key in platform.keys(PREFIX) {
            let stored = platform.load(&key).unwrap_or_default();
            let mut is_whole = true;
            for text in parts(&stored, BETWEEN) {
                match read(&key, text) {
                    Some(event) => self.keep(event),
                    None => {
                        // Cut off, of another version, or not ours: what is valid beside it is not lost.
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

    /// Adds an event. Whether it opened a group, which [`Queue::write_group`] has to write at the end of the task.
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

    /// Writes what was added since the last time. Called at the end of each task, and before anything is sent.
    pub fn write_group<P: Platform>(&mut self, platform: &P) {
        let key = std::mem::take(&mut self.group);
        if !key.is_empty() {
            self.write(&key, platform);
        }
    }

    /// Writes the events that belong under `key`, or removes it where there are none.
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
    /// What another tab has sent or purged meanwhile is forgotten on the way.
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
        // Events of one key stand together, so it is looked up once.
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
            // One event always fits: it is smaller than any envelope.
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

    /// The events of the request `ticket` as JSON; what stands between marks in all of them alike, once.
    fn written(&self, ticket: u32) -> Batch {
        let mine = || self.events.iter().filter(|event| event.ticket == ticket);
        let shared = mine().next().map_or("", |event| thirds(&event.json)[1]);
        // An event that says less would be filled up from what is said for all, so it is all of them or none.
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

    /// The request `ticket` was answered: its events were judged and are let go of, or wait for another attempt.
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

    /// Lets go of everything, stored leftovers of other tabs included.
    pub fn purge<P: Platform>(&mut self, platform: &P) {
        for key in platform.keys(PREFIX) {
            platform.remove(&key);
        }
        self.events.clear();
        self.group.clear();
        self.bytes = 0;
    }

    /// Counts events that were lost, by reason.
    #[inline(never)]
    pub fn count(&mut self, reason: &'static str, events: u32) {
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count = count.saturating_add(events),
            None => self.dropped.push((reason, events)),
        }
    }

    /// What was lost since the last envelope that arrived.
    pub const fn dropped(&self) -> &Counts {
        &self.dropped
    }

    /// The counts have arrived.
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
        // Nearly always there already: events come in the order they happen.
        let mut end = self.events.len();
        while let Some([.., before, last]) = self.events.get_mut(..end)
            && before.at_ms > last.at_ms
        {
            std::mem::swap(before, last);
            end -= 1;
        }
    }

    /// Enforces age, number and bytes: the oldest go first, the essential ones last.
    ///
    /// Those that were written together go together: what is left of them would have to be written again for each.
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

/// What stands before, between and behind the marks of an event: line breaks, which its JSON has nowhere else.
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
    // A value that was cut off in the middle would spoil the whole batch.
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
    fn the_oldest_fall_out_and_essential_ones_stay() {
        let (platform, mut queue) = (page(), Queue::default());
        queue.push(platform.now_ms(), "{\"order\":1}".to_owned(), true, "t", &platform);
        fill(&mut queue, &platform, EVENTS_MAX);
        assert_eq!(queue.len(), EVENTS_MAX);
        assert_eq!(queue.dropped()[..], [("queue_full", 1)]);
        assert_eq!(queue.batch(1, 1, 1_000, &platform).events, "{\"order\":1}");
    }

    #[test]
    fn what_was_written_together_falls_out_together_but_for_what_is_essential() {
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
    fn a_week_is_too_long() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 2);
        platform.pass(AGE_MS_MAX + 1);
        assert_eq!(queue.batch(1, 10, 1_000, &platform).events, "");
        assert_eq!(queue.dropped()[..], [("expired", 2)]);
    }

    #[test]
    fn the_next_page_recovers_what_is_whole() {
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
    fn what_another_tab_has_sent_is_not_sent_again() {
        let (platform, mut queue) = (page(), Queue::default());
        fill(&mut queue, &platform, 2);
        let mut other = recover(&platform);
        assert_eq!(other.batch(1, 1, 1_000, &platform).events, "{\"i\":0}");
        other.landed(1, true, &platform);
        assert_eq!(queue.batch(1, 10, 1_000, &platform).events, "{\"i\":1}");
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn events_of_one_task_are_written_once_and_what_is_left_of_them_stays() {
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
    fn a_long_task_is_written_in_pieces() {
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
    fn what_all_events_say_alike_is_said_once_and_otherwise_each_says_it() {
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
    fn what_is_under_way_is_not_sent_twice_and_comes_back_when_it_failed() {
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
    fn counts_leave_when_they_have_arrived() {
        let mut queue = Queue::default();
        queue.count("expired", 1);
        let told = queue.dropped().clone();
        queue.count("expired", 1);
        queue.reported(&told);
        assert_eq!(queue.dropped()[..], [("expired", 1)]);
    }
}
