//! Checkout and order: a checkout stores the context at its beginning, and the order takes away bought units of those dots.
//!
//! In: the cart, the checkout's context, the bought units. Out: a delta of the hub. The hub handles each order once
//! (`order_id` is unique there). Payment and prices play no part here.

use super::context::{Ctx, ReplicaId};
use super::dots::Dots;
use super::limits::QUANTITY_MAX;
use super::line::LineKey;
use super::op::{TakeOrder, take};
use super::refusal::Refusal;
use super::state::{Cart, Line, units};
use alloc::collections::BTreeMap;

/// Units bought, per line.
pub type Bought = BTreeMap<LineKey, u32>;

impl Cart {
    /// Takes the bought units from the dots that the checkout had seen. Units added since stay.
    ///
    /// This cart must have seen every dot of the checkout. The hub's cart has, because the hub began the checkout. A replica
    /// that had not seen a remove would charge a part of the order to units that are gone.
    ///
    /// # Errors
    /// `ReplicaExhausted`.
    pub fn order_done(
        &self,
        me: ReplicaId,
        checkout: &Ctx,
        bought: &Bought,
    ) -> Result<Cart, Refusal> {
        self.take_bought(me, bought, TakeOrder::NewestFirst, |dots| {
            let mut seen = dots.clone();
            seen.retain(|dot| checkout.contains(dot));
            seen
        })
    }

    /// Takes the bought units of an order without a known checkout: the oldest units first.
    ///
    /// # Errors
    /// `ReplicaExhausted`.
    pub fn ordered_elsewhere(&self, me: ReplicaId, bought: &Bought) -> Result<Cart, Refusal> {
        self.take_bought(me, bought, TakeOrder::OldestFirst, Dots::clone)
    }

    fn take_bought(
        &self,
        me: ReplicaId,
        bought: &Bought,
        order: TakeOrder,
        eligible: impl Fn(&Dots) -> Dots,
    ) -> Result<Cart, Refusal> {
        let mut delta = self.delta();
        self.take_number(&mut delta, me)?;
        for (line, &quantity) in bought {
            let Some(Line { dots, .. }) = self.line(line) else { continue };
            let dots = eligible(dots);
            if quantity >= units(dots.entries()).min(QUANTITY_MAX) {
                dots.entries().for_each(|entry| delta.ctx.insert(entry.dot));
            } else {
                take(&mut delta, (me, line), &dots, quantity, order);
            }
        }
        Ok(delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cart::limits::LINE_DOTS_FOLD;
    use crate::cart::tests::{A, B, HUB, add, done, line, on};

    #[test]
    fn an_order_takes_the_units_of_its_checkout_and_spares_later_units() {
        let mut cart = on(3);
        let checkout = cart.ctx.clone();
        add(&mut cart, A, 2);
        let ordered = cart.order_done(HUB, &checkout, &Bought::from([(line(), 3)])).unwrap();
        assert_eq!(done(cart, &ordered).qty(&line()), 2);
    }

    #[test]
    fn an_order_of_some_units_leaves_the_rest() {
        let mut cart = on(5);
        let checkout = cart.ctx.clone();
        add(&mut cart, B, 1);
        let ordered = cart.order_done(HUB, &checkout, &Bought::from([(line(), 2)])).unwrap();
        assert_eq!(done(cart, &ordered).qty(&line()), 4);
    }

    #[test]
    fn a_set_after_the_checkout_survives_the_order() {
        let mut cart = on(3);
        let checkout = cart.ctx.clone();
        let set = cart.set(A, &line(), 4).unwrap();
        cart.absorb(&set);
        let ordered = cart.order_done(HUB, &checkout, &Bought::from([(line(), 3)])).unwrap();
        assert_eq!(done(cart, &ordered).qty(&line()), 4);
    }

    #[test]
    fn without_a_checkout_the_oldest_units_go_first() {
        let mut cart = on(3);
        add(&mut cart, A, 2);
        let dots =
            |cart: &Cart| cart.entries(&line()).map(|entry| entry.left()).collect::<Vec<_>>();
        let before: u32 = dots(&cart).iter().sum();
        let ordered = cart.ordered_elsewhere(HUB, &Bought::from([(line(), 4)])).unwrap();
        let cart = done(cart, &ordered);
        assert_eq!((before, cart.qty(&line())), (5, 1));
        let all = cart.ordered_elsewhere(HUB, &Bought::from([(line(), 9)])).unwrap();
        assert!(done(cart, &all).lines().next().is_none());
    }

    fn clicked(times: usize) -> Cart {
        let mut cart = on(3);
        for _ in 0..times {
            add(&mut cart, A, 1);
        }
        cart
    }

    #[test]
    fn an_add_that_is_concurrent_to_an_order_brings_nothing_back() {
        // The line has one dot too few for a fold.
        let cart = clicked(LINE_DOTS_FOLD - 2);
        let bought = Bought::from([(line(), cart.qty(&line()))]);
        let offline = cart.add(A, &line(), 1).unwrap();
        let ordered = cart.order_done(HUB, &cart.ctx, &bought).unwrap();
        assert_eq!(done(done(cart, &ordered), &offline).qty(&line()), 1);
    }

    #[test]
    fn an_order_does_not_reach_a_fold_that_its_checkout_had_not_seen() {
        // The price of the fold: it restates A's own bought units. C's units are gone. Without the fold 1 unit would be left.
        let cart = clicked(LINE_DOTS_FOLD - 1);
        let bought = Bought::from([(line(), cart.qty(&line()))]);
        let own = cart.qty(&line()) - 3;
        let folded = cart.add(A, &line(), 1).unwrap();
        let ordered = cart.order_done(HUB, &cart.ctx, &bought).unwrap();
        assert_eq!(done(done(cart.clone(), &ordered), &folded).qty(&line()), own + 1);
        // A fold that reaches the hub between checkout and order has the same price.
        let later = done(cart.clone(), &folded);
        let ordered = later.order_done(HUB, &cart.ctx, &bought).unwrap();
        assert_eq!(done(later, &ordered).qty(&line()), own + 1);
    }
}
