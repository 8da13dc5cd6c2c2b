//! How two JSON values compare: for conditions and for filters of paths.
//!
//! Values → equal or not, less or greater. A number in a text counts as a number where an order is asked for: many shops send amounts
//! as texts. Nothing is calculated.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Whether two values are the same. `1` and `1.0` are; a text and a number are not.
pub(super) fn equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => compare(one, other) == Some(Ordering::Equal),
        _ => one == other,
    }
}

/// The order of two numbers.
pub(super) fn compare(one: &Number, other: &Number) -> Option<Ordering> {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}

/// Most significant digits with which a decimal number comes back from a double as it was.
const DIGITS_MAX: usize = 15;

/// A number, or plain decimal text as a number: `19.90`, with a point. `None` for what a double would change.
pub(super) fn number(value: &Value) -> Option<Number> {
    let text = match value {
        Value::Number(number) => return Some(number.clone()),
        Value::String(text) => text.trim(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    decimal(text)
}

/// Plain decimal text as a number.
pub(super) fn decimal(text: &str) -> Option<Number> {
    let (_, amount) = crate::digits::sign(text);
    let (whole, decimals) = crate::text::cut(amount, b'.');
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !decimals.is_none_or(is_digits) {
        return None;
    }
    match decimals {
        None => crate::digits::read_signed(text).map(Number::from),
        Some(decimals) if whole.len() + decimals.len() <= DIGITS_MAX => {
            serde_json::from_str(text).ok()
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_the_same_in_any_spelling_and_never_a_text() {
        assert!(equal(&json!(1), &json!(1.0)) && equal(&json!("a"), &json!("a")));
        assert!(!equal(&json!("1"), &json!(1)) && !equal(&json!(true), &json!(1)));
    }

    #[test]
    fn only_plain_decimal_text_is_a_number() {
        for (text, expected) in [("19.90", json!(19.9)), ("-3", json!(-3)), (" 7 ", json!(7))] {
            assert_eq!(number(&json!(text)).map(Value::Number), Some(expected), "{text}");
        }
        for text in ["", "1,5", "1e3", ".5", "5.", "+1", "0x1", "007", "1.0000000000000001"] {
            assert_eq!(number(&json!(text)), None, "{text}");
        }
    }
}
