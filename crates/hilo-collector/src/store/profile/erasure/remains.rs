//! What the steps of an erasure need of the profile, read before the profile goes.
//!
//! Storage → names, labels, hashes; and the person, as long as a destination has to delete it. A row that cannot be read must not stop
//! an erasure, so each part is left out if it fails.

use hilo_core::profile::Person;
use jiff::Timestamp;

use super::super::{link, optin, stored_profile, timeline};
use crate::calls::{LEASE_MS, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};
use crate::signature::sha256_hex;

/// What is left to do elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct Remains {
    /// The objects of linked devices.
    pub(super) linked: Vec<String>,
    /// Whether this device was folded into a user's profile.
    pub(super) is_linked: bool,
    /// The hashes of the ids of the person's devices.
    pub(super) device_hashes: Vec<String>,
    /// The labels of the carts that events name.
    pub(super) carts: Vec<String>,
    /// Whether deliveries may be under way.
    pub(super) has_deliveries: bool,
    pub(super) person: Person,
}

impl Remains {
    pub(super) fn of(sql: &impl Sql, now: Timestamp) -> Remains {
        let profile = stored_profile::read(sql).map(|read| read.profile).unwrap_or_default();
        let optins = optin::subscriptions(sql).unwrap_or_default().states().clone();
        Remains {
            linked: link::links(sql).unwrap_or_default(),
            is_linked: link::linked_to(sql).unwrap_or_default().is_some(),
            device_hashes: profile.anonymous_ids.iter().map(|id| device_hash(id)).collect(),
            carts: timeline::cart_labels(sql).unwrap_or_default().into_iter().collect(),
            has_deliveries: has_deliveries(sql, now).unwrap_or(true),
            // A destination may need any id or address to find the person. Nothing here is asked for a purpose: it is deleted.
            person: Person::of(&profile, optins, |_| true),
        }
    }
}

/// The hash of a device's id, for the carts.
pub(super) fn device_hash(anonymous_id: &str) -> String {
    sha256_hex(anonymous_id.as_bytes())
}

/// Whether a message of the queue may have a delivery of this profile.
fn has_deliveries(sql: &impl Sql, now: Timestamp) -> Result<bool, Failure> {
    let rows = sql.exec(
        "SELECT seq FROM outbox WHERE state = 'pending' OR updated_ms > ? LIMIT 1",
        &[SqlValue::int(now.as_millisecond() - LEASE_MS)?],
    )?;
    Ok(!rows.is_empty())
}

/// Keeps the person for the destinations that have to delete it. A table of its own, so that [`forget_person`] leaves no byte.
pub(super) fn keep_person(sql: &impl Sql, person: &Person) -> Result<(), Failure> {
    sql.run("CREATE TABLE parting (id INTEGER PRIMARY KEY, person TEXT NOT NULL)", &[])?;
    sql.run("INSERT INTO parting (id, person) VALUES (1, ?)", &[SqlValue::Text(encode(person)?)])
}

/// Reads the kept person.
pub(super) fn kept_person(sql: &impl Sql) -> Result<Person, Failure> {
    let rows = sql.exec("SELECT person FROM parting", &[])?;
    rows.first().map_or_else(|| Ok(Person::default()), |row| decode(row.text("person")?))
}

/// Removes the kept person. SQLite writes a value of the same length in the place of the one before, so that its bytes are gone.
pub(super) fn forget_person(sql: &impl Sql) -> Result<(), Failure> {
    for row in sql.exec("SELECT person FROM parting", &[])? {
        let blank = " ".repeat(row.text("person")?.len());
        sql.run("UPDATE parting SET person = ?", &[SqlValue::Text(blank)])?;
    }
    sql.run("DROP TABLE IF EXISTS parting", &[])
}
