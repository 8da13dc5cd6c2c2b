//! One cart's object: the hub that sequences its operations, its checkouts, and its touchpoints.
//!
//! `answer` takes a question as JSON and answers JSON, in one transaction; `live` does the same for a frame of a socket, and
//! `schedule` for the alarm. Synchronous throughout. Sends nothing and has no clock and no randomness: both are arguments.
//! What the core decides about a delta is `hilo_core::cart`'s; here it is kept, once.

mod checkout;
mod edit;
mod foreign;
mod live;
mod merge;
mod schedule;
mod state;
#[cfg(test)]
mod tests;
mod touch;
mod view;

pub use live::{FLOOD, Frame, Socket, frame, hello_deadline_ms, is_flood, told};
pub use schedule::{Due, due, next_alarm, release, settle};

use hilo_core::cart::wire::{Broadcast, Revision};
use hilo_core::cart::{Cart, ReplicaId, epoch, limits};
use jiff::Timestamp;

use super::schema;
use crate::calls::cart::{CartAsk, CartCall, CartSummary, Leave, Speaker};
use crate::calls::refused::{CartRefusal, RefusedCode};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256;
use state::{Bound, Kept, Standing, Task};

/// How often the ring of deltas is cut: doing it with every operation would double its statements.
const RING_CUT_EVERY: u64 = 64;
/// What the hub's own replica is bound to: no token has this digest.
const HUB_TOKEN: &str = "hub";

/// What an object knows only while it lives.
#[derive(Debug, Default)]
pub struct Volatile {
    /// Whether the schema was brought up to date in this life.
    is_current: bool,
    kept: Option<Kept>,
    /// Until when touchpoints that were handed out are not handed out again. In memory only, like the profile's leases: a
    /// restarted object has forgotten it and sends at once.
    leased_until_ms: i64,
}

/// One moment of one object: its name, the clock, fresh random bytes.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'n> {
    /// The object's name, which is the cart's label.
    pub name: &'n str,
    /// The clock.
    pub now: Timestamp,
    /// Random bytes of this moment alone.
    pub random: [u8; 16],
}

/// What an object answers, and what the sockets of its cart get.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answered {
    /// JSON for the caller.
    pub reply: String,
    /// What has happened, in order.
    pub news: Vec<News>,
    /// Whether touchpoints wait in the outbox.
    pub pump: bool,
}

/// What the sockets of a cart are told.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// A delta. `acked` is each receiver's own.
    Delta(Broadcast),
    /// So much that everybody begins with the whole cart again: a merge, or a new epoch.
    Anew,
    /// A checkout.
    Checkout {
        /// Whether one is open.
        open: bool,
        /// Whether the lines differ from those it began with.
        changed: bool,
    },
    /// The cart has moved into a customer's.
    Merged,
}

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    /// Somebody's wish.
    Edit,
    /// An order: if nothing is left, the cart begins anew.
    Order,
    /// A guest's cart was taken in. Its whole history in one delta would be larger than the cart, so that everybody begins
    /// with that instead.
    Merge,
}

/// Answers a [`CartCall`] at this moment.
///
/// # Errors
/// `Retriable` when the storage refuses; nothing of the question is kept then.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    call: &str,
    moment: Moment<'_>,
) -> Result<Answered, Failure> {
    let CartCall { speaker, ask } = decode(call)?;
    let reads = match ask {
        CartAsk::View(_) | CartAsk::Summary | CartAsk::Leave(_) | CartAsk::Left { .. } => true,
        CartAsk::Ops { .. }
        | CartAsk::Checkout { .. }
        | CartAsk::Ordered(_)
        | CartAsk::Commands(_)
        | CartAsk::Join(_) => false,
    };
    if reads && !volatile.is_current && !schema::is_present(sql)? {
        // Looking at a cart that nobody has used must not create storage for it.
        return Ok(Answered { reply: of_nobody(&ask, &speaker, moment)?, ..Answered::default() });
    }
    within(sql, volatile, &speaker, moment, |hub| hub.answer(ask, &speaker))
}

