//! The object of one person: timeline, consent record, receipts, opt-ins, outbox.
//!
//! `answer` takes a call as JSON and returns JSON. The shell that feeds the queue calls the outbox functions. Everything
//! is synchronous. This folder sends nothing and has no clock: `now` is an argument.

mod addresses;
mod adopted;
mod archive_key;
mod bond;
mod call_result;
mod choosing;
mod claim;
mod consent;
mod erasure;
mod index_keys;
mod known;
mod leases;
pub mod link;
mod linking;
mod nobody;
mod optin;
mod optin_change;
mod optin_event;
mod outbox;
mod overdue;
mod pages;
mod rates;
mod record;
mod sent_person;
mod settled;
mod standing;
mod stored_profile;
#[cfg(test)]
mod tests;
mod timeline;
mod unlearn;
mod upkeep;
mod volatile;
mod wanted;

pub use addresses::leaves_in_index;
pub use call_result::CallResult;
pub use erasure::{erasure_alarm, erasure_ended, erasure_task};
pub use leases::Attempts;
pub use linking::{Errand, Own, ended, errand, has_moved};
pub use outbox::{due, next_alarm, ready, soon};
pub use upkeep::{Upkeep, upkeep};
pub use volatile::Volatile;

use jiff::Timestamp;
use serde::Serialize;

