//! What answers, losses, epochs, logins and refusals do to the operations that wait.

use std::collections::BTreeSet;

use hilo_core::cart::{ReplicaId, join};

use super::*;

#[test]
fn a_reload_keeps_operations_that_were_not_sent_and_reports_them_once() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut before = device(&ids);
    act(&mut before, "mug", Act::Add(2));
    talk(&mut before, &mut hub);
    before.take_touchpoints();
    before.act(&line("a\tb\n\\"), Act::Add(1), &look("Tab\tle"), false).unwrap();
    act(&mut before, "mug", Act::Dec(1));
    let mut touchpoints = before.drafts();
    let mut after = reloaded(&before, &ids);
    act(&mut after, "mug", Act::Add(4));
    talk(&mut after, &mut hub);
    touchpoints.extend(after.take_touchpoints());
    assert_eq!(changes(&touchpoints), [("a\tb\n\\", 1), ("mug", -1), ("mug", 4)]);
    assert_eq!(touchpoints[0].look, look("Tab\tle"));
    let writers: BTreeSet<ReplicaId> =
        touchpoints.iter().map(|touchpoint| touchpoint.dot.r).collect();
    assert_eq!(writers.len(), 2, "a new page writes under a new name");
    assert_eq!(hub.cart.qty(&line("mug")), 5);
}

#[test]
fn a_message_whose_answer_was_lost_counts_once() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(2));
    hub.take(&device.message().unwrap()).unwrap();
    let mut device = reloaded(&device, &ids);
    hub.take(&device.message().unwrap()).unwrap();
    act(&mut device, "mug", Act::Add(1));
    talk(&mut device, &mut hub);
    assert_eq!(hub.cart.qty(&line("mug")), 3);
}

#[test]
fn a_stored_text_that_was_cut_opens_up_to_the_cut() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "cup", Act::Add(2));
    talk(&mut device, &mut hub);
    act(&mut device, "mug", Act::Add(3));
    let text = device.stored_text();
    for (end, _) in text.match_indices('\n') {
        let mut cut = Replica::open(&text[..end], mint(&ids)).unwrap();
        cut.doubt();
        assert_eq!(cut.position(), None, "the hub is asked for everything");
        cut.learn(hub.view(cut.position()));
        assert_eq!(cut.shown().qty(&line("cup")), 2);
    }
    for rubbish in ["", "k", "\u{0}", "k\tc\t0\t0\nv\t1", "{}", "t\t1", &"x".repeat(10 << 20)] {
        assert!(Replica::open(rubbish, mint(&ids)).is_none());
    }
}

#[test]
fn a_device_that_missed_a_broadcast_asks_for_it() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let (mut a, mut b) = (device(&ids), device(&ids));
    talk(&mut b, &mut hub);
    act(&mut a, "mug", Act::Add(1));
    talk(&mut a, &mut hub);
    assert_eq!(b.learn(hub.broadcast()), Next::Go);
    assert_eq!(shown(&b), [("mug".into(), 1)]);
    act(&mut a, "mug", Act::Set(5));
    talk(&mut a, &mut hub);
    act(&mut a, "cup", Act::Add(1));
    talk(&mut a, &mut hub);
    assert_eq!(b.learn(hub.broadcast()), Next::Ask);
    ask(&mut b, &hub);
    assert_eq!(shown(&b), shown_at(&hub));
    assert_eq!(b.learn(hub.broadcast()), Next::Go, "a repeat changes nothing");
}

#[test]
fn an_order_on_another_device_takes_the_bought_units_and_leaves_new_ones() {
    for is_sent in [false, true] {
        let (ids, mut hub) = (minted(), Hub::new("c"));
        let (mut phone, mut desk) = (device(&ids), device(&ids));
        act(&mut desk, "mug", Act::Add(2));
        talk(&mut desk, &mut hub);
        act(&mut phone, "cup", Act::Add(1));
        talk(&mut phone, &mut hub);
        act(&mut phone, "hat", Act::Add(3));
        act(&mut phone, "mug", Act::Dec(1));
        if is_sent {
            drop(phone.message()); // the message is lost
        }
        let mut phone = reloaded(&phone, &ids);
        hub.ordered();
        assert_eq!(phone.learn(hub.view(phone.position())), Next::Go);
        talk(&mut phone, &mut hub);
        assert_eq!(shown(&phone), [("hat".into(), 3)], "sent: {is_sent}");
        assert_eq!(phone.lost(), 0);
    }
}

#[test]
fn an_operation_that_the_hub_applied_before_the_order_is_not_made_anew() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut phone = device(&ids);
    act(&mut phone, "cup", Act::Add(1));
    talk(&mut phone, &mut hub);
    act(&mut phone, "mug", Act::Add(2));
    hub.take(&phone.message().unwrap()).unwrap(); // the answer is lost
    hub.ordered();
    talk(&mut phone, &mut hub);
    assert!(hub.cart.is_empty());
    act(&mut phone, "mug", Act::Add(4));
    talk(&mut phone, &mut hub);
    assert_eq!(hub.cart.qty(&line("mug")), 4);
}

