//! The merge of a guest's cart into a customer's when the guest signs in.
//!
//! In: both carts and the shop's policy. Out: a delta for the customer's cart. The hub makes sure that a merge across two
//! objects happens once. No limits are applied, so that a large cart loses no unit.

use super::context::ReplicaId;
use super::join::join;
use super::line::LineKey;
use super::refusal::Refusal;
use super::state::Cart;

/// The rule by which the lines of both carts are merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The larger quantity of lines in both carts. Guest and customer usually filled both alike, and a sum would double that.
    #[default]
    Max,
    /// The sum of both quantities.
    Sum,
    /// The guest's quantity of lines in both carts. All other lines stay.
    GuestWins,
    /// The guest's lines alone, unless the guest's cart is empty.
    Replace,
    /// No merge: the customer's cart stays as it is. The guest's cart stays readable by its capability, and operations that its
    /// devices had not sent stay with it. A device that shows the customer's cart acts on it as a new replica.
    KeepBoth,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Policy; 5] =
        [Policy::Max, Policy::Sum, Policy::GuestWins, Policy::Replace, Policy::KeepBoth];

    /// The name in `hilo.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Policy::Max => "max",
            Policy::Sum => "sum",
            Policy::GuestWins => "guest_wins",
            Policy::Replace => "replace",
            Policy::KeepBoth => "keep_both",
        }
    }

    /// Reads the name; `None` for anything else.
    pub fn from_name(name: &str) -> Option<Policy> {
        Policy::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

impl serde::Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

/// The delta that merges the guest's cart into the customer's, or `None` where the carts stay apart.
///
/// The delta holds the guest's dots unchanged. No replica writes under one id in two carts, so late operations of the guest's
/// tabs still join, and a second absorption changes nothing. `hub` is the replica of the **customer's** hub. It must differ
/// from the replica of the guest's hub, or their dots would collide.
///
/// The delta holds the guest's whole context. Replicas get it by a full view, since a broadcast lists dots one by one.
///
/// # Errors
/// `ReplicaExhausted`.
pub fn merge(
    user: &Cart,
    guest: &Cart,
    policy: Policy,
    hub: ReplicaId,
) -> Result<Option<Cart>, Refusal> {
    let mut delta = Cart { epoch: user.epoch, ..guest.clone() };
    // The looks of the customer's cart win.
    delta.age_looks();
    let mut merged = join(user, &delta);
    let mut act = |merged: &mut Cart, step: Result<Cart, Refusal>| {
        step.map(|step| {
            delta.absorb(&step);
            merged.absorb(&step);
        })
    };
    let in_both = |line: &LineKey| user.qty(line) > 0 && guest.qty(line) > 0;
    match policy {
        Policy::KeepBoth => return Ok(None),
        Policy::Sum => {}
        Policy::Max => {
            for (line, quantity) in user.shown().filter(|(line, _)| in_both(line)) {
                let set = merged.set(hub, line, quantity.max(guest.qty(line)));
                act(&mut merged, set)?;
            }
        }
        Policy::GuestWins => {
            for (line, _) in user.shown().filter(|(line, _)| in_both(line)) {
                let removed = user_only(user, &merged).remove(hub, line);
                act(&mut merged, removed)?;
            }
        }
        Policy::Replace => {
            if !guest.is_empty() {
                let cleared = user_only(user, &merged).clear(hub);
                act(&mut merged, cleared)?;
            }
        }
    }
    Ok(Some(delta))
}

/// The customer's lines with the context of both carts. A drop of these lines does not reach the guest's dots.
fn user_only(user: &Cart, merged: &Cart) -> Cart {
    Cart { ctx: merged.ctx.clone(), known_lines: user.known_lines.clone(), ..user.delta() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::tests::{A, B, C, HUB, done, line, other_line};

    fn cart(replica: ReplicaId, epoch: u32, lines: &[(&str, u32)]) -> Cart {
        let mut cart = Cart::of(epoch);
        for (variant, quantity) in lines {
            let added = cart.add(replica, &other_line(variant), *quantity).unwrap();
            cart.absorb(&added);
        }
        cart
    }

    fn shown(cart: &Cart) -> Vec<(LineKey, u32)> {
        cart.shown().map(|(line, quantity)| (line.clone(), quantity)).collect()
    }

    type Lines<'a> = &'a [(&'a str, u32)];

    fn check(policy: Policy, user: Lines<'_>, guest: Lines<'_>, expected: Lines<'_>) {
        // The guest's epoch is later. It must not replace the customer's cart.
        let (user, guest) = (cart(A, 2, user), cart(B, 5, guest));
        let merged = match merge(&user, &guest, policy, HUB).unwrap() {
            Some(delta) => {
                let merged = done(user, &delta);
                assert_eq!(
                    done(merged.clone(), &delta),
                    merged,
                    "a second absorption changes nothing"
                );
                merged
            }
            None => user,
        };
        let expected: Vec<_> = expected.iter().map(|(v, q)| (other_line(v), *q)).collect();
        assert_eq!(shown(&merged), expected, "{policy:?}");
        assert_eq!(merged.epoch, 2);
        assert_eq!(merged.ctx.cloud().count(), 0);
    }

    #[test]
    fn each_policy_merges_conflicting_carts_by_its_rule() {
        let (user, guest): (Lines<'_>, Lines<'_>) =
            (&[("cup", 2), ("mug", 3)], &[("hat", 1), ("mug", 2)]);
        check(Policy::Max, user, guest, &[("cup", 2), ("hat", 1), ("mug", 3)]);
        check(Policy::Sum, user, guest, &[("cup", 2), ("hat", 1), ("mug", 5)]);
        check(Policy::GuestWins, user, guest, &[("cup", 2), ("hat", 1), ("mug", 2)]);
        check(Policy::Replace, user, guest, &[("hat", 1), ("mug", 2)]);
        check(Policy::KeepBoth, user, guest, user);
    }

    #[test]
    fn an_empty_guest_cart_changes_nothing_under_any_policy() {
        for policy in Policy::ALL {
            check(policy, &[("mug", 3)], &[], &[("mug", 3)]);
        }
    }

    #[test]
    fn every_policy_but_keep_both_fills_an_empty_customer_cart() {
        for policy in Policy::ALL {
            let expected: Lines<'_> = if policy == Policy::KeepBoth { &[] } else { &[("mug", 3)] };
            check(policy, &[], &[("mug", 3)], expected);
        }
    }

    #[test]
    fn only_the_sum_doubles_two_equal_carts() {
        for policy in Policy::ALL {
            let expected = if policy == Policy::Sum { 6 } else { 3 };
            check(policy, &[("mug", 3)], &[("mug", 3)], &[("mug", expected)]);
        }
    }

    #[test]
    fn a_late_operation_of_the_guest_joins_after_the_merge() {
        let (user, mut guest) = (cart(A, 0, &[("mug", 3)]), cart(B, 0, &[("mug", 2)]));
        let before = guest.clone();
        let late = guest.add(B, &line(), 1).unwrap();
        guest.absorb(&late);
        let merged = done(user.clone(), &merge(&user, &before, Policy::Max, HUB).unwrap().unwrap());
        assert_eq!(done(merged, &late).qty(&line()), 4);
    }

    #[test]
    fn names_of_policies_read_back() {
        for policy in Policy::ALL {
            assert_eq!(Policy::from_name(policy.name()), Some(policy));
        }
        assert_eq!(Policy::from_name("union"), None);
        assert_eq!(Policy::default(), Policy::Max);
        assert_ne!(C, HUB);
    }
}
