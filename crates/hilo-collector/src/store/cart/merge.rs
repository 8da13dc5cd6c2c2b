//! A guest's cart moves into a customer's, once: the steps of the saga on both sides.
//!
//! The guest's cart stops taking edits and returns its contents (`leave`). The customer's cart joins them under the
//! merge's id (`join`). The guest's cart keeps a pointer (`left`). A repeated step counts once, so a merge may be
//! continued from any step.

use std::collections::BTreeMap;

use hilo_core::cart::merge::{Policy, merge};
use hilo_core::cart::wire::{Full, Revision};
use hilo_core::cart::{Cart, ReplicaId};
use serde::{Deserialize, Serialize};

use super::checkout::{self, Checkout};
use super::erase::erased_ms;
use super::hub::{ChangeKind, HUB_TOKEN, Hub, News};
use super::state::{Abandoned, Bound, OpenCheckout, Standing, Task, first_time, happened};
use crate::calls::cart::{CustomerCart, Leave, Leaving, Person, Speaker};
use crate::calls::{decode, encode, raw};
use crate::platform::{Failure, Sql};
use crate::signature::sha256_hex;

/// The delay after which the guest's alarm continues an unfinished merge.
const RESUME_MS: i64 = 5_000;
/// The most ids of orders that move with the cart.
const ORDERS_MAX: u32 = 100;

/// The contents of a cart that move.
#[derive(Debug, Serialize, Deserialize)]
struct Cargo {
    guest: String,
    epoch: u32,
    full: Full,
    replicas: Vec<(ReplicaId, Bound)>,
    checkouts: Vec<Checkout>,
    orders: Vec<String>,
    /// The orders that the guest's hub has reported.
    #[serde(default)]
    reported: Vec<String>,
    person: Option<Person>,
    source: String,
    open: Option<OpenCheckout>,
    abandoned: Option<Abandoned>,
}

