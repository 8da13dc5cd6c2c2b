//! Reads one small object: a part of a token, a JWK, or the body of a small call.
//! In: bytes. Out: the object, inside every limit of an event.

use serde_json::{Map, Value};

use super::text::body_text;
use super::value::read_item;
use crate::outcome::{Code, Rejection};

/// Reads the body of a call that takes one small object (`hello`, `consent`), inside every limit of an event.
///
/// # Errors
/// `malformed_body`, `wrong_type`, `duplicate_key` and the structural limits.
pub fn read_object(body: &[u8]) -> Result<Map<String, Value>, Rejection> {
    let text = body_text(body)?;
    read_item(&text).map_err(|refused| {
        if refused.code == Code::MalformedEvent {
            Rejection::new(
                Code::MalformedBody,
                "the body is one JSON object: it was cut short, or is not JSON",
            )
        } else {
            refused
        }
    })
}
