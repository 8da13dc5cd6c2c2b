//! Deltas that the hub accepts, and deltas that it refuses without a change.

use super::*;
use crate::cart::LineInfo;
use crate::cart::join;
use crate::cart::limits::DELTA_BYTES_MAX;
use crate::cart::limits::{NAME_BYTES_MAX, VARIANT_BYTES_MAX};
use crate::cart::replica::Sender;
use crate::cart::tests::{A, B, C, add, done, line, on, other_line};
use crate::cart::wire::check_bytes;
use crate::cart::{Ctx, Kind, Row};

fn sender(replica: ReplicaId) -> Sender {
    Sender { cart: "c".into(), replica, token: "t".into(), base: 0 }
}

fn accept(cart: &Cart, ops: &Ops) -> Cart {
    match check(cart, None, ops.replica, ops, 9).unwrap() {
        Checked::Fresh { cart, acked, .. } => {
            assert_eq!(acked, ops.to);
            *cart
        }
        Checked::Repeat { .. } => panic!("new operations are not a repeat"),
    }
}

/// Changes a good delta, replica A's addition of two to a hub's three, and expects the refusal with this code.
fn check_refused(expected: &str, change: impl Fn(&mut Ops)) {
    let hub = on(3);
    let delta = hub.add(A, &line(), 2).unwrap();
    let mut ops = Ops::of(sender(A), 1, 1, &delta);
    assert_eq!(accept(&hub, &ops), join(&hub, &delta));
    change(&mut ops);
    let refusal = check(&hub, None, A, &ops, 9).unwrap_err();
    assert_eq!(refusal.code(), expected);
}

fn dot(r: ReplicaId, n: u32) -> Dot {
    Dot { r, n }
}

#[test]
fn forged_replicas_and_numbers_are_refused() {
    check_refused("unknown_version", |ops| ops.v = 2);
    check_refused("foreign_replica", |ops| ops.replica = B);
    check_refused("malformed_delta", |ops| ops.from = 0);
    check_refused("malformed_delta", |ops| ops.from = 2);
    check_refused("missing", |ops| (ops.from, ops.to) = (2, 2)); // a gap
    check_refused("missing", |ops| ops.to = u32::MAX);
    check_refused("missing", |ops| ops.to = WINDOW + 1);
    check_refused("missing", |ops| ops.put[0].1 = dot(A, 2)); // not one of its operations
}

#[test]
fn dots_that_the_hub_has_not_seen_cannot_be_dropped_or_put() {
    check_refused("missing", |ops| ops.drop = vec![dot(B, 1)]);
    check_refused("missing", |ops| ops.drop = vec![dot(C, 2)]);
    check_refused("missing", |ops| ops.drop = vec![dot(C, 0)]);
    check_refused("missing", |ops| ops.put[0].1 = dot(B, 1));
    let hub = on(3);
    let mut ops = Ops::of(sender(A), 1, 1, &hub.remove(A, &line()).unwrap());
    assert!(accept(&hub, &ops).lines().next().is_none());
    ops.drop = vec![dot(C, 2)];
    let missing = Refusal::Missing { replica: C, from: 2 };
    assert_eq!(check(&hub, None, A, &ops, 9), Err(missing));
}

#[test]
fn a_dot_keeps_its_content_and_each_count_belongs_to_its_replica() {
    let foreign = |n, kind, used: &[(ReplicaId, u32)]| {
        Put(line(), dot(C, 1), kind, n, used.iter().copied().collect())
    };
    check_refused("dot_conflict", |ops| ops.put.push(foreign(4, Kind::Add, &[])));
    check_refused("dot_conflict", |ops| ops.put.push(foreign(3, Kind::Set, &[])));
    check_refused("dot_conflict", |ops| ops.put.push(ops.put[0].clone()));
    check_refused("dot_conflict", |ops| {
        let Put(_, dot, kind, n, used) = foreign(3, Kind::Add, &[]);
        ops.put.push(Put(other_line("cup"), dot, kind, n, used));
    });
    check_refused("foreign_use", |ops| ops.put.push(foreign(3, Kind::Add, &[(B, 1)])));
    check_refused("foreign_use", |ops| ops.put.push(foreign(3, Kind::Add, &[(A, 4)])));
    check_refused("foreign_use", |ops| ops.put[0].4.extend([(C, 1)]));
}

#[test]
fn the_hub_keeps_the_limits_of_quantities_and_texts() {
    check_refused("bad_quantity", |ops| ops.put[0].3 = 0);
    check_refused("bad_quantity", |ops| ops.put[0].3 = QUANTITY_MAX + 1);
    check_refused("bad_line", |ops| ops.put[0].0 = other_line(""));
    check_refused("bad_line", |ops| ops.put[0].0 = other_line(&"x".repeat(VARIANT_BYTES_MAX + 1)));
    for info in [
        LineInfo { name: Some("x".repeat(NAME_BYTES_MAX + 1)), ..LineInfo::default() },
        LineInfo { unit_price: Some(-1), ..LineInfo::default() },
    ] {
        check_refused("bad_line", |ops| ops.info = vec![(line(), info.clone())]);
    }
    assert_eq!(check_bytes(&[0; DELTA_BYTES_MAX + 1]), Err(Refusal::DeltaTooLarge));
}

