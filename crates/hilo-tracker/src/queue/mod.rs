//! The queue: events that may be sent and are not yet known durable at the collector.
//!
//! In: finished events. Out: batches, oldest first; an event leaves when it was judged. One storage key per event, so
//! that a call costs one small write. Several tabs share the storage: each sends its own, and what closed tabs left.
//! Bounded in number, bytes and age; what falls out is counted by reason.

use crate::json::number;
use crate::platform::Platform;

/// Prefix of the storage keys.
pub const PREFIX: &str = "hilo.q.";
/// Events kept (protocol.md).
pub const ITEMS_MAX: usize = 1_000;
/// Bytes kept (protocol.md).
pub const BYTES_MAX: usize = 4 * 1024 * 1024;
/// Age at which an event is of no use any more (protocol.md).
pub const AGE_MS_MAX: i64 = 7 * 24 * 60 * 60 * 1_000;
/// Bytes of one event: the collector's own limit.
const ITEM_BYTES_MAX: usize = 32 * 1024;

/// One event, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where it is stored.
    pub key: String,
    /// When it happened.
    pub at_ms: i64,
    /// The event as JSON.
    pub json: String,
    /// Whether losing it would cost money: these go last.
    pub is_essential: bool,
    /// Whether the storage holds it too.
    is_stored: bool,
}

