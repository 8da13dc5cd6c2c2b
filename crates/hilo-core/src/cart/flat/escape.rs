//! Text inside a cell: `\t`, `\n` and `\\` stand for tab, line feed and backslash.
//!
//! In and out: one cell. The edge takes the text out of its escapes. The page only checks the escapes and keeps them:
//! JavaScript wrote the cell and reads it.

use alloc::string::String;

/// Takes a cell's text out of its escapes; `None` where an escape means nothing.
#[cfg(feature = "edge")]
pub(in crate::cart) fn read_text(cell: &str) -> Option<String> {
    let mut text = String::with_capacity(cell.len());
    let mut chars = cell.chars();
    while let Some(char) = chars.next() {
        text.push(match char {
            '\\' => match chars.next()? {
                't' => '\t',
                'n' => '\n',
                '\\' => '\\',
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(text)
}

/// Writes text as one cell.
#[cfg(feature = "edge")]
pub(in crate::cart) fn write_text(text: &str, out: &mut String) {
    for char in text.chars() {
        match char {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\\' => out.push_str("\\\\"),
            plain => out.push(plain),
        }
    }
}

/// Bytes of the cell's text without its escapes; `None` where an escape means nothing.
#[cfg(not(feature = "edge"))]
#[inline(never)]
pub(in crate::cart) fn text_bytes(cell: &str) -> Option<usize> {
    let mut length = 0;
    let mut bytes = cell.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' && !matches!(bytes.next()?, b't' | b'n' | b'\\') {
            return None;
        }
        length += 1;
    }
    Some(length)
}

/// The cell's text, still in its escapes; `None` where an escape means nothing.
#[cfg(not(feature = "edge"))]
pub(in crate::cart) fn read_text(cell: &str) -> Option<String> {
    text_bytes(cell).map(|_| String::from(cell))
}

/// Writes text that [`read_text`] has read.
#[cfg(not(feature = "edge"))]
pub(in crate::cart) fn write_text(text: &str, out: &mut String) {
    out.push_str(text);
}
