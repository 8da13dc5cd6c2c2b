//! The two ends of a link: the profiles that moved into this one, and the profile that this one has moved into.
//!
//! Storage → names of objects. `linking/` moves the profiles.

use crate::platform::{Failure, Sql};

/// Returns the objects of the profiles that moved into this one.
///
/// # Errors
/// The error of the storage.
pub fn links(sql: &impl Sql) -> Result<Vec<String>, Failure> {
    let rows = sql.exec("SELECT name FROM links ORDER BY name", &[])?;
    rows.iter().map(|row| row.text("name").map(str::to_owned)).collect()
}

/// Returns the hashes of the ids of the devices that proved to be this user's.
///
/// # Errors
/// The error of the storage.
pub fn devices(sql: &impl Sql) -> Result<Vec<String>, Failure> {
    let query = "SELECT value FROM meta WHERE key > 'device:' AND key < 'device;'";
    let rows = sql.exec(query, &[])?;
    rows.iter().map(|row| row.text("value").map(str::to_owned)).collect()
}

/// The key under which the hash of the id of the device in the object called `from` stands.
pub fn device_key(from: &str) -> String {
    format!("device:{from}")
}

/// Returns the label of the user's own cart; `None` for a device, and for a user without links.
///
/// # Errors
/// The error of the storage.
pub fn customer(sql: &impl Sql) -> Result<Option<String>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'customer'", &[])?;
    rows.first().map(|row| row.text("value").map(str::to_owned)).transpose()
}

/// Returns the object that this profile has moved into.
///
/// # Errors
/// The error of the storage.
pub fn linked_to(sql: &impl Sql) -> Result<Option<String>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'linked_to'", &[])?;
    rows.first().map(|row| row.text("value").map(str::to_owned)).transpose()
}
