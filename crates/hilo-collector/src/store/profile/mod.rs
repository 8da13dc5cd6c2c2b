//! The object of one person: timeline, consent record, receipts, opt-ins, outbox.
//!
//! `answer` takes a call as JSON and returns JSON. The shell that feeds the queue calls the outbox functions. Everything
//! is synchronous. This folder sends nothing and has no clock: `now` is an argument.

mod claim;
mod consent;
mod known;
mod leases;
mod optin;
mod outbox;
mod overdue;
mod pages;
mod rates;
mod record;
mod settled;
mod stored_profile;
#[cfg(test)]
mod tests;
mod timeline;
mod upkeep;
mod volatile;

pub use leases::Attempts;
pub use outbox::{due, next_alarm, ready, release, soon};
pub use upkeep::{Upkeep, upkeep};
pub use volatile::Volatile;

use jiff::Timestamp;

use crate::calls::optin::{LinkStanding, OptInCall};
use crate::calls::{
    Claimed, Confirmation, ConsentCopy, ConsentStanding, DeliveryResult, Page, ProfileCall, Proof,
    Record, Whose, decode, encode,
};
use crate::platform::{Failure, Sql, SqlValue};

/// The result of a call: its reply, and the next work of the outbox.
#[derive(Debug, Default)]
pub struct CallResult {
    /// JSON for the caller.
    pub reply: String,
    /// Whether a delivery is [`ready`].
    pub pump: bool,
    /// The latest time for the next check of the outbox. Set the alarm in the same turn as the rows, so that both are
    /// written or neither: pending rows without an alarm would be lost.
    pub alarm: Option<Timestamp>,
}

impl CallResult {
    /// The same result, with an alarm at this time at the latest.
    fn no_later(self, alarm: Option<Timestamp>) -> CallResult {
        let alarm = self.alarm.into_iter().chain(alarm).min();
        CallResult { alarm, ..self }
    }
}

/// Answers a [`ProfileCall`], with the events that follow it, in the object called `name`.
///
/// # Errors
/// `Retriable` when the storage refuses. Nothing of the call is stored then.
pub fn answer(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    call: &str,
    now: Timestamp,
) -> Result<CallResult, Failure> {
    let (call, bodies) = call.split_once('\n').unwrap_or((call, ""));
    let call: ProfileCall = decode(call)?;
    volatile.rates.take(&call, now)?;
    let writes = makes_storage(&call);
    let is_new = !volatile.has_storage(sql, false)?;
    if is_new && !volatile.has_storage(sql, writes)? {
        return Ok(CallResult { reply: of_nobody(&call)?, ..CallResult::default() });
    }
    if writes && !volatile.is_named {
        remember_name(sql, name)?;
        volatile.is_named = true;
    }
    let mut result = CallResult::default();
    // The alarm of a new storage finds out when the next upkeep is due. From then on there is always an alarm.
    result.alarm = if volatile.is_new { Some(outbox::soon(now)?) } else { None };
    result.reply = match call {
        ProfileCall::Record { source, plans, records, is_public: _ } => {
            let shared = record::Shared { name, source: &source, plans: &plans, bodies, now };
            return Ok(store_events(sql, volatile, &shared, records)?.no_later(result.alarm));
        }
        ProfileCall::Claim(proof) => claimed(sql, &proof, is_new),
        ProfileCall::Consent(change) => {
            volatile.known = None;
            result.pump = outbox::recall(volatile);
            atomically(sql, || consent::record(sql, &change, now))
                .and_then(|receipt| encode(&receipt))
        }
        ProfileCall::ConsentReports(changes) => {
            volatile.known = None;
            result.pump = outbox::recall(volatile);
            atomically(sql, || consent::record_reports(sql, &changes, now))
                .and_then(|taken| told_unless_all(&taken))
        }
        ProfileCall::OptIn(call) => {
            return Ok(opt_in(sql, volatile, name, &call, now)?.no_later(result.alarm));
        }
        ProfileCall::OptInLink { link, acts } => {
            if acts {
                volatile.known = None;
                result.pump = outbox::recall(volatile);
            }
            let standing = atomically(sql, || optin::follow(sql, &link, acts, now))?;
            encode(&standing)
        }
        ProfileCall::OptIns { cursor, limit } => {
            pages::optins(sql, cursor.as_deref(), limit).and_then(|page| encode(&page))
        }
        ProfileCall::Confirm { confirmations } => {
            return Ok(confirm(sql, volatile, &confirmations, now)?.no_later(result.alarm));
        }
        ProfileCall::Replay { destination, message_id } => {
            let (destination, message_id) = (destination.as_deref(), message_id.as_deref());
            let again = replay(sql, volatile, destination, message_id, now)?;
            return Ok(again.no_later(result.alarm));
        }
        ProfileCall::ConsentCopy { cursor } => {
            pages::copy(sql, cursor.as_deref()).and_then(|copy| encode(&copy))
        }
        ProfileCall::Summary => pages::summary(sql).and_then(|summary| encode(&summary)),
        ProfileCall::Events { cursor, limit } => {
            pages::events(sql, cursor.as_deref(), limit).and_then(|page| encode(&page))
        }
        ProfileCall::Receipts { cursor, limit } => {
            pages::receipts(sql, cursor.as_deref(), limit).and_then(|page| encode(&page))
        }
        ProfileCall::Deliveries { cursor, limit } => {
            pages::deliveries(sql, cursor.as_deref(), limit).and_then(|page| encode(&page))
        }
    }?;
    Ok(result)
}