#[test]
fn sent_operations_of_an_epoch_that_the_hub_forgot_are_given_up_and_counted() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut phone = device(&ids);
    act(&mut phone, "cup", Act::Add(1));
    talk(&mut phone, &mut hub);
    act(&mut phone, "mug", Act::Add(2));
    drop(phone.message());
    act(&mut phone, "hat", Act::Add(1));
    hub.ordered();
    hub.ordered();
    talk(&mut phone, &mut hub);
    assert_eq!((shown(&phone), phone.lost()), (vec![("hat".into(), 1)], 1));
}

#[test]
fn a_device_without_memory_joins_a_later_epoch() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    hub.ordered();
    hub.ordered();
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(2));
    talk(&mut device, &mut hub);
    assert_eq!((hub.cart.qty(&line("mug")), device.lost()), (2, 0));
}

#[test]
fn a_login_carries_waiting_operations_into_the_customers_cart() {
    let (ids, mut guest, mut customer) = (minted(), Hub::new("g"), Hub::new("u"));
    let mut other = device(&ids);
    act(&mut other, "cup", Act::Add(1));
    talk(&mut other, &mut customer);
    for is_merged in [true, false] {
        let mut phone = device(&ids);
        act(&mut phone, "mug", Act::Add(2));
        talk(&mut phone, &mut guest);
        act(&mut phone, "mug", Act::Dec(1));
        act(&mut phone, "hat", Act::Add(1));
        drop(phone.message());
        if is_merged {
            let mut delta = guest.cart.clone();
            delta.epoch = customer.cart.epoch;
            let cart = join(&customer.cart, &delta);
            customer.become_(cart, delta);
        }
        assert_eq!(phone.learn_refusal(HubRefusal::Merged), Next::Ask);
        talk(&mut phone, &mut customer);
        let expected = if is_merged { 1 } else { 0 };
        assert_eq!(phone.shown().qty(&line("mug")), expected, "merged: {is_merged}");
        assert_eq!(phone.shown().qty(&line("hat")), 1);
        assert_eq!(phone.shown().qty(&line("cup")), 1);
        assert_eq!(phone.label(), "u");
        (guest, customer) = (Hub::new("g"), Hub::new("u"));
        other = device(&ids);
        act(&mut other, "cup", Act::Add(1));
        talk(&mut other, &mut customer);
    }
}

#[test]
fn a_replica_whose_name_is_taken_gets_another_name() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(2));
    let first = device.message().unwrap();
    assert_eq!(device.learn_refusal(HubRefusal::ForeignReplica), Next::Ask);
    assert_eq!(device.message(), None, "nothing is sent before the hub was heard");
    talk(&mut device, &mut hub);
    assert_eq!(hub.cart.qty(&line("mug")), 2);
    assert_eq!(hub.cart.ctx.prefix(first.sender.replica), 0);
}

#[test]
fn a_bad_operation_is_given_up_and_the_other_operations_arrive() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut other = device(&ids);
    for variant in 0..199 {
        act(&mut other, &variant.to_string(), Act::Add(1));
    }
    talk(&mut other, &mut hub);
    let mut phone = device(&ids);
    act(&mut phone, "a", Act::Add(1));
    act(&mut phone, "b", Act::Add(1)); // the 201st line
    act(&mut phone, "7", Act::Add(1));
    drop(phone.message());
    act(&mut phone, "b", Act::Dec(1));
    talk(&mut phone, &mut hub);
    assert_eq!(hub.cart.lines().count(), 200);
    assert_eq!((hub.cart.qty(&line("a")), hub.cart.qty(&line("b"))), (1, 0));
    assert_eq!((hub.cart.qty(&line("7")), phone.lost()), (2, 1));
}

#[test]
fn an_act_during_a_refusal_keeps_its_name() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(2));
    act(&mut device, "cup", Act::Add(1));
    device.message().unwrap();
    act(&mut device, "hat", Act::Add(4));
    assert_eq!(device.learn_refusal(HubRefusal::BadMessage), Next::Go);
    talk(&mut device, &mut hub);
    assert_eq!(shown_at(&hub), [("cup".into(), 1), ("hat".into(), 4), ("mug".into(), 2)]);
    assert_eq!(device.lost(), 0);
}

#[test]
fn a_hub_that_lost_operations_gets_them_again() {
    let (ids, mut hub) = (minted(), Hub::new("c"));
    let mut device = device(&ids);
    act(&mut device, "mug", Act::Add(1));
    talk(&mut device, &mut hub);
    let (cart, rev) = (hub.cart.clone(), hub.rev);
    act(&mut device, "mug", Act::Add(2));
    talk(&mut device, &mut hub);
    (hub.cart, hub.rev) = (cart, rev); // restored from a backup
    hub.log.truncate(1);
    act(&mut device, "cup", Act::Add(4));
    talk(&mut device, &mut hub);
    assert_eq!(hub.cart.qty(&line("cup")), 4);
    act(&mut device, "cup", Act::Add(1));
    talk(&mut device, &mut hub);
    assert_eq!(hub.cart.qty(&line("cup")), 5);
}
