//! The journal's objects: the head with counters, dead letters and the index of shards; the shards with refusals; the live
//! object.
//!
//! A call as JSON → its answer. Every table is bounded by number, and refusals also by age. The journal stores outcomes and
//! results, and of events only those that the tracking plan refused, sealed. A part that was never written to holds no storage.

mod answer;
mod head;
mod held;
pub mod live;
mod rejects;
#[cfg(test)]
mod tests;
mod watch;

use jiff::Timestamp;

pub use answer::{AfterAlarm, JournalAnswer};
pub use head::Volatile;

use crate::calls::decode;
use crate::platform::{Failure, Sql};

/// A part of the journal that has storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The one head.
    Head,
    /// A shard.
    Shard,
}

/// Answers one call.
///
/// # Errors
/// The error of the storage; nothing of a failed call is stored.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    part: Part,
    call: &str,
    now: Timestamp,
) -> Result<JournalAnswer, Failure> {
    match part {
        Part::Head => head::answer(sql, volatile, decode(call)?, now),
        Part::Shard => rejects::answer(sql, call, now),
    }
}

/// Forgets what is older than `rejects_days`, when the alarm fires.
///
/// # Errors
/// The error of the storage.
pub fn on_alarm(
    sql: &impl Sql,
    volatile: &mut Volatile,
    part: Part,
    rejects_days: u32,
    now: Timestamp,
) -> Result<AfterAlarm, Failure> {
    let now_ms = now.as_millisecond();
    match part {
        Part::Head => head::on_alarm(sql, volatile, rejects_days, now_ms),
        Part::Shard => rejects::on_alarm(sql, rejects_days, now_ms),
    }
}
