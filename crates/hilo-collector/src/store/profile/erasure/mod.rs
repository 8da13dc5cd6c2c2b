//! The erasure of the person: everything of the profile goes at once, and a record of the erasure takes its place.
//!
//! The record refuses what is older than the erasure, and it has the steps that are left elsewhere (`steps.rs`). It has names,
//! labels and hashes, and nothing about the person. `remains.rs` reads what the steps need before it goes.

mod record;
mod remains;
mod steps;

pub(super) use record::{Tombstone, linked_to, remove_before, standing, tombstone};
pub use steps::task as erasure_task;

use jiff::Timestamp;

use super::volatile::Volatile;
use crate::calls::erasure::{Ended, Erase, Erased, Task};
use crate::platform::{Failure, Sql, atomically};
use record::Record;
use remains::Remains;

/// An erasure that has begun, or goes on.
pub(super) struct Begun {
    pub(super) erased: Erased,
    /// Whether the storage was wiped, with the alarm that was set before.
    pub(super) is_wiped: bool,
}

/// Erases the profile of the object called `name`, and begins the steps elsewhere. While an erasure is under way, a further call
/// adds its carts. If anything was stored since, that is erased too, and the steps begin again.
pub(super) fn begin(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    erase: &Erase,
    now: Timestamp,
) -> Result<Begun, Failure> {
    let has_storage = volatile.has_storage(sql, false)?;
    let before = if has_storage { Record::read(sql)? } else { None };
    let mut under_way = before.clone().filter(Record::is_under_way);
    if let Some(record) = under_way.as_mut()
        && !remains::has_more(sql)?
    {
        record.add_carts(&erase.carts);
        record.write(sql)?;
        return Ok(Begun { erased: record.erased(name)?, is_wiped: false });
    }
    let mut remains = if has_storage { Remains::of(sql, now) } else { Remains::default() };
    if under_way.is_some_and(|record| !record.destinations.is_empty()) {
        remains.add_person(remains::kept_person(sql)?);
    }
    let mut record = Record::new(erase, &remains, now);
    before.into_iter().for_each(|before| record.go_on_from(before));
    // The runtime stores the record together with the deletion. Deleting rows alone would leave their bytes in free pages.
    sql.wipe()?;
    volatile.forget();
    volatile.has_storage(sql, true)?;
    volatile.remember_name(sql, name)?;
    if !record.destinations.is_empty() {
        remains::keep_person(sql, &remains.person)?;
    }
    record.write(sql)?;
    Ok(Begun { erased: record.erased(name)?, is_wiped: true })
}

/// Returns the erasure of a profile whose link began before the user's erasure, and that the user's did not know of.
pub(super) fn since(sql: &impl Sql, linked_ms: i64) -> Result<Option<Erase>, Failure> {
    let record = Record::read(sql)?.filter(|record| linked_ms <= record.at_ms);
    let erase = |record: Record| Erase {
        by_link: true,
        destinations: record.destinations,
        ..Erase::default()
    };
    Ok(record.map(erase))
}

/// Returns when the next step of the erasure is due, if any is left.
///
/// # Errors
/// The error of the storage.
pub fn erasure_alarm(
    sql: &impl Sql,
    volatile: &mut Volatile,
) -> Result<Option<Timestamp>, Failure> {
    if !volatile.has_storage(sql, false)? {
        return Ok(None);
    }
    let at = record::next_ms(sql)?.map(Timestamp::from_millisecond).transpose();
    at.map_err(|error| Failure::Fatal(error.to_string()))
}

/// Notes what became of a task of the erasure.
///
/// # Errors
/// The error of the storage. Nothing is noted then, and the task is repeated.
pub fn erasure_ended(
    sql: &impl Sql,
    task: &Task,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), Failure> {
    atomically(sql, || steps::ended(sql, task, ended, now))
}
