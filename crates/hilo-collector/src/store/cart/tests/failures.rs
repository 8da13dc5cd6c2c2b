//! A storage that fails at any statement: nothing of the call is stored, and a repeated call succeeds.

use super::*;
use crate::calls::cart::{CustomerCart, Leave, Leaving};

/// Makes a cart that has a row in every table.
fn used() -> (Object, Tab) {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    let ops = a.add("mug", 3);
    a.send_as(&mut hub, ops, Some(person()));
    hub.view(true, CartAsk::Commands(vec![command("1", CommandOp::Add, Some("cup"), None)]));
    hub.checkout();
    (hub, a)
}

/// Returns the whole content of a storage as text.
fn dump(storage: &Storage) -> String {
    let tables = ["cart", "infos", "deltas", "replicas", "checkouts", "once", "schedule", "outbox"];
    let rows =
        |table: &&str| storage.sql.exec(&format!("SELECT * FROM {table} ORDER BY 1"), &[]).unwrap();
    format!("{:?}", tables.iter().map(rows).collect::<Vec<_>>())
}

/// Lets every statement of `ask` fail once. The first attempt without a failure must succeed.
fn check(make: impl Fn(&mut Object, &mut Tab) -> CartAsk) {
    for fuse in 0..200 {
        let (mut hub, mut a) = used();
        let before = dump(&hub.storage);
        let ask = encode(&make(&mut hub, &mut a)).unwrap();
        hub.news.clear();
        hub.storage.fuse.set(Some(fuse));
        let answer = hub.try_ask::<Value>(true, decode(&ask).unwrap());
        if hub.storage.fuse.take().is_some() {
            assert!(answer.is_ok() && fuse > 3, "{answer:?}");
            return;
        }
        assert!(answer.is_err());
        assert_eq!(dump(&hub.storage), before, "after statement {fuse}");
        assert_eq!(hub.news, [], "nobody is told of what was not stored");
        let again: Value = hub.ask(true, decode(&ask).unwrap());
        assert_ne!(dump(&hub.storage), before, "{again:?}");
    }
    panic!("no attempt was spared");
}

#[test]
fn operations_are_stored_whole_or_not_at_all() {
    check(|_, a| {
        let mut ops = a.add("hat", 1);
        let info = hilo_core::cart::LineInfo { name: Some("Hat".into()), ..Default::default() };
        ops.info = vec![(line("hat"), info)];
        CartAsk::Ops { ops: Box::new(ops), person: None }
    });
}

#[test]
fn commands_are_stored_whole_or_not_at_all() {
    check(|_, _| {
        CartAsk::Commands(vec![
            command("7", CommandOp::Set, Some("mug"), Some(9)),
            command("8", CommandOp::Clear, None, None),
        ])
    });
}

#[test]
fn a_checkout_is_stored_whole_or_not_at_all() {
    check(|_, _| CartAsk::Checkout { person: Some(person()) });
}

#[test]
fn an_order_is_stored_whole_or_not_at_all() {
    check(|_, _| CartAsk::Ordered(order("o1", None)));
}

#[test]
fn a_guests_cart_is_taken_in_whole_or_not_at_all() {
    let leaving = leaving();
    check(move |_, _| CartAsk::Join(Box::new(leaving.clone())));
}

fn leaving() -> Leaving {
    let (mut guest, mut a) = (Object::new("guest", Owner::Guest), tab(7));
    a.adds(&mut guest, "mug", 2);
    guest.checkout();
    let speaker = Object::customer().speaker(false);
    let to = CustomerCart { cart: "customer".to_owned(), speaker, policy: "max".to_owned() };
    match guest.ask(false, CartAsk::Leave(to)) {
        Leave::Leaving(leaving) => *leaving,
        other @ (Leave::Nothing | Leave::Left) => panic!("{other:?}"),
    }
}

#[test]
fn an_alarm_that_fails_stores_nothing_and_fires_again() {
    for fuse in 0..200 {
        let (mut guest, mut a) = (Object::new("guest", Owner::Guest), tab(1));
        let ops = a.add("mug", 3);
        a.send_as(&mut guest, ops, Some(person()));
        guest.wait(SignedDuration::from_hours(2));
        let before = dump(&guest.storage);
        guest.storage.fuse.set(Some(fuse));
        let turn = Turn { name: "guest", now: guest.now, random: [1; 16] };
        let due = due(&guest.storage, &mut guest.volatile, turn);
        if guest.storage.fuse.take().is_some() {
            assert_eq!(due.unwrap().touchpoints.len(), 1);
            return;
        }
        assert!(due.is_err());
        assert_eq!(dump(&guest.storage), before, "after statement {fuse}");
        assert_eq!(guest.touchpoints().len(), 1);
    }
    panic!("no attempt was spared");
}
