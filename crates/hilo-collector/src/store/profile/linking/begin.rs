//! How a profile begins to move, and how it passes calls on once it has moved.

use jiff::Timestamp;

use super::super::bond::{Bond, Giving};
use super::super::volatile::Volatile;
use super::super::{erasure, link};
use crate::calls::link::{Earlier, LinkTo, Moved};
use crate::calls::{ProfileCall, ReportTaken, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// How soon the alarm begins to move the profile: the requests of one page come together.
const BEGIN_MS: i64 = 1_000;

/// Links the profile in the object called `name` to a user, unless it is linked already: the first user counts. Returns when the
/// profile begins to move.
pub(in super::super) fn begin(
    sql: &impl Sql,
    volatile: &mut Volatile,
    name: &str,
    to: &LinkTo,
    now: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    // What moves into this profile must not lead this profile back to itself.
    let is_free = volatile.bond == Bond::Free && to.name != name;
    if !is_free || link::links(sql)?.contains(&to.name) {
        return Ok(None);
    }
    // What an erasure refuses must not reach the user by a pointer.
    if erasure::tombstone(sql)?.is_some() {
        return Ok(None);
    }
    if let Earlier::User(cart) = &to.earlier {
        remember_customer(sql, cart)?;
    }
    let to = LinkTo { at_ms: now.as_millisecond(), ..to.clone() };
    store(sql, &to)?;
    (volatile.bond, volatile.giving) = (Bond::Moving(to), Giving::default());
    let at = now.checked_add(jiff::SignedDuration::from_millis(BEGIN_MS));
    at.map(Some).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Stores the label of the user's own cart. It also tells that the profile is a user's.
pub(super) fn remember_customer(sql: &impl Sql, cart: &str) -> Result<(), Failure> {
    let cart = [SqlValue::from(cart)];
    sql.run("INSERT OR IGNORE INTO meta (key, value) VALUES ('customer', ?)", &cart)
}

/// Stores the user to whom the profile moves.
pub(super) fn store(sql: &impl Sql, to: &LinkTo) -> Result<(), Failure> {
    sql.run(
        "INSERT INTO meta (key, value) VALUES ('link', ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[SqlValue::Text(encode(to)?)],
    )
}

/// Stores the object that the profile has moved into.
pub(super) fn point(sql: &impl Sql, to: &str) -> Result<(), Failure> {
    sql.run(
        "INSERT INTO meta (key, value) VALUES ('linked_to', ?)
         ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        &[SqlValue::from(to)],
    )
}

/// Ends a link that has not begun to move anything: the user's profile moves into this one.
pub(super) fn cancel(sql: &impl Sql, volatile: &mut Volatile) -> Result<(), Failure> {
    sql.run("DELETE FROM meta WHERE key = 'link'", &[])?;
    (volatile.bond, volatile.giving) = Default::default();
    Ok(())
}

/// Turns the pointer to another user, because the profile behind it moves there.
pub(in super::super) fn repoint(
    sql: &impl Sql,
    volatile: &mut Volatile,
    from: &str,
    to: &LinkTo,
) -> Result<(), Failure> {
    match &volatile.bond {
        Bond::Moved(known) if known == from => {
            point(sql, &to.name)?;
            volatile.bond = Bond::Moved(to.name.clone());
        }
        Bond::Moving(known) if known.name == from => {
            let (at_ms, earlier) = (known.at_ms, known.earlier.clone());
            let to = LinkTo { at_ms, earlier, ..to.clone() };
            store(sql, &to)?;
            (volatile.bond, volatile.giving) = (Bond::Moving(to), Giving::default());
        }
        Bond::Free | Bond::Moving(_) | Bond::Moved(_) => {}
    }
    Ok(())
}

/// Answers a call that a profile that has moved does not answer itself; `None` for the others.
pub(in super::super) fn passed_on(
    sql: &impl Sql,
    volatile: &Volatile,
    call: &ProfileCall,
) -> Result<Option<String>, Failure> {
    let moved = |to: &String| encode(&Moved { moved: to.clone() });
    if let (Bond::Free, ProfileCall::OptInLink { .. }) = (&volatile.bond, call) {
        // Old letters of an erased device are good for the subscriptions that moved to its user.
        return erasure::linked_to(sql)?.as_ref().map(moved).transpose();
    }
    let Bond::Moved(to) = &volatile.bond else { return Ok(None) };
    match call {
        // The device's proof, its pointer, its own deliveries and the key of its lines stay here.
        ProfileCall::Claim(_)
        | ProfileCall::ArchiveKey
        | ProfileCall::Adopt(_)
        | ProfileCall::Record { claim: Some(_), .. }
        | ProfileCall::Link(_)
        | ProfileCall::Repoint { .. }
        | ProfileCall::Confirm { .. }
        | ProfileCall::Wanted(_)
        | ProfileCall::Sending(_)
        | ProfileCall::Replay { .. } => Ok(None),
        // The profile behind the pointer is being erased, and lets this one follow.
        ProfileCall::Erase(erase) if erase.by_link => Ok(None),
        // The proof of a device opens and erases what is the device's, and nothing of the user's. An earlier user is the same person.
        ProfileCall::Own { .. } | ProfileCall::Erase(_) | ProfileCall::Erasure => {
            link::customer(sql)?.map(|_| moved(to)).transpose()
        }
        // Whoever knows the device's id could report a choice of its person.
        ProfileCall::ConsentReports(changes) if changes.iter().any(is_anybodys) => {
            encode(&vec![ReportTaken::NotYours; changes.len()]).map(Some)
        }
        ProfileCall::Record { claim: None, .. }
        | ProfileCall::Take(_)
        | ProfileCall::Know { .. }
        | ProfileCall::Leave { .. }
        | ProfileCall::Unlearn(_)
        | ProfileCall::Consent(_)
        | ProfileCall::ConsentReports(_)
        | ProfileCall::ConsentStanding
        | ProfileCall::ConsentCopy { .. }
        | ProfileCall::OptIn(_)
        | ProfileCall::OptInLink { .. }
        | ProfileCall::Summary
        | ProfileCall::Events { .. }
        | ProfileCall::Receipts { .. }
        | ProfileCall::OptIns { .. }
        | ProfileCall::Deliveries { .. } => moved(to).map(Some),
    }
}

fn is_anybodys(change: &crate::calls::ConsentChange) -> bool {
    change.report.as_ref().is_some_and(|report| !report.is_vouched)
}
