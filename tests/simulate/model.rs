//! The cart under test, and five that are wrong on purpose.
//!
//! A model is how a replica learns a delta, adds to a line and removes it; each mutant does one of them wrongly, on the public
//! types.

use hilo_core::cart::limits::LINE_DOTS_FOLD;
use hilo_core::cart::{Cart, Ctx, Dot, Kind, LineKey, Refusal, ReplicaId, Row, Span};

/// A way to keep a cart.
pub(crate) struct Model {
    /// What is right or wrong with it.
    pub(crate) name: &'static str,
    /// Learns what the other cart knows.
    pub(crate) absorb: fn(&mut Cart, &Cart),
    /// Adds units to a line: the delta.
    pub(crate) add: fn(&Cart, ReplicaId, &LineKey, u32) -> Result<Cart, Refusal>,
    /// Removes a line: the delta.
    pub(crate) remove: fn(&Cart, ReplicaId, &LineKey) -> Result<Cart, Refusal>,
}

/// The product.
pub(crate) const REAL: Model =
    Model { name: "the cart", absorb: Cart::absorb, add: Cart::add, remove: Cart::remove };

/// Each has one fault that the algebra of joins alone does not show.
pub(crate) const MUTANTS: [Model; 5] = [
    Model { name: "union without context", absorb: union, ..REAL },
    Model { name: "sum instead of max on used", absorb: sum_used, ..REAL },
    Model { name: "gaps in the context ignored", absorb: ignore_gaps, ..REAL },
    Model { name: "remove leaves the dot out of the context", remove: forget_dropped, ..REAL },
    Model { name: "fold as one set of the whole line", add: set_the_sum, ..REAL },
];

/// Keeps every dot that anybody ever showed.
fn union(mine: &mut Cart, other: &Cart) {
    for line in other.lines() {
        for row in line.dots.rows() {
            mine.put(&line.key, *row);
        }
    }
    mine.ctx.absorb(&other.ctx);
}

/// Counts a decrement again whenever it is heard of again.
fn sum_used(mine: &mut Cart, other: &Cart) {
    let before = mine.clone();
    mine.absorb(other);
    for line in mine.clone().lines() {
        for row in line.dots.rows() {
            let used = |cart: &Cart, replica| {
                let entry = cart.entries(&line.key).find(|entry| entry.dot == row.dot);
                entry.map_or(0, |entry| entry.used_by(replica))
            };
            if let Some(replica) = row.by {
                mine.put(
                    &line.key,
                    Row { n: used(&before, replica) + used(other, replica), ..*row },
                );
            }
        }
    }
}

/// Takes the newest dot of a replica for all of its dots.
fn ignore_gaps(mine: &mut Cart, other: &Cart) {
    let filled = |ctx: &Ctx| {
        let mut filled = Ctx::default();
        ctx.spans().iter().for_each(|span| filled.add(Span { from: 1, ..*span }));
        filled
    };
    // The delta as it is: its own dots are live or gone. What was heard before it counts as seen.
    mine.ctx = filled(&mine.ctx);
    mine.absorb(other);
    mine.ctx = filled(&mine.ctx);
}

/// Folds what everybody added into one wish: of two such wishes only the larger counts.
fn set_the_sum(cart: &Cart, me: ReplicaId, line: &LineKey, k: u32) -> Result<Cart, Refusal> {
    if cart.entries(line).count() >= LINE_DOTS_FOLD {
        return cart.set(me, line, cart.qty(line) + k);
    }
    cart.add(me, line, k)
}

/// Removes here, and tells nobody which dots.
fn forget_dropped(cart: &Cart, me: ReplicaId, line: &LineKey) -> Result<Cart, Refusal> {
    let mut delta = cart.remove(me, line)?;
    let own = cart.ctx.next(me).ok_or(Refusal::ReplicaExhausted)?;
    delta.ctx = [own].into_iter().collect();
    Ok(delta)
}

/// A dot as the oracle records it.
pub(crate) type Written = (LineKey, Dot, Kind, u32);
