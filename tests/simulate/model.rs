//! The cart under test, and five mutants that are wrong on purpose.
//!
//! A model has functions that absorb a delta, add to a line and remove a line. Each mutant does one of them wrongly, on the
//! public types.

use hilo_core::cart::limits::LINE_DOTS_FOLD;
use hilo_core::cart::{Cart, Ctx, Dot, Kind, LineKey, Refusal, ReplicaId, Row, Span};

/// A model of a cart.
pub(crate) struct Model {
    /// The model's name: its fault, if it has one.
    pub(crate) name: &'static str,
    /// Absorbs the other cart.
    pub(crate) absorb: fn(&mut Cart, &Cart),
    /// The delta that adds units to a line.
    pub(crate) add: fn(&Cart, ReplicaId, &LineKey, u32) -> Result<Cart, Refusal>,
    /// The delta that removes a line.
    pub(crate) remove: fn(&Cart, ReplicaId, &LineKey) -> Result<Cart, Refusal>,
}

/// The product.
pub(crate) const REAL: Model =
    Model { name: "the cart", absorb: Cart::absorb, add: Cart::add, remove: Cart::remove };

/// Mutants: each has one fault that the laws of joins alone do not show.
pub(crate) const MUTANTS: [Model; 5] = [
    Model { name: "union without context", absorb: union, ..REAL },
    Model { name: "sum instead of max on used", absorb: sum_used, ..REAL },
    Model { name: "gaps in the context ignored", absorb: ignore_gaps, ..REAL },
    Model { name: "remove leaves the dot out of the context", remove: forget_dropped, ..REAL },
    Model { name: "fold as one set of the whole line", add: set_the_sum, ..REAL },
];

/// Keeps every dot that was ever live.
fn union(mine: &mut Cart, other: &Cart) {
    for line in other.lines() {
        for row in line.dots.rows() {
            mine.put(&line.key, *row);
        }
    }
    mine.ctx.absorb(&other.ctx);
}

/// Counts a decrement again each time it arrives.
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

/// Takes a replica's newest dot for all of its dots.
fn ignore_gaps(mine: &mut Cart, other: &Cart) {
    let filled = |ctx: &Ctx| {
        let mut filled = Ctx::default();
        ctx.spans().iter().for_each(|span| filled.add(Span { from: 1, ..*span }));
        filled
    };
    // The delta's own dots are live or gone. Every dot before them counts as seen.
    mine.ctx = filled(&mine.ctx);
    mine.absorb(other);
    mine.ctx = filled(&mine.ctx);
}

/// Folds the adds of all replicas into one set: of two such sets only the larger counts.
fn set_the_sum(cart: &Cart, me: ReplicaId, line: &LineKey, k: u32) -> Result<Cart, Refusal> {
    if cart.entries(line).count() >= LINE_DOTS_FOLD {
        return cart.set(me, line, cart.qty(line) + k);
    }
    cart.add(me, line, k)
}

/// Removes a line without the dropped dots in the delta.
fn forget_dropped(cart: &Cart, me: ReplicaId, line: &LineKey) -> Result<Cart, Refusal> {
    let mut delta = cart.remove(me, line)?;
    let own = cart.ctx.next(me).ok_or(Refusal::ReplicaExhausted)?;
    delta.ctx = [own].into_iter().collect();
    Ok(delta)
}

/// A dot as the oracle records it.
pub(crate) type Written = (LineKey, Dot, Kind, u32);