/// What is known about a cart that was never used.
fn of_nobody(ask: &CartAsk, speaker: &Speaker, moment: Moment<'_>) -> Result<String, Failure> {
    match ask {
        CartAsk::View(since) => {
            let kept = Kept::fresh(speaker, ReplicaId(0), 0);
            encode(&view::of_new(&kept, moment.name, since)?)
        }
        CartAsk::Summary => {
            encode(&CartSummary { cart: moment.name.to_owned(), ..CartSummary::default() })
        }
        CartAsk::Leave(_) => encode(&Leave::Nothing),
        CartAsk::Left { .. }
        | CartAsk::Ops { .. }
        | CartAsk::Checkout { .. }
        | CartAsk::Ordered(_)
        | CartAsk::Commands(_)
        | CartAsk::Join(_) => encode(&()),
    }
}

/// Runs `work` on the hub so that everything it writes is kept, or nothing.
fn within<S: Sql>(
    sql: &S,
    volatile: &mut Volatile,
    speaker: &Speaker,
    moment: Moment<'_>,
    work: impl FnOnce(&mut Hub<'_, S>) -> Result<String, Failure>,
) -> Result<Answered, Failure> {
    if !volatile.is_current {
        schema::apply(sql, schema::CART)?;
        volatile.is_current = true;
    }
    // Taken out: what fails half-way must not be believed afterwards.
    let mut kept = volatile.kept.take();
    let mut work = Some(work);
    let mut made = None;
    sql.transaction(&mut || {
        let kept = match kept.take() {
            Some(kept) if kept.is_current(sql)? => Some(kept),
            Some(_) | None => Kept::load(sql)?,
        };
        let hub_replica = moment.replica("hub");
        let kept = kept.unwrap_or_else(|| Kept::fresh(speaker, hub_replica, moment.ms()));
        let mut hub = Hub { sql, kept, moment, news: Vec::new(), pump: false, is_dirty: false };
        let Some(work) = work.take() else { return Err(ran_twice()) };
        let reply = work(&mut hub)?;
        if hub.is_dirty {
            hub.kept.save(sql)?;
        }
        made = Some((reply, hub.kept, hub.news, hub.pump));
        Ok(())
    })?;
    let Some((reply, kept, news, pump)) = made else { return Err(ran_twice()) };
    volatile.kept = Some(kept);
    Ok(Answered { reply, news, pump })
}

fn ran_twice() -> Failure {
    Failure::Fatal("a transaction did not run exactly once".to_owned())
}

impl Moment<'_> {
    fn ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// Random bytes for a use, so that one moment's uses do not show each other.
    fn random_for(&self, purpose: &str) -> [u8; 32] {
        sha256(&[&self.random, purpose.as_bytes()].concat())
    }

    /// A replica nobody has used.
    fn replica(&self, purpose: &str) -> ReplicaId {
        let bytes = self.random_for(purpose);
        let id = bytes.iter().take(8).fold(0, |id, byte| (id << 8) | u64::from(*byte));
        // 0 is no replica on the wire.
        ReplicaId(id.max(1))
    }
}

/// The cart at work, inside one transaction.
struct Hub<'s, S: Sql> {
    sql: &'s S,
    kept: Kept,
    moment: Moment<'s>,
    news: Vec<News>,
    pump: bool,
    is_dirty: bool,
}

