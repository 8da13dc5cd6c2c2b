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

/// Returns the object that this profile has moved into.
///
/// # Errors
/// The error of the storage.
pub fn linked_to(sql: &impl Sql) -> Result<Option<String>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'linked_to'", &[])?;
    rows.first().map(|row| row.text("value").map(str::to_owned)).transpose()
}
