//! The promises of a cart's object, on the same SQL natively. Also the object, the tab and the failing storage that the tests
//! beside this file share.

mod failures;
mod saga;
mod sockets;

use std::cell::Cell;

use hilo_core::cart::replica::Sender;
use hilo_core::cart::wire::Ops;
use hilo_core::cart::{LineKey, Refusal};
use hilo_core::event::ConsentClaim;
use hilo_core::money::Currency;
use jiff::SignedDuration;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::calls::cart::{
    Command, CommandOp, Order, Owner, Person, Since, Terms, Touchpoint, Units,
};
use crate::platform::memory::MemorySql;
use crate::platform::{SqlRow, SqlValue};

/// The storage, which refuses one statement if a test says so.
struct Storage {
    sql: MemorySql,
    /// Statements until the refusal.
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

    /// Asks, with the next random bytes.
    fn try_ask<A: DeserializeOwned>(
        &mut self,
        is_server: bool,
        ask: CartAsk,
    ) -> Result<A, Failure> {
        self.drawn += 1;
        let random = [self.drawn ^ self.name.len() as u8; 16];
        let moment = Moment { name: &self.name, now: self.now, random };
        let call = encode(&CartCall { speaker: self.speaker(is_server), ask }).unwrap();
        let answered = answer(&self.storage, &mut self.volatile, &call, moment)?;
        self.news.extend(answered.news);
        decode(&answered.reply)
    }

    fn ask<A: DeserializeOwned>(&mut self, is_server: bool, ask: CartAsk) -> A {
        self.try_ask(is_server, ask).unwrap()
    }

    /// Asks what is answered with a view or a refusal.
    fn view(&mut self, is_server: bool, ask: CartAsk) -> (u16, Value) {
        let CartAnswer { status, body } = self.ask(is_server, ask);
        (status, serde_json::from_str(body.get()).unwrap())
    }

    fn summary(&mut self) -> CartSummary {
        self.ask(true, CartAsk::Summary)
    }

    /// Variant and units of what is in it.
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
        let moment = Moment { name: &self.name, now: self.now, random: [self.drawn; 16] };
        due(&self.storage, &mut self.volatile, moment).unwrap()
    }

    /// What the outbox gives out now, by name and id, confirmed at once.
    fn touchpoints(&mut self) -> Vec<(String, String)> {
        let due = self.due();
        let seqs: Vec<i64> = due.touchpoints.iter().map(|touchpoint| touchpoint.seq).collect();
        let moment = Moment { name: &self.name, now: self.now, random: [0; 16] };
        settle(&self.storage, &mut self.volatile, &seqs, moment).unwrap();
        due.touchpoints.iter().map(named).collect()
    }

    fn wait(&mut self, by: SignedDuration) {
        self.now += by;
    }

    /// What a crash does.
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
    /// Does something; unsent until [`Tab::send`].
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

    /// Adds and sends.
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
        is_foreign: false,
    }
}

fn bought(id: &str, lines: &[(&str, u32)]) -> Order {
    let units =
        |(variant, quantity): &(&str, u32)| Units { line: line(variant), quantity: *quantity };
    Order { lines: Some(lines.iter().map(units).collect()), ..order(id, None) }
}

fn person() -> Person {
    let category_preferences = [("analytics".to_owned(), true)].into();
    Person {
        anonymous_id: "a1".to_owned(),
        consent: ConsentClaim { category_preferences, revision: 1 },
    }
}

fn command(id: &str, op: CommandOp, variant: Option<&str>, quantity: Option<u32>) -> Command {
    Command { id: id.to_owned(), op, line: variant.map(line), quantity, info: None }
}

fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"]["code"].as_str().unwrap())
}

#[test]
fn two_tabs_converge_and_a_repeat_changes_nothing() {
    let (mut hub, mut a, mut b) = (Object::customer(), tab(1), tab(2));
    a.adds(&mut hub, "mug", 2);
    b.look(&mut hub);
    b.adds(&mut hub, "cup", 1);
    let removed = b.act(|cart, me| cart.remove(me, &line("mug")));
    let more = a.add("mug", 3);
    b.send(&mut hub, removed);
    a.send(&mut hub, more.clone());
    let rev = a.rev;
    assert_eq!(a.send(&mut hub, more).0, 200);
    assert_eq!((a.rev, a.acked), (rev, 2));
    b.look(&mut hub);
    assert_eq!(a.cart, b.cart);
    assert_eq!(hub.shown(), lines(&[("cup", 1), ("mug", 3)]));
}

