//! Reads one small object: a part of a token, a JWK, or the body of a small call.
//! In: bytes. Out: the object, inside every limit of an event.

use serde_json::{Map, Value};

use super::key::is_unsafe_key;
use super::text::body_text;
use super::value::read_item;
use crate::outcome::{Code, Rejection};

/// Reads the body of a call that takes one small object (`hello`, `consent`), inside every limit of an event.
///
/// # Errors
/// `malformed_body`, `wrong_type`, `duplicate_key` and the structural limits.
pub fn read_object(body: &[u8]) -> Result<Map<String, Value>, Rejection> {
    let text = body_text(body)?;
    let malformed = || {
        let message = "the body is one JSON object: it was cut short, or is not JSON";
        Rejection::new(Code::MalformedBody, message)
    };
    let mut lost = Vec::new();
    let mut object = read_item(&text, &mut lost).map_err(|refused| {
        if refused.code == Code::MalformedEvent { malformed() } else { refused }
    })?;
    // These objects decide, so none of their values is mended.
    if !lost.is_empty() {
        return Err(malformed());
    }
    drop_unsafe_keys(&mut object);
    Ok(object)
}

fn drop_unsafe_keys(object: &mut Map<String, Value>) {
    object.retain(|key, _| !is_unsafe_key(key));
    object.values_mut().for_each(drop_below);
}

fn drop_below(value: &mut Value) {
    match value {
        Value::Object(object) => drop_unsafe_keys(object),
        Value::Array(values) => values.iter_mut().for_each(drop_below),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsafe_keys_are_dropped_at_every_level() {
        let body = br#"{"__proto__":{"x":1},"a":[{"constructor":1,"prototype":[],"b":2}]}"#;
        let read = read_object(body).unwrap();
        assert_eq!(Value::Object(read), serde_json::json!({"a": [{"b": 2}]}));
    }

    #[test]
    fn a_number_that_no_reader_holds_refuses_the_object() {
        for body in [r#"{"a":1e999}"#, r#"{"a":NaN}"#] {
            assert_eq!(read_object(body.as_bytes()).unwrap_err().code, Code::MalformedBody);
        }
    }
}
