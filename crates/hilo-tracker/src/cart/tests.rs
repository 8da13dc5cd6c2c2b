//! Replicas against the core's own hub, in memory: lost and repeated messages, reloads, epochs, logins.

mod history;
mod orders;
mod sync;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hilo_core::cart::epoch::{self, Applied};
use hilo_core::cart::hub::{self, CatchUp, Checked};
use hilo_core::cart::replica::View;
use hilo_core::cart::wire::{Hello, Ops};
use hilo_core::cart::{Cart, LineInfo, LineKey, Refusal, ReplicaId, join};
use hilo_core::money::Currency;

use super::sync::{HubRefusal, Message, Next};
use super::{Act, Identity, Mint, Replica, Touchpoint};

/// The hub of one cart, as the collector keeps it.
struct Hub {
    label: String,
    cart: Cart,
    rev: u64,
    log: Vec<(u64, Cart)>,
    previous: Option<Applied>,
}

impl Hub {
    fn new(label: &str) -> Hub {
        Hub { label: label.into(), cart: Cart::default(), rev: 0, log: Vec::new(), previous: None }
    }

    fn take(&mut self, message: &Message) -> Result<View, Refusal> {
        let Message { sender, span, delta } = message;
        let ops = Ops::of(sender.clone(), *span.start(), *span.end(), delta);
        assert!(
            serde_json::to_vec(&ops).unwrap().len() <= hilo_core::cart::limits::DELTA_BYTES_MAX
        );
        let previous = self.previous.as_ref();
        match hub::check(&self.cart, previous, sender.replica, &ops, self.rev + 1)? {
            Checked::Repeat { .. } => {}
            Checked::Fresh { delta, cart, .. } => self.become_(*cart, delta),
        }
        Ok(self.view(Some((self.cart.epoch, sender.base))))
    }

    fn become_(&mut self, cart: Cart, delta: Cart) {
        self.rev += 1;
        self.cart = cart;
        self.log.push((self.rev, delta));
    }

    fn view(&self, asks: Option<(u32, u64)>) -> View {
        let full = View {
            full: true,
            cart: self.label.clone(),
            rev: self.rev,
            acked: 0,
            known: self.cart.clone(),
        };
        let (epoch, rev) = asks.unwrap_or((u32::MAX, 0));
        let hello = Hello { epoch, rev, vv: Applied::new() };
        match hub::catch_up(&hello, self.cart.epoch, self.rev) {
            CatchUp::Snapshot => full,
            CatchUp::Nothing => View { full: false, known: self.empty(), ..full },
            CatchUp::Deltas { after } => {
                let missed = self.log.iter().filter(|(rev, _)| *rev > after);
                let known = missed.fold(self.empty(), |sum, (_, delta)| join(&sum, delta));
                View { full: false, known, ..full }
            }
        }
    }

    fn empty(&self) -> Cart {
        Cart::of(self.cart.epoch)
    }

    fn broadcast(&self) -> View {
        let (rev, known) = self.log.last().unwrap().clone();
        View { full: false, cart: String::new(), rev, acked: 0, known }
    }

    /// Everything is bought: the cart begins anew.
    fn ordered(&mut self) {
        let all = self.cart.clear(ReplicaId(1)).unwrap();
        self.cart.absorb(&all);
        assert!(epoch::is_over(&self.cart, true));
        let (cart, applied) = epoch::next(&self.cart).unwrap();
        (self.cart, self.previous) = (cart, Some(applied));
        self.log.clear();
        self.rev += 1;
    }
}

fn hub_refusal(refusal: Refusal) -> HubRefusal {
    match refusal {
        Refusal::Missing { replica, from } => HubRefusal::Missing { replica, from },
        Refusal::Epoch { previous } => {
            HubRefusal::Epoch(previous.map(|told| told.into_iter().collect()))
        }
        Refusal::ForeignReplica | Refusal::ReplicaExhausted => HubRefusal::ForeignReplica,
        Refusal::TooManyReplicas | Refusal::UnknownVersion => HubRefusal::Busy,
        Refusal::Malformed
        | Refusal::DeltaTooLarge
        | Refusal::DotConflict(_)
        | Refusal::ForeignUse(_)
        | Refusal::BadLine
        | Refusal::TooManyLines
        | Refusal::BadQuantity
        | Refusal::TooManyDots => HubRefusal::BadMessage,
    }
}

