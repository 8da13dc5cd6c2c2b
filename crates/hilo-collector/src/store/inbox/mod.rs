//! An object of the inbox: calls of webhooks that were verified, until their work is done, and for a while those that nobody
//! understood.
//!
//! An [`InboxCall`] → kept rows, or the answer. Bodies are sealed. This folder does no work on a call: the shell takes the next
//! one, and brings back what became of it.

mod arrivals;
#[cfg(test)]
mod tests;
mod volatile;

pub use arrivals::{AfterAlarm, Due, end, next, next_alarm, upkeep};
pub use volatile::Volatile;

use jiff::Timestamp;

use crate::calls::inbox::{InboxCall, InboxStanding};
use crate::calls::{decode, encode};
use crate::platform::{Failure, Sql};

/// The time after which the alarm looks whether a call's work was begun. The object begins at once, unless it is ended.
const NET_MS: i64 = 5_000;

/// What an object answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InboxAnswer {
    /// JSON for the caller.
    pub reply: String,
    /// Whether there is work to do now.
    pub pump: bool,
    /// The time of the alarm that does the work if the object is ended before.
    pub alarm_ms: Option<i64>,
}

/// Answers one call.
///
/// # Errors
/// The error of the storage; nothing of a failed call is stored.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    call: &str,
    now: Timestamp,
) -> Result<InboxAnswer, Failure> {
    let now_ms = now.as_millisecond();
    let working =
        |reply: String| InboxAnswer { reply, pump: true, alarm_ms: Some(now_ms + NET_MS) };
    let at_rest = |reply: String| InboxAnswer { reply, ..InboxAnswer::default() };
    match decode(call)? {
        InboxCall::Take { key, arrival } => {
            volatile.open(sql, true)?;
            if arrivals::is_seen(sql, &key)? {
                return Ok(at_rest(encode(&true)?));
            }
            sql.transaction(&mut || arrivals::keep(sql, &key, &arrival, now_ms))?;
            Ok(working(encode(&false)?))
        }
        InboxCall::Standing { limit } => {
            let standing = if volatile.open(sql, false)? {
                arrivals::standing(sql, limit)?
            } else {
                InboxStanding::default()
            };
            Ok(at_rest(encode(&standing)?))
        }
        InboxCall::Replay(wanted) => {
            let count = if volatile.open(sql, false)? {
                arrivals::replay(sql, &wanted, now_ms)?
            } else {
                0
            };
            let reply = encode(&count)?;
            Ok(if count > 0 { working(reply) } else { at_rest(reply) })
        }
    }
}
