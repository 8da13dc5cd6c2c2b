//! The hub: a cart inside one transaction, and the effects of every change of it.
//!
//! [`within`] loads the cart, runs one call on it, and stores everything or nothing. The other files of this folder have
//! the calls themselves.

use hilo_core::cart::wire::{Broadcast, Revision};
use hilo_core::cart::{Cart, epoch, limits};
use hilo_core::rate::Bucket;

use super::state::{Bound, Standing, StoredCart, Task, sum_hash};
use super::turn::Turn;
use crate::calls::cart::Speaker;
use crate::calls::encode;
use crate::calls::refused::{CartRefusal, RefusedCode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::store::schema::{self, Updated};

/// The ring of deltas is cut once in this many operations. A cut with every operation would double its statements.
const RING_CUT_EVERY: u64 = 64;
/// The token of the hub's own replica. No real token has this digest.
pub(super) const HUB_TOKEN: &str = "hub";

/// The values that an object keeps in memory while it lives.
#[derive(Debug, Default)]
pub struct Volatile {
    /// Whether the schema was updated in this life of the object.
    pub(super) updated: Updated,
    pub(super) stored: Option<StoredCart>,
    /// The calls of pages and apps.
    pub(super) calls: Bucket,
    /// The time until which leased touchpoints are not sent again. The value is only in memory, like the profile's
    /// leases: a restarted object has lost it and sends at once.
    pub(super) leased_until_ms: i64,
}

/// The answer of an object, and the news for the sockets of its cart.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HubAnswer {
    /// JSON for the caller.
    pub reply: String,
    /// The news, in the order of the changes.
    pub news: Vec<News>,
    /// Whether the outbox has touchpoints to send.
    pub pump: bool,
}

/// News for the sockets of a cart.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A delta. Each receiver gets its own `acked`.
    Delta(Broadcast),
    /// A merge or a new epoch: every receiver fetches the whole cart again.
    Anew,
    /// The open checkout has changed.
    Checkout {
        /// Whether a checkout is open.
        open: bool,
        /// Whether the lines differ from those at the beginning of the checkout.
        changed: bool,
    },
    /// The cart has moved into a customer's.
    Merged,
    /// The customer has logged out: the sockets of this login end.
    LoggedOut(String),
    /// The cart was erased: every socket ends.
    Erased,
}

/// The reason why the cart changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeKind {
    /// Operations of a replica, or commands.
    Edit,
    /// An order. If no line is left, the cart begins a new epoch.
    Order,
    /// A merge of a guest's cart. A delta with the guest's whole history would be larger than the cart, so all receivers
    /// get the cart.
    Merge,
}

/// A cart inside one transaction.
pub(super) struct Hub<'s, S: Sql> {
    pub sql: &'s S,
    pub stored: StoredCart,
    pub turn: Turn<'s>,
    pub news: Vec<News>,
    pub pump: bool,
    pub is_dirty: bool,
}

