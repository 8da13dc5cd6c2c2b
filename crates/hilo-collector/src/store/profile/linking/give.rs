//! The profile that moves: what it has to tell next, what an answer changes, and what is left of it in the end.

use serde_json::value::to_raw_value;

use super::super::bond::{Bond, Giving};
use super::super::standing::Standing;
use super::super::volatile::Volatile;
use super::super::{consent, index_keys, link, optin, outbox};
use super::begin::{cancel, point, store};
use super::cargo::{self, Cargo, InForce, StoredDelivery};
use crate::calls::index::IndexAsk;
use crate::calls::link::{Earlier, LinkTo, Take, Taken};
use crate::calls::{ProfileCall, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// A call that a profile that moves has to make. Pass the answer to [`ended`].
#[derive(Debug)]
pub enum Errand {
    /// A call of another profile's object.
    Profile {
        /// The object.
        to: String,
        /// The call.
        call: Box<ProfileCall>,
    },
    /// A call of the index: an address is the user's from now on.
    Index {
        /// Its key.
        key: String,
        /// The call.
        ask: IndexAsk,
    },
}

/// A call that the object of the profile that moves has to answer itself.
#[derive(Debug)]
pub struct Own {
    /// Its own name.
    pub name: String,
    /// The call.
    pub call: ProfileCall,
}

/// Whether the profile has moved: then no delivery may be sent before the user's profile has told what is in force.
pub const fn has_moved(volatile: &Volatile) -> bool {
    matches!(volatile.bond, Bond::Moved(_))
}

/// Returns the next call that the profile has to make; `None` if there is none before the next alarm. `is_first` begins the calls of
/// an alarm.
///
/// # Errors
/// The error of the storage.
pub fn errand(
    sql: &impl Sql,
    volatile: &mut Volatile,
    is_first: bool,
) -> Result<Option<Errand>, Failure> {
    if !volatile.has_storage(sql, false)? {
        return Ok(None);
    }
    if let Bond::Moving(to) = &volatile.bond {
        let to = to.clone();
        let next = next_part(sql, volatile, to)?;
        if next.is_some() {
            return Ok(next);
        }
        move_over(sql, volatile)?;
    } else if is_first {
        volatile.giving.is_told = false;
    }
    let Bond::Moved(to) = &volatile.bond else { return Ok(None) };
    if volatile.giving.is_told {
        return Ok(None);
    }
    let cargo = Cargo { outbox: Some(cargo::outbox(sql)?), ..Cargo::default() };
    take(sql, to.clone(), None, &cargo).map(Some)
}

/// Returns the next call of a profile that moves; `None` once the user's profile has everything.
fn next_part(
    sql: &impl Sql,
    volatile: &mut Volatile,
    to: LinkTo,
) -> Result<Option<Errand>, Failure> {
    let giving = &volatile.giving;
    // The first call asks how far an earlier one got.
    let Some(seen) = giving.seen else {
        return take(sql, to.name.clone(), Some(to), &Cargo::default()).map(Some);
    };
    let mut cargo = Cargo::after(sql, seen)?;
    let keys = index_keys::keys(sql)?;
    cargo.links = cargo::links(sql)?;
    // An address is the person's only once it is proved, and those of a contact are not.
    cargo.keys = if to.earlier == Earlier::Contact { Vec::new() } else { keys.clone() };
    if cargo.told()? == giving.told_links {
        (cargo.links, cargo.keys) = Default::default();
    }
    if !cargo.is_empty() {
        return take(sql, to.name.clone(), Some(to), &cargo).map(Some);
    }
    let from = own_name(sql)?;
    let is_left = |name: &String| !giving.repointed.contains(name);
    if let Some(key) = keys.into_iter().find(is_left) {
        let ask = IndexAsk::Repoint { from, to: to.owner() };
        return Ok(Some(Errand::Index { key, ask }));
    }
    let name = link::links(sql)?.into_iter().find(is_left);
    Ok(name.map(|to_name| Errand::Profile {
        to: to_name,
        call: Box::new(ProfileCall::Repoint { from, to }),
    }))
}

fn take(
    sql: &impl Sql,
    name: String,
    to: Option<LinkTo>,
    cargo: &Cargo,
) -> Result<Errand, Failure> {
    let cargo = to_raw_value(cargo).map_err(|error| Failure::Fatal(error.to_string()))?;
    let take = Take { from: own_name(sql)?, to, cargo };
    Ok(Errand::Profile { to: name, call: Box::new(ProfileCall::Take(Box::new(take))) })
}

fn own_name(sql: &impl Sql) -> Result<String, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'name'", &[])?;
    rows.first().map_or(Ok(String::new()), |row| row.text("value").map(str::to_owned))
}

/// From now on the user's profile answers the calls. What is in force there counts for the deliveries that are left.
fn move_over(sql: &impl Sql, volatile: &mut Volatile) -> Result<(), Failure> {
    let Bond::Moving(to) = &volatile.bond else { return Ok(()) };
    let to = to.name.clone();
    let in_force = volatile.giving.in_force.take();
    sql.transaction(&mut || {
        point(sql, &to)?;
        sql.run("DELETE FROM receipts", &[])?;
        in_force.as_ref().map_or(Ok(()), |in_force| obey(sql, &decode(in_force.get())?))
    })?;
    volatile.bond = Bond::Moved(to);
    volatile.giving = Giving::default();
    // Deliveries that wait in memory are judged again by what is in force now.
    volatile.known = None;
    outbox::recall(volatile);
    Ok(())
}