#[test]
fn an_operation_costs_three_statements() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 1);
    let (before, rev) = (hub.storage.statements.get(), a.rev);
    let ops = a.add("mug", 1);
    // The version, the state, the delta; and one more for an answer that says what changed.
    let call = CartAsk::Ops { ops: Box::new(Ops { base: rev, ..ops }), person: None };
    hub.view(false, call);
    assert_eq!(hub.storage.statements.get() - before, 4);
}

#[test]
fn what_is_in_memory_is_what_is_stored() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    for units in 1..5 {
        a.adds(&mut hub, "mug", units);
        hub.crash();
        assert_eq!(hub.shown(), lines(&[("mug", (1..=units).sum())]));
    }
    let before = hub.summary();
    hub.crash();
    assert_eq!(hub.summary(), before);
}

#[test]
fn a_replica_belongs_to_its_first_token() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 2);
    let forged = Ops { token: "f".repeat(32), ..a.add("mug", 1) };
    let answer = hub.view(false, CartAsk::Ops { ops: Box::new(forged), person: None });
    assert_eq!(code(&answer), (403, "foreign_replica"));
    hub.view(true, CartAsk::Commands(vec![command("1", CommandOp::Add, Some("cup"), None)]));
    let hubs = hub.summary().replicas.into_iter().find(|r| r.replica != a.replica).unwrap();
    let mut forged = tab(hubs.replica.0);
    let ops = forged.add("cup", 1);
    assert_eq!(code(&forged.send(&mut hub, ops)), (403, "foreign_replica"));
    let mut none = tab(0);
    let ops = none.add("cup", 1);
    assert_eq!(code(&none.send(&mut hub, ops)), (400, "malformed_delta"));
    assert_eq!(hub.shown(), lines(&[("cup", 1), ("mug", 2)]));
}

#[test]
fn operations_for_another_cart_are_refused() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    let ops = Ops { cart: "somebody-elses".to_owned(), ..a.add("mug", 1) };
    assert_eq!(code(&a.send(&mut hub, ops)), (409, "other_cart"));
    let ops = Ops { cart: "customer".to_owned(), ..tab(2).add("mug", 1) };
    assert_eq!(a.send(&mut hub, ops).0, 200);
}

#[test]
fn a_silent_replica_begins_anew_and_learns_what_counted() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 2);
    hub.wait(SignedDuration::from_hours(31 * 24));
    let ops = a.add("mug", 1);
    let answer = a.send(&mut hub, ops.clone());
    assert_eq!(code(&answer), (409, "epoch"));
    assert_eq!(answer.1["error"]["previous"], json!({"1": 1}));
    // The same when another one has come and the binding was forgotten.
    tab(2).adds(&mut hub, "cup", 1);
    assert_eq!(code(&a.send(&mut hub, ops)), (409, "epoch"));
    assert_eq!(hub.shown(), lines(&[("cup", 1), ("mug", 2)]));
}

#[test]
fn a_cart_that_was_forgotten_says_what_had_counted_there() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.add("mug", 2);
    let second = a.add("mug", 1);
    let answer = a.send(&mut hub, second);
    assert_eq!(code(&answer), (409, "epoch"));
    assert_eq!(answer.1["error"]["previous"], json!({"1": 1}));
    assert!(!hub.summary().known);
}

#[test]
fn a_checkout_takes_what_it_saw_and_leaves_what_came_since() {
    let (mut hub, mut a, mut b) = (Object::customer(), tab(1), tab(2));
    a.adds(&mut hub, "mug", 3);
    let id = hub.checkout();
    assert!(id.starts_with("co_customer_") && id.len() == "co_customer_".len() + 32);
    assert_eq!(hub.summary().checkout, Some(id.clone()));
    b.look(&mut hub);
    b.adds(&mut hub, "mug", 2);
    assert!(hub.news.contains(&News::Checkout { open: true, changed: true }));
    let (status, view) = hub.order(order("o1", Some(&id)));
    assert_eq!(
        (status, &view["duplicate"], &view["checkout_open"]),
        (200, &json!(false), &json!(false))
    );
    assert_eq!(hub.shown(), lines(&[("mug", 2)]));
    let (_, again) = hub.order(order("o1", Some(&id)));
    assert_eq!(again["duplicate"], true);
    assert_eq!(hub.shown(), lines(&[("mug", 2)]));
    assert_eq!(hub.news.last(), hub.news.iter().rfind(|news| matches!(news, News::Delta(_))));
}

