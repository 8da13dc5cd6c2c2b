//! Texts within Google's lengths.

use serde_json::{Map, Value};

use crate::forward::destinations::conversion::put;

/// A text, cut to Google's length. Nothing is left of an empty text.
pub(super) fn cut(text: &str, chars_max: usize) -> Option<String> {
    let text: String = text.trim().chars().take(chars_max).collect();
    (!text.is_empty()).then_some(text)
}

/// Puts a text in where there is one, cut to Google's length.
pub(super) fn put_text(
    object: &mut Map<String, Value>,
    name: &str,
    text: Option<&str>,
    chars_max: usize,
) {
    put(object, name, text.and_then(|text| cut(text, chars_max)));
}
