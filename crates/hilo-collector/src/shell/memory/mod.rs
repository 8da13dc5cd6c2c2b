//! The world in memory: the same SQL on rusqlite, a clock that stands where one puts it, a network that one scripts.
//!
//! For tests and examples. Objects, queue and alarms follow the same calls as on workerd, but nothing happens by itself:
//! [`Memory::settle`] runs what was deferred and moves deliveries, [`Memory::advance`] moves the clock.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use hilo_core::identity::public_key::PublicKey;
use jiff::Timestamp;
use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::calls::Delivery;
use crate::loaded::Loaded;
use crate::platform::{Failure, Object, Outgoing, Platform, Response, Sql, SqlRow, SqlValue};
use crate::signature::SECRET;
use crate::store::{cart, journal, profile};

/// Rounds of [`Memory::settle`]: a queue that never empties is a bug that must not hang a test.
const SETTLE_ROUNDS_MAX: usize = 1_000;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// SQLite of one object.
pub struct MemorySql(Connection);

impl MemorySql {
    /// An empty storage.
    ///
    /// # Errors
    /// SQLite's.
    pub fn new() -> Result<MemorySql, Failure> {
        Connection::open_in_memory().map(MemorySql).map_err(|error| failed(&error))
    }
}

fn failed(error: &rusqlite::Error) -> Failure {
    Failure::Fatal(error.to_string())
}

impl ToSql for SqlValue {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            SqlValue::Null => ToSqlOutput::Owned(Value::Null),
            SqlValue::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            SqlValue::Text(text) => ToSqlOutput::from(text.as_str()),
            SqlValue::Bytes(bytes) => ToSqlOutput::from(bytes.as_slice()),
        })
    }
}

impl Sql for MemorySql {
    fn exec(&self, query: &str, bindings: &[SqlValue]) -> Result<Vec<SqlRow>, Failure> {
        let mut statement = self.0.prepare(query).map_err(|error| failed(&error))?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let mut rows =
            statement.query(params_from_iter(bindings)).map_err(|error| failed(&error))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(|error| failed(&error))? {
            let mut columns = Vec::with_capacity(names.len());
            for (index, name) in names.iter().enumerate() {
                let value = match row.get(index).map_err(|error| failed(&error))? {
                    Value::Integer(number) => SqlValue::int(number)?,
                    Value::Text(text) => SqlValue::Text(text),
                    Value::Null | Value::Real(_) | Value::Blob(_) => SqlValue::Null,
                };
                columns.push((name.clone(), value));
            }
            found.push(SqlRow(columns));
        }
        Ok(found)
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        // Rolls back when it goes out of scope before the commit.
        let transaction = self.0.unchecked_transaction().map_err(|error| failed(&error))?;
        work()?;
        transaction.commit().map_err(|error| failed(&error))
    }
}

struct ProfileObject {
    sql: MemorySql,
    volatile: profile::Volatile,
}

struct CartObject {
    sql: MemorySql,
    volatile: cart::Volatile,
}

struct World {
    now: Cell<Timestamp>,
    drawn: Cell<u64>,
    loaded: RefCell<Rc<Loaded>>,
    secrets: RefCell<BTreeMap<String, String>>,
    profiles: RefCell<BTreeMap<String, ProfileObject>>,
    carts: RefCell<BTreeMap<String, CartObject>>,
    journal: MemorySql,
    journal_volatile: RefCell<journal::Volatile>,
    live: RefCell<Vec<String>>,
    queue: RefCell<VecDeque<Delivery>>,
    deferred: RefCell<VecDeque<Work>>,
    sent: RefCell<Vec<Outgoing>>,
    lines: RefCell<Vec<String>>,
}

/// A whole deployment in memory.
#[derive(Clone)]
pub struct Memory(Rc<World>);