use self::bond::Bond;
use self::standing::Standing;
use crate::calls::link::{Moved, Take};
use crate::calls::{
    Claimed, Confirmation, ConsentChange, Delivery, DeliveryResult, ProfileCall, Proof, Record,
    ReportTaken, Whose, decode, encode,
};
use crate::platform::{Failure, Sql, atomically};

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
    let needs_refold = volatile.bond == Bond::Free && volatile.needs_refold(sql)?;
    Ok(match volatile.bond {
        Bond::Free if needs_refold => result.no_later(soon),
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
        ProfileCall::Record { source, plans, records, claim, states, is_public: _ } => {
            let shared =
                record::Shared { name, source: &source, plans: &plans, bodies, states, now };
            return store_claimed(sql, volatile, turn, claim, (&shared, records));
        }
        ProfileCall::Claim(proof) => return claimed(sql, volatile, turn, &proof),
        ProfileCall::Adopt(adopt) => {
            let whose = atomically(sql, || adopted::adopt(sql, &adopt, turn.is_new, now))?;
            written(whose.map(|whose| told(sql, volatile, whose)).transpose())
        }
        ProfileCall::Link(to) => {
            result.alarm = linking::begin(sql, volatile, name, &to, now)?;
            encode(&true)
        }
        ProfileCall::Take(take) => return take_in(sql, volatile, turn, &take),
        ProfileCall::ArchiveKey => written(archive_key::known(sql, name)),
        ProfileCall::Know { keys, by } => {
            written(addresses::know(sql, volatile, name, &keys, by.as_deref(), now))
        }
        ProfileCall::Leave { from } => written(atomically(sql, || linking::leave(sql, &from))),
        ProfileCall::Repoint { from, to } => written(linking::repoint(sql, volatile, &from, &to)),
        ProfileCall::Consent(change) => {
            result.pump = outbox::doubt(volatile);
            written(atomically(sql, || consent::record(sql, &change, now)))
        }
        ProfileCall::ConsentReports(changes) => {
            result.pump = outbox::doubt(volatile);
            reported(sql, &changes, now)
        }
        ProfileCall::OptIn(call) => return choosing::opt_in(sql, volatile, name, &call, now),
        ProfileCall::OptInLink { link, acts: false, .. } => {
            written(optin::follow(sql, &link, false, now).map(|(standing, _)| standing))
        }
        ProfileCall::OptInLink { link, acts: true, listeners } => {
            return choosing::follow(sql, volatile, name, (&link, &listeners), now);
        }
        ProfileCall::OptIns { cursor, limit } => {
            written(pages::optins(sql, cursor.as_deref(), limit))
        }
        ProfileCall::Confirm { confirmations: all } => return confirm(sql, volatile, &all, now),
        ProfileCall::Replay { destination: to, message: id } => {
            return replay(sql, volatile, to.as_deref(), id.as_deref(), now);
        }
        ProfileCall::ConsentStanding => {
            Standing::read(sql).and_then(|standing| encode(&consent::told(&standing)))
        }
        ProfileCall::ConsentCopy { cursor } => written(pages::copy(sql, cursor.as_deref())),
        ProfileCall::Own { part, cursor } => {
            pages::own(sql, &volatile.bond, part, cursor.as_deref())
        }
        ProfileCall::Wanted(asked) => written(wanted::wanted(sql, &asked)),
        // A pending row has an alarm, which comes for the marked one too.
        ProfileCall::Sending(asked) => written(wanted::sending(sql, volatile, &asked, now)),
        ProfileCall::Unlearn(what) => written(unlearn::unlearn(sql, volatile, name, &what)),
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

/// Writes an answer.
fn written(answer: Result<impl Serialize, Failure>) -> Result<String, Failure> {
    encode(&answer?)
}

/// Records what events report of the person's choices, and answers what became of each report; nothing where all were taken.
fn reported(sql: &impl Sql, changes: &[ConsentChange], now: Timestamp) -> Result<String, Failure> {
    let taken = atomically(sql, || consent::record_reports(sql, changes, now))?;
    let is_taken = |one: &ReportTaken| *one == ReportTaken::Taken;
    if taken.iter().all(is_taken) { Ok(String::new()) } else { encode(&taken) }
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
    Ok(CallResult { pump, alarm: next_alarm(sql, now)?, ..CallResult::default() })
}

/// Hands deliveries back that the queue did not accept: the next alarm sends them again, and no attempt counts.
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
        mark: None,
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

/// Stores events. A page that claims its id with them needs no other call: nothing is stored for those without a right, and nothing here
/// where the profile has moved.
fn store_claimed(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    claim: Option<Proof>,
    (shared, records): (&record::Shared<'_>, Vec<Record>),
) -> Result<CallResult, Failure> {
    let Some(proof) = claim else { return store_events(sql, volatile, shared, records) };
    let (claimed, _) = claimed_by(sql, volatile, turn, &proof)?;
    let mut result = if claimed.whose.is_senders() && claimed.moved.is_none() {
        store_events(sql, volatile, shared, records)?
    } else {
        CallResult::default()
    };
    let mut reply = encode(&claimed)?;
    reply.push('\n');
    result.reply.insert_str(0, &reply);
    Ok(result)
}

/// Answers a claim.
fn claimed(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    proof: &Proof,
) -> Result<CallResult, Failure> {
    let (claimed, alarm) = claimed_by(sql, volatile, turn, proof)?;
    Ok(CallResult { reply: encode(&claimed)?, alarm, ..CallResult::default() })
}

/// Judges a claim. Where those whose profile it is also show who they are, the profile is linked.
/// Returns the time of the link's alarm too.
fn claimed_by(
    sql: &impl Sql,
    volatile: &mut Volatile,
    turn: &Turn<'_>,
    proof: &Proof,
) -> Result<(Claimed, Option<Timestamp>), Failure> {
    let whose = atomically(sql, || claim::whose(sql, proof, turn.is_new))?;
    let mut alarm = None;
    if let Some(to) = proof.link.as_ref().filter(|_| whose == Whose::Yours) {
        alarm = linking::begin(sql, volatile, turn.name, to, turn.now)?;
    }
    Ok((told(sql, volatile, whose)?, alarm))
}

/// Tells the recorded consent, or where the profile has moved to, to those whose profile it is.
fn told(sql: &impl Sql, volatile: &Volatile, whose: Whose) -> Result<Claimed, Failure> {
    let mut claimed = Claimed { whose, ..Claimed::default() };
    match &volatile.bond {
        _ if !whose.is_senders() => {}
        Bond::Moved(to) => claimed.moved = Some(to.clone()),
        Bond::Free | Bond::Moving(_) => claimed.consent = consent::told(&Standing::read(sql)?),
    }
    Ok(claimed)
}

/// Returns the time of the alarm that joins rows, if so many have become loose.
fn joining_alarm(volatile: &Volatile, now: Timestamp) -> Option<Timestamp> {
    volatile.known.as_ref().and_then(|known| upkeep::joins(known.loose, now))
}
