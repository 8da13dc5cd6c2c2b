//! Keys of JSON: which keys are unsafe, and what answers and logs show of a key.
//! In: a key as it was sent. Out: the key or its shape: the length replaces a key that could be data.

use std::borrow::Cow;

/// Bytes of a key that is shown. Longer keys and keys with unusual characters may be data: `{"ana@example.com": 1}`.
const KEY_BYTES_SHOWN: usize = 40;

/// Keys that change an object's prototype in JavaScript. No event keeps them.
const UNSAFE_KEYS: [&str; 3] = ["__proto__", "constructor", "prototype"];

/// Whether the key changes an object's prototype in JavaScript.
pub(crate) fn is_unsafe_key(key: &str) -> bool {
    UNSAFE_KEYS.contains(&key)
}

/// The key itself if it looks like a name, else its length.
pub(crate) fn key_shape(key: &str) -> Cow<'_, str> {
    let is_plain = key.len() <= KEY_BYTES_SHOWN
        && key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '$')
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_$-. ".contains(&byte));
    if is_plain { Cow::Borrowed(key) } else { Cow::Owned(format!("<key {}>", key.chars().count())) }
}
