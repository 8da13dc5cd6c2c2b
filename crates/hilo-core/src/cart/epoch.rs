//! The lives of a cart: when an epoch ends, and how the next begins.
//!
//! In: the cart. Out: the next epoch's empty cart, and the operations that were applied. A replica that was offline restates
//! the operations that were not. Without epochs the context would hold every replica for ever. Has no clock: the hub decides
//! whether a replica has been idle for too long.

use alloc::collections::BTreeMap;

use super::context::ReplicaId;
use super::limits::REPLICAS_BEFORE_EPOCH;
use super::state::Cart;

/// The number of each replica's last operation that was applied.
pub type Applied = BTreeMap<ReplicaId, u32>;

/// Whether the epoch ends. An empty cart's epoch ends after an order, or when too many replicas have taken part.
pub fn is_over(cart: &Cart, after_order: bool) -> bool {
    cart.is_empty() && (after_order || cart.ctx.vv().count() > REPLICAS_BEFORE_EPOCH)
}

/// The empty cart of the next epoch, and the operations that the ended epoch had applied. The hub keeps those for one epoch.
///
/// `None` after 2³² − 1 epochs.
pub fn next(cart: &Cart) -> Option<(Cart, Applied)> {
    let epoch = cart.epoch.checked_add(1)?;
    Some((Cart::of(epoch), cart.ctx.vv().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::tests::{C, HUB, done, line, on};

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
}
