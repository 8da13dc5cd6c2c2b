//! The state of a deployment in memory: clock, configuration, secrets, objects, queue, log. This file runs nothing.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;

use hilo_core::delivery::Brakes;
use jiff::Timestamp;

use super::{Answer, MemorySql};
use crate::calls::journal::gathered::Gathered;
use crate::loaded::Standing;
use crate::platform::{Failure, Limit, Object, Outgoing};
use crate::shell::alarm::Alarm;
use crate::store;

/// Work that continues after an answer.
pub(super) type Work = Pin<Box<dyn Future<Output = ()>>>;
/// The objects of one kind by name.
pub(super) type Objects<V> = RefCell<BTreeMap<String, Rc<Stored<V>>>>;

/// See [`super::Memory`].
pub(super) struct World {
    pub now: Cell<Timestamp>,
    pub drawn: Cell<u64>,
    pub is_dev: Cell<bool>,
    /// The texts in KV by key. `None` if KV does not answer.
    pub texts: RefCell<Option<BTreeMap<String, String>>>,
    /// The copy of the configuration that was last in force.
    pub copy: RefCell<Option<String>>,
    /// The memory of the one isolate.
    pub standing: RefCell<Option<Standing>>,
    pub secrets: RefCell<BTreeMap<String, String>>,
    pub profiles: Objects<store::profile::Volatile>,
    pub carts: Objects<store::cart::Volatile>,
    /// The parts of the journal that have storage.
    pub journal: Objects<store::journal::Volatile>,
    /// The live object. Nobody watches a deployment in memory.
    pub live: RefCell<store::journal::live::Ring>,
    /// What the one isolate of this deployment has gathered for the journal.
    pub gathered: RefCell<Gathered>,
    /// The requests that each rate limit still lets pass.
    pub limits: RefCell<BTreeMap<Limit, u32>>,
    /// How long each call of an object takes.
    pub distance: Cell<jiff::SignedDuration>,
    pub queue: RefCell<VecDeque<String>>,
    pub deferred: RefCell<VecDeque<Work>>,
    pub sent: RefCell<Vec<Outgoing>>,
    pub asked: RefCell<Vec<Object>>,
    /// The calls of objects that still succeed before one fails.
    pub fuse: Cell<Option<usize>>,
    pub answers: RefCell<BTreeMap<String, Answer>>,
    pub brakes: Rc<RefCell<Brakes>>,
    pub lines: RefCell<Vec<String>>,
}

impl World {
    /// Returns the time.
    pub(super) fn now(&self) -> Timestamp {
        self.now.get()
    }

    /// Returns bytes that were not returned before. They are counted, not random: a test must print the same every day.
    pub(super) fn random16(&self) -> [u8; 16] {
        let drawn = self.drawn.get() + 1;
        self.drawn.set(drawn);
        u128::from(drawn).to_be_bytes()
    }

    /// Adds messages to the queue.
    pub(super) fn enqueue(&self, messages: Vec<String>) {
        self.queue.borrow_mut().extend(messages);
    }

    /// See [`super::Memory::crash`].
    pub(super) fn crash(&self) {
        self.queue.borrow_mut().clear();
        self.deferred.borrow_mut().clear();
        self.brakes.take();
        self.profiles.borrow().values().for_each(|stored| stored.crash());
        self.carts.borrow().values().for_each(|stored| stored.crash());
        self.journal.borrow().values().for_each(|stored| stored.crash());
        self.live.take();
        self.gathered.take();
    }

    /// Deletes a profile's object.
    pub(super) fn forget_profile(&self, name: &str) {
        self.profiles.borrow_mut().remove(name);
    }

    /// Deletes a cart's object.
    pub(super) fn forget_cart(&self, name: &str) {
        self.carts.borrow_mut().remove(name);
    }

    /// Deletes an object of the journal.
    pub(super) fn forget_journal(&self, name: &str) {
        self.journal.borrow_mut().remove(name);
    }

    /// Adds a line to the log.
    pub(super) fn log(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }
}

/// The storage, alarm and memory of one object.
pub(super) struct Stored<V> {
    pub sql: MemorySql,
    pub volatile: RefCell<V>,
    pub alarm: Alarm,
    /// The time of the alarm, if it is set.
    pub alarm_ms: Cell<Option<i64>>,
}

impl<V: Default> Stored<V> {
    /// Makes an object that was not called yet.
    fn new() -> Result<Stored<V>, Failure> {
        let (volatile, alarm, alarm_ms) = Default::default();
        Ok(Stored { sql: MemorySql::new()?, volatile, alarm, alarm_ms })
    }

    fn crash(&self) {
        self.volatile.take();
        self.alarm.clear();
    }

    /// Whether the alarm fires at this time. If it does, it is no longer set.
    fn goes_off(&self, now: Timestamp) -> bool {
        let is_due = self.alarm_ms.get().is_some_and(|at_ms| at_ms <= now.as_millisecond());
        if is_due {
            self.alarm_ms.set(None);
        }
        is_due
    }
}

/// Returns the object with this name, or makes it if there is none.
pub(super) fn object<V: Default>(
    objects: &Objects<V>,
    name: &str,
) -> Result<Rc<Stored<V>>, Failure> {
    let mut objects = objects.borrow_mut();
    if let Some(stored) = objects.get(name) {
        return Ok(Rc::clone(stored));
    }
    let stored = Rc::new(Stored::new()?);
    objects.insert(name.to_owned(), Rc::clone(&stored));
    Ok(stored)
}

/// Returns the objects whose alarms fire now.
pub(super) fn due<V: Default>(
    objects: &Objects<V>,
    now: Timestamp,
) -> Vec<(String, Rc<Stored<V>>)> {
    let objects = objects.borrow();
    let due = objects.iter().filter(|(_, stored)| stored.goes_off(now));
    due.map(|(name, stored)| (name.clone(), Rc::clone(stored))).collect()
}
