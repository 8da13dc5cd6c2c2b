//! The shell's part of a profile's object: calls, the alarm, and the way from the outbox to the queue.
//!
//! Both shells run this code. It has access to the object's storage, clock and queue, and the alarm also to the configuration.
//! `store/profile` decides.

use jiff::{SignedDuration, Timestamp};

use super::alarm::{AGAIN_MS, Alarm};
use super::config;
use crate::calls::index::{ask_index, forget_keys};
use crate::calls::journal::note_endings;
use crate::calls::{Delivery, ask_profile, encode};
use crate::pipeline;
use crate::platform::{Failure, Platform, Sql, log_line};
use crate::signature::message_hash;
use crate::store::profile::{self, CallResult, Errand, Own, Upkeep, Volatile};

/// A failure of the queue. It may have accepted some deliveries before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsent {
    /// The number of deliveries that were accepted.
    pub accepted: usize,
    /// The reason why the others were not.
    pub why: Failure,
}

/// The most calls that an alarm makes for a link. The next alarm goes on.
const ERRANDS_MAX: usize = 32;
/// The time until that alarm, and until the next attempt after a call that failed.
const LINK_AFTER: SignedDuration = SignedDuration::from_secs(1);
const LINK_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(30);

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

    /// Sends deliveries to the queue, in order.
    ///
    /// # Errors
    /// The error of the queue, with the number of deliveries that it accepted before.
    async fn send(&self, deliveries: &[Delivery]) -> Result<(), Unsent>;

    /// Deletes everything that is stored or in memory.
    ///
    /// # Errors
    /// The error of the storage.
    async fn delete(&self) -> Result<(), Failure>;
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
            arm_by(host, answered.alarm)?;
        }
        // The call may have made the storage before it failed. A restarted object would not know that no alarm is set.
        Err(_) if host.with(|_, volatile| volatile.needs_alarm()) => {
            arm_by(host, Some(profile::soon(now)?))?;
        }
        Err(_) => {}
    }
    answered
}

/// Sets the alarm for this time at the latest. A restarted object does not remember its alarm, and must not put off the
/// next delivery.
fn arm_by<H: ProfileHost>(host: &H, at: Option<Timestamp>) -> Result<(), Failure> {
    if at.is_some() && !host.alarm().is_known() { arm_next(host, at) } else { arm(host, at) }
}

/// Sends the deliveries of events that were just stored to the queue.
pub async fn feed_queue<H: ProfileHost, P: Platform>(host: &H, platform: &P) {
    let now = host.now();
    let ready = host.with(|sql, volatile| profile::ready(sql, volatile, now));
    hand_over(host, ready, platform).await;
}

/// Sends all due deliveries to the queue when the alarm fires, and does the upkeep.
pub async fn on_alarm<H: ProfileHost, P: Platform>(host: &H, platform: &P) {
    host.alarm().clear();
    let (again, kept) = match config::placed(platform).await {
        Ok(()) => {
            let again = do_due(host, platform).await;
            (again, keep_up(host, platform, again).await)
        }
        Err(failure) => (None, Err(failure)),
    };
    if let Err(failure) = kept {
        platform.log(&log_line("error", "upkeep", &[("why", failure.message())]));
        // The alarm is set again after a failure too: workerd gives up an alarm that failed too often.
        let later = host.now().checked_add(SignedDuration::from_millis(AGAIN_MS)).ok();
        // A storage that cannot be read tells no earlier time, and must not lose its alarm for that.
        let armed =
            arm_next(host, again.into_iter().chain(later).min()).or_else(|_| arm(host, later));
        if let Err(failure) = armed {
            platform.log(&log_line("error", "alarm", &[("why", failure.message())]));
        }
    }
}

/// Does what is due. Returns when the alarm has to come again for the link.
async fn do_due<H: ProfileHost, P: Platform>(host: &H, platform: &P) -> Option<Timestamp> {
    let Progress { may_deliver, again } = go_on(host, platform).await;
    if may_deliver {
        let now = host.now();
        let due = host.with(|sql, volatile| profile::due(sql, volatile, now));
        hand_over(host, due, platform).await;
        note_endings(platform, &host.with(|_, volatile| volatile.take_ended()));
    }
    erase(host, platform).await;
    again
}

/// How far a link got.
struct Progress {
    /// Whether deliveries may be sent. A profile that has moved must know what is in force in the user's.
    may_deliver: bool,
    /// When the alarm has to come again for the link.
    again: Option<Timestamp>,
}