/// Answers whether each report was taken; nothing where all were.
fn told_unless_all(taken: &[bool]) -> Result<String, Failure> {
    if taken.iter().all(|is_taken| *is_taken) { Ok(String::new()) } else { encode(taken) }
}

/// Records the results of deliveries.
fn confirm(
    sql: &impl Sql,
    volatile: &mut Volatile,
    confirmations: &[Confirmation],
    now: Timestamp,
) -> Result<CallResult, Failure> {
    let over = atomically(sql, || settled::confirm(sql, confirmations, now))?;
    over.into_iter().for_each(|row| volatile.leases.end(row));
    volatile.known.iter_mut().for_each(known::Known::forget_rows);
    // A first retry is due at once, and the alarm would be later.
    let is_retry = |one: &Confirmation| matches!(one.result, DeliveryResult::Retry { .. });
    volatile.leases.is_behind |= confirmations.iter().any(is_retry);
    let pump = volatile.leases.is_behind;
    Ok(CallResult { reply: String::new(), pump, alarm: next_alarm(sql, now)? })
}

/// Makes dead deliveries pending again.
fn replay(
    sql: &impl Sql,
    volatile: &mut Volatile,
    destination: Option<&str>,
    message_id: Option<&str>,
    now: Timestamp,
) -> Result<CallResult, Failure> {
    let count = atomically(sql, || settled::replay(sql, destination, message_id, now))?;
    volatile.known.iter_mut().for_each(known::Known::forget_rows);
    outbox::recall(volatile);
    Ok(CallResult { reply: encode(&count)?, pump: true, alarm: next_alarm(sql, now)? })
}

/// Whether the call writes, so that an object without a storage has to make one.
const fn makes_storage(call: &ProfileCall) -> bool {
    match call {
        ProfileCall::Record { .. }
        | ProfileCall::Consent(_)
        | ProfileCall::ConsentReports(_)
        | ProfileCall::OptIn(_) => true,
        ProfileCall::Claim(proof) => proof.fresh.is_some(),
        ProfileCall::Confirm { .. }
        | ProfileCall::Replay { .. }
        | ProfileCall::OptInLink { .. }
        | ProfileCall::ConsentCopy { .. }
        | ProfileCall::Summary
        | ProfileCall::Events { .. }
        | ProfileCall::Receipts { .. }
        | ProfileCall::OptIns { .. }
        | ProfileCall::Deliveries { .. } => false,
    }
}

fn store_events(
    sql: &impl Sql,
    volatile: &mut Volatile,
    shared: &record::Shared<'_>,
    records: Vec<Record>,
) -> Result<CallResult, Failure> {
    // The records are moved out: the closure runs once, and events are too large to copy.
    let mut records = Some(records);
    let result = volatile.with_known(sql, |known| {
        atomically(sql, || record::record(sql, known, shared, records.take().unwrap_or_default()))
    })?;
    let pump = !result.fresh.is_empty();
    let is_imported = result.earliest.is_some_and(|at| upkeep::is_imported(at, shared.now));
    let alarm = if result.has_rows || is_imported {
        Some(outbox::soon(shared.now)?)
    } else {
        joining_alarm(sql, volatile, shared.now)?
    };
    if volatile.known.as_ref().is_some_and(|known| known.ids.is_full()) {
        volatile.known = None;
    }
    outbox::lease(volatile, result.fresh, shared.now);
    let reply = result.recorded.map_or_else(|| Ok(String::new()), |recorded| encode(&recorded))?;
    Ok(CallResult { reply, pump, alarm })
}

