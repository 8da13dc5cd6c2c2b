//! The shell's part of a profile's object: calls, the alarm, and the way from the outbox to the queue.
//!
//! Both shells run this code. It has access to the object's storage, clock and queue, and the alarm also to the configuration.
//! `store/profile` decides.

use jiff::{SignedDuration, Timestamp};

use super::alarm::Alarm;
use super::config;
use crate::calls::Delivery;
use crate::pipeline;
use crate::platform::{Failure, Platform, Sql, log_line};
use crate::signature::message_hash;
use crate::store::profile::{self, CallResult, Upkeep, Volatile};

/// The time until the next alarm after an upkeep that failed.
const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// A profile's object, as its shell provides it.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait ProfileHost {
    /// The object's storage.
    type Sql: Sql;

    /// Runs `work` on the storage, with the values that the object keeps in memory.
    fn with<T>(&self, work: impl FnOnce(&Self::Sql, &mut Volatile) -> T) -> T;

    /// Returns the time.
    fn now(&self) -> Timestamp;

    /// Returns the alarm and the memory of its time.
    fn alarm(&self) -> &Alarm;

    /// Sets the alarm. This write is atomic with the rows that were written before it in this turn.
    ///
    /// # Errors
    /// The error of the storage.
    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure>;

    /// Sends deliveries to the queue.
    ///
    /// # Errors
    /// The error of the queue.
    async fn send(&self, deliveries: &[Delivery]) -> Result<(), Failure>;

    /// Deletes everything that is stored or in memory.
    ///
    /// # Errors
    /// The error of the storage.
    async fn delete(&self) -> Result<(), Failure>;

    /// Writes one line to the log.
    fn log(&self, line: &str);
}

/// Answers a call of the object called `name`. It is synchronous from the first row to the alarm, so that everything is
/// written or nothing. If the answer sets `pump`, the caller runs [`feed_queue`].
///
/// # Errors
/// The error of the object or of its storage.
pub fn answer<H: ProfileHost>(host: &H, name: &str, call: &str) -> Result<CallResult, Failure> {
    let now = host.now();
    let answered = host.with(|sql, volatile| profile::answer(sql, volatile, name, call, now));
    match &answered {
        Ok(answered) => {
            if answered.is_wiped {
                // The alarm went with the storage.
                host.alarm().clear();
                pipeline::forget_progress();
            }
            arm(host, answered.alarm)?;
        }
        // The call may have made the storage before it failed. A restarted object would not know that no alarm is set.
        Err(_) if host.with(|_, volatile| volatile.needs_alarm()) => {
            arm(host, Some(profile::soon(now)?))?;
        }
        Err(_) => {}
    }
    answered
}

/// Sends the deliveries of events that were just stored to the queue.
pub async fn feed_queue<H: ProfileHost>(host: &H) {
    let now = host.now();
    let ready = host.with(|sql, volatile| profile::ready(sql, volatile, now));
    hand_over(host, ready).await;
}

/// Sends all due deliveries to the queue when the alarm fires, and does the upkeep.
pub async fn on_alarm<H: ProfileHost, P: Platform>(host: &H, platform: &P) {
    host.alarm().clear();
    let now = host.now();
    let due = host.with(|sql, volatile| profile::due(sql, volatile, now));
    hand_over(host, due).await;
    erase(host, platform).await;
    if let Err(failure) = keep_up(host, platform).await {
        host.log(&log_line("error", "upkeep", &[("why", failure.message())]));
        // The alarm is set again after a failure too: workerd gives up an alarm that failed too often.
        let again = host.now().checked_add(AGAIN_AFTER).ok();
        if let Err(failure) = arm_next(host, again) {
            host.log(&log_line("error", "alarm", &[("why", failure.message())]));
        }
    }
}

/// Does the steps of an erasure that are due, one after another. One that fails comes again with a later alarm.
async fn erase<H: ProfileHost, P: Platform>(host: &H, platform: &P) {
    loop {
        let task = match host.with(|sql, volatile| profile::erasure_task(sql, volatile, host.now()))
        {
            Ok(Some(task)) => task,
            Ok(None) => return,
            Err(failure) => {
                return host.log(&log_line("error", "erasure", &[("why", failure.message())]));
            }
        };
        let ended = pipeline::erase(&task, platform).await;
        let noted = host.with(|sql, _| profile::erasure_ended(sql, &task, &ended, host.now()));
        if let Err(failure) = noted {
            return host.log(&log_line("error", "erasure", &[("why", failure.message())]));
        }
    }
}

/// Removes what is too old, and sets the next alarm.
async fn keep_up<H: ProfileHost, P: Platform>(host: &H, platform: &P) -> Result<(), Failure> {
    // Without the newest configuration nobody knows the months, so the alarm comes again.
    let retention = config::retention(platform).await?;
    let upkeep =
        host.with(|sql, volatile| profile::upkeep(sql, volatile, &retention, host.now()))?;
    match upkeep {
        None => Ok(()),
        Some(Upkeep::Next(at)) => arm_next(host, Some(at)),
        // The runtime deletes the alarm with the storage. A call may have set one while the configuration was read.
        Some(Upkeep::Forget) => {
            host.alarm().clear();
            host.delete().await
        }
    }
}

/// Sets the alarm for the next delivery or for `upkeep`, whichever comes first.
fn arm_next<H: ProfileHost>(host: &H, upkeep: Option<Timestamp>) -> Result<(), Failure> {
    let (delivery, erasure) = host.with(|sql, volatile| {
        let delivery = profile::next_alarm(sql, host.now());
        (delivery, profile::erasure_alarm(sql, volatile))
    });
    arm(host, delivery?.into_iter().chain(erasure?).chain(upkeep).min())
}

/// Logs events that were not found for their deliveries.
fn log_missing<H: ProfileHost>(host: &H) {
    for id in host.with(|_, volatile| volatile.take_missing()) {
        host.log(&log_line("error", "event missing", &[("messageHash", &message_hash(&id))]));
    }
}

/// Sends deliveries to the queue. If the queue fails, the deliveries are due again.
async fn hand_over<H: ProfileHost>(host: &H, due: Result<Vec<Delivery>, Failure>) {
    log_missing(host);
    let deliveries = match due {
        Ok(deliveries) => deliveries,
        Err(failure) => {
            host.log(&log_line("error", "outbox", &[("why", failure.message())]));
            return;
        }
    };
    if let Err(failure) = host.send(&deliveries).await {
        host.log(&log_line("warn", "queue", &[("why", failure.message())]));
        let now = host.now();
        let released = host.with(|sql, volatile| profile::release(sql, volatile, &deliveries, now));
        if let Err(failure) = released {
            host.log(&log_line("error", "outbox", &[("why", failure.message())]));
        }
    }
}

fn arm<H: ProfileHost>(host: &H, at: Option<Timestamp>) -> Result<(), Failure> {
    let Some(at) = at else { return Ok(()) };
    let now_ms = host.now().as_millisecond();
    host.alarm().arm(at.as_millisecond(), now_ms, |at_ms| host.set_alarm(at_ms))
}