impl Memory {
    /// A deployment that starts at `now`, with this text as its `hilo.toml` or what is built in. Every destination
    /// answers 204.
    ///
    /// # Errors
    /// SQLite's.
    pub fn new(now: Timestamp, config: Option<&str>) -> Result<Memory, Failure> {
        let secret = (SECRET.to_owned(), "a secret of this deployment in memory".to_owned());
        Ok(Memory(Rc::new(World {
            now: Cell::new(now),
            drawn: Cell::new(0),
            loaded: RefCell::new(Loaded::read(config, None)),
            secrets: RefCell::new(BTreeMap::from([secret])),
            profiles: RefCell::default(),
            carts: RefCell::default(),
            journal: MemorySql::new()?,
            journal_volatile: RefCell::default(),
            live: RefCell::default(),
            queue: RefCell::default(),
            deferred: RefCell::default(),
            sent: RefCell::default(),
            lines: RefCell::default(),
        })))
    }

    /// Uploads a configuration.
    pub fn configure(&self, text: &str) {
        let loaded = Loaded::read(Some(text), Some(&self.0.loaded.borrow()));
        self.0.loaded.replace(loaded);
    }

    /// Sets a secret.
    pub fn set_secret(&self, name: &str, value: &str) {
        self.0.secrets.borrow_mut().insert(name.to_owned(), value.to_owned());
    }

    /// What was sent to the world outside, in order.
    pub fn sent(&self) -> Vec<Outgoing> {
        self.0.sent.borrow().clone()
    }

    /// The live stream so far, as JSON lines.
    pub fn live(&self) -> Vec<String> {
        self.0.live.borrow().clone()
    }

    /// The log so far.
    pub fn lines(&self) -> Vec<String> {
        self.0.lines.borrow().clone()
    }

    /// Moves the clock.
    pub fn advance(&self, by: jiff::SignedDuration) {
        self.0.now.set(self.0.now.get() + by);
    }

    /// What a crash does: leases, the queue and deferred work are gone, storage stays.
    pub fn crash(&self) {
        self.0.queue.borrow_mut().clear();
        self.0.deferred.borrow_mut().clear();
        for profile in self.0.profiles.borrow_mut().values_mut() {
            profile.volatile = profile::Volatile::default();
        }
        for cart in self.0.carts.borrow_mut().values_mut() {
            cart.volatile = cart::Volatile::default();
        }
    }

    /// Takes what the queue holds, as a consumer would.
    pub fn take_deliveries(&self) -> Vec<Delivery> {
        self.0.queue.borrow_mut().drain(..).collect()
    }

    /// Fires every profile's alarm: what is due and not under way goes to the queue.
    ///
    /// # Errors
    /// SQLite's.
    pub fn fire_alarms(&self) -> Result<(), Failure> {
        let now = self.now();
        for object in self.0.profiles.borrow_mut().values_mut() {
            let due = profile::due(&object.sql, &mut object.volatile, now)?;
            self.0.queue.borrow_mut().extend(due);
        }
        Ok(())
    }

    /// Runs deferred work, carts' alarms and the queue's consumer until nothing is left to do at this moment.
    ///
    /// # Errors
    /// SQLite's.
    pub async fn settle(&self) -> Result<(), Failure> {
        for _ in 0..SETTLE_ROUNDS_MAX {
            let work = self.0.deferred.borrow_mut().pop_front();
            if let Some(work) = work {
                work.await;
                continue;
            }
            let is_quiet = self.fire_cart_alarms().await?;
            self.fire_alarms()?;
            let deliveries = self.take_deliveries();
            if deliveries.is_empty() && is_quiet {
                return Ok(());
            }
            crate::pipeline::deliver(deliveries, self).await;
        }
        Err(Failure::Fatal("the queue does not empty".to_owned()))
    }

    /// Fires every cart's alarm, and does what it finds; whether it found nothing.
    ///
    /// # Errors
    /// SQLite's.
    pub async fn fire_cart_alarms(&self) -> Result<bool, Failure> {
        let names: Vec<String> = self.0.carts.borrow().keys().cloned().collect();
        let mut is_quiet = true;
        for name in names {
            let due = self.on_cart(&name, |object, moment| {
                cart::due(&object.sql, &mut object.volatile, moment)
            })?;
            if due.is_expired {
                self.0.carts.borrow_mut().remove(&name);
                continue;
            }
            if let Some(leaving) = due.merge {
                crate::pipeline::finish_merge(&name, &leaving, self).await?;
                is_quiet = false;
            }
            if !due.touchpoints.is_empty() {
                let told = crate::pipeline::hand_on(&due.touchpoints, self).await?;
                is_quiet &= told.is_empty();
                self.on_cart(&name, |object, moment| {
                    cart::settle(&object.sql, &mut object.volatile, &told, moment)
                })?;
            }
        }
        Ok(is_quiet)
    }

