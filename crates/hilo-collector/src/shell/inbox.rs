//! The shell of an object of the inbox: calls in, the work on one call after another, the alarm.
//!
//! Both shells run this code. `store/inbox` keeps and decides, and `pipeline` does the work. An object that is ended in the middle
//! finds the call again by its alarm.

use std::rc::Rc;

use super::alarm::{AGAIN_MS, Alarm};
use super::config;
use super::turns::Turns;
use hilo_core::outcome::Code;

use crate::calls::inbox::Worked;
use crate::pipeline;
use crate::platform::{Failure, Platform, Sql, log_line};
use crate::store::inbox::{self, AfterAlarm, InboxAnswer, Volatile};

/// The most calls that are worked on behind one answer or alarm. The next alarm goes on.
const WORK_MAX: usize = 200;

/// An object of the inbox, as its shell provides it.
#[expect(async_fn_in_trait, reason = "one thread per isolate: no future here needs to be Send")]
pub trait InboxHost {
    /// The object's storage.
    type Sql: Sql;

    /// Runs `work` on the storage, with the value that the object keeps in memory.
    fn with<T>(&self, work: impl FnOnce(&Self::Sql, &mut Volatile) -> T) -> T;

    /// Returns the turns of the object.
    fn turns(&self) -> Rc<Turns>;

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

/// Answers a call at `now`. It is synchronous from the first row to the alarm, so that everything is written or nothing. If the
/// answer sets `pump`, the caller runs [`drive`].
///
/// # Errors
/// The error of the object or of its storage.
pub fn answer<H: InboxHost>(
    host: &H,
    call: &str,
    now: jiff::Timestamp,
) -> Result<InboxAnswer, Failure> {
    let answered = host.with(|sql, volatile| inbox::answer(sql, volatile, call, now))?;
    if let Some(at_ms) = answered.alarm_ms {
        arm(host, at_ms, now.as_millisecond())?;
    }
    Ok(answered)
}

/// Works on the calls that are due, one after another. Whoever comes meanwhile waits, and finds the rest.
pub async fn drive<H: InboxHost, P: Platform>(host: &H, platform: &P) {
    let worked = work(host, platform).await;
    let now_ms = platform.now().as_millisecond();
    let armed = worked.and_then(|()| {
        let next_ms = host.with(|sql, volatile| inbox::next_alarm(sql, volatile, now_ms))?;
        arm(host, next_ms, now_ms)
    });
    if let Err(failure) = armed {
        // The alarm is set already, because a call that waits has set it.
        platform.log(&log_line("error", "inbox", &[("why", failure.message())]));
    }
}

async fn work<H: InboxHost, P: Platform>(host: &H, platform: &P) -> Result<(), Failure> {
    let turns = host.turns();
    let _turn = loop {
        if let Some(turn) = turns.take().await {
            break turn;
        }
    };
    for _ in 0..WORK_MAX {
        let now_ms = platform.now().as_millisecond();
        let due = host.with(|sql, volatile| inbox::next(sql, volatile, now_ms))?;
        let Some(due) = due else { return Ok(()) };
        let worked = match &due.arrival {
            Some(arrival) => pipeline::work(arrival, platform).await,
            None => Worked::Kept(Code::Unavailable),
        };
        if let Worked::Again(why) = &worked {
            platform.log(&log_line("warn", "inbox", &[("why", why)]));
        }
        let now_ms = platform.now().as_millisecond();
        host.with(|sql, _| inbox::end(sql, &due, &worked, now_ms))?;
    }
    Ok(())
}

/// Goes on with the work when the alarm fires, and forgets what is too old.
pub async fn on_alarm<H: InboxHost, P: Platform>(host: &H, platform: &P) {
    host.alarm().clear();
    let done = match work(host, platform).await {
        Ok(()) => keep_up(host, platform).await,
        Err(failure) => Err(failure),
    };
    if let Err(failure) = done {
        platform.log(&log_line("error", "inbox alarm", &[("why", failure.message())]));
        // workerd gives up an alarm that failed too often, so it is set again after a failure too.
        let now_ms = platform.now().as_millisecond();
        if let Err(failure) = arm(host, now_ms + AGAIN_MS, now_ms) {
            platform.log(&log_line("error", "alarm", &[("why", failure.message())]));
        }
    }
}

/// Without the newest configuration nobody knows the days, so the alarm comes again.
async fn keep_up<H: InboxHost, P: Platform>(host: &H, platform: &P) -> Result<(), Failure> {
    let now_ms = platform.now().as_millisecond();
    let Ok(retention) = config::retention(platform).await else {
        let next_ms = host.with(|sql, volatile| inbox::next_alarm(sql, volatile, now_ms))?;
        return arm(host, next_ms.min(now_ms + AGAIN_MS), now_ms);
    };
    let days = retention.rejects_days;
    match host.with(|sql, volatile| inbox::upkeep(sql, volatile, days, now_ms))? {
        AfterAlarm::Again(at_ms) => arm(host, at_ms, now_ms),
        AfterAlarm::Delete => {
            // The runtime deletes the alarm with the storage. No call can come between the look and the deletion's begin.
            host.alarm().clear();
            host.with(|_, volatile| volatile.forget());
            host.delete().await
        }
    }
}

fn arm<H: InboxHost>(host: &H, at_ms: i64, now_ms: i64) -> Result<(), Failure> {
    host.alarm().arm(at_ms, now_ms, |at_ms| host.set_alarm(at_ms))
}
