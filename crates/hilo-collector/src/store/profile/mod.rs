//! The object of one person: timeline, consent record, receipts, opt-ins, outbox.
//!
//! `answer` takes a call as JSON and returns JSON. The shell that feeds the queue calls the outbox functions. Everything
//! is synchronous. This folder sends nothing and has no clock: `now` is an argument.

mod bond;
mod claim;
mod consent;
mod erasure;
mod known;
mod leases;
pub mod link;
mod linking;
mod nobody;
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
mod wanted;

pub use erasure::{erasure_alarm, erasure_ended, erasure_task};
pub use leases::Attempts;
pub use linking::{Errand, ended, errand, has_moved};
pub use outbox::{due, next_alarm, ready, soon};
pub use upkeep::{Upkeep, upkeep};
pub use volatile::Volatile;

use jiff::Timestamp;
use serde::Serialize;

use self::bond::Bond;
use self::erasure::Tombstone;
use crate::calls::link::{Moved, Take};
use crate::calls::optin::OptInCall;
use crate::calls::{
    Claimed, Confirmation, Delivery, DeliveryResult, ProfileCall, Proof, Record, ReportTaken,
    Whose, decode, encode,
};
use crate::platform::{Failure, Sql, atomically};

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
    /// Whether the storage was wiped, with the alarm that was set before.
    pub is_wiped: bool,
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
    if let ProfileCall::Erase(erase) = &call {
        let has_storage = volatile.has_storage(sql, false)?;
        let moved = if has_storage { linking::passed_on(sql, volatile, &call)? } else { None };
        if let Some(reply) = moved {
            return Ok(CallResult { reply, ..CallResult::default() });
        }
        let begun = erasure::begin(sql, volatile, name, erase, now)?;
        let (reply, is_wiped) = (encode(&begun.erased)?, begun.is_wiped);
        return Ok(CallResult { reply, pump: false, alarm: Some(now), is_wiped });
    }
    let writes = nobody::makes_storage(&call);
    let is_new = !volatile.has_storage(sql, false)?;
    if is_new && !volatile.has_storage(sql, writes)? {
        return Ok(CallResult { reply: nobody::answer(&call)?, ..CallResult::default() });
    }
    if writes {
        volatile.remember_name(sql, name)?;
    }
    if let Some(reply) = linking::passed_on(sql, volatile, &call)? {
        return Ok(CallResult { reply, ..CallResult::default() });
    }
    // The alarm of a new storage finds out when the next upkeep is due. From then on there is always an alarm.
    let first = if volatile.is_new { Some(outbox::soon(now)?) } else { None };
    let result = act(sql, volatile, &Turn { name, bodies, is_new, now }, call)?.no_later(first);
    // A restarted object does not remember its alarm, and must not put off the link.
    let soon = Some(outbox::soon(now)?);
    Ok(match volatile.bond {
        Bond::Free => result,
        Bond::Moving(_) => result.no_later(soon),
        // The alarm asks what is in force before it sends what is left, and then forgets the rest.
        Bond::Moved(_) if settled::is_empty(sql)? => result,
        Bond::Moved(_) => CallResult { pump: false, ..result }.no_later(soon),
    })
}

/// What a call has beside its own values.
struct Turn<'t> {
    /// The object's name.
    name: &'t str,
    /// The events behind the call.
    bodies: &'t str,
    /// Whether the call has just made the storage.
    is_new: bool,
    now: Timestamp,
}

