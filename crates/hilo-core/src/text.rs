//! Small functions on text for the page. `str::split` and its kin would bring a search engine into its modules.
//!
//! In: text and ASCII marks. Out: parts of it. Never panics.

use alloc::string::String;
use alloc::vec::Vec;

/// The text before the first `mark`, and the text behind it if there is a mark. `mark` is ASCII.
///
/// ```
/// assert_eq!(hilo_core::text::cut("a=b=c", b'='), ("a", Some("b=c")));
/// assert_eq!(hilo_core::text::cut("a", b'='), ("a", None));
/// ```
#[inline(never)]
pub fn cut(text: &str, mark: u8) -> (&str, Option<&str>) {
    match text.as_bytes().iter().position(|byte| *byte == mark) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// The parts of `text` between `mark`s; always at least one.
pub fn parts(text: &str, mark: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let (part, behind) = cut(rest?, mark);
        rest = behind;
        Some(part)
    })
}

/// The parts of `text` between `mark`s that are not empty.
pub fn words(text: &str, mark: u8) -> impl Iterator<Item = &str> {
    parts(text, mark).filter(|part| !part.is_empty())
}

/// The text's beginning, at most `bytes_max` long, that ends with a whole character.
pub fn shortened(text: &str, bytes_max: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes_max)).unwrap_or_default()
}

/// Whether `word` is in `list`. Blanks separate the words of the list.
#[inline(never)]
pub fn lists(list: &str, word: &str) -> bool {
    parts(list, b' ').any(|known| known == word)
}

/// Reads `%41` as `A` and leaves everything else as it is: `+` is a space in queries but part of an address in mail.
pub fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        let pair = match behind {
            [high, low, ..] if *byte == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match pair {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => bytes.push(*byte),
        }
    }
    bytes
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// Adds a mark as text: a `char` would bring the code that encodes any character.
pub fn put(out: &mut String, mark: &str) {
    out.push_str(mark);
}

/// Adds one hexadecimal digit; nothing for a number beyond `f`.
#[inline(never)]
pub fn put_digit(out: &mut String, digit: u8) {
    let at = usize::from(digit);
    put(out, "0123456789abcdef".get(at..=at).unwrap_or_default());
}

/// All parts joined.
#[inline(never)]
pub fn concat(parts: &[&str]) -> String {
    let mut whole = String::new();
    for part in parts {
        whole.push_str(part);
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_those_of_split() {
        for text in ["", "|", "a", "a|b", "|a||b|", "é|ü"] {
            assert_eq!(parts(text, b'|').collect::<Vec<_>>(), text.split('|').collect::<Vec<_>>());
        }
    }

    #[test]
    fn words_are_the_parts_with_text() {
        assert_eq!(words(" a  b ", b' ').collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(words("", b' ').count(), 0);
    }

    #[test]
    fn parts_become_a_whole() {
        assert_eq!(concat(&["a", "", "bé"]), "abé");
    }

    #[test]
    fn a_word_is_listed_as_a_whole() {
        assert!(lists("mail phone", "phone"));
        assert!(!lists("mail phone", "pho") && !lists("mail phone", "mail phone"));
    }

    #[test]
    fn only_whole_escapes_are_decoded() {
        assert_eq!(percent_decode("a%40b+c%2f"), b"a@b+c/");
        for text in ["%", "%4", "%+1", "%4g", "%é0"] {
            assert_eq!(percent_decode(text), text.as_bytes(), "{text}");
        }
    }
}
