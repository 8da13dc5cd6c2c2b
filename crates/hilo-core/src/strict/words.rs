//! Bare words of JSON text (numbers, `true`, `NaN`), each with its path: found, and replaced where a reader cannot use them.
//!
//! Text → the same text with other words. Runs only on text that a JSON reader has refused, or for a number that it has
//! rounded. Strings and keys stay as they are. Text that is no JSON stays no JSON.

use std::borrow::Cow;

use serde_json::Value;
use serde_json::value::RawValue;

use super::key::key_shape;
use crate::event::DEPTH_MAX;

/// Levels whose keys a path holds: those of an event, in the list of an envelope. Deeper words have the path of their ancestor.
const PATH_STEPS_MAX: usize = DEPTH_MAX + 2;

/// Paths of one text that are told. Further paths mostly repeat the first.
const PATHS_MAX: usize = 16;

/// A key or an index on the way to a word.
#[derive(Clone, Copy)]
enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

/// The way to a word.
#[derive(Default)]
struct Path<'t> {
    steps: Vec<Step<'t>>,
    depth: usize,
}

impl<'t> Path<'t> {
    fn enter(&mut self, step: Step<'t>) {
        if self.depth < PATH_STEPS_MAX {
            self.steps.push(step);
        }
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.steps.truncate(self.depth);
    }

    /// The innermost step, unless it is too deep to be kept.
    fn top(&mut self) -> Option<&mut Step<'t>> {
        if self.depth <= PATH_STEPS_MAX { self.steps.last_mut() } else { None }
    }

    /// Whether this is the way of a dotted path. Paths of the field table have no indexes.
    fn is(&self, dotted: &str) -> bool {
        let is_step =
            |(step, part): (&Step<'_>, &str)| matches!(step, Step::Key(key) if *key == part);
        self.depth == dotted.split('.').count()
            && self.steps.iter().zip(dotted.split('.')).all(is_step)
    }

    fn text(&self) -> String {
        let steps = self.steps.iter().map(|step| match step {
            Step::Key(key) => key_shape(key),
            Step::Index(index) => Cow::Owned(index.to_string()),
        });
        steps.collect::<Vec<_>>().join(".")
    }
}

/// The text with every bare `NaN`, `Infinity` and `-Infinity` written as a number beyond every range; `None` if there is none.
///
/// Python's `json` writes these words, and RFC 8259 does not know them. The number lets a reader find the ends of an item.
/// [`without_impossible_numbers`] then makes `null` of it.
pub(crate) fn spelled_as_numbers(text: &str) -> Option<String> {
    replaced(text, |word, _| match word {
        "NaN" | "Infinity" => Some("1e999"),
        "-Infinity" => Some("-1e999"),
        _ => None,
    })
}

/// The text with `null` in place of every number that no reader can hold; `None` if there is none. `lost` gets the paths.
pub(crate) fn without_impossible_numbers(text: &str, lost: &mut Vec<String>) -> Option<String> {
    replaced(text, |word, path| {
        // A number by its grammar, and beyond what a reader holds.
        if serde_json::from_str::<Value>(word).is_ok()
            || serde_json::from_str::<Box<RawValue>>(word).is_err()
        {
            return None;
        }
        if lost.len() < PATHS_MAX {
            lost.push(path.text());
        }
        Some("null")
    })
}

/// The number at `path` as it was written; `None` if there is no bare word.
pub(crate) fn number_at(text: &str, path: &str) -> Option<String> {
    let mut found = None;
    replaced(text, |word, at| {
        if found.is_none() && at.is(path) {
            found = Some(word.to_owned());
        }
        None
    });
    found
}

