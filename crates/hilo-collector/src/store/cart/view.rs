//! Views of a cart: the whole cart, or the changes since a revision. Also the summary for admin calls.
//!
//! The reader's state → the view of the wire. This file reads the ring of deltas and changes nothing.

use std::collections::BTreeMap;

use hilo_core::cart::hub::{CatchUp, catch_up};
use hilo_core::cart::wire::{Broadcast, Full, Hello, Put, Revision};
use hilo_core::cart::{Cart, Dot, LineInfo, LineKey, ReplicaId};
use serde::Serialize;

use super::hub::{Hub, rev_value};
use super::state::{Bound, Standing, StoredCart};
use crate::calls::cart::{CartAnswer, CartSummary, ShownLine, ShownReplica, Since};
use crate::calls::{decode, map_of};
use crate::platform::{Failure, Sql};

/// A view on the wire. The pipeline appends its own fields (`live`, `capability`).
#[derive(Debug, Serialize)]
pub(super) struct View<'a> {
    cart: &'a str,
    rev: Revision,
    epoch: u32,
    acked: u32,
    #[serde(flatten)]
    part: Part,
    checkout_open: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<ShownLine>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duplicate: Option<bool>,
}

/// The whole cart, or the changes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part {
    Full { full: Full },
    Joined { put: Vec<Put>, drop: Vec<Dot>, info: Vec<(LineKey, Revision, LineInfo)> },
}

impl From<Broadcast> for Part {
    fn from(Broadcast { put, drop, info, .. }: Broadcast) -> Part {
        Part::Joined { put, drop, info }
    }
}

/// The view of an unused cart.
pub(super) fn new<'a>(stored: &StoredCart, name: &'a str, since: &Since) -> View<'a> {
    let full = Part::Full { full: Full::of(&stored.cart) };
    of(stored, name, since, full, None)
}

/// Answers with the view of an unused cart.
pub(super) fn of_new(
    stored: &StoredCart,
    name: &str,
    since: &Since,
) -> Result<CartAnswer, Failure> {
    CartAnswer::done(&new(stored, name, since), false)
}

fn of<'a>(
    stored: &StoredCart,
    name: &'a str,
    since: &Since,
    part: Part,
    duplicate: Option<bool>,
) -> View<'a> {
    View {
        cart: name,
        rev: stored.state.rev,
        epoch: stored.cart.epoch,
        acked: since.replica.map_or(0, |replica| stored.cart.ctx.prefix(replica)),
        part,
        checkout_open: stored.state.checkout.is_some(),
        lines: since.with_lines.then(|| shown(&stored.cart)),
        totals: since.with_lines.then(|| totals(&stored.cart)),
        duplicate,
    }
}

/// Returns the lines as plain JSON.
pub(super) fn shown(cart: &Cart) -> Vec<ShownLine> {
    let info = |line: &LineKey| cart.look(line).map(|(_, info)| info.clone());
    cart.shown()
        .map(|(line, quantity)| ShownLine {
            line: line.clone(),
            quantity,
            info: info(line).unwrap_or_default(),
        })
        .collect()
}

/// Returns the sum per currency, in minor units. The map is empty if a sum leaves the range of amounts.
pub(super) fn totals(cart: &Cart) -> BTreeMap<String, String> {
    let totals = cart.totals().unwrap_or_default();
    map_of(totals.iter().map(|sum| (sum.currency.code().to_owned(), sum.minor.to_string())))
}

impl<S: Sql> Hub<'_, S> {
    /// Answers a call that only reads.
    pub(super) fn look(&self, since: &Since) -> Result<CartAnswer, Failure> {
        if let Standing::Left { .. } = self.stored.state.standing
            && let Some(why) = self.refuse_moved()
        {
            return CartAnswer::refused(why);
        }
        self.view(since)
    }

    /// Answers with the changes since the reader's revision.
    pub(super) fn view(&self, since: &Since) -> Result<CartAnswer, Failure> {
        CartAnswer::done(&self.seen(since, None)?, false)
    }

    /// Makes the view before it is written as JSON. After an order it also contains whether the order was a `duplicate`.
    pub(super) fn seen(&self, since: &Since, duplicate: Option<bool>) -> Result<View<'_>, Failure> {
        let part = match self.missed(since)? {
            Some(broadcast) => Part::from(broadcast),
            None => Part::Full { full: Full::of(&self.stored.cart) },
        };
        Ok(of(&self.stored, self.turn.name, since, part, duplicate))
    }

    /// Joins the deltas since the reader's revision; `None` if the reader needs the whole cart.
    fn missed(&self, since: &Since) -> Result<Option<Broadcast>, Failure> {
        let Revision(rev) = self.stored.state.rev;
        let (epoch, nothing) = (self.stored.cart.epoch, Cart::default());
        let hello = Hello { epoch: since.epoch, rev: since.rev.0, vv: BTreeMap::new() };
        let after = match catch_up(&hello, epoch, rev) {
            // Revision 0 is the empty cart: a reader at revision 0 has nothing, and gets the whole cart.
            CatchUp::Nothing if rev > 0 => return Ok(Some(Broadcast::of(rev, 0, &nothing))),
            CatchUp::Deltas { after } if after > 0 => after,
            CatchUp::Nothing | CatchUp::Deltas { .. } | CatchUp::Snapshot => return Ok(None),
        };
        let rows = self
            .sql
            .exec("SELECT body FROM deltas WHERE rev > ? ORDER BY rev", &[rev_value(after)?])?;
        if u64::try_from(rows.len()).ok() != rev.checked_sub(after) {
            // A merge has cut the ring of deltas.
            return Ok(None);
        }
        let mut joined = Cart::of(epoch);
        for row in &rows {
            let broadcast: Broadcast = decode(row.text("body")?)?;
            joined.absorb(&broadcast.delta());
        }
        Ok(Some(Broadcast::of(rev, 0, &joined)))
    }

    /// Makes the summary for admin calls.
    pub(super) fn summary(&self) -> Result<CartSummary, Failure> {
        let StoredCart { version, state, cart, replicas, .. } = &self.stored;
        let standing = match &state.standing {
            Standing::Open => "open",
            Standing::Leaving { .. } => "merging",
            Standing::Left { .. } => "merged",
        };
        let replica = |(&replica, bound): (&ReplicaId, &Bound)| ShownReplica {
            replica,
            acked: cart.ctx.prefix(replica),
            seen_ms: bound.seen_ms,
        };
        Ok(CartSummary {
            cart: self.turn.name.to_owned(),
            known: *version > 0,
            owner: state.owner.clone(),
            standing: standing.to_owned(),
            rev: state.rev.0.to_string(),
            epoch: cart.epoch,
            lines: shown(cart),
            totals: totals(cart),
            checkout: state.checkout.as_ref().map(|checkout| checkout.id.clone()),
            replicas: replicas.iter().map(replica).collect(),
            edited_ms: state.edited_ms,
        })
    }
}
