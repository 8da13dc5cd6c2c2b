//! A deployment in memory: the same SQL on rusqlite, a clock that only the caller moves, a network that answers 204.
//!
//! Tests and examples use it. Objects, queue and alarms run the same loops as on workerd, but nothing happens by itself:
//! [`Memory::settle`] runs deferred work, fires alarms and moves deliveries; [`Memory::advance`] moves the clock.

mod hosts;
mod request;
mod run;
mod shelf;
mod sql;
#[cfg(test)]
mod tests;
mod world;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;

use hilo_core::delivery::Brakes;
use hilo_core::identity::public_key::PublicKey;
use jiff::Timestamp;

#[cfg(test)]
pub(crate) use request::delivered_id;
pub use request::{SHOP, json, request};
pub use run::run;
pub use sql::MemorySql;

use self::hosts::{Cart, Inbox, Journal, Profile, Tokens};
use self::world::{Answer, World, due, object};
use super::config::CURRENT;
use super::{cart, config, inbox, journal, profile, tokens};
use crate::calls::journal::gathered::Gathered;
use crate::calls::{read_message, read_probe};
use crate::keyring::SECRET;
use crate::loaded::Standing;
use crate::platform::{
    Failure, Files, Limit, Metrics, Object, Outgoing, Platform, Point, Response, Scope,
    with_request,
};
use crate::store::{imports, index};

/// The most rounds of [`Memory::settle`]: a bug that keeps the queue full must not hang a test.
const SETTLE_ROUNDS_MAX: usize = 1_000;

/// A complete deployment in memory.
#[derive(Clone)]
pub struct Memory(Rc<World>, Option<Rc<Scope>>);

impl Memory {
    /// Makes a deployment that starts at `now`, with this text as its `hilo.toml`, or else the built-in file. Every
    /// destination answers 204.
    ///
    /// # Errors
    /// The error of SQLite.
    pub fn new(now: Timestamp, config: Option<&str>) -> Result<Memory, Failure> {
        let secret = (SECRET.to_owned(), "a secret of this deployment in memory".to_owned());
        let texts = config.map(|text| (CURRENT.to_owned(), text.to_owned())).into_iter();
        let world = World {
            now: Cell::new(now),
            drawn: Cell::new(0),
            is_dev: Cell::new(true),
            jurisdiction: RefCell::default(),
            texts: RefCell::new(Some(texts.collect())),
            copy: RefCell::default(),
            standing: RefCell::default(),
            secrets: RefCell::new(BTreeMap::from([secret])),
            profiles: RefCell::default(),
            carts: RefCell::default(),
            journal: RefCell::default(),
            tokens: RefCell::default(),
            inbox: RefCell::default(),
            index: RefCell::default(),
            imports: RefCell::default(),
            feeds: RefCell::default(),
            live: RefCell::default(),
            gathered: RefCell::default(),
            limits: RefCell::default(),
            cuts: RefCell::default(),
            distance: Cell::default(),
            queue: RefCell::default(),
            queue_room: Cell::default(),
            deferred: RefCell::default(),
            sent: RefCell::default(),
            bucket: RefCell::default(),
            asked: RefCell::default(),
            answers: RefCell::default(),
            vendor: RefCell::default(),
            polls: Cell::default(),
            brakes: Rc::default(),
            lines: RefCell::default(),
            points: RefCell::default(),
            requests: Cell::default(),
        };
        Ok(Memory(Rc::new(world), None))
    }

    /// Uploads a configuration.
    pub fn configure(&self, text: &str) {
        self.upload(CURRENT, text);
    }

    /// Stores a text in KV.
    pub fn upload(&self, key: &str, text: &str) {
        if let Some(texts) = self.0.texts.borrow_mut().as_mut() {
            texts.insert(key.to_owned(), text.to_owned());
        }
    }

    /// Lets KV answer nothing any more. Its texts are lost.
    pub fn lose_kv(&self) {
        self.0.texts.replace(None);
    }

    /// Simulates an isolate that starts: it remembers no configuration.
    pub fn start_cold(&self) {
        self.0.standing.replace(None);
    }

    /// Makes a developer's machine or a live site of the deployment.
    pub fn set_dev(&self, is_dev: bool) {
        self.0.is_dev.set(is_dev);
    }

