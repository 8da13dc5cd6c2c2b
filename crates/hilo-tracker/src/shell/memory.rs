//! A page in memory: the browser's twin for tests and examples. The same tracker runs on both.
//!
//! Time passes only by [`Memory::pass`]. Random bytes count upwards. Requests stay until the test takes them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hilo_core::consent::PurposeSet;

use crate::platform::{Place, Platform, Request, codes};

/// The first moment: 2026-11-18T11:06:40Z.
const BEGAN_MS: i64 = 1_795_000_000_000;

#[derive(Debug, Default)]
struct World {
    now_ms: i64,
    made: u8,
    place: Place,
    history: Option<String>,
    is_storage_blocked: bool,
    storage: BTreeMap<String, String>,
    memory: BTreeMap<String, String>,
    sent: Vec<Request>,
    wake_at_ms: Option<i64>,
    said: Vec<String>,
    saved: Vec<String>,
    denies: PurposeSet,
    change: Option<fn(&str) -> String>,
}

/// A page in memory. Clones are the same page.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    world: Rc<RefCell<World>>,
}

impl Memory {
    /// A page at `url` without a referrer.
    pub fn new(url: &str) -> Memory {
        let memory = Memory::default();
        memory.world.borrow_mut().now_ms = BEGAN_MS;
        memory.go(url, "");
        memory
    }

    /// Another document of the same browser: storage stays, memory does not.
    pub fn next_document(&self, url: &str, referrer: &str) -> Memory {
        let next = Memory::new(url);
        {
            let (old, mut new) = (self.world.borrow(), next.world.borrow_mut());
            new.storage.clone_from(&old.storage);
            (new.now_ms, new.made) = (old.now_ms, old.made);
            new.history.clone_from(&old.history);
            (new.is_storage_blocked, new.denies) = (old.is_storage_blocked, old.denies);
            new.place.referrer = referrer.to_owned();
        }
        next
    }

    /// Changes the document's address and referrer.
    pub fn go(&self, url: &str, referrer: &str) {
        let title = "A page".to_owned();
        self.world.borrow_mut().place =
            Place { url: url.to_owned(), referrer: referrer.to_owned(), title };
    }

    /// Changes the document's title.
    pub fn name(&self, title: &str) {
        title.clone_into(&mut self.world.borrow_mut().place.title);
    }

    /// Sets the first address of the tab's history.
    pub fn remember_first(&self, url: &str) {
        self.world.borrow_mut().history = Some(url.to_owned());
    }

    /// Lets time pass. Returns whether the tracker's timer ran out.
    pub fn pass(&self, ms: i64) -> bool {
        let mut world = self.world.borrow_mut();
        world.now_ms += ms;
        let is_due = world.wake_at_ms.is_some_and(|at| at <= world.now_ms);
        if is_due {
            world.wake_at_ms = None;
        }
        is_due
    }

    /// Blocks the storage, as some browsers do.
    pub fn block_storage(&self) {
        self.world.borrow_mut().is_storage_blocked = true;
    }

    /// Switches the browser's own signals on: they deny these purposes.
    pub fn deny(&self, purposes: PurposeSet) {
        self.world.borrow_mut().denies = purposes;
    }

    /// Lets the site change every event, or drop it by an empty text.
    pub fn change_events(&self, change: fn(&str) -> String) {
        self.world.borrow_mut().change = Some(change);
    }

    /// The requests since the last call.
    pub fn sent(&self) -> Vec<Request> {
        std::mem::take(&mut self.world.borrow_mut().sent)
    }

    /// Everything that is stored persistently.
    pub fn stored(&self) -> BTreeMap<String, String> {
        self.world.borrow().storage.clone()
    }

    /// The keys that were written, in order.
    pub fn saved(&self) -> Vec<String> {
        self.world.borrow().saved.clone()
    }

    /// What the developer was told.
    pub fn said(&self) -> Vec<String> {
        self.world.borrow().said.clone()
    }
}

impl Platform for Memory {
    fn now_ms(&self) -> i64 {
        self.world.borrow().now_ms
    }

    fn steady_ms(&self, at_ms: i64) -> i64 {
        at_ms
    }

    fn iso(&self, ms: i64) -> String {
        iso(ms)
    }

    fn monotonic_ms(&self) -> i64 {
        self.now_ms() - BEGAN_MS
    }

    fn random16(&self) -> [u8; 16] {
        let mut world = self.world.borrow_mut();
        world.made = world.made.wrapping_add(1);
        let mut bytes = [0; 16];
        bytes[15] = world.made;
        bytes
    }

    fn denies(&self) -> PurposeSet {
        self.world.borrow().denies
    }

    fn moved(&self) -> bool {
        true
    }

    fn place(&self) -> Place {
        self.world.borrow().place.clone()
    }

    fn first_in_history(&self) -> Option<String> {
        self.world.borrow().history.clone()
    }

    fn surroundings(&self, readable: &str) -> String {
        let own = r#""locale":"es-ES","screen":{"width":1280,"height":800}"#;
        format!("{own},\"cookies\":\"{readable}\"")
    }

    fn load(&self, key: &str) -> Option<String> {
        let world = self.world.borrow();
        world.storage.get(key).or_else(|| world.memory.get(key)).cloned()
    }

    fn save(&self, key: &str, value: &str) -> bool {
        let mut world = self.world.borrow_mut();
        world.saved.push(key.to_owned());
        let is_blocked = world.is_storage_blocked;
        let home = if is_blocked { &mut world.memory } else { &mut world.storage };
        home.insert(key.to_owned(), value.to_owned());
        !is_blocked
    }

    fn persistence(&self) -> u8 {
        let is_blocked = self.world.borrow().is_storage_blocked;
        if is_blocked { codes::PERSISTENCE_MEMORY } else { codes::PERSISTENCE_LOCAL }
    }

    fn remove(&self, key: &str) {
        let mut world = self.world.borrow_mut();
        world.storage.remove(key);
        world.memory.remove(key);
    }

    fn keys(&self, prefix: &str) -> String {
        let world = self.world.borrow();
        let keys = world.storage.keys().chain(world.memory.keys());
        keys.filter(|key| key.starts_with(prefix))
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn post(&self, request: Request) {
        self.world.borrow_mut().sent.push(request);
    }

    fn wake_in(&self, ms: i64) {
        let mut world = self.world.borrow_mut();
        world.wake_at_ms = Some(world.now_ms + ms);
    }

    fn notice_task_end(&self) {
        // The test itself ends a task.
    }

    fn changed(&self, json: String) -> String {
        let change = self.world.borrow().change;
        change.map_or(json.clone(), |change| change(&json))
    }

    fn say(&self, code: &str) {
        self.world.borrow_mut().said.push(code.to_owned());
    }
}

/// RFC 3339 in UTC. Days to civil date after Howard Hinnant's `civil_from_days`
/// (<https://howardhinnant.github.io/date_algorithms.html>).
fn iso(ms: i64) -> String {
    let (days, in_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = doy - (153 * mp + 2) / 5 + 1;
    let month = if mp < 10 { mp + 3 } else { mp - 9 };
    let year = yoe + era * 400 + i64::from(month <= 2);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, milli) = (in_day / 1_000 % 60, in_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_browsers_write_them() {
        assert_eq!(iso(BEGAN_MS), "2026-11-18T11:06:40.000Z");
        assert_eq!(iso(951_782_399_999), "2000-02-28T23:59:59.999Z");
    }
}
