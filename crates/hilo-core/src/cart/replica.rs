//! What a replica says about itself when it sends, what it hears, and what it keeps while nobody answers.
//! Plain values: `wire` and `flat` are how they are written, the page decides when. Moving from a guest's cart to a
//! person's is the one thing they do.

use alloc::string::String;
use alloc::vec::Vec;

use super::context::{Dot, ReplicaId, Span};
use super::state::Cart;

/// Who sends a delta.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sender {
    /// Which cart; empty on the first contact.
    pub cart: String,
    /// Who acted.
    pub replica: ReplicaId,
    /// The secret that was minted with the replica: whoever has it may act as this replica.
    pub token: String,
    /// The hub's revision the replica has.
    pub base: u64,
}

/// What the hub tells a replica: its cart, or what happened since the replica's revision. Both are absorbed alike, but
/// only a full one may begin another cart or epoch: the rest would be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Whether `known` is the whole cart.
    pub full: bool,
    /// Which cart; empty in a broadcast.
    pub cart: String,
    /// The hub's revision after it.
    pub rev: u64,
    /// The last operation of the receiver that is applied.
    pub acked: u32,
    /// The cart, or the deltas joined, with the hub's epoch.
    pub known: Cart,
}

/// Operations `from..=to` of one replica, joined, that the hub has not acknowledged: what one message to it carries.
///
/// A group ends when it is sent or has [`super::limits::WINDOW`] operations; the next operation begins another. So a
/// message that is sent again says the same, and an acknowledgment ends whole groups with all they dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Who acted.
    pub replica: ReplicaId,
    /// The secret that was minted with it.
    pub token: String,
    /// The first operation in it.
    pub from: u32,
    /// The last one.
    pub to: u32,
    /// Whether the hub may have heard of it.
    pub sent: bool,
    /// The deltas.
    pub delta: Cart,
}

/// What a replica keeps across page loads. Groups of several replicas may wait: every page load mints its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Which cart.
    pub cart: String,
    /// The hub's revision that is in it.
    pub rev: u64,
    /// Everything known. The page leaves out what waits, so that what is in it is what the hub has confirmed.
    pub known: Cart,
    /// What was not acknowledged, in the order it happened.
    pub waiting: Vec<Group>,
}

impl Kept {
    /// Moves to the cart that this one was merged into at login, known by its full `view`, and answers what cannot come
    /// along.
    ///
    /// The merge took the dots of this cart over as they were. So the replica goes on under its numbers, and what waits
    /// says the same in the other cart's epoch: what that has applied already is done, the rest is sent to it and counts
    /// once, whether or not it was sent before. Drops and units taken back come along; of units that the merge itself set
    /// anew, they had not been seen and stay.
    ///
    /// A group cannot come along where the other cart does not know the operations before it: its epoch has ended since
    /// the merge, and [`super::epoch::remint`] says the group anew. Not for carts that are kept apart: there the groups
    /// wait for the first cart, and of a replica that never had an answer this could not tell the difference.
    pub fn move_to(&mut self, view: &View) -> Vec<Group> {
        let mut reached = view.known.ctx.clone();
        self.cart.clone_from(&view.cart);
        self.rev = view.rev;
        self.known.clone_from(&view.known);
        let mut strays = Vec::new();
        for mut group in core::mem::take(&mut self.waiting) {
            let last = reached.prefix(group.replica);
            if group.to <= last {
                continue;
            }
            if group.from > last.saturating_add(1) {
                strays.push(group);
                continue;
            }
            reached.add(Span { r: group.replica, from: 1, to: group.to });
            group.delta.epoch = view.known.epoch;
            group.delta.age_looks();
            self.known.absorb(&group.delta);
            self.waiting.push(group);
        }
        strays
    }
}