    /// Names the jurisdiction of the deployment.
    pub fn set_jurisdiction(&self, name: &str) {
        self.0.jurisdiction.replace(name.to_owned());
    }

    /// Sets a secret.
    pub fn set_secret(&self, name: &str, value: &str) {
        self.0.secrets.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    /// Lets so many more requests pass a rate limit. A limit that was never set lets all pass.
    pub fn limit(&self, limit: Limit, requests: u32) {
        self.0.limits.borrow_mut().insert(limit, requests);
    }

    /// Lets the queue fail after so many messages, or no longer.
    pub fn fail_queue_after(&self, messages: Option<usize>) {
        self.0.queue_room.set(messages);
    }

    /// Lets each call of an object take this long.
    pub fn move_objects_away(&self, distance: jiff::SignedDuration) {
        self.0.distance.set(distance);
    }

    /// Lets so many calls of objects pass, and the one after them fail: before it is done or, if `is_done`, before it is answered.
    pub fn cut_call(&self, after: u32, is_done: bool) {
        self.cut_calls(&[(after, is_done)]);
    }

    /// As [`Memory::cut_call`], for several calls. Each number begins behind the last one that failed.
    pub fn cut_calls(&self, cuts: &[(u32, bool)]) {
        *self.0.cuts.borrow_mut() = cuts.iter().copied().collect();
    }

    /// Whether every call that was meant to fail has failed.
    pub fn has_failed(&self) -> bool {
        self.0.cuts.borrow().is_empty()
    }

    /// Returns the number of profile objects that were called.
    pub fn profiles(&self) -> usize {
        self.0.profiles.borrow().len()
    }

    /// Returns the number of cart objects that were called.
    pub fn carts(&self) -> usize {
        self.0.carts.borrow().len()
    }

    /// Returns the requests that were sent to the outside world, in order.
    pub fn sent(&self) -> Vec<Outgoing> {
        self.0.sent.borrow().clone()
    }

    /// Returns the objects of the bound buckets, by binding and name.
    pub fn bucket(&self) -> BTreeMap<String, String> {
        self.0.bucket.borrow().clone()
    }

    /// Returns the objects that were asked, in order: one for each call.
    pub fn asked(&self) -> Vec<Object> {
        self.0.asked.borrow().clone()
    }

    /// Sets the answers of the destination with this URL.
    pub fn set_answer(&self, url: &str, status: u16, after: jiff::SignedDuration) {
        self.0.answers.borrow_mut().insert(url.to_owned(), Answer { status, after });
    }

    /// Lets `vendor` answer requests. Where it returns nothing, the request is answered as before.
    pub fn set_vendor(
        &self,
        vendor: impl Fn(&Outgoing) -> Option<Result<Response, Failure>> + 'static,
    ) {
        self.0.vendor.replace(Some(Rc::new(vendor)));
    }

    /// Lets each request wait for so many polls of its future, so that others run meanwhile.
    pub fn slow_down(&self, polls: u32) {
        self.0.polls.set(polls);
    }

    /// Simulates a crash: the queue, deferred work and the objects' memory are lost; storage and alarms stay.
    pub fn crash(&self) {
        self.0.crash();
    }

    /// Returns the log so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lines.borrow().clone()
    }

    /// Returns the points that requests were measured by.
    pub fn points(&self) -> Vec<Point> {
        self.0.points.borrow().clone()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: jiff::SignedDuration) {
        self.0.now.set(self.0.now.get() + by);
    }

    /// Runs deferred work, due alarms and the queue's consumer until nothing is left to do at this time.
    ///
    /// # Errors
    /// A failure if the queue does not empty, or if a message cannot be read.
    pub async fn settle(&self) -> Result<(), Failure> {
        for _ in 0..SETTLE_ROUNDS_MAX {
            let work = self.0.deferred.borrow_mut().pop_front();
            if let Some(work) = work {
                work.await;
                continue;
            }
            if self.fire_alarms().await {
                continue;
            }
            let message = self.0.queue.borrow_mut().pop_front();
            let Some(message) = message else { return Ok(()) };
            match read_probe(&message) {
                Some(sent_ms) => crate::pipeline::probed(sent_ms, self).await,
                None => crate::pipeline::deliver(read_message(&message)?, self).await,
            }
        }
        Err(Failure::Fatal("the queue does not empty".to_owned()))
    }

