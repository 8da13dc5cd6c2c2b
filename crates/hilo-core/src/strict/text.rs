//! A request body as text: UTF-8 without its byte order mark, lone surrogates mended.
//! In: bytes. Out: text that a JSON reader can read, or the refusal of the body.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::outcome::{Code, Rejection};

/// Reads JSON of known shape from bytes; `None` for any other bytes.
///
/// Not by serde_json's own reader of bytes: each type that both readers read stands in the script twice.
pub fn read_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_str(std::str::from_utf8(bytes).ok()?).ok()
}

/// The body as text, without its byte order mark and with lone surrogates mended.
pub(crate) fn body_text(body: &[u8]) -> Result<Cow<'_, str>, Rejection> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let malformed = |message: &str| Rejection::new(Code::MalformedBody, message);
    match body {
        // No JSON text has a NUL among its first two bytes, unless its characters are two or four bytes wide.
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [_, 0, ..] | [0, _, ..] => {
            Err(malformed("the body is UTF-16 or UTF-32: send UTF-8"))
        }
        [0x1f, 0x8b, ..] => Err(malformed("the body is gzip: say so with Content-Encoding: gzip")),
        _ => std::str::from_utf8(body).map(mend).map_err(|_| malformed("the body is not UTF-8")),
    }
}

/// Replaces escapes of half a surrogate pair by U+FFFD.
///
/// A JavaScript string may end within an emoji, and `JSON.stringify` then writes such an escape. A refusal would lose a whole
/// batch for one character.
fn mend(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept_until = 0;
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        let escape = at + found;
        let Some(unit) = code_unit(text, escape) else {
            at = escape + 2; // skips the escaped character too, because it may be a backslash
            if !text.is_char_boundary(at) {
                break; // not JSON; the parser will say so
            }
            continue;
        };
        at = escape + 6;
        let is_pair =
            matches!(unit, 0xd800..=0xdbff) && matches!(code_unit(text, at), Some(0xdc00..=0xdfff));
        if is_pair {
            at += 6;
        } else if matches!(unit, 0xd800..=0xdfff) {
            mended.push_str(text.get(kept_until..escape).unwrap_or_default());
            mended.push_str("\\ufffd");
            kept_until = at;
        }
    }
    if kept_until == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(text.get(kept_until..).unwrap_or_default());
    Cow::Owned(mended)
}

/// The UTF-16 code unit escaped as `\uXXXX` at `at`.
fn code_unit(text: &str, at: usize) -> Option<u16> {
    let hex = text.get(at..at.checked_add(6)?)?.strip_prefix("\\u")?;
    if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        u16::from_str_radix(hex, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_surrogate_pairs_are_mended_and_whole_ones_kept() {
        assert_eq!(mend(r#""\ud83d""#), r#""\ufffd""#);
        assert_eq!(mend(r#""\ude00\ud83d x \uD83D\n""#), r#""\ufffd\ufffd x \ufffd\n""#);
        for text in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u00e9\\""#, "\"\\", "\\é", "plain"]
        {
            assert_eq!(mend(text), text);
        }
    }
}
