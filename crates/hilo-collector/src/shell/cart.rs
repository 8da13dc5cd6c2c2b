//! The shell's part of a cart's object: calls, the alarm, and the loop that runs due tasks.
//!
//! Both shells run this code. It has access to the object's storage, sockets and alarm, and to the platform.
//! `store/cart` decides, and `pipeline` calls other objects.

use jiff::Timestamp;

use super::alarm::{AGAIN_MS, Alarm};
use super::config;
use crate::calls::encode;
use crate::pipeline;
use crate::platform::{Failure, Platform, Sql, log_line};
use crate::store::cart::{self, HubAnswer, News, Turn, Volatile};

/// The most rounds of touchpoints that one run sends. The next alarm sends the rest.
const ROUNDS_MAX: usize = 4;

/// A cart's object, as its shell provides it.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait CartHost {
    /// The object's storage.
    type Sql: Sql;

    /// Runs `work` on the storage in this turn, with the values that the object keeps in memory.
    fn with<T>(&self, work: impl FnOnce(&Self::Sql, &mut Volatile, Turn<'_>) -> T) -> T;

    /// Sends news to the cart's sockets.
    fn tell(&self, news: &[News]);

    /// The earliest time at which a socket is overdue, milliseconds since the epoch.
    fn socket_deadline_ms(&self) -> Option<i64>;

    /// Returns the alarm and the memory of its time.
    fn alarm(&self) -> &Alarm;

    /// Sets the alarm. This write is atomic with the rows that were written before it in this turn.
    ///
    /// # Errors
    /// The error of the storage.
    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure>;

    /// Closes the sockets, and deletes everything that is stored or in memory.
    ///
    /// # Errors
    /// The error of the storage.
    async fn delete(&self) -> Result<(), Failure>;
}

/// Answers a call, and sends news of the changes to the sockets. If the answer sets `pump`, the caller runs
/// [`drive_cart`].
///
/// # Errors
/// The error of the object or of its storage.
pub fn answer<H: CartHost>(host: &H, call: &str) -> Result<HubAnswer, Failure> {
    let answered = host.with(|sql, volatile, turn| cart::answer(sql, volatile, call, turn))?;
    // News is sent in the same turn, so that news of a later change cannot overtake it.
    host.tell(&answered.news);
    if answered.news.contains(&News::Erased) {
        // The alarm went with the storage.
        host.alarm().clear();
    }
    arm(host)?;
    Ok(answered)
}

/// Runs the tasks that are due when the alarm fires. Returns whether there was any.
pub async fn on_alarm<H: CartHost, P: Platform>(host: &H, platform: &P) -> bool {
    host.alarm().clear();
    drive_cart(host, platform).await
}

/// Runs the tasks that are due, sends touchpoints to other objects, and sets the alarm. Returns whether there was any
/// task.
pub async fn drive_cart<H: CartHost, P: Platform>(host: &H, platform: &P) -> bool {
    let mut has_acted = false;
    for _ in 0..ROUNDS_MAX {
        match drive_once(host, platform).await {
            Ok(round) => {
                has_acted |= round.has_acted;
                if !round.has_more {
                    break;
                }
            }
            Err(failure) => {
                host.with(|_, volatile, _| cart::release(volatile));
                platform.log(&log_line("warn", "cart", &[("why", failure.message())]));
                break;
            }
        }
    }
    // The alarm is set after a failure too: workerd gives up an alarm that failed too often.
    let armed = arm(host).or_else(|_| arm_again(host, platform.now()));
    if let Err(failure) = armed {
        platform.log(&log_line("error", "alarm", &[("why", failure.message())]));
    }
    has_acted
}

/// The result of one round.
struct Round {
    has_acted: bool,
    /// Whether touchpoints were sent, so that the outbox may have more.
    has_more: bool,
}

async fn drive_once<H: CartHost, P: Platform>(host: &H, platform: &P) -> Result<Round, Failure> {
    let due = host.with(cart::due)?;
    host.tell(&due.news);
    if due.is_expired {
        // The runtime deletes the alarm with the storage.
        host.alarm().clear();
        host.delete().await?;
        return Ok(Round { has_acted: true, has_more: false });
    }
    if due.merge.is_some() || !due.touchpoints.is_empty() {
        config::placed(platform).await?;
    }
    let mut round = Round { has_acted: due.merge.is_some(), has_more: false };
    if let Some(leaving) = due.merge {
        pipeline::take_in(&leaving, platform).await?;
        answer(host, &encode(&pipeline::left(&leaving))?)?;
    }
    if !due.touchpoints.is_empty() {
        let ended = pipeline::hand_on(&due.touchpoints, platform).await?;
        host.with(|sql, volatile, turn| cart::confirm(sql, volatile, &ended, turn))?;
        round.has_acted |= !ended.is_empty();
        round.has_more = ended.len() == due.touchpoints.len();
    }
    Ok(round)
}

/// Sets the alarm for the earliest task.
///
/// # Errors
/// The error of the storage.
pub fn arm<H: CartHost>(host: &H) -> Result<(), Failure> {
    let (task_ms, now_ms) = host.with(|sql, volatile, turn| {
        let task_ms = cart::next_alarm(sql, volatile, turn.now);
        (task_ms, turn.now.as_millisecond())
    });
    match task_ms?.into_iter().chain(host.socket_deadline_ms()).min() {
        Some(at_ms) => host.alarm().arm(at_ms, now_ms, |at_ms| host.set_alarm(at_ms)),
        None => Ok(()),
    }
}

/// Sets the alarm of a cart whose tasks cannot be read: its storage is newer than this version, or failed.
fn arm_again<H: CartHost>(host: &H, now: Timestamp) -> Result<(), Failure> {
    let now_ms = now.as_millisecond();
    host.alarm().arm(now_ms + AGAIN_MS, now_ms, |at_ms| host.set_alarm(at_ms))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use hilo_core::cart::LineKey;
    use hilo_core::money::Currency;
    use jiff::SignedDuration;

    use super::*;
    use crate::calls::cart::{CartAsk, CartCall, Command, CommandOp, Owner, Speaker, Terms};
    use crate::shell::memory::{Memory, MemorySql, run};

    /// A cart's object whose alarm goes with its storage, as on workerd.
    struct Host {
        sql: RefCell<MemorySql>,
        volatile: RefCell<Volatile>,
        alarm: Alarm,
        alarm_ms: Cell<Option<i64>>,
        now: Cell<Timestamp>,
    }

    impl CartHost for Host {
        type Sql = MemorySql;

        fn with<T>(&self, work: impl FnOnce(&MemorySql, &mut Volatile, Turn<'_>) -> T) -> T {
            let turn = Turn { name: "c", now: self.now.get(), random: [7; 16] };
            work(&self.sql.borrow(), &mut self.volatile.borrow_mut(), turn)
        }

        fn tell(&self, _: &[News]) {}

        fn socket_deadline_ms(&self) -> Option<i64> {
            None
        }

        fn alarm(&self) -> &Alarm {
            &self.alarm
        }

        fn set_alarm(&self, at_ms: i64) -> Result<(), Failure> {
            self.alarm_ms.set(Some(at_ms));
            Ok(())
        }

        async fn delete(&self) -> Result<(), Failure> {
            self.volatile.take();
            self.alarm_ms.take();
            self.sql.replace(MemorySql::new()?);
            Ok(())
        }
    }

    fn add_a_mug(host: &Host) {
        let terms = Terms { abandoned_s: 3_600, keep_days: 1 };
        let (owner, source) = (Owner::Customer("u1".to_owned()), "backend".to_owned());
        let speaker = Speaker { owner, source, is_server: true, terms };
        let currency = Currency::parse("EUR").unwrap();
        let line = Some(LineKey { variant: "mug".to_owned(), options_hash: 0, currency });
        let (id, op) = ("1".to_owned(), CommandOp::Add);
        let ask = CartAsk::Commands(vec![Command { id, op, line, quantity: None, info: None }]);
        answer(host, &encode(&CartCall { speaker, ask }).unwrap()).unwrap();
    }

    #[test]
    fn a_cart_that_begins_right_after_it_was_deleted_has_an_alarm() {
        let now: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        let (alarm, alarm_ms, volatile) = Default::default();
        let sql = RefCell::new(MemorySql::new().unwrap());
        let host = Host { sql, volatile, alarm, alarm_ms, now: Cell::new(now) };
        let world = Memory::new(now, None).unwrap();
        add_a_mug(&host);
        host.now.set(now + SignedDuration::from_hours(2));
        run(on_alarm(&host, &world)).unwrap();
        let expires = now + SignedDuration::from_hours(24);
        assert_eq!(host.alarm_ms.get(), Some(expires.as_millisecond()));
        // The alarm is late, and the loop after a call finds the cart expired.
        host.now.set(expires);
        run(drive_cart(&host, &world)).unwrap();
        assert_eq!(host.alarm_ms.get(), None);
        add_a_mug(&host);
        assert!(host.alarm_ms.get().is_some());
    }
}