    /// Fires the alarms that are due. Returns whether there was any.
    async fn fire_alarms(&self) -> bool {
        let now = self.now();
        let (profiles, carts) = (due(&self.0.profiles, now), due(&self.0.carts, now));
        let (journal, inbox) = (due(&self.0.journal, now), due(&self.0.inbox, now));
        for (name, stored) in &profiles {
            profile::on_alarm(&Profile { world: &self.0, name, stored }, self).await;
        }
        for (name, stored) in &carts {
            cart::on_alarm(&Cart { world: &self.0, name, stored }, self).await;
        }
        for (name, stored) in &journal {
            journal::on_alarm(&Journal { world: &self.0, name, stored }, self).await;
        }
        for (name, stored) in &inbox {
            inbox::on_alarm(&Inbox { world: &self.0, name, stored }, self).await;
        }
        !profiles.is_empty() || !carts.is_empty() || !journal.is_empty() || !inbox.is_empty()
    }

    async fn ask_object(&self, object: &Object, call: &str) -> Result<String, Failure> {
        match object {
            Object::Profile(name) => self.ask_profile(name, call),
            Object::Cart(name) => self.ask_cart(name, call),
            Object::Journal => self.ask_journal(Journal::HEAD, call),
            Object::Rejects(name) => self.ask_journal(name, call),
            Object::Inbox(name) => self.ask_inbox(name, call),
            Object::Tokens(name) => {
                // This object alone waits for the outside world.
                let stored = self::world::object(&self.0.tokens, name)?;
                tokens::answer(&Tokens { stored: &stored }, name, call, self).await
            }
            Object::Index(name) => {
                let stored = self::world::object(&self.0.index, name)?;
                index::answer(&stored.sql, &mut stored.volatile.borrow_mut(), call)
            }
            Object::Imports => {
                let stored = self::world::object(&self.0.imports, "imports")?;
                let mut volatile = stored.volatile.borrow_mut();
                imports::answer(&stored.sql, &mut volatile, call, self.now())
            }
            Object::Feed(name) => self.0.ask_feed(name, call),
            Object::Live => {
                let answered = self.0.live.borrow_mut().answer(call, false, self.now());
                answered.map(|(reply, _)| reply)
            }
        }
    }

    fn ask_journal(&self, name: &str, call: &str) -> Result<String, Failure> {
        let stored = object(&self.0.journal, name)?;
        journal::answer(&Journal { world: &self.0, name, stored: &stored }, call, self.now())
    }

    fn ask_profile(&self, name: &str, call: &str) -> Result<String, Failure> {
        let stored = object(&self.0.profiles, name)?;
        let host = Profile { world: &self.0, name, stored: &stored };
        let answered = profile::answer(&host, name, call)?;
        if answered.pump {
            let (memory, name) = (self.clone(), name.to_owned());
            self.defer(async move {
                let host = Profile { world: &memory.0, name: &name, stored: &stored };
                profile::feed_queue(&host, &memory).await;
            });
        }
        Ok(answered.reply)
    }

    fn ask_inbox(&self, name: &str, call: &str) -> Result<String, Failure> {
        let stored = object(&self.0.inbox, name)?;
        let host = Inbox { world: &self.0, name, stored: &stored };
        let answered = inbox::answer(&host, call, self.now())?;
        if answered.pump {
            let (memory, name) = (self.clone(), name.to_owned());
            self.defer(async move {
                let host = Inbox { world: &memory.0, name: &name, stored: &stored };
                inbox::drive(&host, &memory).await;
            });
        }
        Ok(answered.reply)
    }

    fn ask_cart(&self, name: &str, call: &str) -> Result<String, Failure> {
        let stored = object(&self.0.carts, name)?;
        let answered = cart::answer(&Cart { world: &self.0, name, stored: &stored }, call)?;
        if answered.pump {
            let (memory, name) = (self.clone(), name.to_owned());
            self.defer(async move {
                let host = Cart { world: &memory.0, name: &name, stored: &stored };
                cart::drive_cart(&host, &memory).await;
            });
        }
        Ok(answered.reply)
    }
}

impl Metrics for Memory {
    fn measure(&self, point: &Point) {
        self.0.points.borrow_mut().push(point.clone());
    }
}

impl Platform for Memory {
    fn scoped(&self, scope: Rc<Scope>) -> Memory {
        Memory(Rc::clone(&self.0), Some(scope))
    }

