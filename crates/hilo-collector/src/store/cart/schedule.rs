//! Tasks and their times: abandonment, checkouts given up, expiry, merges to finish, touchpoints to hand on.
//!
//! The alarm comes at least once and maybe late or twice, so each task looks again whether it is time. In: the moment. Out:
//! what the shell has to do. An object has one alarm; the earliest task sets it.

use hilo_core::cart::touchpoint::CartEvent;
use jiff::Timestamp;

use super::hub::{Hub, News, Volatile, within};
use super::state::{Abandoned, Standing, StoredCart, Task};
use super::touch::{about, products};
use super::turn::Turn;
use crate::calls::cart::{Leaving, Owner, Speaker, Terms, Touchpoint, raw};
use crate::platform::{Failure, Sql, SqlValue};

/// Touchpoints handed out at once.
const TOUCHPOINTS_MAX: i64 = 50;
/// How long touchpoints that were handed out are not handed out again.
const LEASE_MS: i64 = 30_000;
/// When to look again after what is due was handed out: a crash forgets the lease, so the alarm comes long before its end.
const AGAIN_MS: i64 = 5_000;

/// What the alarm finds to be done.
#[derive(Debug, Default)]
pub struct Due {
    /// To be handed on; then [`confirm`] them, or [`release`] them.
    pub touchpoints: Vec<Touchpoint>,
    /// A merge to finish.
    pub merge: Option<Leaving>,
    /// What the sockets get.
    pub news: Vec<News>,
    /// The cart has outlived itself: everything of it can be deleted.
    pub is_expired: bool,
}

/// Does what is due at this moment, and gives out what others have to do.
///
/// # Errors
/// Whatever the storage answers; nothing is done then.
pub fn due(sql: &impl Sql, volatile: &mut Volatile, turn: Turn<'_>) -> Result<Due, Failure> {
    if !volatile.is_current && !crate::store::schema::is_present(sql)? {
        return Ok(Due::default());
    }
    let mut due = Due::default();
    let is_leased = volatile.leased_until_ms > turn.ms();
    let answered = within(sql, volatile, &alarm_speaker(), turn, |hub| {
        if hub.stored.version > 0 {
            hub.do_due(&mut due)?;
        }
        if !is_leased {
            due.touchpoints = hub.hand_out()?;
        }
        Ok(String::new())
    })?;
    if !due.touchpoints.is_empty() {
        volatile.leased_until_ms = turn.ms() + LEASE_MS;
    }
    due.news = answered.news;
    Ok(due)
}

/// The sender of an alarm. It owns no cart, and an alarm creates none.
fn alarm_speaker() -> Speaker {
    Speaker {
        owner: Owner::Guest,
        source: String::new(),
        is_server: false,
        terms: Terms { abandoned_s: u32::MAX, keep_days: u32::MAX },
    }
}

/// Forgets touchpoints that their profiles have.
///
/// # Errors
/// Whatever the storage answers.
pub fn confirm(
    sql: &impl Sql,
    volatile: &mut Volatile,
    seqs: &[i64],
    turn: Turn<'_>,
) -> Result<(), Failure> {
    within(sql, volatile, &alarm_speaker(), turn, |hub| {
        for seq in seqs {
            sql.exec("DELETE FROM outbox WHERE seq = ?", &[SqlValue::int(*seq)?])?;
        }
        let rows = sql.exec("SELECT seq FROM outbox LIMIT 1", &[])?;
        let next = rows.first().map(|_| hub.turn.ms());
        hub.stored.schedule(sql, Task::Outbox, next)?;
        Ok(String::new())
    })?;
    volatile.leased_until_ms = 0;
    Ok(())
}

/// Gives back what could not be handed on: the next alarm tries again.
pub fn release(volatile: &mut Volatile) {
    volatile.leased_until_ms = 0;
}

/// When to look again, if anything is to be done.
///
/// # Errors
/// Whatever the storage answers.
pub fn next_alarm(
    sql: &impl Sql,
    volatile: &Volatile,
    now: Timestamp,
) -> Result<Option<i64>, Failure> {
    let earliest = match &volatile.stored {
        Some(stored) => stored.schedule.values().min().copied(),
        None if !volatile.is_current && !crate::store::schema::is_present(sql)? => None,
        None => {
            let rows = sql.exec("SELECT min(at_ms) AS at_ms FROM schedule", &[])?;
            rows.first().and_then(|row| row.int("at_ms").ok())
        }
    };
    // What is due already is being done: look again soon, but never in a tight loop.
    let now_ms = now.as_millisecond();
    Ok(earliest.map(|at_ms| if at_ms <= now_ms { now_ms + AGAIN_MS } else { at_ms }))
}

