//! The key that seals the person's lines in archives.
//!
//! Storage → [`ArchiveKey`]. The storage has random bytes, and the collector's secret makes the key of them, so neither is enough alone. The
//! bytes are drawn once and never copied: an erasure wipes them, and then no line of the person can be read any more. A device that was
//! linked keeps its own key for the lines that it wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::profile::ArchiveKey;

use crate::platform::{Failure, Sql};
use crate::signature;

/// Returns the key of the object called `name`, and draws it at the first time.
pub(super) fn archive_key(sql: &impl Sql, name: &str) -> Result<ArchiveKey, Failure> {
    if let Some(key) = known(sql, name)? {
        return Ok(key);
    }
    // SQLite draws the bytes: the objects' code has no other source of chance.
    let draw =
        "INSERT OR IGNORE INTO meta (key, value) VALUES ('archive_key', hex(randomblob(32)))";
    sql.run(draw, &[])?;
    known(sql, name)?.ok_or_else(|| Failure::Fatal("a key of lines was not stored".to_owned()))
}

/// Returns the key of the object called `name`, if it was drawn.
pub(super) fn known(sql: &impl Sql, name: &str) -> Result<Option<ArchiveKey>, Failure> {
    let rows = sql.exec("SELECT value FROM meta WHERE key = 'archive_key'", &[])?;
    let Some(row) = rows.first() else { return Ok(None) };
    let drawn = format!("archive:{}", row.text("value")?);
    let key = signature::sign(&sql.at_rest()?, drawn.as_bytes());
    Ok(Some(ArchiveKey { subject: name.to_owned(), key: STANDARD.encode(key) }))
}
