//! Choices about channels: a call → an entry in the ledger, and the events that follow from it. All or nothing.

use hilo_core::journey::StateRules;
use jiff::Timestamp;
use serde::Serialize;

use super::call_result::CallResult;
use super::erasure::{self, Tombstone};
use super::volatile::Volatile;
use super::{known, optin, optin_change, optin_event, outbox, record};
use crate::calls::optin::{Listeners, OptInCall, OptInLink};
use crate::calls::{Delivery, Record, encode};
use crate::platform::{Failure, Sql, atomically};

/// Records a choice, and the event that asks to confirm it: both or neither.
pub(super) fn opt_in(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    call: &OptInCall,
    now: Timestamp,
) -> Result<CallResult, Failure> {
    if erasure::tombstone(sql)?.is_some_and(Tombstone::is_for_ever) {
        return Ok(CallResult::default());
    }
    chosen(sql, volatile, now, |known| {
        let OptInCall { said, request, listeners } = call;
        if listeners.is_late
            && let Some(stands) = optin::take_late(sql, said)?
        {
            return Ok((stands, Vec::new()));
        }
        let optin::Kept { stands, is_asked, change } =
            optin::record(sql, said, listeners.is_server, now)?;
        let Some(request) = request.as_ref().filter(|_| is_asked) else {
            let told = told(sql, known, name, (change, listeners), now)?;
            return Ok((stands, told));
        };
        let plans = std::slice::from_ref(&request.carrier);
        let (source, bodies) = (stands.source.as_str(), request.event.as_str());
        let states = StateRules::default();
        let shared = record::Shared { name, source, plans, bodies, states, now };
        let asks = Record { gist: request.gist.clone(), bytes: bodies.len(), to: vec![0] };
        let recorded = record::record(sql, known, &shared, vec![asks])?;
        Ok((stands, recorded.fresh))
    })
}

/// Does what a link says, and stores the event of it.
pub(super) fn follow(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    (link, listeners): (&OptInLink, &Listeners),
    now: Timestamp,
) -> Result<CallResult, Failure> {
    chosen(sql, volatile, now, |known| {
        let (standing, change) = optin::follow(sql, link, true, now)?;
        Ok((standing, told(sql, known, name, (change, listeners), now)?))
    })
}

/// Stores the event of a change of the ledger, if there is one. Returns its deliveries.
fn told(
    sql: &impl Sql,
    known: &mut known::Known,
    name: &str,
    (change, listeners): (Option<optin_change::Change>, &Listeners),
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    change.map_or_else(
        || Ok(Vec::new()),
        |change| optin_event::tell(sql, known, name, &change, listeners, now),
    )
}

/// Writes to the ledger of opt-ins together with the events that follow from it: all or nothing.
fn chosen<T: Serialize>(
    sql: &impl Sql,
    volatile: &mut Volatile,
    now: Timestamp,
    write: impl Fn(&mut known::Known) -> Result<(T, Vec<Delivery>), Failure>,
) -> Result<CallResult, Failure> {
    let is_recalled = outbox::doubt(volatile);
    let (stands, fresh) = volatile.with_known(sql, |known| atomically(sql, || write(known)))?;
    // The next call reads the ledger again.
    volatile.known = None;
    let pump = is_recalled || !fresh.is_empty();
    let alarm = if fresh.is_empty() { None } else { Some(outbox::soon(now)?) };
    outbox::lease(volatile, fresh, now);
    Ok(CallResult { reply: encode(&stands)?, pump, alarm, ..CallResult::default() })
}