impl<S: Sql> Hub<'_, S> {
    /// The guest's first step: from now on this cart takes no edits. A merge that has begun ends in the customer's cart
    /// it began with, even if a call names another one.
    pub(super) fn leave(&mut self, to: CustomerCart) -> Result<Leave, Failure> {
        if self.stored.version == 0 || Policy::from_name(&to.policy) == Some(Policy::KeepBoth) {
            return Ok(Leave::Nothing);
        }
        match &self.stored.state.standing {
            Standing::Left { .. } => return Ok(Leave::Left),
            Standing::Leaving { .. } => {}
            Standing::Open => {
                let made_of = format!("{}:{}:{}", self.turn.name, self.stored.cart.epoch, to.cart);
                let merge_id = sha256_hex(made_of.as_bytes());
                let begun_ms = self.turn.ms();
                self.stored.state.standing = Standing::Leaving { merge_id, to, begun_ms };
                self.is_dirty = true;
                self.stored.schedule(self.sql, Task::Merge, Some(begun_ms + RESUME_MS))?;
            }
        }
        let leaving = self.leaving()?;
        Ok(leaving.map_or(Leave::Nothing, |leaving| Leave::Leaving(Box::new(leaving))))
    }

    /// Returns the merge that the alarm has to continue, if there is one.
    pub(super) fn unfinished(&mut self) -> Result<Option<Leaving>, Failure> {
        let leaving = self.leaving()?;
        let again_ms = leaving.as_ref().map(|_| self.turn.ms() + RESUME_MS);
        self.stored.schedule(self.sql, Task::Merge, again_ms)?;
        Ok(leaving)
    }

    /// Returns the merge that is under way, with everything that moves.
    fn leaving(&self) -> Result<Option<Leaving>, Failure> {
        let Standing::Leaving { merge_id, to, begun_ms } = &self.stored.state.standing else {
            return Ok(None);
        };
        let state = &self.stored.state;
        let cargo = Cargo {
            guest: self.turn.name.to_owned(),
            epoch: self.stored.cart.epoch,
            full: Full::of(&self.stored.cart),
            replicas: self.stored.replicas.iter().map(|(id, bound)| (*id, bound.clone())).collect(),
            checkouts: checkout::all(self.sql)?,
            orders: happened(self.sql, "order", ORDERS_MAX)?,
            reported: happened(self.sql, checkout::REPORTED, ORDERS_MAX)?,
            person: state.person.clone(),
            source: state.source.clone(),
            open: state.checkout.clone(),
            abandoned: state.abandoned.clone(),
        };
        let (merge_id, to, begun_ms) = (merge_id.clone(), to.clone(), *begun_ms);
        Ok(Some(Leaving { merge_id, to, begun_ms, cargo: raw(encode(&cargo)?)? }))
    }

    /// The customer's step: joins the guest's cart, unless this merge has been joined already, or the person has had this cart erased
    /// since it began.
    pub(super) fn join(&mut self, leaving: &Leaving, speaker: &Speaker) -> Result<(), Failure> {
        if !first_time(self.sql, "merge", &leaving.merge_id)? {
            return Ok(());
        }
        if leaving.begun_ms <= erased_ms(self.sql)? {
            return Ok(());
        }
        let cargo: Cargo = decode(leaving.cargo.get())?;
        first_time(self.sql, "guest", &cargo.guest)?;
        let policy = Policy::from_name(&leaving.to.policy).unwrap_or_default();
        let guest = self.without_forgeries(&cargo);
        let hub = self.stored.state.hub;
        let merged = merge(&self.stored.cart, &guest, policy, hub)
            .map_err(|refusal| Failure::Fatal(refusal.code().to_owned()))?;
        // `leave` keeps carts apart that must not merge, so they do not get here.
        let Some(delta) = merged else { return Ok(()) };
        self.take_along(cargo)?;
        self.stored.state.owner = speaker.owner.clone();
        self.stored.state.terms = speaker.terms;
        self.act(&delta, ChangeKind::Merge)
    }

    /// Returns the guest's cart without the dots of replicas that belong to other tokens in this cart. Otherwise a
    /// forged cart could remove lines that the customer's devices have added.
    fn without_forgeries(&self, cargo: &Cargo) -> Cart {
        let mut guest = cargo.full.cart(cargo.epoch);
        let tokens: BTreeMap<ReplicaId, &str> =
            cargo.replicas.iter().map(|(id, bound)| (*id, bound.token.as_str())).collect();
        let is_foreign = |replica: ReplicaId| {
            let bound = self.stored.replicas.get(&replica);
            let is_known = bound.is_some() || self.stored.cart.ctx.prefix(replica) > 0;
            // The customer's hub has no token, and the guest's hub has another id.
            let is_same = bound.is_some_and(|bound| {
                bound.token != HUB_TOKEN && tokens.get(&replica) == Some(&bound.token.as_str())
            });
            is_known && !is_same
        };
        guest.ctx.retain(|replica| !is_foreign(replica));
        guest.retain(|dot| !is_foreign(dot.r));
        guest
    }

    /// Takes over the guest's replicas, orders and checkouts. Also takes over the guest's person, report of abandonment and
    /// open checkout, where this cart has none of its own.
    fn take_along(&mut self, cargo: Cargo) -> Result<(), Failure> {
        for (replica, bound) in cargo.replicas {
            if !self.stored.replicas.contains_key(&replica) {
                self.stored.bind(self.sql, replica, bound)?;
            }
        }
        for order in &cargo.orders {
            first_time(self.sql, "order", order)?;
        }
        for order in &cargo.reported {
            first_time(self.sql, checkout::REPORTED, order)?;
        }
        for guests in cargo.checkouts {
            // The checkout's dots are the same in both carts. Only the number of the epoch differs.
            if guests.epoch == cargo.epoch && !guests.is_ordered {
                let epoch = self.stored.cart.epoch;
                checkout::keep(self.sql, &Checkout { epoch, ..guests })?;
            } else if guests.order_id.is_some() {
                // A server may still report this order.
                checkout::keep(self.sql, &Checkout { epoch: checkout::ENDED, ..guests })?;
            }
        }
        let state = &mut self.stored.state;
        if state.person.is_none() && cargo.person.is_some() {
            (state.person, state.source) = (cargo.person, cargo.source);
        }
        if state.abandoned.is_none() {
            state.abandoned = cargo.abandoned;
        }
        if let (None, Some(open)) = (&state.checkout, cargo.open) {
            let until_ms = open.until_ms;
            state.checkout = Some(open);
            self.stored.schedule(self.sql, Task::Checkout, Some(until_ms))?;
        }
        self.is_dirty = true;
        Ok(())
    }

    /// The guest's last step: deletes the contents that the customer's cart has joined, and keeps a pointer.
    pub(super) fn left(&mut self, merge_id: &str) -> Result<(), Failure> {
        let Standing::Leaving { merge_id: begun, to, .. } = &self.stored.state.standing else {
            return Ok(());
        };
        if begun != merge_id {
            return Ok(());
        }
        let (merge_id, into) = (begun.clone(), to.cart.clone());
        for table in ["infos", "deltas", "replicas", "checkouts"] {
            self.sql.exec(&format!("DELETE FROM {table}"), &[])?;
        }
        let epoch = self.stored.cart.epoch;
        self.stored.cart = Cart::of(epoch);
        self.stored.replicas.clear();
        let state = &mut self.stored.state;
        (state.person, state.abandoned, state.checkout) = (None, None, None);
        state.previous = None;
        state.rev = Revision(state.rev.0 + 1);
        state.standing = Standing::Left { merge_id, into };
        for task in [Task::Abandon, Task::Checkout, Task::Merge] {
            self.stored.schedule(self.sql, task, None)?;
        }
        self.is_dirty = true;
        self.news.push(News::Merged);
        Ok(())
    }
}