impl<S: Sql> Hub<'_, S> {
    /// Refuses edits of a cart that is moving or has moved.
    pub(super) fn refuse_moved(&self) -> Option<CartRefusal> {
        match &self.stored.state.standing {
            Standing::Open => None,
            Standing::Leaving { .. } => Some(RefusedCode::CartMerging.into()),
            Standing::Left { into, .. } => Some(CartRefusal {
                into: Some(into.clone()),
                ..CartRefusal::from(RefusedCode::CartMerged)
            }),
        }
    }

    /// Stores the sender of an edit, and how long the cart is kept from now on.
    pub(super) fn note_speaker(&mut self, speaker: &Speaker) {
        let state = &mut self.stored.state;
        state.owner = speaker.owner.clone();
        state.terms = speaker.terms;
        state.source.clone_from(&speaker.source);
        state.is_server = speaker.is_server;
        self.is_dirty = true;
    }

    /// Applies a change of the hub's own replica.
    pub(super) fn act(&mut self, delta: &Cart, change: ChangeKind) -> Result<(), Failure> {
        let hub = self.stored.state.hub;
        if !self.stored.replicas.contains_key(&hub) {
            let seen_ms = self.turn.ms();
            self.stored.bind(self.sql, hub, Bound { token: HUB_TOKEN.to_owned(), seen_ms })?;
        }
        let mut next = self.stored.cart.clone();
        next.absorb(delta);
        self.change(delta, next, change)
    }

    /// Stores `next`, the cart after `delta`, and adds news of the change.
    pub(super) fn change(
        &mut self,
        delta: &Cart,
        next: Cart,
        change: ChangeKind,
    ) -> Result<(), Failure> {
        let rev = self.stored.state.rev.0 + 1;
        let before = std::mem::replace(&mut self.stored.cart, next);
        self.stored.state.rev = Revision(rev);
        self.stored.save_infos(self.sql, delta.looks().map(|(line, _)| line))?;
        self.stored.prune_infos(self.sql, &before)?;
        let is_over = epoch::is_over(&self.stored.cart, change == ChangeKind::Order);
        if is_over && self.begin_epoch()? {
            self.news.push(News::Anew);
        } else if change == ChangeKind::Merge {
            self.sql.exec("DELETE FROM deltas", &[])?;
            self.news.push(News::Anew);
        } else {
            self.keep_delta(rev, Broadcast::of(rev, 0, delta))?;
        }
        self.edited()
    }

    /// Stores a delta for readers that come back, and adds news of it for the open sockets.
    fn keep_delta(&mut self, rev: u64, broadcast: Broadcast) -> Result<(), Failure> {
        self.sql.exec(
            "INSERT OR REPLACE INTO deltas (rev, body) VALUES (?, ?)",
            &[rev_value(rev)?, encode(&broadcast)?.into()],
        )?;
        if rev.is_multiple_of(RING_CUT_EVERY) {
            let oldest = rev_value(rev.saturating_sub(limits::RING_MAX))?;
            self.sql.exec("DELETE FROM deltas WHERE rev <= ?", &[oldest])?;
        }
        self.news.push(News::Delta(broadcast));
        Ok(())
    }

    /// Begins the next epoch of the cart. Returns false if there can be none.
    fn begin_epoch(&mut self) -> Result<bool, Failure> {
        let Some((cart, applied)) = epoch::next(&self.stored.cart) else { return Ok(false) };
        self.stored.cart = cart;
        self.stored.state.previous = Some(applied);
        self.stored.state.hub = self.turn.replica("epoch");
        self.sql.exec("DELETE FROM deltas", &[])?;
        self.sql.exec("DELETE FROM infos", &[])?;
        Ok(true)
    }

    /// Notes an edit: it begins a new idle period and extends the cart's life.
    fn edited(&mut self) -> Result<(), Failure> {
        let now_ms = self.turn.ms();
        let state = &mut self.stored.state;
        (state.edited_ms, state.idle_ms) = (now_ms, now_ms);
        let (abandon_ms, expire_ms) = (state.abandon_ms(), state.expire_ms());
        self.stored.schedule_by(self.sql, Task::Abandon, abandon_ms)?;
        self.stored.schedule_by(self.sql, Task::Expire, expire_ms)?;
        self.is_dirty = true;
        if let Some(checkout) = &self.stored.state.checkout {
            let changed = checkout.sum_hash != sum_hash(&self.stored.cart)?;
            self.news.push(News::Checkout { open: true, changed });
        }
        Ok(())
    }
}

/// Makes a number for SQL from a revision. SQL's range is enough for one revision in every millisecond of 285,000 years.
pub(super) fn rev_value(rev: u64) -> Result<SqlValue, Failure> {
    SqlValue::int(i64::try_from(rev).map_err(|error| Failure::Fatal(error.to_string()))?)
}

/// Runs `work` on the hub. All of its writes are kept, or none.
pub(super) fn within<S: Sql>(
    sql: &S,
    volatile: &mut Volatile,
    speaker: &Speaker,
    turn: Turn<'_>,
    work: impl FnOnce(&mut Hub<'_, S>) -> Result<String, Failure>,
) -> Result<HubAnswer, Failure> {
    volatile.updated.once(sql, schema::CART)?;
    // The cart is taken out of memory, so that a failed call leaves no half-changed cart there.
    let mut stored = volatile.stored.take();
    let mut work = Some(work);
    let mut made = None;
    sql.transaction(&mut || {
        let stored = match stored.take() {
            Some(stored) if stored.is_current(sql)? => Some(stored),
            Some(_) | None => StoredCart::load(sql)?,
        };
        let hub_replica = turn.replica("hub");
        let stored = stored.unwrap_or_else(|| StoredCart::fresh(speaker, hub_replica, turn.ms()));
        let mut hub = Hub { sql, stored, turn, news: Vec::new(), pump: false, is_dirty: false };
        let Some(work) = work.take() else { return Err(ran_twice()) };
        let reply = work(&mut hub)?;
        if hub.is_dirty {
            hub.stored.save(sql)?;
        }
        made = Some((reply, hub.stored, hub.news, hub.pump));
        Ok(())
    })?;
    let Some((reply, stored, news, pump)) = made else { return Err(ran_twice()) };
    volatile.stored = Some(stored);
    Ok(HubAnswer { reply, news, pump })
}

fn ran_twice() -> Failure {
    Failure::Fatal("a transaction did not run exactly once".to_owned())
}
