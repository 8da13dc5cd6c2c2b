//! A row in its canonical form → reports about a person, with the key and the digest by which an import knows the row again.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::fault::Fault;
use super::reports;
use super::row::{Row, Terms, hex};
use crate::inbound::Report;

/// A row that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The line in the file, 0 where it is not known.
    pub line: u64,
    /// The row's own name: the same row of the same source has the same. An event's id is made of it.
    pub key: String,
    /// The hash of its values. Another one under the same key is a changed row.
    pub digest: String,
    /// What it reports. A contact may report several things.
    pub reports: Vec<Report>,
}

/// Reads a row.
///
/// # Errors
/// The first fault of the row.
pub fn read(row: &Map<String, Value>, terms: &Terms<'_>) -> Result<Imported, Fault> {
    let line = row.get("line").and_then(Value::as_u64).unwrap_or_default();
    let known = Row::check(row, terms)?;
    let who = known.who()?;
    let digest = digest_of(row);
    let key = known.key(terms.kind, &who, &digest)?;
    let key = named(terms, &key);
    let reports = reports::of(&known, terms.kind, &key, &who)?;
    Ok(Imported { line, key, digest, reports })
}

/// `imp:` and the first 32 hex digits of SHA-256 over source, kind and key.
fn named(terms: &Terms<'_>, key: &str) -> String {
    let text = [terms.source, terms.kind.name(), key].join("\0");
    format!("imp:{}", hex(&text, 16))
}

/// The hash of what a row says. Where it stands in a file is no part of that.
fn digest_of(row: &Map<String, Value>) -> String {
    let mut said = row.clone();
    for name in ["line", "also", "flags"] {
        said.remove(name);
    }
    hex(&Value::Object(said).to_string(), 8)
}