    fn scope(&self) -> Option<&Scope> {
        self.1.as_deref()
    }

    fn fresh_request_id(&self) -> String {
        let number = self.0.requests.get() + 1;
        self.0.requests.set(number);
        format!("request-{number}")
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn random16(&self) -> [u8; 16] {
        self.0.random16()
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.0.secrets.borrow().get(name).cloned()
    }

    fn is_dev(&self) -> bool {
        self.0.is_dev.get()
    }

    fn mount(&self) -> String {
        "/_h".to_owned()
    }

    fn jurisdiction(&self) -> String {
        self.0.jurisdiction.borrow().clone()
    }

    async fn config(&self) -> Standing {
        let before = self.0.standing.borrow().clone();
        let deployed = config::Deployed::of(self);
        let standing = config::load(self, before.as_ref(), self.now(), &deployed).await;
        self.0.standing.replace(Some(standing.clone()));
        standing
    }

    fn defer(&self, work: impl Future<Output = ()> + 'static) {
        self.0.deferred.borrow_mut().push_back(Box::pin(work));
    }

    async fn ask(&self, object: &Object, call: String) -> Result<String, Failure> {
        self.0.asked.borrow_mut().push(object.clone());
        self.advance(self.0.distance.get());
        let fails = self.0.cut();
        let broken = || Failure::Retriable("the connection broke".to_owned());
        if fails == Some(false) {
            return Err(broken());
        }
        let answer = self.ask_object(object, &call).await;
        if fails.is_some() { Err(broken()) } else { answer }
    }

    async fn verify(&self, _: &PublicKey, _: &[u8], _: &[u8]) -> Result<bool, Failure> {
        // The runtime verifies public keys, see tests/collector. A deployment in memory signs with HS256.
        Err(Failure::Fatal("there are no public keys in memory: use HS256".to_owned()))
    }

    async fn sign(&self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, Failure> {
        Err(Failure::Fatal("there are no private keys in memory".to_owned()))
    }

    async fn is_within(&self, limit: Limit, _: &str) -> bool {
        self.0.limits.borrow_mut().get_mut(&limit).is_none_or(|left| {
            let is_within = *left > 0;
            *left = left.saturating_sub(1);
            is_within
        })
    }

    fn with_gathered<T>(&self, work: impl FnOnce(&mut Gathered) -> T) -> T {
        work(&mut self.0.gathered.borrow_mut())
    }

    async fn enqueue(&self, message: String) -> Result<(), Failure> {
        self.0.enqueue(message)
    }

    fn bindings(&self) -> Vec<(&'static str, bool)> {
        Vec::new()
    }

    async fn pause(&self, _: u32) {}

    async fn fetch(&self, request: &Outgoing, _: usize) -> Result<Response, Failure> {
        self.0.sent.borrow_mut().push(request.clone());
        if let Some((binding, name)) = request.object() {
            let status = self.0.create(&format!("{binding}/{name}"), &request.body);
            return Ok(Response { status, ..Response::default() });
        }
        let vendor = self.0.vendor.borrow().clone();
        let answered = vendor.and_then(|vendor| vendor(request));
        run::polls(self.0.polls.get()).await;
        if let Some(answered) = answered {
            return answered;
        }
        let answer = self.0.answers.borrow().get(&request.url).copied();
        let Some(Answer { status, after }) = answer else {
            return Ok(Response { status: 204, ..Response::default() });
        };
        self.advance(after);
        match status {
            0 => Err(Failure::Retriable("no answer".to_owned())),
            status => Ok(Response { status, ..Response::default() }),
        }
    }

    fn brakes(&self) -> Rc<RefCell<Brakes>> {
        Rc::clone(&self.0.brakes)
    }

    fn log(&self, line: &str) {
        let id = self.scope().map_or("", |scope| scope.id.as_str());
        self.0.log(&with_request(line, id));
    }

    async fn asset(&self, _: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }

    async fn files(
        &self,
        binding: &str,
        prefix: &str,
        cursor: Option<&str>,
    ) -> Result<Files, Failure> {
        Ok(self.0.files(&format!("{binding}/"), prefix, cursor))
    }

    async fn file(&self, binding: &str, name: &str) -> Result<Option<String>, Failure> {
        Ok(self.0.bucket.borrow().get(&format!("{binding}/{name}")).cloned())
    }
}
