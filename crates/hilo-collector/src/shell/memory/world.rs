//! The state of a deployment in memory: clock, configuration, secrets, objects, queue, log. This file runs nothing.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;

use hilo_core::delivery::Brakes;
use jiff::Timestamp;

use super::MemorySql;
use crate::calls::journal::gathered::Gathered;
use crate::loaded::Standing;
use crate::platform::{Failure, Files, Limit, Object, Outgoing, Point, Response};
use crate::shell::alarm::Alarm;
use crate::shell::turns::Turns;
use crate::store;

/// The files of a page of a bucket's list.
const FILES_A_PAGE: usize = 2;

/// How a destination answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// The status; 0 for none at all.
    pub status: u16,
    /// How long it takes. The clock moves meanwhile.
    pub after: jiff::SignedDuration,
}

/// Work that continues after an answer.
pub(super) type Work = Pin<Box<dyn Future<Output = ()>>>;
/// The objects of one kind by name.
pub(super) type Objects<V> = RefCell<BTreeMap<String, Rc<Stored<V>>>>;

/// What an object with tokens has in memory.
#[derive(Default)]
pub(super) struct TokensRoom {
    pub volatile: store::tokens::Volatile,
    pub turns: Rc<Turns>,
}

/// What an object of the inbox has in memory.
#[derive(Default)]
pub(super) struct InboxRoom {
    pub volatile: store::inbox::Volatile,
    pub turns: Rc<Turns>,
}

/// The services of the outside world.
pub(super) type Vendor = Rc<dyn Fn(&Outgoing) -> Option<Result<Response, Failure>>>;

/// See [`super::Memory`].
pub(super) struct World {
    pub now: Cell<Timestamp>,
    pub drawn: Cell<u64>,
    pub is_dev: Cell<bool>,
    /// The name of the deployment's jurisdiction. It narrows nothing: there is one set of objects in memory.
    pub jurisdiction: RefCell<String>,
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
    /// The objects with access tokens, by the destination's name.
    pub tokens: Objects<TokensRoom>,
    /// The objects that keep calls of webhooks.
    pub inbox: Objects<InboxRoom>,
    /// The shards of the index.
    pub index: Objects<store::index::Volatile>,
    /// The object that knows what was imported.
    pub imports: Objects<store::imports::Volatile>,
    /// The objects of feeds, by the feed's name.
    pub feeds: Objects<store::feed::Volatile>,
    /// The live object. Nobody watches a deployment in memory.
    pub live: RefCell<store::journal::live::Ring>,
    /// What the one isolate of this deployment has gathered for the journal.
    pub gathered: RefCell<Gathered>,
    /// The requests that each rate limit still lets pass.
    pub limits: RefCell<BTreeMap<Limit, u32>>,
    /// Of each call of an object that is to fail: the number of calls before it, since the last one that failed, and whether it is done
    /// all the same.
    pub cuts: RefCell<VecDeque<(u32, bool)>>,
    /// How long each call of an object takes.
    pub distance: Cell<jiff::SignedDuration>,
    pub queue: RefCell<VecDeque<String>>,
    /// How many messages the queue accepts before it fails. Without a number it does not fail.
    pub queue_room: Cell<Option<usize>>,
    pub deferred: RefCell<VecDeque<Work>>,
    pub sent: RefCell<Vec<Outgoing>>,
    /// The objects of the bound buckets, by binding and name.
    pub bucket: RefCell<BTreeMap<String, String>>,
    pub asked: RefCell<Vec<Object>>,
    pub answers: RefCell<BTreeMap<String, Answer>>,
    /// Answers requests in place of `answers`, if it returns anything.
    pub vendor: RefCell<Option<Vendor>>,
    /// How often a request is polled before its answer comes.
    pub polls: Cell<u32>,
    pub brakes: Rc<RefCell<Brakes>>,
    pub lines: RefCell<Vec<String>>,
    /// The points that requests were measured by.
    pub points: RefCell<Vec<Point>>,
    /// The number of requests so far.
    pub requests: Cell<u64>,
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