fn act(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    call: ProfileCall,
) -> Result<CallResult, Failure> {
    let Turn { name, bodies, now, .. } = *turn;
    let mut result = CallResult::default();
    result.reply = match call {
        ProfileCall::Record { source, plans, records, is_public: _ } => {
            let shared = record::Shared { name, source: &source, plans: &plans, bodies, now };
            return store_events(sql, volatile, &shared, records);
        }
        ProfileCall::Claim(proof) => return claimed(sql, volatile, turn, &proof),
        ProfileCall::Link(to) => {
            result.alarm = linking::begin(sql, volatile, name, &to, now)?;
            encode(&true)
        }
        ProfileCall::Take(take) => return take_in(sql, volatile, turn, &take),
        ProfileCall::Leave { from } => {
            atomically(sql, || linking::leave(sql, &from)).and_then(|()| encode(&()))
        }
        ProfileCall::Repoint { from, to } => {
            linking::repoint(sql, volatile, &from, &to).and_then(|()| encode(&()))
        }
        ProfileCall::Consent(change) => {
            result.pump = doubt(volatile);
            written(atomically(sql, || consent::record(sql, &change, now)))
        }
        ProfileCall::ConsentReports(changes) => {
            result.pump = doubt(volatile);
            atomically(sql, || consent::record_reports(sql, &changes, now))
                .and_then(|taken| told_unless_all(&taken))
        }
        ProfileCall::OptIn(call) => return opt_in(sql, volatile, name, &call, now),
        ProfileCall::OptInLink { link, acts } => {
            if acts {
                result.pump = doubt(volatile);
            }
            written(atomically(sql, || optin::follow(sql, &link, acts, now)))
        }
        ProfileCall::OptIns { cursor, limit } => {
            written(pages::optins(sql, cursor.as_deref(), limit))
        }
        ProfileCall::Confirm { confirmations } => {
            return confirm(sql, volatile, &confirmations, now);
        }
        ProfileCall::Replay { destination, message } => {
            let (destination, message) = (destination.as_deref(), message.as_deref());
            return replay(sql, volatile, destination, message, now);
        }
        ProfileCall::ConsentStanding => {
            consent::standing(sql).and_then(|standing| encode(&consent::told(&standing)))
        }
        ProfileCall::ConsentCopy { cursor } => written(pages::copy(sql, cursor.as_deref())),
        ProfileCall::Own { part, cursor } => {
            pages::own(sql, &volatile.bond, part, cursor.as_deref())
        }
        ProfileCall::Wanted(asked) => written(wanted::wanted(sql, &asked)),
        ProfileCall::Erasure => written(erasure::standing(sql)),
        // It was answered above.
        ProfileCall::Erase(_) => encode(&()),
        ProfileCall::Summary => written(pages::summary(sql, &volatile.bond)),
        ProfileCall::Events { cursor, limit } => {
            written(pages::events(sql, cursor.as_deref(), limit))
        }
        ProfileCall::Receipts { cursor, limit } => {
            written(pages::receipts(sql, cursor.as_deref(), limit))
        }
        ProfileCall::Deliveries { cursor, limit } => {
            written(pages::deliveries(sql, cursor.as_deref(), limit))
        }
    }?;
    Ok(result)
}

/// Lets the next call read consent and opt-ins again, because this one may change them. Returns whether any delivery waited.
fn doubt(volatile: &mut Volatile) -> bool {
    volatile.known = None;
    outbox::recall(volatile)
}

/// Writes an answer.
fn written(answer: Result<impl Serialize, Failure>) -> Result<String, Failure> {
    encode(&answer?)
}

/// Answers what became of each report; nothing where all were taken.
fn told_unless_all(taken: &[ReportTaken]) -> Result<String, Failure> {
    let is_taken = |one: &ReportTaken| *one == ReportTaken::Taken;
    if taken.iter().all(is_taken) { Ok(String::new()) } else { encode(taken) }
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
    Ok(CallResult {
        reply: String::new(),
        pump,
        alarm: next_alarm(sql, now)?,
        ..CallResult::default()
    })
}

