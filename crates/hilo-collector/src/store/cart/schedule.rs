//! Tasks and their times: abandonment, expired checkouts, expiry, unfinished merges, touchpoints to send.
//!
//! The alarm fires at least once and maybe late or twice, so each task checks again whether its time has come. The time
//! → the work for the shell. An object has only one alarm, and the earliest task sets it.

use hilo_core::cart::touchpoint::CartEvent;
use jiff::Timestamp;

use super::hub::{Hub, News, Volatile, within};
use super::state::{Abandoned, Standing, StoredCart, Task};
use super::touch::{about, products};
use super::turn::Turn;
use crate::calls::cart::{Leaving, Owner, Speaker, Terms, Touchpoint};
use crate::calls::raw;
use crate::platform::{Failure, Sql, SqlValue};

/// The most touchpoints that are returned at once.
const TOUCHPOINTS_MAX: i64 = 50;
/// How long touchpoints are leased: they are not sent again within this time.
const LEASE_MS: i64 = 30_000;
/// The delay of the next alarm after touchpoints were returned. A crash loses the lease, so the alarm fires long before
/// the lease ends.
const AGAIN_MS: i64 = 5_000;

/// The work that is due at an alarm.
#[derive(Debug, Default)]
pub struct Due {
    /// Touchpoints to send. [`confirm`] those that were sent, or [`release`] them.
    pub touchpoints: Vec<Touchpoint>,
    /// A merge to continue.
    pub merge: Option<Leaving>,
    /// The news for the sockets.
    pub news: Vec<News>,
    /// Whether the cart has expired and can be deleted with everything that belongs to it.
    pub is_expired: bool,
}

/// Runs the tasks that are due at this time, and returns the work for the shell.
///
/// # Errors
/// The error of the storage; nothing of the tasks is stored then.
pub fn due(sql: &impl Sql, volatile: &mut Volatile, turn: Turn<'_>) -> Result<Due, Failure> {
    if !volatile.updated.is_done() && !crate::store::schema::is_present(sql)? {
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

/// Deletes touchpoints that their profiles have stored.
///
/// # Errors
/// The error of the storage.
pub fn confirm(
    sql: &impl Sql,
    volatile: &mut Volatile,
    ended: &[&Touchpoint],
    turn: Turn<'_>,
) -> Result<(), Failure> {
    if !volatile.updated.is_done() && !crate::store::schema::is_present(sql)? {
        // The cart was erased meanwhile.
        return Ok(());
    }
    within(sql, volatile, &alarm_speaker(), turn, |hub| {
        for touchpoint in ended {
            // After an erasure the numbers begin again.
            let (seq, body) =
                (SqlValue::int(touchpoint.seq)?, SqlValue::from(touchpoint.event.get()));
            sql.exec("DELETE FROM outbox WHERE seq = ? AND body = ?", &[seq, body])?;
        }
        let rows = sql.exec("SELECT seq FROM outbox LIMIT 1", &[])?;
        let next = rows.first().map(|_| hub.turn.ms());
        hub.stored.schedule(sql, Task::Outbox, next)?;
        Ok(String::new())
    })?;
    volatile.leased_until_ms = 0;
    Ok(())
}

/// Releases touchpoints that could not be sent: the next alarm sends them again.
pub fn release(volatile: &mut Volatile) {
    volatile.leased_until_ms = 0;
}

/// Returns the time of the next alarm, if any task is left.
///
/// # Errors
/// The error of the storage.
pub fn next_alarm(
    sql: &impl Sql,
    volatile: &Volatile,
    now: Timestamp,
) -> Result<Option<i64>, Failure> {
    let earliest = match &volatile.stored {
        Some(stored) => stored.schedule.values().min().copied(),
        None if !volatile.updated.is_done() && !crate::store::schema::is_present(sql)? => None,
        None => {
            let rows = sql.exec("SELECT min(at_ms) AS at_ms FROM schedule", &[])?;
            rows.first().and_then(|row| row.int("at_ms").ok())
        }
    };
    // Due work is in progress. The next check comes soon, but never in a tight loop.
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
            // A cart with touchpoints that no profile has stored yet is not deleted.
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
        // The end of a checkout without an order schedules this task again. Every edit does, too.
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

    /// Returns the oldest touchpoints that no profile has confirmed.
    fn hand_out(&mut self) -> Result<Vec<Touchpoint>, Failure> {
        let rows = self.sql.exec(
            "SELECT seq, source, body, cut FROM outbox ORDER BY seq LIMIT ?",
            &[SqlValue::Int(TOUCHPOINTS_MAX)],
        )?;
        let touchpoint = |row: &crate::platform::SqlRow| {
            let event = raw(row.text("body")?.to_owned())?;
            Ok(Touchpoint {
                seq: row.int("seq")?,
                source: row.text("source")?.to_owned(),
                event,
                cut: row.text_opt("cut").map(str::to_owned),
            })
        };
        rows.iter().map(touchpoint).collect()
    }
}
