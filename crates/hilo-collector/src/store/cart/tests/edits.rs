//! Replicas: the operations they may send, the answers they get, and the number of statements of an operation.

use super::*;

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
    // The three are the version, the state and the delta. An answer with the changes needs one more.
    let call = CartAsk::Ops { ops: Box::new(Ops { base: rev, ..ops }), person: None };
    hub.view(false, call);
    assert_eq!(hub.storage.statements.get() - before, 4);
}

#[test]
fn a_cart_in_memory_is_the_cart_in_storage_after_every_edit() {
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
fn a_replica_belongs_to_the_first_token_that_it_used() {
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
fn an_idle_replica_expires_and_gets_the_number_of_its_last_applied_operation() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 2);
    hub.wait(SignedDuration::from_hours(31 * 24));
    let ops = a.add("mug", 1);
    let answer = a.send(&mut hub, ops.clone());
    assert_eq!(code(&answer), (409, "epoch"));
    assert_eq!(answer.1["error"]["previous"], json!({"1": 1}));
    // The answer is the same when another replica has come and the binding was deleted.
    tab(2).adds(&mut hub, "cup", 1);
    assert_eq!(code(&a.send(&mut hub, ops)), (409, "epoch"));
    assert_eq!(hub.shown(), lines(&[("cup", 1), ("mug", 2)]));
}

#[test]
fn a_replica_of_a_deleted_cart_gets_the_number_of_its_last_applied_operation() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.add("mug", 2);
    let second = a.add("mug", 1);
    let answer = a.send(&mut hub, second);
    assert_eq!(code(&answer), (409, "epoch"));
    assert_eq!(answer.1["error"]["previous"], json!({"1": 1}));
    assert!(!hub.summary().known);
}

#[test]
fn a_cart_takes_two_hundred_calls_at_once_and_then_twenty_a_second() {
    let (mut hub, mut a) = (Object::customer(), tab(1));
    a.adds(&mut hub, "mug", 1);
    let since = Since { epoch: 0, rev: Revision(0), replica: None, with_lines: false };
    let look = || CartAsk::View(since.clone());
    let is_answered = |hub: &mut Object| hub.try_ask::<CartAnswer>(false, look());
    assert!((0..199).all(|_| is_answered(&mut hub).is_ok()));
    assert_eq!(is_answered(&mut hub).err(), Some(Failure::Busy { after_s: 1 }));
    assert!(hub.try_ask::<CartAnswer>(true, look()).is_ok(), "a backend is not counted");
    assert!(hub.summary().known, "nor is hilo itself");
    hub.wait(SignedDuration::from_secs(1));
    assert_eq!((0..40).filter(|_| is_answered(&mut hub).is_ok()).count(), 20);
}