#[test]
fn an_order_without_a_checkout_takes_the_newest_one_or_the_oldest_units() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 3);
    hub.checkout();
    a.adds(&mut hub, "mug", 1);
    hub.order(order("o1", None));
    assert_eq!(hub.shown(), lines(&[("mug", 1)]));
    // Its checkout has been ordered: the next order says itself what was bought.
    assert_eq!(code(&hub.order(order("o2", None))), (422, "bad_order"));
    a.adds(&mut hub, "cup", 5);
    hub.order(bought("o3", &[("cup", 2), ("hat", 1)]));
    assert_eq!(hub.shown(), lines(&[("cup", 3), ("mug", 1)]));
}

#[test]
fn an_order_that_leaves_nothing_ends_the_epoch_and_late_deltas_learn_what_counted() {
    let (mut hub, mut a, mut offline) = (Object::customer(), tab(1), tab(2));
    a.adds(&mut hub, "mug", 3);
    offline.look(&mut hub);
    offline.adds(&mut hub, "mug", 1);
    let late = offline.add("cup", 1);
    hub.checkout();
    let (_, view) = hub.order(order("o1", None));
    assert_eq!((&view["epoch"], &view["full"]["put"]), (&json!(1), &json!([])));
    assert_eq!(hub.news.last(), Some(&News::Anew));
    let answer = offline.send(&mut hub, late);
    assert_eq!(code(&answer), (409, "epoch"));
    assert_eq!(answer.1["error"]["previous"]["2"], 1);
    hub.crash();
    offline.cart = Cart { epoch: 1, ..Cart::default() };
    offline.adds(&mut hub, "cup", 1);
    assert_eq!(hub.shown(), lines(&[("cup", 1)]));
    assert_eq!(hub.order(order("o1", None)).1["duplicate"], true, "orders outlive epochs");
}

#[test]
fn commands_happen_once_and_are_told() {
    let mut hub = Object::customer();
    let commands = vec![
        command("1", CommandOp::Add, Some("mug"), Some(2)),
        command("2", CommandOp::Set, Some("cup"), Some(4)),
        command("3", CommandOp::Dec, Some("cup"), None),
    ];
    for _ in 0..2 {
        let (status, view) = hub.view(true, CartAsk::Commands(commands.clone()));
        assert_eq!((status, view["lines"].as_array().unwrap().len()), (200, 2));
        hub.crash();
    }
    assert_eq!(hub.shown(), lines(&[("cup", 3), ("mug", 2)]));
    let told = hub.touchpoints();
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Product Added", "Product Added", "Product Removed"]);
    assert!(told.iter().zip(1..).all(|((_, id), n)| id.ends_with(&format!("-{n}"))), "{told:?}");
    hub.view(true, CartAsk::Commands(vec![command("4", CommandOp::Clear, None, None)]));
    assert_eq!(hub.touchpoints().len(), 2, "one for each line");
    assert_eq!(hub.touchpoints(), [], "confirmed is gone");
}

#[test]
fn a_touchpoint_stays_until_it_is_confirmed() {
    let mut hub = Object::customer();
    hub.view(true, CartAsk::Commands(vec![command("1", CommandOp::Add, Some("mug"), None)]));
    let first: Vec<_> = hub.due().touchpoints.iter().map(named).collect();
    assert_eq!(first.len(), 1);
    assert_eq!(hub.due().touchpoints.len(), 0, "it is under way");
    hub.crash();
    let again: Vec<_> = hub.due().touchpoints.iter().map(named).collect();
    assert_eq!(again, first);
    let at = next_alarm(&hub.storage, &hub.volatile, hub.now).unwrap().unwrap();
    assert!(at <= hub.now.as_millisecond() + 5_000);
}