/// Records a choice, and the event that asks to confirm it: both or neither.
fn opt_in(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    call: &OptInCall,
    now: Timestamp,
) -> Result<CallResult, Failure> {
    volatile.known = None;
    let is_recalled = outbox::recall(volatile);
    let (stands, fresh) = volatile.with_known(sql, |known| {
        atomically(sql, || {
            let optin::Kept { stands, is_asked } = optin::record(sql, &call.said, now)?;
            let Some(request) = call.request.as_ref().filter(|_| is_asked) else {
                return Ok((stands, Vec::new()));
            };
            let plans = std::slice::from_ref(&request.carrier);
            let (source, bodies) = (stands.source.as_str(), request.event.as_str());
            let shared = record::Shared { name, source, plans, bodies, now };
            let asks = Record { gist: request.gist.clone(), bytes: bodies.len(), to: vec![0] };
            let recorded = record::record(sql, known, &shared, vec![asks])?;
            Ok((stands, recorded.fresh))
        })
    })?;
    // The next call reads the ledger again.
    volatile.known = None;
    let pump = is_recalled || !fresh.is_empty();
    let alarm = if fresh.is_empty() { None } else { Some(outbox::soon(now)?) };
    outbox::lease(volatile, fresh, now);
    Ok(CallResult { reply: encode(&stands)?, pump, alarm })
}

/// Answers a claim, with the recorded consent for those whose profile it is.
fn claimed(sql: &impl Sql, proof: &Proof, is_new: bool) -> Result<String, Failure> {
    let whose = atomically(sql, || claim::whose(sql, proof, is_new))?;
    let consent = match whose {
        Whose::Yours => consent::told(&consent::standing(sql)?),
        Whose::New | Whose::Nobodys | Whose::Anothers => ConsentStanding::default(),
    };
    encode(&Claimed { whose, consent })
}

/// Returns the time of the alarm that joins rows, if so many have become loose. A restarted object does not remember its alarm, and
/// must not put off the next delivery.
fn joining_alarm(
    sql: &impl Sql,
    volatile: &Volatile,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    match volatile.known.as_ref().and_then(|known| upkeep::joins(known.loose, now)) {
        Some(at) => Ok(next_alarm(sql, now)?.into_iter().chain([at]).min()),
        None => Ok(None),
    }
}

/// Stores the object's own name. Deliveries need it, and an alarm does not bring it.
fn remember_name(sql: &impl Sql, name: &str) -> Result<(), Failure> {
    sql.exec(
        "INSERT OR IGNORE INTO meta (key, value) VALUES ('name', ?)",
        &[SqlValue::from(name)],
    )?;
    Ok(())
}

/// Answers a call about a person without stored data.
fn of_nobody(call: &ProfileCall) -> Result<String, Failure> {
    match call {
        ProfileCall::Claim(_) => encode(&Claimed::default()),
        ProfileCall::ConsentCopy { .. } => encode(&ConsentCopy::default()),
        ProfileCall::Summary => encode(&pages::summary_of_nobody()),
        ProfileCall::Events { .. }
        | ProfileCall::Receipts { .. }
        | ProfileCall::OptIns { .. }
        | ProfileCall::Deliveries { .. } => encode(&Page::default()),
        ProfileCall::Replay { .. } => encode(&0),
        ProfileCall::OptInLink { .. } => encode(&LinkStanding::default()),
        ProfileCall::Record { .. }
        | ProfileCall::Consent(_)
        | ProfileCall::ConsentReports(_)
        | ProfileCall::OptIn(_)
        | ProfileCall::Confirm { .. } => encode(&()),
    }
}

/// Runs `work` in a transaction. All of its writes are kept, or none.
fn atomically<T>(
    sql: &impl Sql,
    mut work: impl FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut made = None;
    sql.transaction(&mut || {
        made = Some(work()?);
        Ok(())
    })?;
    made.ok_or_else(|| Failure::Fatal("a transaction did not run".to_owned()))
}