impl<S: Sql> Hub<'_, S> {
    fn do_due(&mut self, due: &mut Due) -> Result<(), Failure> {
        if self.is_due(Task::Expire) {
            let at_ms = self.stored.state.expire_ms();
            if at_ms <= self.turn.ms() && !self.has_outbox()? {
                due.is_expired = true;
                return Ok(());
            }
            // Touchpoints that no profile has taken yet are not deleted with the cart.
            let at_ms = at_ms.max(self.turn.ms() + AGAIN_MS);
            self.stored.schedule(self.sql, Task::Expire, Some(at_ms))?;
        }
        if self.is_due(Task::Checkout) {
            self.give_up_checkout()?;
        }
        if self.is_due(Task::Abandon) {
            self.abandon()?;
        }
        if self.is_due(Task::Merge) {
            due.merge = self.unfinished()?;
        }
        Ok(())
    }

    fn is_due(&self, task: Task) -> bool {
        self.stored.schedule.get(&task).is_some_and(|at_ms| *at_ms <= self.turn.ms())
    }

    fn has_outbox(&self) -> Result<bool, Failure> {
        Ok(!self.sql.exec("SELECT seq FROM outbox LIMIT 1", &[])?.is_empty())
    }

    /// Closes a checkout without an order, so that its cart can count as abandoned.
    fn give_up_checkout(&mut self) -> Result<(), Failure> {
        let Some(checkout) = &self.stored.state.checkout else {
            return self.stored.schedule(self.sql, Task::Checkout, None);
        };
        if checkout.until_ms > self.turn.ms() {
            let at_ms = checkout.until_ms;
            return self.stored.schedule(self.sql, Task::Checkout, Some(at_ms));
        }
        self.stored.state.checkout = None;
        self.stored.state.idle_ms = self.turn.ms();
        self.is_dirty = true;
        self.news.push(News::Checkout { open: false, changed: false });
        self.stored.schedule(self.sql, Task::Checkout, None)?;
        let at_ms = self.stored.state.abandon_ms();
        self.stored.schedule_by(self.sql, Task::Abandon, at_ms)
    }

    /// Reports the cart as abandoned, once per epoch and idle period.
    fn abandon(&mut self) -> Result<(), Failure> {
        let StoredCart { state, cart, .. } = &self.stored;
        let at_ms = state.abandon_ms();
        let is_open = state.standing == Standing::Open;
        // A checkout that ends without an order schedules this anew; so does every edit.
        if cart.is_empty() || state.checkout.is_some() || !is_open {
            return self.stored.schedule(self.sql, Task::Abandon, None);
        }
        if at_ms > self.turn.ms() {
            return self.stored.schedule(self.sql, Task::Abandon, Some(at_ms));
        }
        let abandoned = Abandoned {
            label: self.turn.name.to_owned(),
            epoch: cart.epoch,
            idle_ms: state.idle_ms,
            at_ms: self.turn.ms(),
        };
        self.stored.schedule(self.sql, Task::Abandon, None)?;
        let message_id = abandoned.message_id(CartEvent::CartAbandoned);
        let before = self.stored.state.abandoned.replace(abandoned);
        self.is_dirty = true;
        if before.is_some_and(|before| before.message_id(CartEvent::CartAbandoned) == message_id) {
            return Ok(());
        }
        if let Some(subject) = self.reminded(None) {
            let properties = about(&products(&self.stored.cart));
            self.report(&subject, CartEvent::CartAbandoned, &message_id, properties)?;
        }
        Ok(())
    }

    /// The oldest touchpoints that no profile has confirmed.
    fn hand_out(&mut self) -> Result<Vec<Touchpoint>, Failure> {
        let rows = self.sql.exec(
            "SELECT seq, source, body FROM outbox ORDER BY seq LIMIT ?",
            &[SqlValue::Int(TOUCHPOINTS_MAX)],
        )?;
        let touchpoint = |row: &crate::platform::SqlRow| {
            let event = raw(row.text("body")?.to_owned())?;
            Ok(Touchpoint { seq: row.int("seq")?, source: row.text("source")?.to_owned(), event })
        };
        rows.iter().map(touchpoint).collect()
    }
}
