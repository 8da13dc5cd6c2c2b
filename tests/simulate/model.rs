//! The cart under test, and four that are wrong on purpose.
//!
//! A model is how a replica learns a delta and how it removes a line; the mutants do either wrongly, on the public types.

use hilo_core::cart::{Cart, Ctx, Dot, Kind, LineKey, Refusal, ReplicaId};

/// A way to keep a cart.
pub(crate) struct Model {
    /// What is right or wrong with it.
    pub(crate) name: &'static str,
    /// Learns what the other cart knows.
    pub(crate) absorb: fn(&mut Cart, &Cart),
    /// Removes a line: the delta.
    pub(crate) remove: fn(&Cart, ReplicaId, &LineKey) -> Result<Cart, Refusal>,
}

/// The product.
pub(crate) const REAL: Model =
    Model { name: "the cart", absorb: Cart::absorb, remove: Cart::remove };

/// Each has one fault that the algebra of joins alone does not show.
pub(crate) const MUTANTS: [Model; 4] = [
    Model { name: "union without context", absorb: union, ..REAL },
    Model { name: "sum instead of max on used", absorb: sum_used, ..REAL },
    Model { name: "gaps in the context ignored", absorb: ignore_gaps, ..REAL },
    Model { name: "remove leaves the dot out of the context", remove: forget_dropped, ..REAL },
];

/// Keeps every dot that anybody ever showed.
fn union(mine: &mut Cart, other: &Cart) {
    for (line, dots) in &other.lines {
        let known = mine.lines.entry(line.clone()).or_default();
        for (dot, entry) in dots {
            let entry_here = known.entry(*dot).or_insert_with(|| entry.clone());
            for (replica, used) in &entry.used {
                let known = entry_here.used.entry(*replica).or_insert(0);
                *known = (*known).max(*used);
            }
        }
    }
    mine.ctx.absorb(&other.ctx);
}

/// Counts a decrement again whenever it is heard of again.
fn sum_used(mine: &mut Cart, other: &Cart) {
    let before = mine.clone();
    mine.absorb(other);
    for (line, dots) in &mut mine.lines {
        for (dot, entry) in dots {
            let used = |cart: &Cart, replica| {
                let entry = cart.lines.get(line).and_then(|dots| dots.get(dot));
                entry.and_then(|entry| entry.used.get(replica)).copied().unwrap_or(0)
            };
            for (replica, sum) in &mut entry.used {
                *sum = used(&before, replica) + used(other, replica);
            }
        }
    }
}

/// Takes the newest dot of a replica for all of its dots.
fn ignore_gaps(mine: &mut Cart, other: &Cart) {
    let filled = |ctx: &Ctx| {
        let mut vv = ctx.vv.clone();
        for dot in &ctx.cloud {
            let prefix = vv.entry(dot.r).or_insert(0);
            *prefix = dot.n.max(*prefix);
        }
        Ctx { vv, ..Ctx::default() }
    };
    // The delta as it is: its own dots are live or gone. What was heard before it counts as seen.
    mine.ctx = filled(&mine.ctx);
    mine.absorb(other);
    mine.ctx = filled(&mine.ctx);
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