#[test]
fn the_page_has_the_cores_word_for_each_refusal_that_it_treats_apart() {
    let page = include_str!("../../../../js/sdk/src/cart/hub/talk.ts");
    for (refusal, reason) in [
        (Refusal::Missing { replica: ReplicaId(1), from: 1 }, "MISSING"),
        (Refusal::Epoch { previous: None }, "EPOCH"),
        (Refusal::ForeignReplica, "FOREIGN"),
        (Refusal::ReplicaExhausted, "FOREIGN"),
        (Refusal::TooManyReplicas, "BUSY"),
        (Refusal::UnknownVersion, "BUSY"),
    ] {
        let row = format!("  {}: codes.CART_REFUSAL_{reason},", refusal.code());
        assert!(page.contains(&row), "talk.ts lacks the row {row}");
    }
}

/// Identities in order, from 1,000 on.
fn mint(from: &Arc<AtomicU64>) -> Mint {
    let from = from.clone();
    Box::new(move || {
        let id = from.fetch_add(1, Ordering::Relaxed) + 1;
        Identity { replica: ReplicaId(id), token: id.to_string() }
    })
}

fn minted() -> Arc<AtomicU64> {
    Arc::new(AtomicU64::new(1_000))
}

fn device(from: &Arc<AtomicU64>) -> Replica {
    Replica::new(mint(from))
}

fn reloaded(device: &Replica, from: &Arc<AtomicU64>) -> Replica {
    let replica = Replica::open(&device.stored_text(), mint(from)).unwrap();
    assert_eq!(replica.shown(), device.shown(), "a reload shows the same");
    replica
}

fn line(variant: &str) -> LineKey {
    let currency = Currency::parse("EUR").unwrap();
    LineKey { variant: variant.into(), options_hash: 7, currency }
}

fn act(device: &mut Replica, variant: &str, act: Act) {
    device.act(&line(variant), act, &LineInfo::default(), false).unwrap();
}

fn look(name: &str) -> LineInfo {
    LineInfo { name: Some(name.into()), unit_price: Some(1_999), ..LineInfo::default() }
}

/// Exchanges messages until no operation waits and the device shows the hub's cart.
fn talk(device: &mut Replica, hub: &mut Hub) {
    for _ in 0..200 {
        if device.waiting() == 0 {
            break;
        }
        let Some(message) = device.message() else {
            ask(device, hub);
            continue;
        };
        let next = match hub.take(&message) {
            Ok(view) => device.learn(view),
            Err(refusal) => device.learn_refusal(hub_refusal(refusal)),
        };
        if next == Next::Ask {
            ask(device, hub);
        }
        assert_ne!(next, Next::Wait, "the hub of these tests is never busy");
    }
    ask(device, hub);
    assert_eq!(device.waiting(), 0);
    assert_eq!(shown(device), shown_at(hub));
}

fn ask(device: &mut Replica, hub: &Hub) {
    let view = hub.view(device.position());
    let next = device.learn(view);
    if next == Next::Ask {
        assert_eq!(device.learn(hub.view(device.position())), Next::Go);
    }
}

fn shown(device: &Replica) -> Vec<(String, u32)> {
    device.shown().shown().map(|(line, units)| (line.variant.clone(), units)).collect()
}

fn shown_at(hub: &Hub) -> Vec<(String, u32)> {
    hub.cart.shown().map(|(line, units)| (line.variant.clone(), units)).collect()
}

fn changes(touchpoints: &[Touchpoint]) -> Vec<(&str, i64)> {
    touchpoints
        .iter()
        .map(|touchpoint| (touchpoint.line.variant.as_str(), touchpoint.change))
        .collect()
}

#[test]
fn fifty_clicks_on_a_line_are_one_dot_and_one_touchpoint() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    for _ in 0..25 {
        act(&mut device, "mug", Act::Add(1));
        act(&mut device, "cup", Act::Add(1));
    }
    assert_eq!(device.waiting(), 2);
    assert!(
        device.take_touchpoints().is_empty(),
        "an operation that may still change has no touchpoint"
    );
    talk(&mut device, &mut hub);
    assert_eq!(hub.cart.ctx.prefix(ReplicaId(1_001)), 2);
    assert_eq!(changes(&device.take_touchpoints()), [("mug", 25), ("cup", 25)]);
    assert!(device.take_touchpoints().is_empty());
}

