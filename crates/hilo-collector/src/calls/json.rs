//! Writes and reads the JSON that passes between stages and objects.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::platform::Failure;

/// Writes JSON for an object.
///
/// # Errors
/// `Fatal` if `value` cannot be written as JSON, which is a bug.
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Makes a map for an answer. The pairs are inserted one by one: `collect` sorts them first, and each such sort adds 6
/// KB to the script.
pub fn map_of(pairs: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut map = BTreeMap::new();
    for (name, value) in pairs {
        map.insert(name, value);
    }
    map
}

/// Wraps JSON without parsing its values.
///
/// # Errors
/// `Fatal` for a text that is no JSON, which is a bug.
pub fn raw(text: impl Into<String>) -> Result<Box<RawValue>, Failure> {
    RawValue::from_string(text.into()).map_err(|error| Failure::Fatal(error.to_string()))
}

/// Writes the name of the source that told an event before the event, as `source`. Destinations get the event without it.
///
/// # Errors
/// `Fatal` if the name cannot be written as JSON, which is a bug.
pub fn told_by(source: Option<&str>, event: &str) -> Result<String, Failure> {
    match (source, event.strip_prefix('{')) {
        (Some(source), Some(rest)) => Ok(format!("{{\"source\":{},{rest}", encode(source)?)),
        (None, _) | (_, None) => Ok(event.to_owned()),
    }
}

/// Reads JSON from an object.
///
/// # Errors
/// `Fatal` if the text has another shape. This crate writes both sides, so that is a bug.
pub fn decode<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| Failure::Fatal(error.to_string()))
}