impl<S: Sql> Hub<'_, S> {
    fn answer(&mut self, ask: CartAsk, speaker: &Speaker) -> Result<String, Failure> {
        match ask {
            CartAsk::View(since) => encode(&self.look(&since)?),
            CartAsk::Ops { ops, person } => encode(&self.ops(&ops, person, speaker)?),
            CartAsk::Checkout { person } => encode(&self.begin_checkout(person, speaker)?),
            CartAsk::Ordered(order) => encode(&self.ordered(&order, speaker)?),
            CartAsk::Commands(commands) => encode(&self.commands(&commands, speaker)?),
            CartAsk::Summary => encode(&self.summary()?),
            CartAsk::Leave(to) => encode(&self.leave(to)?),
            CartAsk::Join(leaving) => encode(&self.join(&leaving, speaker)?),
            CartAsk::Left { merge_id } => encode(&self.left(&merge_id)?),
        }
    }

    /// Refuses edits of a cart that is moving or has moved.
    fn refuse_moved(&self) -> Option<CartRefusal> {
        match &self.kept.state.standing {
            Standing::Open => None,
            Standing::Leaving { .. } => Some(CartRefusal::new(
                RefusedCode::CartMerging,
                "this cart is moving into a customer's: say it again in a second",
            )),
            Standing::Left { into, .. } => Some(CartRefusal {
                into: Some(into.clone()),
                ..CartRefusal::new(
                    RefusedCode::CartMerged,
                    "this cart has moved into a customer's: forget it, and fetch the cart anew",
                )
            }),
        }
    }

    /// Notes who edits, and by which terms it is kept from now on.
    fn note_speaker(&mut self, speaker: &Speaker) {
        let state = &mut self.kept.state;
        state.owner = speaker.owner.clone();
        state.terms = speaker.terms;
        state.source.clone_from(&speaker.source);
        state.is_server = speaker.is_server;
        self.is_dirty = true;
    }

    /// Lets the hub itself change the cart.
    fn act(&mut self, delta: &Cart, change: Change) -> Result<(), Failure> {
        let hub = self.kept.state.hub;
        if !self.kept.replicas.contains_key(&hub) {
            let seen_ms = self.moment.ms();
            self.kept.bind(self.sql, hub, Bound { token: HUB_TOKEN.to_owned(), seen_ms })?;
        }
        let mut next = self.kept.cart.clone();
        next.absorb(delta);
        self.change(delta, next, change)
    }

    /// Keeps `next`, the cart after `delta`, and tells everybody.
    fn change(&mut self, delta: &Cart, next: Cart, change: Change) -> Result<(), Failure> {
        let rev = self.kept.state.rev.0 + 1;
        let before = std::mem::replace(&mut self.kept.cart, next);
        self.kept.state.rev = Revision(rev);
        self.kept.save_infos(self.sql, delta.looks().map(|(line, _)| line))?;
        self.kept.prune_infos(self.sql, &before)?;
        let is_over = epoch::is_over(&self.kept.cart, change == Change::Order);
        if is_over && self.begin_epoch()? {
            self.news.push(News::Anew);
        } else if change == Change::Merge {
            self.sql.exec("DELETE FROM deltas", &[])?;
            self.news.push(News::Anew);
        } else {
            self.keep_delta(rev, Broadcast::of(rev, 0, delta))?;
        }
        self.edited()
    }

    /// Keeps a delta for those who come back, and sends it to those who are there.
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

    /// Begins the next life of the cart, if there can be one.
    fn begin_epoch(&mut self) -> Result<bool, Failure> {
        let Some((cart, applied)) = epoch::next(&self.kept.cart) else { return Ok(false) };
        self.kept.cart = cart;
        self.kept.state.previous = Some(applied);
        self.kept.state.hub = self.moment.replica("epoch");
        self.sql.exec("DELETE FROM deltas", &[])?;
        self.sql.exec("DELETE FROM infos", &[])?;
        Ok(true)
    }

    /// An edit begins a new idle period, and a longer life.
    fn edited(&mut self) -> Result<(), Failure> {
        let now_ms = self.moment.ms();
        let state = &mut self.kept.state;
        (state.edited_ms, state.idle_ms) = (now_ms, now_ms);
        let (abandon_ms, expire_ms) = (state.abandon_ms(), state.expire_ms());
        self.kept.schedule_by(self.sql, Task::Abandon, abandon_ms)?;
        self.kept.schedule_by(self.sql, Task::Expire, expire_ms)?;
        self.is_dirty = true;
        if let Some(checkout) = &self.kept.state.checkout {
            let changed = checkout.sum_hash != checkout::sum_hash(&self.kept.cart)?;
            self.news.push(News::Checkout { open: true, changed });
        }
        Ok(())
    }
}

/// Revisions are numbers within what SQL can hold: one for every millisecond of 285,000 years.
fn rev_value(rev: u64) -> Result<SqlValue, Failure> {
    SqlValue::int(i64::try_from(rev).map_err(|error| Failure::Fatal(error.to_string()))?)
}