/// The text with the words for which `swap` returns another; `None` if there are none.
fn replaced<'t>(
    text: &'t str,
    mut swap: impl FnMut(&'t str, &Path<'t>) -> Option<&'static str>,
) -> Option<String> {
    let (mut path, mut key) = (Path::default(), "");
    let (mut result, mut kept_until, mut at) = (String::new(), 0, 0);
    while let Some(&byte) = text.as_bytes().get(at) {
        let end = token_end(text.as_bytes(), at);
        let token = text.get(at..end)?;
        match byte {
            b'"' => key = token.trim_matches('"'),
            b':' => {
                if let Some(Step::Key(slot)) = path.top() {
                    *slot = key;
                }
            }
            b',' => {
                if let Some(Step::Index(index)) = path.top() {
                    *index += 1;
                }
            }
            b'{' => path.enter(Step::Key("")),
            b'[' => path.enter(Step::Index(0)),
            b'}' | b']' => path.leave(),
            _ if is_word(byte) => {
                if let Some(new) = swap(token, &path) {
                    result.push_str(text.get(kept_until..at)?);
                    result.push_str(new);
                    kept_until = end;
                }
            }
            _ => {}
        }
        at = end;
    }
    if kept_until == 0 {
        return None;
    }
    result.push_str(text.get(kept_until..)?);
    Some(result)
}

/// Where the string, the word or the single character at `at` ends.
fn token_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at + 1..).unwrap_or_default();
    match bytes.get(at) {
        Some(b'"') => {
            let mut is_escaped = false;
            let quote = rest.iter().position(|byte| {
                let ends = *byte == b'"' && !is_escaped;
                is_escaped = *byte == b'\\' && !is_escaped;
                ends
            });
            quote.map_or(bytes.len(), |quote| at + quote + 2)
        }
        Some(&byte) if is_word(byte) => {
            at + 1 + rest.iter().position(|byte| !is_word(*byte)).unwrap_or(rest.len())
        }
        _ => at + 1,
    }
}

/// Whether the byte belongs to a bare word. Bytes of other alphabets do, so that a token ends with a whole character.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.' | b'_' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_words_are_spelled_as_numbers() {
        assert_eq!(
            spelled_as_numbers(r#"{"NaN":[NaN,-Infinity, Infinity],"a":"NaN, \"NaN","b":null}"#)
                .as_deref(),
            Some(r#"{"NaN":[1e999,-1e999, 1e999],"a":"NaN, \"NaN","b":null}"#)
        );
        for text in [r#"{"a":"NaN"}"#, "[1,NaNa,nan]", "\"NaN", "é NaNé", "{\"a\\\\\":\"NaN\"}"] {
            assert_eq!(spelled_as_numbers(text), None, "{text}");
        }
    }

    #[test]
    fn an_impossible_number_becomes_null_and_its_path_is_told() {
        let mut lost = Vec::new();
        let text = r#"{"a":{"x":1,"b":[0,{"c":1e999}]},"d":-1e400,"e":1e30}"#;
        assert_eq!(
            without_impossible_numbers(text, &mut lost).as_deref(),
            Some(r#"{"a":{"x":1,"b":[0,{"c":null}]},"d":null,"e":1e30}"#)
        );
        assert_eq!(lost, ["a.b.1.c", "d"]);
    }

    #[test]
    fn the_digits_of_a_number_are_found_by_its_path() {
        let text =
            r#"{"a":[1,{"userId":2}],"context":{"userId":3},"userId":12345678901234567890123}"#;
        assert_eq!(number_at(text, "userId").as_deref(), Some("12345678901234567890123"));
        assert_eq!(number_at(text, "context.userId").as_deref(), Some("3"));
        assert_eq!(number_at(text, "b"), None);
    }

    #[test]
    fn a_path_has_a_bound_whatever_the_nesting() {
        let deep = format!("{}{}", "[".repeat(100_000), "NaN");
        assert!(spelled_as_numbers(&deep).is_some_and(|text| text.ends_with("[1e999")));
        assert_eq!(spelled_as_numbers("]]]}NaN").as_deref(), Some("]]]}1e999"));
    }
}