#[test]
fn a_page_that_has_no_consent_leaves_nobody_to_tell_of() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    let ops = a.add("mug", 1);
    a.send_as(&mut hub, ops, Some(person()));
    let mut denied = person();
    denied.consent.category_preferences.insert("analytics".to_owned(), false);
    let ops = a.add("mug", 1);
    a.send_as(&mut hub, ops, Some(denied));
    hub.wait(SignedDuration::from_hours(2));
    assert_eq!(hub.touchpoints(), []);
}

#[test]
fn a_cart_is_abandoned_once_per_idle_period_and_recovers_by_an_order() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    let ops = a.add("mug", 2);
    a.send_as(&mut hub, ops, Some(person()));
    let idle_ms = hub.now.as_millisecond();
    hub.wait(SignedDuration::from_mins(59));
    assert_eq!(hub.touchpoints(), []);
    hub.wait(SignedDuration::from_mins(1));
    let id = format!("guest-0-{idle_ms}");
    let abandoned = ("Cart Abandoned".to_owned(), format!("cart-abandoned-{id}"));
    assert_eq!(hub.touchpoints(), [abandoned]);
    hub.crash();
    hub.wait(SignedDuration::from_hours(9));
    assert_eq!(hub.touchpoints(), [], "once");
    let ops = a.add("mug", 1);
    a.send_as(&mut hub, ops, Some(person()));
    hub.wait(SignedDuration::from_mins(61));
    let again = hub.touchpoints();
    assert_eq!(again.len(), 1, "an edit begins another idle period");
    assert_ne!(again[0].1, format!("cart-abandoned-{id}"));
    hub.view(false, CartAsk::Ordered(bought("o1", &[("mug", 3)])));
    let recovered = hub.touchpoints();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].0, "Cart Recovered");
    assert_eq!(recovered[0].1.replace("recovered", "abandoned"), again[0].1);
}

#[test]
fn an_open_checkout_is_not_abandoned_until_it_is_given_up() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    let ops = a.add("mug", 2);
    a.send_as(&mut hub, ops, Some(person()));
    hub.wait(SignedDuration::from_mins(30));
    hub.checkout();
    hub.wait(SignedDuration::from_mins(59));
    assert_eq!(hub.touchpoints(), []);
    hub.wait(SignedDuration::from_mins(2));
    assert_eq!(hub.touchpoints(), [], "given up just now");
    assert_eq!(hub.summary().checkout, None);
    hub.wait(SignedDuration::from_mins(60));
    assert_eq!(hub.touchpoints().len(), 1);
}

#[test]
fn an_empty_cart_is_not_abandoned() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    let ops = a.add("mug", 2);
    a.send_as(&mut hub, ops, Some(person()));
    let ops = a.act(|cart, me| cart.clear(me));
    a.send_as(&mut hub, ops, Some(person()));
    hub.wait(SignedDuration::from_hours(5));
    assert_eq!(hub.touchpoints(), []);
}

#[test]
fn a_cart_expires_after_its_last_edit_and_not_before() {
    let (mut hub, mut a) = (Object::new("guest", Owner::Guest), tab(1));
    a.adds(&mut hub, "mug", 1);
    hub.wait(SignedDuration::from_hours(29 * 24));
    assert!(!hub.due().is_expired);
    a.adds(&mut hub, "mug", 1);
    hub.wait(SignedDuration::from_hours(29 * 24));
    assert!(!hub.due().is_expired, "an edit prolongs its life");
    hub.wait(SignedDuration::from_hours(25));
    assert!(hub.due().is_expired);
}

#[test]
fn a_webhooks_order_is_told_of_the_checkouts_person() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 2);
    hub.view(false, CartAsk::Checkout { person: Some(person()) });
    hub.order(order("o1", None));
    let due = hub.due();
    let event: Value = serde_json::from_str(due.touchpoints[0].event.get()).unwrap();
    assert_eq!(event["messageId"], "order-o1");
    assert_eq!(event["anonymousId"], "a1");
    assert_eq!(event["properties"]["products"][0]["quantity"], 2);
    // Without a person it is the customer's, whom the server vouches for.
    hub.order(bought("o2", &[("mug", 1)]));
    hub.crash();
    let due = hub.due();
    let event: Value = serde_json::from_str(due.touchpoints[1].event.get()).unwrap();
    assert_eq!((&event["messageId"], &event["userId"]), (&json!("order-o2"), &json!("u1")));
}
