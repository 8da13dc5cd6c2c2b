//! The shell's part of the journal's objects that have storage: calls and the alarm.
//!
//! Both shells run this code. `store/journal` decides.

use hilo_core::config::Retention;

use super::alarm::Alarm;
use super::config;
use crate::platform::{Failure, Platform, Sql, log_line};
use crate::store::journal::{self, AfterAlarm, Part, Volatile};

/// How long a failed alarm waits. workerd gives up an alarm that failed too often.
const RETRY_MS: i64 = 3_600_000;

/// An object of the journal, as its shell provides it.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait JournalHost {
    /// The object's storage.
    type Sql: Sql;

    /// Runs `work` on the storage, with the value that the object keeps in memory.
    fn with<T>(&self, work: impl FnOnce(&Self::Sql, &mut Volatile) -> T) -> T;

    /// Returns the object's part in the journal.
    fn part(&self) -> Part;

    /// Returns the alarm and the memory of its time.
    fn alarm(&self) -> &Alarm;

    /// Sets the alarm. This write is atomic with the rows that were written before it in this turn.
    ///
    /// # Errors
    /// The error of the storage.
    fn set_alarm(&self, at_ms: i64) -> Result<(), Failure>;

    /// Deletes everything that is stored.
    ///
    /// # Errors
    /// The error of the storage.
    async fn delete(&self) -> Result<(), Failure>;
}

/// Answers a call at `now`.
///
/// # Errors
/// The error of the object or of its storage.
pub fn answer<H: JournalHost>(
    host: &H,
    call: &str,
    now: jiff::Timestamp,
) -> Result<String, Failure> {
    let part = host.part();
    let answered = host.with(|sql, volatile| journal::answer(sql, volatile, part, call, now))?;
    if let Some(at_ms) = answered.alarm_ms {
        arm(host, at_ms, now.as_millisecond())?;
    }
    Ok(answered.reply)
}

/// Forgets what is too old when the alarm fires.
pub async fn on_alarm<H: JournalHost, P: Platform>(host: &H, platform: &P) {
    host.alarm().clear();
    let retention = config::retention(platform).await;
    let (part, now) = (host.part(), platform.now());
    // Without the newest configuration nobody knows how long refusals are kept, so the alarm comes again.
    let after = retention.and_then(|Retention { rejects_days, .. }| {
        host.with(|sql, volatile| journal::on_alarm(sql, volatile, part, rejects_days, now))
    });
    let now_ms = now.as_millisecond();
    let done = match after {
        Ok(AfterAlarm::Rest) => Ok(()),
        Ok(AfterAlarm::Again(at_ms)) => arm(host, at_ms, now_ms),
        Ok(AfterAlarm::Delete) => {
            // The runtime deletes the alarm with the storage. A call may have set one while the configuration was read.
            host.alarm().clear();
            host.delete().await
        }
        Err(failure) => Err(failure),
    };
    if let Err(failure) = done {
        platform.log(&log_line("error", "journal alarm", &[("why", failure.message())]));
        if let Err(failure) = arm(host, now_ms + RETRY_MS, now_ms) {
            platform.log(&log_line("error", "alarm", &[("why", failure.message())]));
        }
    }
}

fn arm<H: JournalHost>(host: &H, at_ms: i64, now_ms: i64) -> Result<(), Failure> {
    host.alarm().arm(at_ms, now_ms, |at_ms| host.set_alarm(at_ms))
}
