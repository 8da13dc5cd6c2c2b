//! The lives of a cart: when one ends, and what an offline replica carries into the next.
//!
//! In: the cart, what was applied. Out: the empty successor, or the delta that says unsent wishes anew. Without epochs the
//! context would remember every replica for ever. Whether a replica has been idle for too long is asked by the hub's clock.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::context::{Dot, ReplicaId};
use super::dots::{Entry, Row};
use super::limits::REPLICAS_BEFORE_EPOCH;
use super::line::LineKey;
use super::state::{Cart, Line};

/// Per replica the number of its last operation that was applied.
pub type Applied = BTreeMap<ReplicaId, u32>;

/// Whether the epoch ends: only an empty cart's, after an order or when too many replicas have taken part.
pub fn is_over(cart: &Cart, after_order: bool) -> bool {
    cart.is_empty() && (after_order || cart.ctx.vv().count() > REPLICAS_BEFORE_EPOCH)
}

/// The empty cart of the next epoch, and what the ended one had applied, to be kept until the epoch after.
///
/// `None` after 2³² − 1 epochs.
pub fn next(cart: &Cart) -> Option<(Cart, Applied)> {
    let epoch = cart.epoch.checked_add(1)?;
    Some((Cart::of(epoch), cart.ctx.vv().collect()))
}

/// What a replica knows about the fate of its operations in an epoch that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// One epoch back: the hub answered how far this replica's operations were applied.
    AppliedTo(u32),
    /// Longer ago: what was sent and not answered may or may not have counted. It is given up, rather than bought twice.
    Unknown {
        /// The last operation the hub has answered for.
        acked: u32,
        /// The last operation that was sent.
        sent: u32,
    },
}

/// What of a replica's wishes goes on in the new epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reminted {
    /// For the new epoch's cart, in the name of the new replica. Store it before sending: minted twice, it would count twice.
    pub delta: Cart,
    /// Operations given up because nobody can know whether they counted.
    pub lost: u32,
}

/// Says anew, as replica `fresh` of `epoch`, what `me` had put into `old` and the hub never applied.
///
/// Only what is put can be carried over: what this replica dropped or took back from others is gone with the old epoch.
/// `fresh` must not have acted yet.
pub fn remint(old: &Cart, me: ReplicaId, fate: Fate, epoch: u32, fresh: ReplicaId) -> Reminted {
    let (done, lost) = match fate {
        Fate::AppliedTo(n) => (n, 0),
        Fate::Unknown { acked, sent } => (sent.max(acked), sent.saturating_sub(acked)),
    };
    let is_mine = |entry: &Entry<'_>| entry.dot.r == me && entry.dot.n > done && entry.left() > 0;
    let mut wishes: Vec<(&LineKey, Entry<'_>)> = Vec::new();
    for Line { key, dots, .. } in &old.known_lines {
        wishes.extend(dots.entries().filter(is_mine).map(|entry| (key, entry)));
    }
    wishes.sort_unstable_by_key(|(_, entry)| entry.dot);
    let mut delta = Cart::of(epoch);
    for (n, (line, entry)) in (1..).zip(wishes) {
        let dot = Dot { r: fresh, n };
        delta.put(line, Row::own(dot, entry.kind, entry.left()));
        if let Some((_, info)) = old.look(line) {
            delta.show(line, (0, info.clone()));
        }
    }
    Reminted { delta, lost }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::tests::{A, B, C, HUB, add, done, line, on, other_line};

    #[test]
    fn an_epoch_ends_only_when_nothing_is_left() {
        assert!(!is_over(&on(3), true));
        let cart = on(3);
        let emptied = done(cart.clone(), &cart.clear(HUB).unwrap());
        assert!(is_over(&emptied, true));
        assert!(!is_over(&emptied, false));
        let (fresh, applied) = next(&emptied).unwrap();
        assert_eq!((fresh.epoch, fresh.ctx.is_empty()), (1, true));
        assert_eq!(applied, Applied::from([(C, 1), (HUB, 1)]));
    }

    #[test]
    fn many_replicas_end_the_epoch_of_an_empty_cart() {
        let mut cart = Cart::default();
        for replica in 0..=REPLICAS_BEFORE_EPOCH as u64 {
            let delta = cart.remove(ReplicaId(replica), &line()).unwrap();
            assert!(!is_over(&cart, false));
            cart.absorb(&delta);
        }
        assert!(is_over(&cart, false));
    }

    #[test]
    fn only_what_was_not_applied_is_said_anew() {
        let mut offline = on(3);
        add(&mut offline, A, 2);
        let set = offline.set(A, &other_line("cup"), 4).unwrap();
        offline.absorb(&set);
        let dec = offline.dec(A, &other_line("cup"), 1).unwrap();
        offline.absorb(&dec);
        let reminted = remint(&offline, A, Fate::AppliedTo(1), 1, B);
        assert_eq!(reminted.lost, 0);
        assert_eq!(reminted.delta.qty(&line()), 0);
        assert_eq!(reminted.delta.qty(&other_line("cup")), 3);
        assert_eq!(reminted.delta.ctx.prefix(B), 1);
    }

    #[test]
    fn what_may_have_counted_is_given_up_and_said_so() {
        let mut offline = Cart::default();
        for _ in 0..4 {
            add(&mut offline, A, 1);
        }
        let reminted = remint(&offline, A, Fate::Unknown { acked: 1, sent: 3 }, 7, B);
        assert_eq!(reminted.lost, 2);
        assert_eq!(reminted.delta.qty(&line()), 1);
        assert_eq!(reminted.delta.epoch, 7);
    }
}
