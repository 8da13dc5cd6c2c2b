//! Erases what one source has told about a person, because the person's record there was deleted.
//!
//! A source → a timeline without its events, a profile without its traits. What other sources have told counts again: the profile is
//! folded again. Choices stay, and so does their history, because a withdrawal holds whoever told it. Does not reach what destinations got.

use std::collections::BTreeSet;

use hilo_core::event::Event;

use super::bond::Bond;
use super::erasure::{self, Tombstone};
use super::volatile::Volatile;
use super::{index_keys, optin, outbox, stored_profile, timeline, upkeep};
use crate::calls::decode;
use crate::calls::unlearn::{Unlearn, Unlearned};
use crate::platform::{Failure, Sql, atomically};

/// The traits that are addresses.
const ADDRESSES: [&str; 2] = ["email", "phone"];

/// Erases what a call names, as far as one call may.
///
/// # Errors
/// `Retriable` while the profile moves: its parts are on their way.
pub(super) fn unlearn(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    what: &Unlearn,
) -> Result<Unlearned, Failure> {
    let left = match what {
        Unlearn::Told { source, after } => told(sql, volatile, source, *after)?,
        Unlearn::Key(key) => {
            index_keys::forget(sql, key)?;
            Unlearned::default()
        }
    };
    Ok(Unlearned { object: name.to_owned(), ..left })
}

/// Erases what the source has told in the rows behind `after`.
fn told(
    sql: &impl Sql,
    volatile: &mut Volatile,
    source: &str,
    after: i64,
) -> Result<Unlearned, Failure> {
    if matches!(volatile.bond, Bond::Moving(_)) {
        return Err(Failure::Retriable("the profile moves".to_owned()));
    }
    if erasure::tombstone(sql)?.is_some_and(Tombstone::is_for_ever) {
        return Ok(Unlearned::default());
    }
    outbox::doubt(volatile);
    let (next, has_changed) = atomically(sql, || remove(sql, source, after))?;
    if has_changed {
        // Attempts of deliveries that are gone have no row any more.
        volatile.leases.clear();
        volatile.leases.is_behind = true;
        volatile.refold();
    }
    let traits = stored_profile::read(sql)?.profile.traits;
    if next.is_none() && volatile.needs_refold(sql)? {
        // Nobody knows yet what other sources tell. Each call folds a part.
        return Ok(Unlearned { next: Some(timeline::last_row(sql)?), ..Unlearned::default() });
    }
    let address = |name: &str| traits.get(name)?.value.as_str().map(str::to_owned);
    let mut addresses: Vec<String> = ADDRESSES.into_iter().filter_map(address).collect();
    // Where a choice counts for an address, its owner has to be found by it.
    addresses.extend(optin::addresses(sql)?);
    let keys = index_keys::proved_by_others(sql, source)?;
    Ok(Unlearned { next, addresses, keys, ..Unlearned::default() })
}

/// Removes events and traits. Returns where to go on, and whether anything has changed.
fn remove(sql: &impl Sql, source: &str, after: i64) -> Result<(Option<i64>, bool), Failure> {
    // The stored profile may lack events that are removed now, so it is read before.
    let whole = stored_profile::read(sql)?;
    let mut gone = BTreeSet::new();
    let next = timeline::remove_of(sql, source, after, is_choice, |entry| {
        gone.insert(entry.hash);
    })?;
    upkeep::forget_deliveries(sql, &gone)?;
    let has_traits = stored_profile::without(sql, whole, source, !gone.is_empty())?;
    Ok((next, has_traits || !gone.is_empty()))
}

/// Whether an event is the history of a choice.
fn is_choice(entry: &timeline::Entry<'_>) -> bool {
    decode::<Event>(entry.body).is_ok_and(|event| event.context.hilo.ledger)
}