/// Moves a profile that is linked to a user's. Of any other profile it makes no call.
async fn go_on<H: ProfileHost, P: Platform>(host: &H, platform: &P) -> Progress {
    let after = |time| host.now().checked_add(time).ok();
    match run_errands(host, platform).await {
        Ok(is_done) => {
            Progress { may_deliver: true, again: if is_done { None } else { after(LINK_AFTER) } }
        }
        Err(failure) => {
            platform.log(&log_line("warn", "link", &[("why", failure.message())]));
            let has_moved = host.with(|_, volatile| profile::has_moved(volatile));
            Progress { may_deliver: !has_moved, again: after(LINK_AGAIN_AFTER) }
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
                return platform.log(&log_line("error", "erasure", &[("why", failure.message())]));
            }
        };
        let ended = pipeline::erase(&task, platform).await;
        let noted = host.with(|sql, _| profile::erasure_ended(sql, &task, &ended, host.now()));
        if let Err(failure) = noted {
            return platform.log(&log_line("error", "erasure", &[("why", failure.message())]));
        }
    }
}

/// Makes the calls that move a profile. Returns whether nothing is left to do.
async fn run_errands<H: ProfileHost, P: Platform>(host: &H, platform: &P) -> Result<bool, Failure> {
    for round in 0..ERRANDS_MAX {
        let next = host.with(|sql, volatile| profile::errand(sql, volatile, round == 0))?;
        let Some(errand) = next else { return Ok(true) };
        let answer = match &errand {
            Errand::Profile { to, call } => ask_profile(platform, to.clone(), call).await?,
            Errand::Index { key, ask } => {
                let () = ask_index(platform, key, ask.clone()).await?;
                None
            }
        };
        let own = host.with(|sql, volatile| profile::ended(sql, volatile, errand, answer))?;
        if let Some(Own { name, call }) = own {
            self::answer(host, &name, &encode(&call)?)?;
        }
    }
    Ok(false)
}

/// Removes what is too old, and sets the next alarm, for `again` at the latest.
async fn keep_up<H: ProfileHost, P: Platform>(
    host: &H,
    platform: &P,
    again: Option<Timestamp>,
) -> Result<(), Failure> {
    // Without the newest configuration nobody knows the months, so the alarm comes again.
    let retention = config::retention(platform).await?;
    let upkeep =
        host.with(|sql, volatile| profile::upkeep(sql, volatile, &retention, host.now()))?;
    match upkeep {
        None => Ok(()),
        Some(Upkeep::Next(at)) => arm_next(host, again.into_iter().chain([at]).min()),
        // The runtime deletes the alarm with the storage. A call may have set one while the configuration was read.
        Some(Upkeep::Forget) => {
            let (name, keys) = host.with(profile::leaves_in_index)?;
            forget_keys(&keys, &name, platform).await?;
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
fn log_missing<H: ProfileHost, P: Platform>(host: &H, platform: &P) {
    for id in host.with(|_, volatile| volatile.take_missing()) {
        platform.log(&log_line("error", "event missing", &[("messageHash", &message_hash(&id))]));
    }
}

/// Sends deliveries to the queue. Those that it does not accept are due again.
async fn hand_over<H: ProfileHost, P: Platform>(
    host: &H,
    due: Result<Vec<Delivery>, Failure>,
    platform: &P,
) {
    log_missing(host, platform);
    let deliveries = match due {
        Ok(deliveries) => deliveries,
        Err(failure) => {
            platform.log(&log_line("error", "outbox", &[("why", failure.message())]));
            return;
        }
    };
    if let Err(Unsent { accepted, why }) = host.send(&deliveries).await {
        platform.log(&log_line("warn", "queue", &[("why", why.message())]));
        let (now, refused) = (host.now(), deliveries.get(accepted..).unwrap_or_default());
        let released = host.with(|sql, volatile| profile::release(sql, volatile, refused, now));
        if let Err(failure) = released {
            platform.log(&log_line("error", "outbox", &[("why", failure.message())]));
        }
    }
}

fn arm<H: ProfileHost>(host: &H, at: Option<Timestamp>) -> Result<(), Failure> {
    let Some(at) = at else { return Ok(()) };
    let now_ms = host.now().as_millisecond();
    host.alarm().arm(at.as_millisecond(), now_ms, |at_ms| host.set_alarm(at_ms))
}