/// Lets the deliveries that are left obey what is in force in the user's profile.
fn obey(sql: &impl Sql, in_force: &InForce) -> Result<(), Failure> {
    consent::replace(sql, &in_force.consent)?;
    optin::replace(sql, &in_force.optins)
}

/// Takes the answer to a call. Only a [`Take`] has one. Returns a call that the profile's own object has to answer next: the person was
/// erased before the link was known there.
///
/// # Errors
/// The error of the storage. Nothing is changed then.
pub fn ended(
    sql: &impl Sql,
    volatile: &mut Volatile,
    errand: Errand,
    answer: Option<Taken>,
) -> Result<Option<Own>, Failure> {
    let done = match (errand, answer) {
        (Errand::Profile { call, to }, Some(mut answer)) => {
            if let ProfileCall::Take(sent) = *call {
                let Some(erase) = answer.erase.take() else {
                    return taken(sql, volatile, &sent, answer).map(|()| None);
                };
                let own = Own { name: own_name(sql)?, call: ProfileCall::Erase(erase) };
                return Ok(Some(own));
            }
            to
        }
        (Errand::Profile { to, .. }, _) => to,
        (Errand::Index { key, .. }, _) => key,
    };
    volatile.giving.repointed.insert(done);
    Ok(None)
}

fn taken(
    sql: &impl Sql,
    volatile: &mut Volatile,
    sent: &Take,
    answer: Taken,
) -> Result<(), Failure> {
    match volatile.bond.clone() {
        Bond::Free => Ok(()),
        Bond::Moving(_) if answer.is_refused => cancel(sql, volatile),
        Bond::Moving(to) => {
            if answer.name != to.name {
                // The user's profile has moved itself.
                let user = answer.user.or_else(|| to.user.clone());
                let label = user.as_ref().map(|user| format!("u:{user}"));
                let label = label.unwrap_or_else(|| to.label.clone());
                let to = LinkTo { name: answer.name, user, label, ..to };
                store(sql, &to)?;
                volatile.bond = Bond::Moving(to);
            }
            let cargo: Cargo = decode(sent.cargo.get())?;
            if !cargo.links.is_empty() || !cargo.keys.is_empty() {
                volatile.giving.told_links = cargo.told()?;
            }
            volatile.giving.seen = Some(answer.seen);
            volatile.giving.in_force = answer.in_force;
            Ok(())
        }
        Bond::Moved(_) if answer.name.is_empty() => {
            (volatile.giving.is_told, volatile.giving.is_orphan) = (true, true);
            Ok(())
        }
        Bond::Moved(to) => {
            let cargo: Cargo = decode(sent.cargo.get())?;
            let in_force = answer.in_force.as_ref().map(|text| decode(text.get())).transpose()?;
            let mut is_told = false;
            sql.transaction(&mut || {
                if answer.name != to {
                    point(sql, &answer.name)?;
                }
                is_told = hand_over(sql, cargo.outbox.as_deref().unwrap_or_default())?;
                in_force.as_ref().map_or(Ok(()), |in_force| obey_anew(sql, in_force))?;
                if is_empty(sql)? { clear(sql) } else { Ok(()) }
            })?;
            volatile.bond = Bond::Moved(answer.name);
            volatile.known = None;
            volatile.giving.is_told = is_told;
            Ok(())
        }
    }
}

/// Removes the rows of the outbox that have ended, and that the user's profile has now. Returns whether none of them is left.
fn hand_over(sql: &impl Sql, told: &[StoredDelivery]) -> Result<bool, Failure> {
    let ended = told.iter().filter(|row| row.state != "pending");
    let ended: Vec<_> = ended.map(|row| (row.seq, row.updated_ms)).collect();
    if !ended.is_empty() {
        // A row that was replayed meanwhile is pending again, and stays.
        sql.run(
            "DELETE FROM outbox WHERE state <> 'pending' AND EXISTS
               (SELECT 1 FROM json_each(?) WHERE value ->> 0 = seq AND value ->> 1 = updated_ms)",
            &[SqlValue::Text(encode(&ended)?)],
        )?;
    }
    let left = sql.exec("SELECT seq FROM outbox WHERE state IN ('dead', 'delivered') LIMIT 1", &[]);
    Ok(left?.is_empty())
}

/// Does what [`obey`] does, where anything has changed.
fn obey_anew(sql: &impl Sql, in_force: &InForce) -> Result<(), Failure> {
    let known = InForce { consent: Standing::read(sql)?, optins: optin::subscriptions(sql)? };
    if is_empty(sql)? || known == *in_force { Ok(()) } else { obey(sql, in_force) }
}

/// Whether no delivery is left that this profile finishes.
fn is_empty(sql: &impl Sql) -> Result<bool, Failure> {
    Ok(sql.exec("SELECT seq FROM outbox WHERE state <> 'elsewhere' LIMIT 1", &[])?.is_empty())
}

/// Removes everything but the pointer, the name, the device's proofs with their used tokens, and the key of its lines in archives, once. What a version of the code without links stores here
/// after that is not removed.
fn clear(sql: &impl Sql) -> Result<(), Failure> {
    if sql.exec("SELECT key FROM meta WHERE key = 'link'", &[])?.is_empty() {
        return Ok(());
    }
    sql.run(
        "DELETE FROM meta
         WHERE key NOT IN
           ('schema', 'name', 'proof', 'vouched', 'adopted', 'linked_to', 'customer', 'archive_key')",
        &[],
    )?;
    for table in ["batches", "outbox", "consent", "optins", "links"] {
        sql.run(&format!("DELETE FROM {table}"), &[])?;
    }
    Ok(())
}
