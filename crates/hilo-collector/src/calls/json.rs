//! JSON between stages and objects, written and read.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::platform::Failure;

/// Writes JSON for an object.
///
/// # Errors
/// `Fatal`: a shape that is no JSON is a bug.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Fatal(error.to_string()))
}

/// A map for an answer. Inserted one by one, because a map that is collected from an iterator sorts it first, and each
/// such sort is 6 KB of the script.
pub fn map_of(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        map.insert(name, value);
    }
    map
}

/// Reads JSON from an object.
///
/// # Errors
/// `Fatal`: both sides are this crate.
pub fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Fatal(error.to_string()))
}
