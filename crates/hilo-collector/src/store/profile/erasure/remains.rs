//! What the steps of an erasure need of the profile, read before the profile goes.
//!
//! Storage → names, labels, hashes; and the person, as long as a destination has to delete it. A row that cannot be read must not stop
//! an erasure, so each part is left out if it fails.

use hilo_core::profile::Person;
use jiff::Timestamp;

use super::super::bond::Bond;
use super::super::{index_keys, link, optin, stored_profile, timeline};
use crate::calls::{LEASE_MS, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::store::at_rest;

/// The place of the sealed person.
const PERSON: &str = "person";

/// What is left to do elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Remains {
    /// The objects of linked devices.
    pub(super) linked: Vec<String>,
    /// The object of the user's profile that this one moves or has moved into.
    pub(super) linked_to: Option<String>,
    /// Whether it has moved.
    pub(super) has_moved: bool,
    /// The label of the user's own cart, if it is known.
    pub(super) customer: Option<String>,
    /// The hashes of the ids of the devices that proved to be the person's. Events may name any device.
    pub(super) device_hashes: Vec<String>,
    /// The labels of the carts that events name.
    pub(super) carts: Vec<String>,
    /// The keys under which the index has the person.
    pub(super) keys: Vec<String>,
    /// Whether deliveries may be under way.
    pub(super) has_deliveries: bool,
    pub(super) person: Person,
}

impl Remains {
    pub(super) fn of(sql: &impl Sql, now: Timestamp) -> Remains {
        let bond = Bond::read(sql).unwrap_or_default();
        let has_moved = matches!(bond, Bond::Moved(_));
        let profile = stored_profile::read(sql).map(|read| read.profile).unwrap_or_default();
        let optins = optin::subscriptions(sql).unwrap_or_default().states().clone();
        Remains {
            linked: link::links(sql).unwrap_or_default(),
            linked_to: match bond {
                Bond::Free => None,
                Bond::Moving(to) => Some(to.name),
                Bond::Moved(to) => Some(to),
            },
            has_moved,
            customer: link::customer(sql).unwrap_or_default(),
            device_hashes: link::devices(sql).unwrap_or_default(),
            carts: timeline::cart_labels(sql).unwrap_or_default().into_iter().collect(),
            keys: index_keys::keys(sql).unwrap_or_default(),
            has_deliveries: has_deliveries(sql, now).unwrap_or(true),
            // A destination may need any id or address to find the person. Nothing here is asked for a purpose: it is deleted.
            person: Person::of(&profile, optins, |_| true),
        }
    }

    /// Adds the ids and traits of a person whom destinations have not deleted yet.
    pub(super) fn add_person(&mut self, earlier: Person) {
        let person = &mut self.person;
        let Person { anonymous_ids, user_id, claimed_ids, traits, ids, .. } = earlier;
        for (ids, more) in
            [(&mut person.anonymous_ids, anonymous_ids), (&mut person.claimed_ids, claimed_ids)]
        {
            let new: Vec<String> = more.into_iter().filter(|id| !ids.contains(id)).collect();
            ids.extend(new);
        }
        person.user_id = person.user_id.take().or(user_id);
        for (name, value) in traits {
            person.traits.entry(name).or_insert(value);
        }
        for (name, value) in ids {
            person.ids.entry(name).or_insert(value);
        }
    }
}

/// Whether anything is stored beside the record of an erasure.
pub(super) fn has_more(sql: &impl Sql) -> Result<bool, Failure> {
    let rows = sql.exec(
        "SELECT EXISTS (SELECT 1 FROM batches) OR EXISTS (SELECT 1 FROM consent) OR EXISTS (SELECT 1 FROM receipts)
           OR EXISTS (SELECT 1 FROM optins) OR EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM links)
           OR EXISTS (SELECT 1 FROM meta WHERE key > 'index:' AND key < 'index;') AS has_more",
        &[],
    )?;
    Ok(rows.first().is_some_and(|row| row.int("has_more") == Ok(1)))
}

/// Whether a message of the queue may have a delivery of this profile.
fn has_deliveries(sql: &impl Sql, now: Timestamp) -> Result<bool, Failure> {
    let rows = sql.exec(
        "SELECT seq FROM outbox WHERE state IN ('pending', 'sending') OR updated_ms > ? LIMIT 1",
        &[SqlValue::int(now.as_millisecond() - LEASE_MS)?],
    )?;
    Ok(!rows.is_empty())
}

/// Keeps the person for the destinations that have to delete it. A table of its own, so that [`forget_person`] leaves no byte.
pub(super) fn keep_person(sql: &impl Sql, person: &Person) -> Result<(), Failure> {
    sql.run("CREATE TABLE parting (id INTEGER PRIMARY KEY, person TEXT NOT NULL)", &[])?;
    let sealed = at_rest::seal_text(sql, PERSON, &encode(person)?)?;
    sql.run("INSERT INTO parting (id, person) VALUES (1, ?)", &[SqlValue::Text(sealed)])
}

/// Reads the kept person.
pub(super) fn kept_person(sql: &impl Sql) -> Result<Person, Failure> {
    let rows = sql.exec("SELECT person FROM parting", &[])?;
    let Some(row) = rows.first() else { return Ok(Person::default()) };
    decode(&at_rest::open_text(sql, PERSON, row.text("person")?)?)
}

/// Removes the kept person. SQLite writes a value of the same length in the place of the one before, so that its bytes are gone.
pub(super) fn forget_person(sql: &impl Sql) -> Result<(), Failure> {
    for row in sql.exec("SELECT person FROM parting", &[])? {
        let blank = " ".repeat(row.text("person")?.len());
        sql.run("UPDATE parting SET person = ?", &[SqlValue::Text(blank)])?;
    }
    sql.run("DROP TABLE IF EXISTS parting", &[])
}
