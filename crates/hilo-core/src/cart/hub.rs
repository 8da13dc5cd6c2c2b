//! Decides which deltas the hub accepts, as pure functions over the hub's cart.
//!
//! In: a delta from the wire and the replica of its session. Out: the next cart, or a refusal that changed nothing. A hostile
//! tab can neither act for another replica nor remove dots that the hub has not seen. Stores and sends nothing.

use std::collections::BTreeSet;

use super::context::{Dot, ReplicaId};
use super::dots::Entry;
use super::epoch::Applied;
use super::limits::{
    CART_DOTS_MAX, INFO_MAX, LINE_DOTS_MAX, LINES_MAX, QUANTITY_MAX, REPLICAS_MAX, RING_MAX, WINDOW,
};
use super::line::LineKey;
use super::refusal::Refusal;
use super::state::{Cart, Line};
use super::wire::{Hello, Ops, Put, VERSION};

/// A delta that is new, or one that was applied before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// All operations were applied before. Answer with the acknowledgment; nothing changes.
    Repeat {
        /// The replica's last operation that was applied.
        acked: u32,
    },
    /// New: store `cart`, then acknowledge and broadcast `delta`.
    Fresh {
        /// The delta. Its display fields have the new revision.
        delta: Cart,
        /// The hub's cart after the delta.
        cart: Box<Cart>,
        /// The replica's last operation that is applied now.
        acked: u32,
    },
}

/// Checks a delta against the hub's `cart`, and joins both.
///
/// `session` is the replica that the request's verified token names. `previous` holds the operations that the last epoch had
/// applied at its end. `revision` is the hub's revision for this delta.
///
/// # Errors
/// Any refusal but `DeltaTooLarge`, which [`super::wire::check_bytes`] gives before a body is read.
pub fn check(
    cart: &Cart,
    previous: Option<&Applied>,
    session: ReplicaId,
    ops: &Ops,
    revision: u64,
) -> Result<Checked, Refusal> {
    if ops.v != VERSION {
        return Err(Refusal::UnknownVersion);
    }
    if ops.replica != session {
        return Err(Refusal::ForeignReplica);
    }
    if ops.epoch != cart.epoch {
        let last = ops.epoch.checked_add(1) == Some(cart.epoch);
        return Err(Refusal::Epoch { previous: previous.filter(|_| last).cloned() });
    }
    let acked = cart.ctx.prefix(session);
    if ops.from == 0 || ops.from > ops.to {
        return Err(Refusal::Malformed);
    }
    if ops.to <= acked {
        return Ok(Checked::Repeat { acked });
    }
    check_window(cart, ops, acked)?;
    check_drops(cart, ops)?;
    check_puts(cart, ops)?;
    check_infos(ops)?;
    let mut delta = ops.delta();
    let mut next = cart.clone();
    next.absorb(&delta);
    for (line, info) in ops.info.iter().filter(|(line, _)| next.has(line)) {
        delta.show(line, (revision, info.clone()));
    }
    check_sizes(cart, &next)?;
    next.absorb(&delta);
    if next.looks().count() > INFO_MAX {
        next.retain_looks(|line| !line.dots.is_empty());
    }
    Ok(Checked::Fresh { delta, cart: Box::new(next), acked: ops.to })
}

/// A replica's operations must come without a gap, and no more at once than the window. The rest comes after the answer.
fn check_window(cart: &Cart, ops: &Ops, acked: u32) -> Result<(), Refusal> {
    let from = acked.saturating_add(1);
    let too_far =
        ops.to > acked.saturating_add(WINDOW) || ops.to.saturating_sub(ops.from) >= WINDOW;
    if ops.from > from || too_far {
        return Err(Refusal::Missing { replica: ops.replica, from });
    }
    if acked == 0 && cart.ctx.vv().count() >= REPLICAS_MAX {
        return Err(Refusal::TooManyReplicas);
    }
    Ok(())
}

fn check_drops(cart: &Cart, ops: &Ops) -> Result<(), Refusal> {
    let unseen = ops.drop.iter().find(|dot| !is_known(cart, ops, **dot));
    unseen.map_or(Ok(()), |dot| Err(missing(cart, *dot)))
}