/// Hands deliveries back that the queue did not accept: the next alarm sends them again, and no attempt counts. Events of the
/// same row that the queue did accept stay in progress.
///
/// # Errors
/// The error of the storage. The attempts count then, when their leases end.
pub fn release(
    sql: &impl Sql,
    volatile: &mut Volatile,
    refused: &[Delivery],
    now: Timestamp,
) -> Result<(), Failure> {
    let back = |one: &Delivery| Confirmation {
        row: one.row,
        message_id: one.message_id.clone(),
        destination: one.destination.clone(),
        attempt: one.attempt,
        result: DeliveryResult::Wait {
            after_s: 0,
            reason: "the queue did not accept it".to_owned(),
            steps: one.steps,
        },
    };
    let back: Vec<Confirmation> = refused.iter().map(back).collect();
    confirm(sql, volatile, &back, now)?;
    volatile.leases.is_behind = true;
    Ok(())
}

/// Takes a part of a profile that moves into this one.
fn take_in(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    take: &Take,
) -> Result<CallResult, Failure> {
    let (taken, pump) = linking::take(sql, volatile, turn.name, take, turn.now)?;
    // The events may be older than any of this profile's, so the alarm finds out when the next upkeep is due.
    let alarm = Some(outbox::soon(turn.now)?);
    Ok(CallResult { reply: encode(&taken)?, pump, alarm, ..CallResult::default() })
}

/// Makes dead deliveries pending again.
fn replay(
    sql: &impl Sql,
    volatile: &mut Volatile,
    destination: Option<&str>,
    message: Option<&str>,
    now: Timestamp,
) -> Result<CallResult, Failure> {
    let count = atomically(sql, || settled::replay(sql, destination, message, now))?;
    if let (0, Bond::Moved(to)) = (count, &volatile.bond) {
        let reply = encode(&Moved { moved: to.clone() })?;
        return Ok(CallResult { reply, ..CallResult::default() });
    }
    volatile.known.iter_mut().for_each(known::Known::forget_rows);
    outbox::recall(volatile);
    Ok(CallResult {
        reply: encode(&count)?,
        pump: true,
        alarm: next_alarm(sql, now)?,
        ..CallResult::default()
    })
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
        joining_alarm(volatile, shared.now)
    };
    if volatile.known.as_ref().is_some_and(|known| known.ids.is_full()) {
        volatile.known = None;
    }
    outbox::lease(volatile, result.fresh, shared.now);
    let reply = result.recorded.map_or_else(|| Ok(String::new()), |recorded| encode(&recorded))?;
    Ok(CallResult { reply, pump, alarm, ..CallResult::default() })
}

/// Records a choice, and the event that asks to confirm it: both or neither.
fn opt_in(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    call: &OptInCall,
    now: Timestamp,
) -> Result<CallResult, Failure> {
    if erasure::tombstone(sql)?.is_some_and(Tombstone::is_for_ever) {
        return Ok(CallResult::default());
    }
    let is_recalled = doubt(volatile);
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
    Ok(CallResult { reply: encode(&stands)?, pump, alarm, ..CallResult::default() })
}

/// Answers a claim, with the recorded consent for those whose profile it is. Where they also show who they are, the profile is linked.
fn claimed(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    proof: &Proof,
) -> Result<CallResult, Failure> {
    let whose = atomically(sql, || claim::whose(sql, proof, turn.is_new))?;
    let (mut claimed, mut alarm) = (Claimed { whose, ..Claimed::default() }, None);
    if whose == Whose::Yours {
        if let Some(to) = &proof.link {
            alarm = linking::begin(sql, volatile, turn.name, to, turn.now)?;
        }
        match &volatile.bond {
            Bond::Moved(to) => claimed.moved = Some(to.clone()),
            Bond::Free | Bond::Moving(_) => {
                claimed.consent = consent::told(&consent::standing(sql)?);
            }
        }
    }
    Ok(CallResult { reply: encode(&claimed)?, alarm, ..CallResult::default() })
}

/// Returns the time of the alarm that joins rows, if so many have become loose.
fn joining_alarm(volatile: &Volatile, now: Timestamp) -> Option<Timestamp> {
    volatile.known.as_ref().and_then(|known| upkeep::joins(known.loose, now))
}
