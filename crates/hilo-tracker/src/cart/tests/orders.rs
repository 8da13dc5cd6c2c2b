//! What was bought leaves the visitor's cart with the order, whatever the hub and the visitor do meanwhile.

use hilo_core::cart::Ctx;
use hilo_core::cart::checkout::Bought;

use super::*;

const HUB: ReplicaId = ReplicaId(999);

fn bought(lines: &[(&str, u32)]) -> Bought {
    lines.iter().map(|(variant, units)| (line(variant), *units)).collect()
}

fn order(device: &mut Replica, lines: &[(&str, u32)]) {
    device.order(false);
    for (variant, units) in lines {
        device.act(&line(variant), Act::Dec(*units), &LineInfo::default(), true).unwrap();
    }
    device.order(true);
}

/// The hub takes an order: of a checkout that had seen `checkout`, or of none.
fn take_order(hub: &mut Hub, checkout: Option<&Ctx>, lines: &[(&str, u32)]) {
    let lines = bought(lines);
    let delta = match checkout {
        Some(seen) => hub.cart.order_done(HUB, seen, &lines),
        None => hub.cart.ordered_elsewhere(HUB, &lines),
    };
    let delta = delta.unwrap();
    hub.become_(join(&hub.cart, &delta), delta);
}

fn units(device: &Replica, variant: &str) -> u32 {
    device.shown().qty(&line(variant))
}

/// A device whose two mugs and one cup the hub knows.
fn stocked() -> (Arc<AtomicU64>, Hub, Replica) {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut phone = device(&ids);
    act(&mut phone, "mug", Act::Add(2));
    act(&mut phone, "cup", Act::Add(1));
    talk(&mut phone, &mut hub);
    (ids, hub, phone)
}

#[test]
fn what_was_bought_is_gone_at_once_and_after_a_reload_and_after_the_answer() {
    for all in [&[("mug", 2), ("cup", 1)][..], &[("mug", 2)]] {
        let (ids, mut hub, mut phone) = stocked();
        let checkout = hub.cart.ctx.clone();
        order(&mut phone, all);
        let rest: Vec<_> = (all.len() < 2).then(|| ("cup".into(), 1)).into_iter().collect();
        assert_eq!(shown(&phone), rest, "at once");
        let mut phone = reloaded(&phone, &ids);
        assert_eq!(phone.learn(hub.view(None)), Next::Go);
        assert_eq!(shown(&phone), rest, "the hub's whole cart, which has the goods");
        take_order(&mut hub, Some(&checkout), all);
        assert_eq!(phone.learn(hub.broadcast()), Next::Go);
        assert_eq!(shown(&phone), rest, "the hub has the order");
        phone.order_done();
        talk(&mut phone, &mut hub);
        assert_eq!(shown(&phone), rest);
    }
}

#[test]
fn an_order_waits_in_its_place_among_the_operations() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut phone = device(&ids);
    act(&mut phone, "mug", Act::Add(2));
    order(&mut phone, &[("mug", 2)]);
    act(&mut phone, "mug", Act::Set(4));
    let mut phone = reloaded(&phone, &ids);
    let before = phone.message().unwrap();
    assert_eq!(before.span, 1..=1);
    assert_eq!(phone.learn(hub.take(&before).unwrap()), Next::Go);
    assert_eq!((phone.message(), phone.message_text()), (None, "b".into()), "the order is due");
    take_order(&mut hub, None, &[("mug", 2)]);
    phone.order_done();
    talk(&mut phone, &mut hub);
    assert_eq!(units(&phone, "mug"), 4);
}

#[test]
fn edits_after_an_order_survive_it() {
    for (edit, expected) in [(Act::Add(1), 1), (Act::Set(4), 4), (Act::Set(0), 0)] {
        for has_checkout in [false, true] {
            let (_, mut hub, mut phone) = stocked();
            let checkout = hub.cart.ctx.clone();
            order(&mut phone, &[("mug", 2)]);
            act(&mut phone, "mug", edit);
            assert_eq!(units(&phone, "mug"), expected, "{edit:?} at once");
            take_order(&mut hub, has_checkout.then_some(&checkout), &[("mug", 2)]);
            phone.learn(hub.broadcast());
            assert_eq!(units(&phone, "mug"), expected, "{edit:?} before the answer");
            phone.order_done();
            talk(&mut phone, &mut hub);
            assert_eq!(units(&phone, "mug"), expected, "{edit:?} at the end");
        }
    }
}

#[test]
fn an_order_of_a_part_of_a_line_leaves_the_rest_and_two_orders_count_each() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut phone = device(&ids);
    act(&mut phone, "mug", Act::Add(9));
    talk(&mut phone, &mut hub);
    for units_left in [7, 5] {
        order(&mut phone, &[("mug", 2)]);
        assert_eq!(units(&phone, "mug"), units_left);
    }
    act(&mut phone, "mug", Act::Dec(1));
    assert_eq!(units(&phone, "mug"), 4);
    for _ in 0..2 {
        take_order(&mut hub, None, &[("mug", 2)]);
        phone.order_done();
        ask(&mut phone, &hub);
        assert_eq!(units(&phone, "mug"), 4);
    }
    talk(&mut phone, &mut hub);
    assert_eq!(units(&phone, "mug"), 4);
}

#[test]
fn goods_of_an_order_that_waits_do_not_return_with_a_new_epoch() {
    let (ids, mut hub, phone) = stocked();
    let mut phone = reloaded(&phone, &ids);
    act(&mut phone, "hat", Act::Add(3));
    order(&mut phone, &[("mug", 2), ("cup", 1), ("hat", 3)]);
    act(&mut phone, "hat", Act::Add(1));
    hub.ordered();
    assert_eq!(phone.learn(hub.view(phone.position())), Next::Go);
    assert_eq!(shown(&phone), [("hat".into(), 1)]);
    assert_eq!(phone.message_text(), "b");
    phone.order_done();
    talk(&mut phone, &mut hub);
    assert_eq!(shown(&phone), [("hat".into(), 1)]);
}

#[test]
fn an_order_of_a_part_of_a_line_brings_back_nothing_of_a_cart_that_was_emptied() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut phone = device(&ids);
    act(&mut phone, "mug", Act::Add(9));
    talk(&mut phone, &mut hub);
    act(&mut phone, "hat", Act::Add(5));
    order(&mut phone, &[("mug", 2), ("hat", 2)]);
    assert_eq!(shown(&phone), [("hat".into(), 3), ("mug".into(), 7)]);
    hub.ordered();
    assert_eq!(phone.learn(hub.view(phone.position())), Next::Go);
    assert_eq!(shown(&phone), [("hat".into(), 3)], "the hub never had the hats");
    assert_eq!(phone.message_text(), "b");
    phone.order_done();
    talk(&mut phone, &mut hub);
    assert_eq!(shown(&phone), [("hat".into(), 3)]);
}

#[test]
fn a_logout_forgets_an_order_that_waits() {
    let (_, _, mut phone) = stocked();
    order(&mut phone, &[("mug", 2)]);
    phone.leave();
    assert_eq!((phone.waiting(), phone.message_text()), (0, String::new()));
}