/// How many were lost, by reason. A dozen reasons at most: a map would cost every visitor more bytes than it saves.
pub type Counts = Vec<(&'static str, u32)>;

/// Events in the order they happened.
#[derive(Debug, Default)]
pub struct Queue {
    items: Vec<Item>,
    bytes: usize,
    made: u32,
    dropped: Counts,
}

impl Queue {
    /// A queue with what earlier pages left behind.
    pub fn recover<P: Platform>(platform: &P) -> Queue {
        let mut queue = Queue::default();
        for key in platform.keys(PREFIX) {
            let stored = platform.load(&key);
            match stored.as_deref().and_then(|text| read(&key, text)) {
                Some(item) => queue.keep(item),
                None => {
                    // Cut off, of another version, or not ours: what is valid behind it is not lost.
                    platform.remove(&key);
                    queue.count("corrupt");
                }
            }
        }
        queue.trim(platform);
        queue
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Adds an event and writes it down.
    pub fn push<P: Platform>(
        &mut self,
        at_ms: i64,
        json: String,
        is_essential: bool,
        tab: &str,
        platform: &P,
    ) {
        if json.len() > ITEM_BYTES_MAX {
            self.count("event_too_large");
            return;
        }
        let mut key = String::from(PREFIX);
        key.push_str(&number(at_ms));
        key.push('.');
        key.push_str(tab);
        key.push('.');
        key.push_str(&number(i64::from(self.made)));
        self.made = self.made.wrapping_add(1);
        let mut text = String::with_capacity(json.len() + 16);
        text.push_str(&number(at_ms));
        text.push(if is_essential { '!' } else { '.' });
        text.push_str(&json);
        let is_stored = platform.save(&key, &text);
        self.keep(Item { key, at_ms, json, is_essential, is_stored });
        self.trim(platform);
    }

    /// The oldest events that fit together into `bytes_max`, at most `count_max` of them.
    ///
    /// What another tab has sent or purged meanwhile is forgotten on the way.
    pub fn batch<P: Platform>(
        &mut self,
        count_max: usize,
        bytes_max: usize,
        platform: &P,
    ) -> Vec<Item> {
        self.trim(platform);
        let gone: Vec<String> = self
            .items
            .iter()
            .take(count_max)
            .filter(|item| item.is_stored && platform.load(&item.key).is_none())
            .map(|item| item.key.clone())
            .collect();
        self.forget(&gone, platform);
        let mut bytes = 0;
        let mut batch = Vec::new();
        for item in self.items.iter().take(count_max) {
            bytes += item.json.len() + 1;
            // One event always fits: it is smaller than any envelope.
            if bytes > bytes_max && !batch.is_empty() {
                break;
            }
            batch.push(item.clone());
        }
        batch
    }

    /// Lets go of events that were judged.
    pub fn forget<P: Platform>(&mut self, keys: &[String], platform: &P) {
        for key in keys {
            platform.remove(key);
        }
        let bytes = &mut self.bytes;
        self.items.retain(|item| {
            let stays = !keys.contains(&item.key);
            if !stays {
                *bytes = bytes.saturating_sub(item.json.len());
            }
            stays
        });
    }

    /// Lets go of everything, stored leftovers of other tabs included.
    pub fn purge<P: Platform>(&mut self, platform: &P) {
        for key in platform.keys(PREFIX) {
            platform.remove(&key);
        }
        self.items.clear();
        self.bytes = 0;
    }

    /// Counts an event that was lost, by reason.
    pub fn count(&mut self, reason: &'static str) {
        match self.dropped.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.dropped.push((reason, 1)),
        }
    }

    /// What was lost since the last envelope that arrived.
    pub const fn dropped(&self) -> &Counts {
        &self.dropped
    }

    /// The counts have arrived.
    pub fn reported(&mut self, counts: &Counts) {
        for (reason, told) in counts {
            for (known, count) in &mut self.dropped {
                if known == reason {
                    *count = count.saturating_sub(*told);
                }
            }
        }
        self.dropped.retain(|(_, count)| *count > 0);
    }

    fn keep(&mut self, item: Item) {
        self.bytes += item.json.len();
        // Nearly always the end: events come in the order they happen.
        let after =
            self.items.iter().rposition(|known| known.at_ms <= item.at_ms).map_or(0, |at| at + 1);
        self.items.insert(after, item);
    }

    /// Enforces age, number and bytes: the oldest go first, the essential ones last.
    fn trim<P: Platform>(&mut self, platform: &P) {
        let now = platform.now_ms();
        let old: Vec<String> = self
            .items
            .iter()
            .filter(|item| now - item.at_ms > AGE_MS_MAX)
            .map(|item| item.key.clone())
            .collect();
        for _ in &old {
            self.count("expired");
        }
        if !old.is_empty() {
            self.forget(&old, platform);
        }
        while self.items.len() > ITEMS_MAX || self.bytes > BYTES_MAX {
            let victim = self.items.iter().position(|item| !item.is_essential).unwrap_or(0);
            let item = self.items.remove(victim);
            self.bytes = self.bytes.saturating_sub(item.json.len());
            platform.remove(&item.key);
            self.count("queue_full");
        }
    }
}

/// Reads a stored event: time, `!` or `.`, JSON.
fn read(key: &str, text: &str) -> Option<Item> {
    let end = text.find(['!', '.'])?;
    let at_ms = text.get(..end)?.parse().ok()?;
    let is_essential = text.get(end..=end)? == "!";
    let json = text.get(end + 1..)?;
    // A value that was cut off in the middle would spoil the whole batch.
    let is_whole = json.starts_with('{') && json.ends_with('}') && json.len() <= ITEM_BYTES_MAX;
    is_whole.then(|| Item {
        key: key.to_owned(),
        at_ms,
        json: json.to_owned(),
        is_essential,
        is_stored: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::memory::Memory;

    fn fill(queue: &mut Queue, platform: &Memory, count: usize) {
        for i in 0..count {
            queue.push(platform.now_ms(), format!("{{\"i\":{i}}}"), false, "t", platform);
        }
    }

    #[test]
    fn the_oldest_fall_out_and_essential_ones_stay() {
        let platform = Memory::new("https://a.example/");
        let mut queue = Queue::default();
        queue.push(platform.now_ms(), "{\"order\":1}".to_owned(), true, "t", &platform);
        fill(&mut queue, &platform, ITEMS_MAX);
        assert_eq!(queue.len(), ITEMS_MAX);
        assert_eq!(queue.dropped()[..], [("queue_full", 1)]);
        assert!(queue.batch(1, 1_000, &platform)[0].is_essential);
    }

    #[test]
    fn a_week_is_too_long() {
        let platform = Memory::new("https://a.example/");
        let mut queue = Queue::default();
        fill(&mut queue, &platform, 2);
        platform.pass(AGE_MS_MAX + 1);
        assert!(queue.batch(10, 1_000, &platform).is_empty());
        assert_eq!(queue.dropped()[..], [("expired", 2)]);
    }

    #[test]
    fn the_next_page_recovers_what_is_whole() {
        let platform = Memory::new("https://a.example/");
        let mut queue = Queue::default();
        fill(&mut queue, &platform, 3);
        platform.save("hilo.q.9.x.9", "17.{\"cut");
        let recovered = Queue::recover(&platform);
        assert_eq!(recovered.len(), 3);
        assert_eq!(recovered.dropped()[..], [("corrupt", 1)]);
    }

    #[test]
    fn what_another_tab_has_sent_is_not_sent_again() {
        let platform = Memory::new("https://a.example/");
        let mut queue = Queue::default();
        fill(&mut queue, &platform, 2);
        let other = Queue::recover(&platform).batch(1, 1_000, &platform);
        platform.remove(&other[0].key);
        assert_eq!(queue.batch(10, 1_000, &platform).len(), 1);
    }

    #[test]
    fn a_batch_obeys_number_and_bytes_and_is_never_stuck() {
        let platform = Memory::new("https://a.example/");
        let mut queue = Queue::default();
        fill(&mut queue, &platform, 5);
        assert_eq!(queue.batch(2, 1_000, &platform).len(), 2);
        assert_eq!(queue.batch(10, 17, &platform).len(), 2);
        assert_eq!(queue.batch(10, 1, &platform).len(), 1);
    }

    #[test]
    fn counts_leave_when_they_have_arrived() {
        let mut queue = Queue::default();
        queue.count("expired");
        let told = queue.dropped().clone();
        queue.count("expired");
        queue.reported(&told);
        assert_eq!(queue.dropped()[..], [("expired", 1)]);
    }
}
