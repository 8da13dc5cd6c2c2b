//! What a shell does for a profile's object: its calls, its alarm, and feeding the queue from its outbox.
//!
//! Both shells run this. In: the object's storage, clock and queue. Decides nothing: `store/profile` does.

use jiff::Timestamp;

use super::alarm::Alarm;
use crate::calls::Delivery;
use crate::platform::{Failure, Sql, log_line};
use crate::store::profile::{self, CallResult, Volatile};

/// A profile's object, as its shell holds it.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait ProfileHost {
    /// The object's storage.
    type Sql: Sql;

    /// Does something with the storage, and with what the object remembers while it lives.
    fn with<T>(&self, work: impl FnOnce(&Self::Sql, &mut Volatile) -> T) -> T;

    /// The clock.
    fn now(&self) -> Timestamp;

    /// The alarm, as the object remembers it.
    fn alarm(&self) -> &Alarm;

    /// Sets the alarm, in the same write as the rows that were written before it in this turn.
    ///
    /// # Errors
    /// The storage's refusal.
    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure>;

    /// Sends deliveries to the queue.
    ///
    /// # Errors
    /// The queue's refusal.
    async fn send(&self, deliveries: &[Delivery]) -> Result<(), Failure>;

    /// Writes one line to the log.
    fn log(&self, line: &str);
}

/// Answers a call of the object called `name`. Synchronous from the first row to the alarm, so that all is written or nothing.
/// Where the answer says `pump`, [`feed_queue`] has something to do.
///
/// # Errors
/// Whatever the object or its storage answers.
pub fn answer<H: ProfileHost>(host: &H, name: &str, call: &str) -> Result<CallResult, Failure> {
    let now = host.now();
    let answered = host.with(|sql, volatile| profile::answer(sql, volatile, name, call, now))?;
    arm(host, answered.alarm)?;
    Ok(answered)
}

/// Hands what was just stored to the queue.
pub async fn feed_queue<H: ProfileHost>(host: &H) {
    let now = host.now();
    let ready = host.with(|sql, volatile| profile::ready(sql, volatile, now));
    hand_over(host, ready).await;
}

/// The alarm: hands everything that is due to the queue.
pub async fn on_alarm<H: ProfileHost>(host: &H) {
    host.alarm().clear();
    let now = host.now();
    let due = host.with(|sql, volatile| profile::due(sql, volatile, now));
    hand_over(host, due).await;
    // The alarm is set again whatever has happened: workerd gives up an alarm that failed too often.
    let next = host.with(|sql, _| profile::next_alarm(sql, host.now()));
    if let Err(failure) = next.and_then(|at| arm(host, at)) {
        host.log(&log_line("error", "alarm", &[("why", failure.message())]));
    }
}

/// Sends deliveries to the queue. What the queue does not take is due again.
async fn hand_over<H: ProfileHost>(host: &H, due: Result<Vec<Delivery>, Failure>) {
    let deliveries = match due {
        Ok(deliveries) => deliveries,
        Err(failure) => {
            host.log(&log_line("error", "outbox", &[("why", failure.message())]));
            return;
        }
    };
    if let Err(failure) = host.send(&deliveries).await {
        host.log(&log_line("warn", "queue", &[("why", failure.message())]));
        host.with(|_, volatile| profile::release(volatile, &deliveries));
    }
}

fn arm<H: ProfileHost>(host: &H, at: Option<Timestamp>) -> Result<(), Failure> {
    let Some(at) = at else { return Ok(()) };
    let now_ms = host.now().as_millisecond();
    host.alarm().arm(at.as_millisecond(), now_ms, |at_ms| host.set_alarm(at_ms))
}