impl Cart {
    /// The dots of a delta that are seen and not live. Of a delta only: a whole cart's would be its whole history.
    pub(super) fn gone(&self) -> Vec<Dot> {
        let is_live = |dot| self.known_lines.iter().any(|line| line.dots.contains(dot));
        let mut gone = Vec::new();
        for dot in self.ctx.dots() {
            if !is_live(dot) {
                gone.push(dot);
            }
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::LineKey;
    use crate::cart::epoch::{Fate, next, remint};
    use crate::cart::merge::{Policy, merge};
    use crate::cart::tests::{A, B, HUB, add, done, line, on, other_line};

    /// A guest of whose operations the first was applied, and the second and third wait: a mug more, and no cup.
    fn guest() -> (Cart, Kept) {
        let mut hub = Cart::of(5);
        let cup = hub.add(ReplicaId(4), &other_line("cup"), 1).unwrap();
        hub.absorb(&cup);
        add(&mut hub, A, 2);
        let mut kept = Kept { cart: "guest".into(), rev: 9, known: hub.clone(), waiting: vec![] };
        for n in [2, 3] {
            let delta = if n == 2 {
                kept.known.add(A, &line(), 1).unwrap()
            } else {
                kept.known.remove(A, &other_line("cup")).unwrap()
            };
            kept.known.absorb(&delta);
            let token = "t".into();
            kept.waiting.push(Group { replica: A, token, from: n, to: n, sent: n == 2, delta });
        }
        (hub, kept)
    }

    fn user() -> Cart {
        Cart { epoch: 1, ..on(4) }
    }

    fn merged(guest: &Cart, policy: Policy) -> Cart {
        let user = user();
        let delta = merge(&user, guest, policy, HUB).unwrap().unwrap();
        done(user, &delta)
    }

    fn view(known: &Cart) -> View {
        View { full: true, cart: "user".into(), rev: 3, acked: 1, known: known.clone() }
    }

    fn quantities(cart: &Cart) -> (u32, u32) {
        let of = |line: &LineKey| cart.qty(line);
        (of(&line()), of(&other_line("cup")))
    }

    #[test]
    fn what_waits_moves_with_its_replica_and_counts_once() {
        // Mugs: the person's 4 and the guest's 2, then one more; the cup was removed before the merge was heard of.
        for (policy, expected) in
            [(Policy::Max, (5, 0)), (Policy::Sum, (7, 0)), (Policy::GuestWins, (3, 0))]
        {
            let (guest, mut kept) = guest();
            let user = merged(&guest, policy);
            assert_eq!(kept.move_to(&view(&user)), vec![]);
            assert_eq!((kept.cart.as_str(), kept.rev, kept.known.epoch), ("user", 3, 1));
            assert_eq!(quantities(&kept.known), expected, "{policy:?}");
            assert_eq!(kept.waiting.len(), 2);
            let sent = kept.waiting.iter().fold(user, |cart, group| done(cart, &group.delta));
            assert_eq!(sent, kept.known);
            let again =
                kept.waiting.iter().fold(sent.clone(), |cart, group| done(cart, &group.delta));
            assert_eq!(again, sent);
        }
    }

    #[test]
    fn what_the_guests_hub_had_applied_is_not_sent_again() {
        let (guest, mut kept) = guest();
        let applied = done(guest, &kept.waiting[0].delta);
        let user = merged(&applied, Policy::Sum);
        assert_eq!(kept.move_to(&view(&user)), vec![]);
        assert_eq!(kept.waiting.iter().map(|group| group.from).collect::<Vec<_>>(), [3]);
        assert_eq!(quantities(&kept.known), (7, 0));
    }

    #[test]
    fn what_was_never_heard_of_moves_too() {
        let (guest, mut kept) = guest();
        let delta = Cart::of(5).add(B, &line(), 1).unwrap();
        kept.waiting = vec![Group { replica: B, from: 1, to: 1, delta, ..Group::default() }];
        assert_eq!(kept.move_to(&view(&merged(&guest, Policy::Sum))), vec![]);
        assert_eq!(quantities(&kept.known), (7, 1));
    }

    #[test]
    fn an_epoch_that_ended_since_leaves_it_to_be_said_anew() {
        let (guest, mut kept) = guest();
        let before = kept.known.clone();
        let user = merged(&guest, Policy::Sum);
        let (fresh, _) = next(&done(user.clone(), &user.clear(HUB).unwrap())).unwrap();
        let strays = kept.move_to(&view(&fresh));
        assert_eq!(strays.len(), 2);
        // One was sent and may have been bought meanwhile: it is given up.
        let fate = Fate::Unknown { acked: 1, sent: 2 };
        let reminted = remint(&before, A, fate, fresh.epoch, B);
        assert_eq!((reminted.lost, reminted.delta.lines().count()), (1, 0));
    }
}