#[test]
fn a_message_that_was_sent_does_not_change() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(1));
    let message = device.message().unwrap();
    act(&mut device, "mug", Act::Add(1));
    assert_eq!(device.message().unwrap(), message, "until its answer comes");
    hub.take(&message).unwrap();
    talk(&mut device, &mut hub);
    assert_eq!(shown(&device), [("mug".into(), 2)]);
    assert_eq!(
        device.take_touchpoints().iter().map(|touchpoint| touchpoint.dot.n).collect::<Vec<_>>(),
        [1, 2]
    );
}

#[test]
fn acts_on_one_line_amount_to_one_operation() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(5));
    talk(&mut device, &mut hub);
    device.take_touchpoints();
    for (acts, units, change) in [
        (vec![Act::Add(2), Act::Dec(3)], 4, -1),
        (vec![Act::Set(7), Act::Add(2), Act::Dec(1)], 8, 4),
        (vec![Act::Dec(2), Act::Set(0), Act::Add(3)], 3, -5),
        (vec![Act::Dec(1), Act::Dec(9)], 0, -3),
        (vec![Act::Add(5)], 5, 5),
    ] {
        let before = device.take_touchpoints().len();
        for one in &acts {
            act(&mut device, "mug", *one);
        }
        assert_eq!(device.waiting(), 1, "{acts:?}");
        talk(&mut device, &mut hub);
        assert_eq!(hub.cart.qty(&line("mug")), units, "{acts:?}");
        assert_eq!((before, changes(&device.take_touchpoints())), (0, vec![("mug", change)]));
    }
}

#[test]
fn an_addition_that_is_taken_back_at_once_leaves_no_operation() {
    let mut device = device(&minted());
    act(&mut device, "mug", Act::Add(2));
    act(&mut device, "mug", Act::Set(0));
    act(&mut device, "cup", Act::Dec(1));
    assert_eq!((device.waiting(), device.message()), (0, None));
}

#[test]
fn a_quiet_act_has_no_touchpoint() {
    let mut device = device(&minted());
    device.act(&line("mug"), Act::Add(2), &LineInfo::default(), true).unwrap();
    act(&mut device, "mug", Act::Add(3));
    device.seal();
    assert_eq!(changes(&device.take_touchpoints()), [("mug", 3)]);
    assert_eq!(shown(&device), [("mug".into(), 5)]);
}

#[test]
fn clearing_the_cart_has_one_touchpoint_for_each_line() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "cup", Act::Add(2));
    act(&mut device, "mug", Act::Add(1));
    talk(&mut device, &mut hub);
    device.take_touchpoints();
    device.clear(false).unwrap();
    talk(&mut device, &mut hub);
    let touchpoints = device.take_touchpoints();
    assert_eq!(changes(&touchpoints), [("cup", -2), ("mug", -1)]);
    assert_ne!(touchpoints[0].dot, touchpoints[1].dot);
    assert!(hub.cart.is_empty());
}

#[test]
fn a_line_has_the_newest_look_of_this_device_until_the_hub_has_it() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    device.act(&line("mug"), Act::Add(1), &look("Mug"), false).unwrap();
    talk(&mut device, &mut hub);
    device.act(&line("mug"), Act::Add(1), &look("Amug"), false).unwrap();
    assert_eq!(device.look(&line("mug")).unwrap().name.as_deref(), Some("Amug"));
    device.seal();
    device.act(&line("mug"), Act::Add(1), &look("Zmug"), false).unwrap();
    device.seal();
    let only_price = LineInfo { unit_price: Some(5), ..LineInfo::default() };
    device.act(&line("mug"), Act::Add(1), &only_price, false).unwrap();
    talk(&mut device, &mut hub);
    let (_, seen) = hub.cart.look(&line("mug")).unwrap();
    assert_eq!((seen.name.as_deref(), seen.unit_price), (Some("Zmug"), Some(5)));
    assert_eq!(device.look(&line("mug")), Some(seen));
}

#[test]
fn an_act_with_a_bad_line_or_quantity_changes_nothing() {
    let mut device = device(&minted());
    let none = LineInfo::default();
    for (variant, one, code) in [
        ("", Act::Add(1), "bad_line"),
        ("mug", Act::Add(0), "bad_quantity"),
        ("mug", Act::Add(u32::MAX), "bad_quantity"),
        ("mug", Act::Set(10_000), "bad_quantity"),
    ] {
        let refusal = device.act(&line(variant), one, &none, false).unwrap_err();
        assert_eq!(refusal.code(), code);
    }
    let long = LineInfo { name: Some("x".repeat(513)), ..none };
    assert!(device.act(&line("mug"), Act::Add(1), &long, false).is_err());
    assert_eq!(device.waiting(), 0);
}
