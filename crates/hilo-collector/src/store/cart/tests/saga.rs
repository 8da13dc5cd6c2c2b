//! The merge at login, stopped after every step and continued: no unit is lost, and none counts twice.

use super::*;
use crate::calls::cart::{CustomerCart, Leave, Leaving};
use hilo_core::cart::merge::Policy;

/// A guest's cart, a customer's cart, and a tab of each.
struct World {
    guest: Object,
    customer: Object,
    guest_tab: Tab,
    customer_tab: Tab,
    policy: Policy,
}

type Lines<'a> = &'a [(&'a str, u32)];

fn world(policy: Policy, customer: Lines<'_>, guest: Lines<'_>) -> World {
    let mut world = World {
        guest: Object::new("guest", Owner::Guest),
        customer: Object::customer(),
        guest_tab: tab(1),
        customer_tab: tab(2),
        policy,
    };
    for (variant, units) in customer {
        world.customer_tab.adds(&mut world.customer, variant, *units);
    }
    for (variant, units) in guest {
        world.guest_tab.adds(&mut world.guest, variant, *units);
    }
    world
}

impl World {
    fn leave(&mut self) -> Leave {
        let speaker = self.customer.speaker(false);
        let policy = self.policy.name().to_owned();
        let to = CustomerCart { cart: "customer".to_owned(), speaker, policy };
        self.guest.ask(false, CartAsk::Leave(to))
    }

    fn join(&mut self, leaving: &Leaving) {
        self.customer.ask::<()>(false, CartAsk::Join(Box::new(leaving.clone())));
    }

    fn left(&mut self, leaving: &Leaving) {
        let merge_id = leaving.merge_id.clone();
        self.guest.ask::<()>(false, CartAsk::Left { merge_id });
    }

    /// Runs up to `steps` steps of the saga. Returns whether the saga has ended.
    fn drive(&mut self, steps: usize) -> bool {
        if steps == 0 {
            return false;
        }
        let Leave::Leaving(leaving) = self.leave() else { return true };
        if steps > 1 {
            self.join(&leaving);
        }
        if steps > 2 {
            self.left(&leaving);
        }
        false
    }

    fn crash(&mut self) {
        self.guest.crash();
        self.customer.crash();
    }
}

/// Returns the lines that each policy makes of these carts.
fn expected(policy: Policy, customer: Lines<'_>, guest: Lines<'_>) -> Vec<(String, u32)> {
    let units = |lines: Lines<'_>, variant: &str| {
        lines.iter().find(|(other, _)| *other == variant).map_or(0, |(_, units)| *units)
    };
    let mut variants: Vec<&str> =
        customer.iter().chain(guest).map(|(variant, _)| *variant).collect();
    variants.sort_unstable();
    variants.dedup();
    let of = |variant: &str| {
        let (of_customer, of_guest) = (units(customer, variant), units(guest, variant));
        match policy {
            Policy::Max => of_customer.max(of_guest),
            Policy::Sum => of_customer + of_guest,
            Policy::GuestWins if of_guest > 0 => of_guest,
            Policy::GuestWins | Policy::KeepBoth => of_customer,
            Policy::Replace if guest.is_empty() => of_customer,
            Policy::Replace => of_guest,
        }
    };
    let all = variants.into_iter().map(|variant| (variant.to_owned(), of(variant)));
    all.filter(|(_, units)| *units > 0).collect()
}

const CASES: [(&str, Lines<'static>, Lines<'static>); 5] = [
    ("both empty", &[], &[]),
    ("an empty guest", &[("mug", 3)], &[]),
    ("the same", &[("mug", 3)], &[("mug", 3)]),
    ("disjoint", &[("mug", 3)], &[("hat", 2)]),
    ("conflicting", &[("cup", 1), ("mug", 3)], &[("hat", 2), ("mug", 5)]),
];

#[test]
fn a_merge_by_every_policy_survives_a_crash_after_every_step() {
    for policy in Policy::ALL {
        for (name, customer, guest) in CASES {
            // The saga stops after a number of steps, twice, with a crash each time. Then it runs to its end.
            for (first, second) in (0..=3).flat_map(|first| (0..=3).map(move |then| (first, then)))
            {
                let mut world = world(policy, customer, guest);
                for steps in [first, second, 3] {
                    world.drive(steps);
                    world.crash();
                }
                let why = format!("{policy:?}, {name}, stopped after {first} and {second}");
                assert_eq!(world.customer.shown(), expected(policy, customer, guest), "{why}");
                let rest = world.guest.shown();
                if policy == Policy::KeepBoth {
                    assert_eq!(rest, lines(guest), "{why}");
                    continue;
                }
                assert_eq!(rest, [], "{why}");
                let rev = world.customer.summary().rev;
                assert!(world.drive(3), "{why}");
                assert_eq!(world.customer.summary().rev, rev, "driven again it changes nothing");
            }
        }
    }
}

#[test]
fn edits_between_the_steps_of_a_merge_count_once() {
    for policy in [Policy::Max, Policy::Sum, Policy::GuestWins, Policy::Replace] {
        for stop in 1..=3 {
            let mut world = world(policy, &[("mug", 3)], &[("hat", 2)]);
            world.drive(stop);
            // The guest's tab has not heard of the merge yet, and the customer's other device edits meanwhile.
            let late = world.guest_tab.add("hat", 1);
            let (status, answer) = world.guest_tab.send(&mut world.guest, late.clone());
            let code = answer["error"]["code"].as_str().unwrap();
            assert_eq!(
                (status, code),
                if stop < 3 { (503, "cart_merging") } else { (410, "cart_merged") }
            );
            world.customer_tab.look(&mut world.customer);
            world.customer_tab.adds(&mut world.customer, "cup", 1);
            world.crash();
            world.drive(3);
            // Now the tab sends to the customer's cart, with the same replica and token.
            assert_eq!(world.guest_tab.send(&mut world.customer, late.clone()).0, 200);
            assert_eq!(world.guest_tab.send(&mut world.customer, late).0, 200);
            // `replace` removes the lines that the customer's cart had when it joined the guest's, and no others.
            let came_before = policy == Policy::Replace && stop < 2;
            let mut wanted = Vec::new();
            if !came_before {
                wanted.push(("cup", 1));
            }
            wanted.push(("hat", 3));
            if policy != Policy::Replace {
                wanted.push(("mug", 3));
            }
            assert_eq!(world.customer.shown(), lines(&wanted), "{policy:?}, stopped after {stop}");
        }
    }
}

#[test]
fn the_guests_alarm_finishes_a_merge_that_was_left_unfinished() {
    let mut world = world(Policy::Sum, &[("mug", 3)], &[("mug", 2)]);
    world.drive(1);
    world.crash();
    world.guest.wait(SignedDuration::from_secs(5));
    let leaving = world.guest.due().merge.unwrap();
    world.join(&leaving);
    world.crash();
    world.guest.wait(SignedDuration::from_secs(5));
    let leaving = world.guest.due().merge.unwrap();
    world.join(&leaving);
    world.left(&leaving);
    assert_eq!(world.customer.shown(), lines(&[("mug", 5)]));
    assert_eq!(world.guest.news.last(), Some(&News::Merged));
    world.guest.wait(SignedDuration::from_secs(5));
    assert!(world.guest.due().merge.is_none());
}

#[test]
fn a_merge_that_two_calls_run_at_once_counts_once() {
    let mut world = world(Policy::Sum, &[("mug", 3)], &[("mug", 2)]);
    let (Leave::Leaving(one), Leave::Leaving(other)) = (world.leave(), world.leave()) else {
        panic!("nothing to move")
    };
    assert_eq!(one.merge_id, other.merge_id);
    world.join(&one);
    world.left(&one);
    world.join(&other);
    world.left(&other);
    assert_eq!(world.customer.shown(), lines(&[("mug", 5)]));
}

#[test]
fn a_merge_that_began_for_one_customer_ends_in_that_customers_cart() {
    let mut world = world(Policy::Sum, &[], &[("mug", 2)]);
    world.drive(1);
    let mut other = Object::new("other-customer", Owner::Customer("u2".to_owned()));
    let speaker = other.speaker(false);
    let to = CustomerCart { cart: "other-customer".to_owned(), speaker, policy: "sum".to_owned() };
    let Leave::Leaving(leaving) = world.guest.ask(false, CartAsk::Leave(to)) else {
        panic!("nothing to move")
    };
    assert_eq!(leaving.to.cart, "customer");
    assert!(!other.summary().known);
}

#[test]
fn a_checkout_that_a_guest_began_can_be_ordered_after_the_login() {
    let mut world = world(Policy::Max, &[("cup", 1)], &[("mug", 2)]);
    let id = world.guest.checkout();
    world.drive(3);
    assert_eq!(world.customer.summary().checkout, Some(id.clone()));
    let answer = world.guest.order(order("o1", Some(&id)));
    assert_eq!(code(&answer), (410, "cart_merged"));
    assert_eq!(answer.1["error"]["into"], "customer");
    world.customer.order(order("o1", Some(&id)));
    assert_eq!(world.customer.shown(), lines(&[("cup", 1)]));
}

#[test]
fn an_order_that_the_guests_cart_had_is_a_duplicate_after_the_login() {
    let mut world = world(Policy::Max, &[], &[("mug", 2)]);
    world.guest.order(bought("o1", &[("mug", 1)]));
    world.drive(3);
    let (_, view) = world.customer.order(bought("o1", &[("mug", 1)]));
    assert_eq!(view["duplicate"], true);
    assert_eq!(world.customer.shown(), lines(&[("mug", 1)]));
}

#[test]
fn a_forged_guest_cart_cannot_take_away_what_other_devices_added() {
    let mut world = world(Policy::Max, &[("mug", 3)], &[("hat", 1)]);
    // The forger uses the customer's replica, in a cart of his own where that replica has no token.
    let mut forger = Tab { token: "f".repeat(32), ..tab(2) };
    for _ in 0..3 {
        forger.adds(&mut world.guest, "cup", 1);
    }
    world.drive(3);
    assert_eq!(world.customer.shown(), lines(&[("hat", 1), ("mug", 3)]));
    world.customer_tab.adds(&mut world.customer, "mug", 1);
    assert_eq!(world.customer.shown(), lines(&[("hat", 1), ("mug", 4)]));
}