    /// Answers a call of the object of the feed called `name`.
    ///
    /// # Errors
    /// The object's own failure.
    pub(super) fn ask_feed(&self, name: &str, call: &str) -> Result<String, Failure> {
        let stored = object(&self.feeds, name)?;
        let mut volatile = stored.volatile.borrow_mut();
        store::feed::answer(&stored.sql, &mut volatile, call, self.now())
    }

    /// Counts a call of an object. If the call fails, returns whether it is done all the same.
    pub(super) fn cut(&self) -> Option<bool> {
        let mut cuts = self.cuts.borrow_mut();
        let (after, is_done) = *cuts.front()?;
        match after.checked_sub(1) {
            Some(after) => *cuts.front_mut()? = (after, is_done),
            None => return cuts.pop_front().map(|(_, is_done)| is_done),
        }
        None
    }

    /// Adds a message to the queue.
    ///
    /// # Errors
    /// `Retriable` once the queue fails.
    pub(super) fn enqueue(&self, message: String) -> Result<(), Failure> {
        if let Some(room) = self.queue_room.get() {
            let left = room.checked_sub(1);
            let left = left.ok_or_else(|| Failure::Retriable("the queue fails".to_owned()))?;
            self.queue_room.set(Some(left));
        }
        self.queue.borrow_mut().push_back(message);
        Ok(())
    }

    /// Creates an object of a bucket, unless it is there. Returns the status that S3 would answer.
    pub(super) fn create(&self, name: &str, body: &str) -> u16 {
        let mut bucket = self.bucket.borrow_mut();
        if bucket.contains_key(name) {
            return 412;
        }
        bucket.insert(name.to_owned(), body.to_owned());
        200
    }

    /// Lists the files of a bucket, a few on each page.
    pub(super) fn files(&self, bucket: &str, prefix: &str, cursor: Option<&str>) -> Files {
        let files = self.bucket.borrow();
        let mut names = files.keys().filter_map(|name| name.strip_prefix(bucket));
        let names = names.by_ref().filter(|name| name.starts_with(prefix));
        let mut names: Vec<String> = names
            .filter(|name| cursor.is_none_or(|cursor| *name > cursor))
            .take(FILES_A_PAGE + 1)
            .map(str::to_owned)
            .collect();
        let has_more = names.len() > FILES_A_PAGE;
        names.truncate(FILES_A_PAGE);
        Files { next: names.last().filter(|_| has_more).cloned(), names }
    }

    /// See [`super::Memory::crash`].
    pub(super) fn crash(&self) {
        self.queue.borrow_mut().clear();
        self.deferred.borrow_mut().clear();
        self.brakes.take();
        self.profiles.borrow().values().for_each(|stored| stored.crash());
        self.carts.borrow().values().for_each(|stored| stored.crash());
        self.journal.borrow().values().for_each(|stored| stored.crash());
        self.tokens.borrow().values().for_each(|stored| stored.crash());
        self.inbox.borrow().values().for_each(|stored| stored.crash());
        self.index.borrow().values().for_each(|stored| stored.crash());
        self.imports.borrow().values().for_each(|stored| stored.crash());
        self.feeds.borrow().values().for_each(|stored| stored.crash());
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

    /// Deletes an object of the inbox.
    pub(super) fn forget_inbox(&self, name: &str) {
        self.inbox.borrow_mut().remove(name);
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
    fn new(name: &str) -> Result<Stored<V>, Failure> {
        let (volatile, alarm, alarm_ms) = Default::default();
        Ok(Stored { sql: MemorySql::new()?.of(name), volatile, alarm, alarm_ms })
    }

    /// Sets the alarm.
    ///
    /// # Errors
    /// None. The storage of workerd has some.
    pub(super) fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
        self.alarm_ms.set(Some(at_ms));
        Ok(())
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
    let stored = Rc::new(Stored::new(name)?);
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