#[test]
fn lines_dots_and_replicas_are_bounded() {
    let mut hub = Cart::default();
    for replica in 1..=LINE_DOTS_MAX as u64 {
        let delta = Cart::default().add(ReplicaId(replica), &line(), 1).unwrap();
        hub = accept(&hub, &Ops::of(sender(ReplicaId(replica)), 1, 1, &delta));
    }
    let one_more = Cart::default().add(ReplicaId(9_999), &line(), 1).unwrap();
    let ops = Ops::of(sender(ReplicaId(9_999)), 1, 1, &one_more);
    assert_eq!(check(&hub, None, ReplicaId(9_999), &ops, 9), Err(Refusal::TooManyDots));
    let fold = hub.add(ReplicaId(9_999), &line(), 1).unwrap();
    let ops = Ops::of(sender(ReplicaId(9_999)), 1, 1, &fold);
    let most = LINE_DOTS_MAX as u32;
    assert_eq!(
        accept(&hub, &ops).qty(&line()),
        most + 1,
        "a replica that has seen the dots can fold them"
    );

    let mut full = Cart::default();
    for number in 0..CART_DOTS_MAX {
        let line = other_line(&(number % LINES_MAX).to_string());
        let dot = Dot { r: ReplicaId(1 + number as u64), n: 1 };
        full.put(&line, Row::own(dot, Kind::Add, 1));
    }
    let one_more = Cart::default().add(ReplicaId(9_999), &other_line("0"), 1).unwrap();
    let ops = Ops::of(sender(ReplicaId(9_999)), 1, 1, &one_more);
    let crowd = Cart { ctx: Ctx::default(), ..full };
    assert!(check(&crowd, None, ReplicaId(9_999), &ops, 9) == Err(Refusal::TooManyDots));

    let mut many = Cart::default();
    for number in 0..LINES_MAX {
        let delta = many.add(C, &other_line(&number.to_string()), 1).unwrap();
        many.absorb(&delta);
    }
    let ops = Ops::of(sender(A), 1, 1, &Cart::default().add(A, &line(), 1).unwrap());
    assert_eq!(check(&many, None, A, &ops, 9), Err(Refusal::TooManyLines));

    let ctx = (1_000..1_000 + REPLICAS_MAX as u64).map(|r| (ReplicaId(r), 1)).collect();
    let crowd = Cart { ctx, ..Cart::default() };
    assert_eq!(check(&crowd, None, A, &ops, 9), Err(Refusal::TooManyReplicas));
}

#[test]
fn a_repeat_is_answered_and_changes_nothing() {
    let hub = on(3);
    let ops = Ops::of(sender(A), 1, 1, &hub.add(A, &line(), 2).unwrap());
    let hub = accept(&hub, &ops);
    assert_eq!(check(&hub, None, A, &ops, 10), Ok(Checked::Repeat { acked: 1 }));
}

#[test]
fn operations_that_are_sent_again_after_a_lost_answer_count_once() {
    // Operations 1..=2 were applied, their answer was lost, and 3 removes what 1 had added.
    let mut cart = on(3);
    let hub = cart.clone();
    let mut delta = add(&mut cart, A, 2);
    let second = cart.add(A, &other_line("cup"), 1).unwrap();
    cart.absorb(&second);
    delta.absorb(&second);
    let hub = accept(&hub, &Ops::of(sender(A), 1, 2, &delta));
    let third = cart.remove(A, &line()).unwrap();
    cart.absorb(&third);
    delta.absorb(&third);
    let hub = accept(&hub, &Ops::of(sender(A), 1, 3, &delta));
    assert_eq!(hub, cart);
}

#[test]
fn a_late_decrement_of_a_dot_that_is_gone_is_accepted_and_does_nothing() {
    let hub = on(3);
    let late = hub.dec(A, &line(), 1).unwrap();
    let removed = done(hub.clone(), &hub.remove(B, &line()).unwrap());
    let after = accept(&removed, &Ops::of(sender(A), 1, 1, &late));
    assert!(after.lines().next().is_none());
    assert_eq!(after.ctx.prefix(A), 1);
}

#[test]
fn display_fields_take_the_hubs_revision_and_need_a_line() {
    let hub = on(3);
    let mut ops = Ops::of(sender(A), 1, 1, &hub.add(A, &line(), 2).unwrap());
    let info = LineInfo { name: Some("Mug".into()), ..LineInfo::default() };
    ops.info = vec![(line(), info.clone()), (other_line("cup"), info.clone())];
    let hub = accept(&hub, &ops);
    assert_eq!(hub.looks().collect::<Vec<_>>(), [(&line(), &(9, info))]);
}

#[test]
fn an_ended_epoch_is_answered_with_what_it_had_applied() {
    let hub = Cart::of(5);
    let previous = Applied::from([(A, 3)]);
    let answer = |epoch| {
        let delta = Cart::of(epoch).add(A, &line(), 1).unwrap();
        check(&hub, Some(&previous), A, &Ops::of(sender(A), 1, 1, &delta), 9)
    };
    assert_eq!(answer(4), Err(Refusal::Epoch { previous: Some(previous.clone()) }));
    assert_eq!(answer(3), Err(Refusal::Epoch { previous: None }));
    assert_eq!(answer(6), Err(Refusal::Epoch { previous: None }));
    assert!(answer(5).is_ok());
}

#[test]
fn a_replica_that_comes_back_gets_the_ring_or_a_snapshot() {
    let hello = |epoch, rev| Hello { epoch, rev, vv: Applied::new() };
    assert_eq!(catch_up(&hello(1, 300), 1, 300), CatchUp::Nothing);
    assert_eq!(catch_up(&hello(1, 299), 1, 300), CatchUp::Deltas { after: 299 });
    assert_eq!(catch_up(&hello(1, 44), 1, 300), CatchUp::Deltas { after: 44 });
    assert_eq!(catch_up(&hello(1, 43), 1, 300), CatchUp::Snapshot);
    assert_eq!(catch_up(&hello(1, 301), 1, 300), CatchUp::Snapshot, "the hub was restored");
    assert_eq!(catch_up(&hello(0, 300), 1, 300), CatchUp::Snapshot, "another epoch");
    assert!(Ctx::default().is_empty());
}
