//! What a shell does for a cart's object: its calls, its alarm, and the loop that does what is due.
//!
//! Both shells run this. In: the object's storage, sockets and alarm, and the world. Decides nothing: `store/cart` does, and
//! `pipeline` knows the way to other objects.

use super::alarm::Alarm;
use crate::calls::encode;
use crate::pipeline;
use crate::platform::{Failure, Platform, Sql, log_line};
use crate::store::cart::{self, HubAnswer, News, Turn, Volatile};

/// Rounds of touchpoints that one run hands on; the alarm takes the rest.
const ROUNDS_MAX: usize = 4;

/// A cart's object, as its shell holds it.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait CartHost {
    /// The object's storage.
    type Sql: Sql;

    /// Does something with the storage in this turn, and with what the object remembers while it lives.
    fn with<T>(&self, work: impl FnOnce(&Self::Sql, &mut Volatile, Turn<'_>) -> T) -> T;

    /// Sends news to the cart's sockets.
    fn tell(&self, news: &[News]);

    /// The time at which the next socket that has not said hello is overdue, milliseconds since the epoch.
    fn hello_deadline_ms(&self) -> Option<i64>;

    /// The alarm, as the object remembers it.
    fn alarm(&self) -> &Alarm;

    /// Sets the alarm, in the same write as the rows that were written before it in this turn.
    ///
    /// # Errors
    /// The storage's refusal.
    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure>;

    /// Ends the sockets, and deletes all that is stored and remembered.
    ///
    /// # Errors
    /// The storage's refusal.
    async fn delete(&self) -> Result<(), Failure>;
}

/// Answers a call, and tells the sockets what has changed. Where the answer says `pump`, [`drive_cart`] has something to do.
///
/// # Errors
/// Whatever the object or its storage answers.
pub fn answer<H: CartHost>(host: &H, call: &str) -> Result<HubAnswer, Failure> {
    let answered = host.with(|sql, volatile, turn| cart::answer(sql, volatile, call, turn))?;
    // In the same turn: news of a later change must not overtake these.
    host.tell(&answered.news);
    arm(host)?;
    Ok(answered)
}

/// The alarm: does what is due. Returns whether anything was done.
pub async fn on_alarm<H: CartHost, P: Platform>(host: &H, platform: &P) -> bool {
    host.alarm().clear();
    drive_cart(host, platform).await
}

/// Does what is due, hands on what other objects have to do, and sets the alarm. Returns whether anything was done.
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
    // The alarm is set whatever has happened: workerd gives up an alarm that failed too often.
    if let Err(failure) = arm(host) {
        platform.log(&log_line("error", "alarm", &[("why", failure.message())]));
    }
    has_acted
}

/// What one round has done.
struct Round {
    has_acted: bool,
    /// Whether touchpoints were handed on, so that the outbox may hold more.
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
/// The storage's refusal.
pub fn arm<H: CartHost>(host: &H) -> Result<(), Failure> {
    let (task_ms, now_ms) = host.with(|sql, volatile, turn| {
        let task_ms = cart::next_alarm(sql, volatile, turn.now);
        (task_ms, turn.now.as_millisecond())
    });
    match task_ms?.into_iter().chain(host.hello_deadline_ms()).min() {
        Some(at_ms) => host.alarm().arm(at_ms, now_ms, |at_ms| host.set_alarm(at_ms)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use hilo_core::cart::LineKey;
    use hilo_core::money::Currency;
    use jiff::{SignedDuration, Timestamp};

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

        fn hello_deadline_ms(&self) -> Option<i64> {
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
