//! Tests of a cart's object, on the same SQL natively. The object, the tab and the failing storage are shared with the
//! tests of this folder.

mod edits;
mod erasures;
mod failures;
mod orders;
mod saga;
mod sockets;
mod touchpoints;

use std::cell::Cell;

use hilo_core::cart::replica::Sender;
use hilo_core::cart::wire::{Broadcast, Ops, Revision};
use hilo_core::cart::{Cart, LineKey, Quantity, Refusal};
use hilo_core::event::ConsentClaim;
use hilo_core::money::Currency;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::calls::cart::{
    BoughtLine, CartAnswer, Command, CommandOp, Order, Owner, Person, Since, Terms, Touchpoint,
};
use crate::platform::{SqlRow, SqlValue};
use crate::shell::memory::MemorySql;

/// A storage that refuses one statement if a test asks for it.
struct Storage {
    sql: MemorySql,
    /// The number of statements before the refusal.
    fuse: Cell<Option<usize>>,
    statements: Cell<usize>,
}

impl Sql for Storage {
    fn exec(&self, query: &str, bindings: &[SqlValue]) -> Result<Vec<SqlRow>, Failure> {
        self.statements.set(self.statements.get() + 1);
        match self.fuse.get() {
            Some(0) => {
                self.fuse.set(None);
                Err(Failure::Retriable("the disk is full".to_owned()))
            }
            Some(left) => {
                self.fuse.set(Some(left - 1));
                self.sql.exec(query, bindings)
            }
            None => self.sql.exec(query, bindings),
        }
    }

    fn transaction(&self, work: &mut dyn FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        self.sql.transaction(work)
    }

    fn wipe(&self) -> Result<(), Failure> {
        self.sql.wipe()
    }

    fn at_rest(&self) -> Result<[u8; 32], Failure> {
        self.sql.at_rest()
    }

    fn nonce(&self) -> [u8; crate::seal::NONCE_BYTES] {
        self.sql.nonce()
    }
}

/// One cart's object with its clock.
struct Object {
    storage: Storage,
    volatile: Volatile,
    name: String,
    owner: Owner,
    now: Timestamp,
    drawn: u8,
    news: Vec<News>,
}

impl Object {
    fn new(name: &str, owner: Owner) -> Object {
        let (fuse, statements) = Default::default();
        Object {
            storage: Storage { sql: MemorySql::new().unwrap(), fuse, statements },
            volatile: Volatile::default(),
            name: name.to_owned(),
            owner,
            now: "2026-11-24T10:00:00Z".parse().unwrap(),
            drawn: 0,
            news: Vec::new(),
        }
    }

    fn customer() -> Object {
        Object::new("customer", Owner::Customer("u1".to_owned()))
    }

    fn speaker(&self, is_server: bool) -> Speaker {
        Speaker {
            owner: self.owner.clone(),
            source: if is_server { "backend" } else { "shop" }.to_owned(),
            is_server,
            terms: Terms { abandoned_s: 3_600, keep_days: 30 },
        }
    }

    /// Sends a call, with the next random bytes.
    fn try_ask<A: DeserializeOwned>(
        &mut self,
        is_server: bool,
        ask: CartAsk,
    ) -> Result<A, Failure> {
        self.drawn += 1;
        let random = [self.drawn ^ self.name.len() as u8; 16];
        let turn = Turn { name: &self.name, now: self.now, random };
        let call = encode(&CartCall { speaker: self.speaker(is_server), ask }).unwrap();
        let answered = answer(&self.storage, &mut self.volatile, &call, turn)?;
        self.news.extend(answered.news);
        decode(&answered.reply)
    }

    fn ask<A: DeserializeOwned>(&mut self, is_server: bool, ask: CartAsk) -> A {
        self.try_ask(is_server, ask).unwrap()
    }

    /// Sends a call whose answer is a view or a refusal.
    fn view(&mut self, is_server: bool, ask: CartAsk) -> (u16, Value) {
        let answer: CartAnswer = self.ask(is_server, ask);
        (answer.status(), serde_json::from_str(answer.body.get()).unwrap())
    }

    fn summary(&mut self) -> CartSummary {
        self.ask(true, CartAsk::Summary)
    }

    /// Returns variant and units of each line.
    fn shown(&mut self) -> Vec<(String, u32)> {
        let lines = self.summary().lines;
        lines.into_iter().map(|shown| (shown.line.variant, shown.quantity)).collect()
    }

    fn checkout(&mut self) -> String {
        let (status, begun) = self.view(false, CartAsk::Checkout { person: None });
        assert_eq!(status, 200);
        begun["checkout_id"].as_str().unwrap().to_owned()
    }

    fn order(&mut self, order: Order) -> (u16, Value) {
        self.view(true, CartAsk::Ordered(order))
    }

    fn due(&mut self) -> Due {
        self.drawn += 1;
        let turn = Turn { name: &self.name, now: self.now, random: [self.drawn; 16] };
        due(&self.storage, &mut self.volatile, turn).unwrap()
    }

    /// Returns the touchpoints of the outbox by name and id, and confirms them at once.
    fn touchpoints(&mut self) -> Vec<(String, String)> {
        let due = self.due();
        self.confirm(&due.touchpoints);
        due.touchpoints.iter().map(named).collect()
    }

