//! The steps of an erasure outside this object, one task at a time.
//!
//! The record and the time → the next [`Task`]; its end → the record. Each task may be repeated: a crash repeats the one that was
//! under way. `pipeline/erasure.rs` does the tasks.

use hilo_core::delivery::after_loss_s;
use jiff::Timestamp;

use super::super::volatile::Volatile;
use super::record::Record;
use super::remains::{forget_person, kept_person};
use crate::calls::erasure::{CartClaim, Ended, Parting, Step, Task};
use crate::platform::{Failure, Sql};

/// The longest wait of a task that failed.
const AGAIN_S_MAX: u32 = 3_600;
/// The most devices that one task asks. A call of an object may make 1000 calls.
const DEVICES_MAX: usize = 50;
/// The most keys of one task.
const KEYS_MAX: usize = 100;
/// The seconds after which devices that are not erased yet are asked again.
const DEVICES_AGAIN_S: u32 = 5;

/// Returns the task that is due. Notes the end of the erasure where no step is left.
///
/// # Errors
/// The error of the storage.
pub fn task(
    sql: &impl Sql,
    volatile: &mut Volatile,
    now: Timestamp,
) -> Result<Option<Task>, Failure> {
    if !volatile.has_storage(sql, false)? {
        return Ok(None);
    }
    let now_ms = now.as_millisecond();
    let Some(mut record) = Record::read(sql)?.filter(Record::is_under_way) else {
        return Ok(None);
    };
    if record.next_ms > now_ms {
        return Ok(None);
    }
    if record.step() == Some(Step::Deliveries) {
        if record.quiet_ms > now_ms {
            record.next_ms = record.quiet_ms;
            return record.write(sql).map(|()| None);
        }
        record.quiet_ms = 0;
        record.write(sql)?;
    }
    let Some(step) = record.step() else {
        record.done_ms = Some(now_ms);
        return record.write(sql).map(|()| None);
    };
    next(sql, &record, step)
}

fn next(sql: &impl Sql, record: &Record, step: Step) -> Result<Option<Task>, Failure> {
    Ok(match step {
        Step::Devices => Some(devices(step, &record.devices, record)),
        Step::Links => match record.leaves() {
            Some(to) => Some(Task::Leave { to: to.to_owned(), from: own_name(sql)? }),
            None => Some(devices(step, &record.begun, record)),
        },
        Step::Carts => record.carts.first().cloned().map(Task::Cart),
        Step::Addresses => {
            let keys = record.keys.iter().take(KEYS_MAX).cloned().collect();
            Some(Task::Addresses { profile: own_name(sql)?, keys })
        }
        Step::Journal => Some(Task::Journal { profile: own_name(sql)? }),
        Step::Destinations => match record.destinations.first() {
            Some(destination) => Some(Task::Destination(Box::new(Parting {
                destination: destination.clone(),
                person: kept_person(sql)?,
                attempt: record.attempts,
                since_ms: record.at_ms,
            }))),
            None => None,
        },
        // The deliveries end by themselves.
        Step::Deliveries => None,
    })
}

fn devices(step: Step, names: &[String], record: &Record) -> Task {
    let names = names.iter().take(DEVICES_MAX).cloned().collect();
    Task::Devices { step, names, destinations: record.destinations.clone() }
}

/// Returns the object's own name, which an alarm does not bring.
fn own_name(sql: &impl Sql) -> Result<String, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'name'", &[])?;
    rows.first().map_or_else(|| Ok(String::new()), |row| row.text("value").map(str::to_owned))
}

/// Notes what became of a task. Run it inside a transaction.
pub(in super::super) fn ended(
    sql: &impl Sql,
    task: &Task,
    ended: &Ended,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(mut record) = Record::read(sql)?.filter(Record::is_under_way) else { return Ok(()) };
    let is_at_links = task.step() == Step::Links;
    let after_s = match ended {
        Ended::Done | Ended::Cart(_) | Ended::Refused => 0,
        Ended::Later { after_s } => *after_s,
        // One that has failed is asked again with the others, once their erasure has begun.
        Ended::Devices { left, .. } if left.is_empty() || !is_at_links => 0,
        Ended::Devices { has_failed: false, .. } => DEVICES_AGAIN_S,
        Ended::Failed | Ended::Devices { .. } => after_loss_s(record.attempts).min(AGAIN_S_MAX),
    };
    record.next_ms = now.as_millisecond() + i64::from(after_s) * 1_000;
    if let Ended::Later { .. } | Ended::Failed = ended {
        record.attempts = record.attempts.saturating_add(1);
        return record.write(sql);
    }
    let has_failed = matches!(ended, Ended::Devices { has_failed: true, .. }) && is_at_links;
    record.attempts = if has_failed { record.attempts.saturating_add(1) } else { 0 };
    match task {
        Task::Devices { names, .. } => {
            // Those that are left come last, so that one that always fails keeps no other back.
            record.devices.retain(|name| !names.contains(name));
            record.begun.retain(|name| !names.contains(name));
            if !is_at_links {
                record.begun.extend(names.clone());
            } else if let Ended::Devices { left, .. } = ended {
                record.begun.extend(left.clone());
            }
        }
        Task::Cart(cart) => {
            record.carts.retain(|one| one.label != cart.label);
            if let Ended::Cart(erased) = ended {
                for guest in &erased.guests {
                    record.add_cart(guest, CartClaim::MovedInto(cart.label.clone()));
                }
            }
        }
        Task::Addresses { keys, .. } => record.keys.retain(|key| !keys.contains(key)),
        Task::Journal { .. } => record.has_journal_forgotten = true,
        Task::Leave { .. } => record.has_left = true,
        Task::Destination(parting) => {
            record.destinations.retain(|name| *name != parting.destination);
            if *ended == Ended::Refused {
                record.refused_by.push(parting.destination.clone());
            }
            if record.destinations.is_empty() {
                forget_person(sql)?;
            }
        }
    }
    record.write(sql)
}