/// Whether the hub has seen the dot, or this delta brings it.
fn is_known(cart: &Cart, ops: &Ops, dot: Dot) -> bool {
    let brought = dot.r == ops.replica && (ops.from..=ops.to).contains(&dot.n);
    brought || (dot.n > 0 && cart.ctx.contains(dot))
}

fn missing(cart: &Cart, dot: Dot) -> Refusal {
    Refusal::Missing { replica: dot.r, from: cart.ctx.prefix(dot.r).saturating_add(1) }
}

fn check_puts(cart: &Cart, ops: &Ops) -> Result<(), Refusal> {
    let mut dots = BTreeSet::new();
    for Put(line, dot, kind, n, used) in &ops.put {
        if !dots.insert(*dot) {
            return Err(Refusal::DotConflict(*dot));
        }
        if !is_known(cart, ops, *dot) {
            return Err(missing(cart, *dot));
        }
        if !line.fits() {
            return Err(Refusal::BadLine);
        }
        if *n == 0 || *n > QUANTITY_MAX {
            return Err(Refusal::BadQuantity);
        }
        let live = live_at_hub(cart, *dot);
        let differs =
            |(at, entry): (&LineKey, Entry<'_>)| at != line || entry.kind != *kind || entry.n != *n;
        if live.is_some_and(differs) {
            return Err(Refusal::DotConflict(*dot));
        }
        // A gone dot takes no counts in. On a live or new dot, each replica writes only its own count.
        let gone = live.is_none() && cart.ctx.contains(*dot);
        let known = |replica: &ReplicaId| live.map_or(0, |(_, entry)| entry.used_by(*replica));
        let may = |replica: &ReplicaId| if *replica == ops.replica { *n } else { known(replica) };
        if !gone && used.iter().any(|(replica, taken)| *taken > may(replica)) {
            return Err(Refusal::ForeignUse(*dot));
        }
    }
    Ok(())
}

fn live_at_hub(cart: &Cart, dot: Dot) -> Option<(&LineKey, Entry<'_>)> {
    cart.lines().find_map(|line| Some((&line.key, line.dots.get(dot)?)))
}

fn check_infos(ops: &Ops) -> Result<(), Refusal> {
    if ops.info.iter().all(|(_, info)| info.fits()) { Ok(()) } else { Err(Refusal::BadLine) }
}

/// Refuses growth only: a cart that concurrency or a merge made too large must still be able to shrink.
fn check_sizes(cart: &Cart, next: &Cart) -> Result<(), Refusal> {
    if next.lines().count() > LINES_MAX.max(cart.lines().count()) {
        return Err(Refusal::TooManyLines);
    }
    let before = |line: &Line| cart.entries(&line.key).count();
    let is_crowded = |line: &Line| line.dots.entries().count() > LINE_DOTS_MAX.max(before(line));
    let crowded = next.lines().any(is_crowded);
    let all = |cart: &Cart| cart.lines().map(|line| line.dots.entries().count()).sum::<usize>();
    if crowded || all(next) > CART_DOTS_MAX.max(all(cart)) {
        Err(Refusal::TooManyDots)
    } else {
        Ok(())
    }
}

/// The answer to a replica that comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// The replica missed nothing.
    Nothing,
    /// The deltas after this revision, joined.
    Deltas {
        /// The revision that the replica has.
        after: u64,
    },
    /// The whole cart.
    Snapshot,
}

/// Chooses between the deltas the hub still has, the last [`RING_MAX`], and a snapshot.
pub fn catch_up(hello: &Hello, epoch: u32, revision: u64) -> CatchUp {
    match revision.checked_sub(hello.rev) {
        Some(0) if hello.epoch == epoch => CatchUp::Nothing,
        Some(1..=RING_MAX) if hello.epoch == epoch => CatchUp::Deltas { after: hello.rev },
        // The replica has another epoch, is too far behind, or is ahead of a hub that was restored from an older state.
        Some(_) | None => CatchUp::Snapshot,
    }
}

#[cfg(test)]
mod tests;