    fn confirm(&mut self, touchpoints: &[Touchpoint]) {
        let ended: Vec<&Touchpoint> = touchpoints.iter().collect();
        let turn = Turn { name: &self.name, now: self.now, random: [0; 16] };
        confirm(&self.storage, &mut self.volatile, &ended, turn).unwrap();
    }

    fn wait(&mut self, by: SignedDuration) {
        self.now += by;
    }

    /// Simulates a crash.
    fn crash(&mut self) {
        self.volatile = Volatile::default();
    }
}

fn named(touchpoint: &Touchpoint) -> (String, String) {
    let event: Value = serde_json::from_str(touchpoint.event.get()).unwrap();
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    (text("event"), text("messageId"))
}

/// A tab with a replica of the cart.
struct Tab {
    replica: ReplicaId,
    token: String,
    cart: Cart,
    rev: u64,
    acked: u32,
}

fn tab(replica: u64) -> Tab {
    let token = format!("{replica:032x}");
    Tab { replica: ReplicaId(replica), token, cart: Cart::default(), rev: 0, acked: 0 }
}

impl Tab {
    /// Makes operations that stay unsent until [`Tab::send`].
    fn act(&mut self, act: impl Fn(&Cart, ReplicaId) -> Result<Cart, Refusal>) -> Ops {
        let delta = act(&self.cart, self.replica).unwrap();
        self.cart.absorb(&delta);
        let sender = Sender {
            cart: String::new(),
            replica: self.replica,
            token: self.token.clone(),
            base: self.rev,
        };
        let n = self.cart.ctx.prefix(self.replica);
        Ops::of(sender, n, n, &delta)
    }

    fn add(&mut self, variant: &str, units: u32) -> Ops {
        self.act(|cart, me| cart.add(me, &line(variant), units))
    }

    /// Adds units and sends the operations.
    fn adds(&mut self, object: &mut Object, variant: &str, units: u32) {
        let ops = self.add(variant, units);
        assert_eq!(self.send(object, ops).0, 200);
    }

    fn send(&mut self, object: &mut Object, ops: Ops) -> (u16, Value) {
        self.send_as(object, ops, None)
    }

    fn send_as(&mut self, object: &mut Object, ops: Ops, person: Option<Person>) -> (u16, Value) {
        let answer = object.view(false, CartAsk::Ops { ops: Box::new(ops), person });
        if answer.0 == 200 {
            self.learn(&answer.1);
        }
        answer
    }

    fn look(&mut self, object: &mut Object) {
        let since = Since {
            epoch: self.cart.epoch,
            rev: Revision(self.rev),
            replica: Some(self.replica),
            with_lines: false,
        };
        let (status, view) = object.view(false, CartAsk::View(since));
        assert_eq!(status, 200);
        self.learn(&view);
    }

    fn learn(&mut self, view: &Value) {
        if view.get("full").is_some() {
            let snapshot: hilo_core::cart::wire::Snapshot =
                serde_json::from_value(view.clone()).unwrap();
            self.cart.absorb(&snapshot.cart());
        } else {
            let broadcast: Broadcast = serde_json::from_value(view.clone()).unwrap();
            self.cart.absorb(&broadcast.delta());
        }
        self.rev = view["rev"].as_str().unwrap().parse().unwrap();
        self.acked = u32::try_from(view["acked"].as_u64().unwrap()).unwrap();
    }
}

fn line(variant: &str) -> LineKey {
    let currency = Currency::parse("EUR").unwrap();
    LineKey { variant: variant.to_owned(), options_hash: 0, currency }
}

fn lines(lines: &[(&str, u32)]) -> Vec<(String, u32)> {
    lines.iter().map(|(variant, units)| ((*variant).to_owned(), *units)).collect()
}

fn order(id: &str, checkout_id: Option<&str>) -> Order {
    Order {
        order_id: id.to_owned(),
        checkout_id: checkout_id.map(str::to_owned),
        lines: None,
        total: None,
        is_unpaid: false,
        is_foreign: false,
        person: None,
    }
}

fn bought(id: &str, lines: &[(&str, u32)]) -> Order {
    let measures: Vec<_> =
        lines.iter().map(|(variant, quantity)| (*variant, Value::from(*quantity))).collect();
    measured(id, &measures)
}

fn measured(id: &str, lines: &[(&str, Value)]) -> Order {
    let bought = |(variant, quantity): &(&str, Value)| BoughtLine {
        line: line(variant),
        quantity: Quantity::parse(quantity).unwrap(),
    };
    Order { lines: Some(lines.iter().map(bought).collect()), ..order(id, None) }
}

fn person() -> Person {
    let category_preferences = [("analytics".to_owned(), true)].into();
    Person {
        anonymous_id: "a1".to_owned(),
        consent: ConsentClaim { category_preferences, revision: 1, ..ConsentClaim::default() },
    }
}

fn command(id: &str, op: CommandOp, variant: Option<&str>, quantity: Option<u32>) -> Command {
    let quantity = quantity.map(Quantity::whole);
    Command { id: id.to_owned(), op, line: variant.map(line), quantity, info: None }
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap())
}
