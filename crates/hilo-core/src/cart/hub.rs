//! What the hub accepts and what it answers, as pure functions over its cart.
//!
//! In: a delta from the wire and the session it came by. Out: the cart after it, or a refusal that changed nothing. A
//! hostile tab can neither act for another replica nor remove what nobody saw. Stores and sends nothing.

use std::collections::BTreeSet;

use super::context::{Dot, ReplicaId};
use super::epoch::Applied;
use super::limits::{
    CART_DOTS_MAX, DELTA_BYTES_MAX, INFO_MAX, LINE_DOTS_MAX, LINES_MAX, NAME_BYTES_MAX,
    QUANTITY_MAX, REPLICAS_MAX, RING_MAX, URL_BYTES_MAX, VARIANT_BYTES_MAX, WINDOW,
};
use super::refusal::Refusal;
use super::state::{Cart, Entry, LineInfo, LineKey};
use super::wire::{Hello, Ops, Put, VERSION};

/// A delta that may be joined, or one that was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// All of it was applied before. Answer with what is acknowledged; nothing changes.
    Repeat {
        /// The last operation of the replica that was applied.
        acked: u32,
    },
    /// New: store `cart`, then acknowledge and broadcast `delta`.
    Fresh {
        /// The delta, with its display fields stamped with the new revision.
        delta: Cart,
        /// The hub's cart after it.
        cart: Box<Cart>,
        /// The last operation of the replica that is applied now.
        acked: u32,
    },
}

/// Judges a delta against the hub's `cart`, and joins it.
///
/// `session` is the replica that the request's verified token names, `previous` what the last epoch had applied at its end,
/// `revision` the one the hub gives to this delta.
///
/// # Errors
/// Any refusal but `DeltaTooLarge`, which [`check_bytes`] gives before a body is read.
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
    for (line, info) in ops.info.iter().filter(|(line, _)| next.lines.contains_key(line)) {
        delta.info.insert(line.clone(), (revision, info.clone()));
    }
    check_sizes(cart, &next)?;
    next.absorb(&delta);
    if next.info.len() > INFO_MAX {
        let lines = &next.lines;
        next.info.retain(|line, _| lines.contains_key(line));
    }
    Ok(Checked::Fresh { delta, cart: Box::new(next), acked: ops.to })
}

/// Refuses a body that is too large, before it is read.
///
/// # Errors
/// `DeltaTooLarge`.
pub fn check_bytes(body: &[u8]) -> Result<(), Refusal> {
    if body.len() > DELTA_BYTES_MAX { Err(Refusal::DeltaTooLarge) } else { Ok(()) }
}

/// Own operations come without a gap, and no more at once than the window: the rest comes after the answer.
fn check_window(cart: &Cart, ops: &Ops, acked: u32) -> Result<(), Refusal> {
    let from = acked.saturating_add(1);
    let too_far =
        ops.to > acked.saturating_add(WINDOW) || ops.to.saturating_sub(ops.from) >= WINDOW;
    if ops.from > from || too_far {
        return Err(Refusal::Missing { replica: ops.replica, from });
    }
    if acked == 0 && cart.ctx.vv.len() >= REPLICAS_MAX {
        return Err(Refusal::TooManyReplicas);
    }
    Ok(())
}

fn check_drops(cart: &Cart, ops: &Ops) -> Result<(), Refusal> {
    let unseen = ops.drop.iter().find(|dot| !is_known(cart, ops, **dot));
    unseen.map_or(Ok(()), |dot| Err(missing(cart, *dot)))
}

/// Seen by the hub, or brought by this very delta.
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
        if line.variant.is_empty() || line.variant.len() > VARIANT_BYTES_MAX {
            return Err(Refusal::BadLine);
        }
        if *n == 0 || *n > QUANTITY_MAX {
            return Err(Refusal::BadQuantity);
        }
        let live = live_at_hub(cart, *dot);
        let differs =
            |(at, entry): (&LineKey, &Entry)| at != line || entry.kind != *kind || entry.n != *n;
        if live.is_some_and(differs) {
            return Err(Refusal::DotConflict(*dot));
        }
        // A dot that is gone takes nothing in. Of a live or new one, everybody counts for himself.
        let gone = live.is_none() && cart.ctx.contains(*dot);
        let known = |replica: &ReplicaId| {
            live.and_then(|(_, entry)| entry.used.get(replica)).copied().unwrap_or(0)
        };
        let may = |replica: &ReplicaId| if *replica == ops.replica { *n } else { known(replica) };
        if !gone && used.iter().any(|(replica, taken)| *taken > may(replica)) {
            return Err(Refusal::ForeignUse(*dot));
        }
    }
    Ok(())
}

fn live_at_hub(cart: &Cart, dot: Dot) -> Option<(&LineKey, &Entry)> {
    cart.lines.iter().find_map(|(line, dots)| dots.get(&dot).map(|entry| (line, entry)))
}

fn check_infos(ops: &Ops) -> Result<(), Refusal> {
    let fits = |text: &Option<String>, max| text.as_ref().is_none_or(|text| text.len() <= max);
    let good = |info: &LineInfo| {
        fits(&info.name, NAME_BYTES_MAX)
            && fits(&info.url, URL_BYTES_MAX)
            && fits(&info.image, URL_BYTES_MAX)
            && info.unit_price.is_none_or(|price| price >= 0)
    };
    if ops.info.iter().all(|(_, info)| good(info)) { Ok(()) } else { Err(Refusal::BadLine) }
}

/// Only growth is refused: what concurrency or a merge made too large must still be able to shrink.
fn check_sizes(cart: &Cart, next: &Cart) -> Result<(), Refusal> {
    if next.lines.len() > LINES_MAX.max(cart.lines.len()) {
        return Err(Refusal::TooManyLines);
    }
    let before = |line| cart.lines.get(line).map_or(0, |dots| dots.len());
    let crowded =
        next.lines.iter().any(|(line, dots)| dots.len() > LINE_DOTS_MAX.max(before(line)));
    let all = |cart: &Cart| cart.lines.values().map(|dots| dots.len()).sum::<usize>();
    if crowded || all(next) > CART_DOTS_MAX.max(all(cart)) {
        Err(Refusal::TooManyDots)
    } else {
        Ok(())
    }
}

/// How a replica that comes back learns what it missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// It missed nothing.
    Nothing,
    /// The deltas after this revision, joined.
    Deltas {
        /// The revision it has.
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
        // Another epoch, too far behind, or ahead of a hub that was restored from an older state.
        Some(_) | None => CatchUp::Snapshot,
    }
}

#[cfg(test)]
mod tests;
