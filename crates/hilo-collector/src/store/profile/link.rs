//! The links of a person's profiles: the devices that were folded into a user's, and the user that a device was folded into.
//! Storage → names of objects. This file links nothing.

use crate::platform::{Failure, Sql};

/// Lists the objects of the devices that were folded into this user's profile.
///
/// # Errors
/// The error of the storage.
pub fn links(sql: &impl Sql) -> Result<Vec<String>, Failure> {
    let rows = sql.exec("SELECT name FROM links ORDER BY name", &[])?;
    rows.iter().map(|row| row.text("name").map(str::to_owned)).collect()
}

/// Returns the object of the user into whose profile this device's was folded.
///
/// # Errors
/// The error of the storage.
pub fn linked_to(sql: &impl Sql) -> Result<Option<String>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'linked_to'", &[])?;
    rows.first().map(|row| row.text("value").map(str::to_owned)).transpose()
}
