//! Keys of JSON in answers and logs: the length replaces a key that could be data.
//! In: a key as it was sent. Out: the key or its shape.

use std::borrow::Cow;

/// Bytes of a key that is shown. Longer keys and keys with unusual characters may be data: `{"ana@example.com": 1}`.
const KEY_BYTES_SHOWN: usize = 40;

/// The key itself if it looks like a name, else its length.
pub(crate) fn key_shape(key: &str) -> Cow<'_, str> {
    let is_plain = key.len() <= KEY_BYTES_SHOWN
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$-. ".contains(&byte));
    if is_plain { Cow::Borrowed(key) } else { Cow::Owned(format!("<key {}>", key.chars().count())) }
}