    /// Does something with a cart's object at this moment.
    fn on_cart<T>(
        &self,
        name: &str,
        work: impl FnOnce(&mut CartObject, cart::Moment<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let moment = cart::Moment { name, now: self.now(), random: self.random16() };
        let mut carts = self.0.carts.borrow_mut();
        let object = match carts.entry(name.to_owned()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry
                .insert(CartObject { sql: MemorySql::new()?, volatile: cart::Volatile::default() }),
        };
        work(object, moment)
    }

    fn ask_cart(&self, name: &str, call: &str) -> Result<String, Failure> {
        self.on_cart(name, |object, moment| {
            cart::answer(&object.sql, &mut object.volatile, call, moment)
        })
        .map(|answered| answered.reply)
    }

    fn ask_profile(&self, name: &str, call: &str) -> Result<String, Failure> {
        let mut profiles = self.0.profiles.borrow_mut();
        let object = match profiles.entry(name.to_owned()) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(ProfileObject {
                sql: MemorySql::new()?,
                volatile: profile::Volatile::default(),
            }),
        };
        let answered = profile::answer(&object.sql, &mut object.volatile, name, call, self.now())?;
        if answered.pump {
            let due = profile::ready(&object.sql, &mut object.volatile, self.now())?;
            self.0.queue.borrow_mut().extend(due);
        }
        Ok(answered.reply)
    }
}

impl Platform for Memory {
    fn now(&self) -> Timestamp {
        self.0.now.get()
    }

    fn random16(&self) -> [u8; 16] {
        // Counted, not random: what a test prints must be the same tomorrow.
        let drawn = self.0.drawn.get() + 1;
        self.0.drawn.set(drawn);
        u128::from(drawn).to_be_bytes()
    }

    fn secret(&self, name: &str) -> Option<String> {
        self.0.secrets.borrow().get(name).cloned()
    }

    fn is_dev(&self) -> bool {
        true
    }

    fn mount(&self) -> String {
        "/_h".to_owned()
    }

    async fn config(&self) -> Rc<Loaded> {
        Rc::clone(&self.0.loaded.borrow())
    }

    fn defer(&self, work: impl Future<Output = ()> + 'static) {
        self.0.deferred.borrow_mut().push_back(Box::pin(work));
    }

    async fn ask(&self, object: &Object, call: String) -> Result<String, Failure> {
        match object {
            Object::Profile(name) => self.ask_profile(name, &call),
            Object::Cart(name) => self.ask_cart(name, &call),
            Object::Journal => {
                let volatile = &mut self.0.journal_volatile.borrow_mut();
                let answered = journal::answer(&self.0.journal, volatile, &call, self.now())?;
                self.0.live.borrow_mut().extend(answered.live);
                Ok(answered.reply)
            }
        }
    }

    async fn verify(&self, _: &PublicKey, _: &[u8], _: &[u8]) -> Result<bool, Failure> {
        // Real keys are verified by the runtime, in tests/collector; a world in memory signs with HS256.
        Err(Failure::Fatal("there are no public keys in memory: use HS256".to_owned()))
    }

    fn is_watched(&self) -> bool {
        true
    }

    async fn send(&self, request: &Outgoing) -> Result<Response, Failure> {
        self.0.sent.borrow_mut().push(request.clone());
        Ok(Response { status: 204, ..Response::default() })
    }

    fn log(&self, line: &str) {
        self.0.lines.borrow_mut().push(line.to_owned());
    }

    async fn asset(&self, _: &str) -> Result<Option<Vec<u8>>, Failure> {
        Ok(None)
    }
}

/// Runs a future of this world to its end. Nothing in memory waits for anything outside, so one thread suffices.
///
/// # Errors
/// `Fatal` if it waits all the same.
pub fn run<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..SETTLE_ROUNDS_MAX {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Ok(value);
        }
    }
    Err(Failure::Fatal("a future in memory waits for something outside".to_owned()))
}
