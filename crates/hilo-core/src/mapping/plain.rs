//! Plain values as text and as whole numbers, as rules read them. In: a value. Out: its reading, or nothing.

use serde_json::Value;

use crate::digits;

/// A plain value as text, without blanks around it.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number; `12.0` is one too.
pub(super) fn int(value: &Value) -> Option<i64> {
    let text = text(value).filter(|_| !value.is_boolean())?;
    let (whole, decimals) = crate::text::cut(&text, b'.');
    let is_whole = decimals.is_none_or(|it| !it.is_empty() && it.bytes().all(|b| b == b'0'));
    is_whole.then(|| digits::read_signed(whole))?
}
