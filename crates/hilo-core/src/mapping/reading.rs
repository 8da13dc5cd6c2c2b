//! How one value is read out of a document.
//!
//! `(reading, document) → value`, nothing, or a value that does not fit. Cost and size are bounded by the document and by the limits here.

use std::ops::ControlFlow;

use serde_json::Value;

use super::cast::{Cast, text};
use super::path::Path;

/// How a value is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Where the value comes from.
    pub input: Input,
    /// What the value shall become.
    pub cast: Option<Cast>,
    /// Values in the place of others, by their text. Empty: none is replaced.
    pub table: Vec<(String, Value)>,
    /// The value where there is none, or none that fits.
    pub otherwise: Option<Value>,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The rule has it.
    Fixed(Value),
    /// The first path that leads to something.
    First(Vec<Path>),
    /// The texts of all paths that lead to something, with a text between them.
    Join(Vec<Path>, String),
    /// A list: of each node of the first path the value at the second, which begins at the node.
    Each(Path, Path, usize),
}

/// What came of a reading.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// A value.
    Value(Value),
    /// The document has nothing there.
    Missing,
    /// The document has a value there that cannot become what it shall, or that no line of the table has.
    Unfit,
}

impl Reading {
    /// Reads the value, of at most `bytes_max` bytes.
    pub fn read(&self, document: &Value, bytes_max: usize) -> Read {
        match (self.convert(document, bytes_max), &self.otherwise) {
            (Read::Missing | Read::Unfit, Some(value)) => Read::Value(value.clone()),
            (read, _) => read,
        }
    }

    fn convert(&self, document: &Value, bytes_max: usize) -> Read {
        match &self.input {
            Input::Fixed(value) => self.fitted(value, document, bytes_max),
            Input::First(paths) => match paths.iter().find_map(|path| path.first(document)) {
                Some(value) => self.fitted(value, document, bytes_max),
                None => Read::Missing,
            },
            Input::Join(paths, with) => match joined(paths, with, document) {
                Some(text) => self.fitted(&Value::String(text), document, bytes_max),
                None => Read::Missing,
            },
            Input::Each(list, path, max) => self.each(list, path, *max, document, bytes_max),
        }
    }

    /// The value after `as` and `table`.
    fn fitted(&self, value: &Value, document: &Value, bytes_max: usize) -> Read {
        if exceeds(value, bytes_max) {
            return Read::Unfit;
        }
        let cast = match &self.cast {
            Some(cast) => cast.apply(value, document),
            None => Some(value.clone()),
        };
        let value = match (cast, self.table.is_empty()) {
            (Some(value), false) => text(&value).and_then(|text| {
                self.table.iter().find(|(key, _)| *key == text).map(|(_, value)| value.clone())
            }),
            (cast, _) => cast,
        };
        value.map_or(Read::Unfit, Read::Value)
    }

    /// A list without the values that do not fit.
    fn each(
        &self,
        list: &Path,
        path: &Path,
        max: usize,
        document: &Value,
        bytes_max: usize,
    ) -> Read {
        let (mut values, mut left) = (Vec::new(), bytes_max);
        let _ = list.visit(document, &mut |node| {
            let found = path.first(node).map(|value| self.fitted(value, document, left));
            if let Some(Read::Value(value)) = found {
                left = left.saturating_sub(bytes(&value));
                values.push(value);
            }
            if values.len() < max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if values.is_empty() { Read::Missing } else { Read::Value(Value::Array(values)) }
    }
}

fn joined(paths: &[Path], with: &str, document: &Value) -> Option<String> {
    let mut joined: Option<String> = None;
    for path in paths {
        let found = path.first(document).and_then(text).filter(|text| !text.is_empty());
        match (found, &mut joined) {
            (Some(text), Some(joined)) => {
                joined.push_str(with);
                joined.push_str(&text);
            }
            (Some(text), None) => joined = Some(text),
            (None, _) => {}
        }
    }
    joined
}

/// Whether a value has more bytes than this. A value that is much larger is not measured to its end.
fn exceeds(value: &Value, bytes_max: usize) -> bool {
    let mut left = bytes_max;
    !takes(value, &mut left)
}

/// The bytes of a value.
pub(super) fn bytes(value: &Value) -> usize {
    let mut left = usize::MAX;
    let _ = takes(value, &mut left);
    usize::MAX - left
}

/// Takes the value's bytes, about as JSON has them, from `left`. `false` if they are too many.
fn takes(value: &Value, left: &mut usize) -> bool {
    let own = 2 + value.as_str().map_or(6, str::len);
    match left.checked_sub(own) {
        Some(rest) => *left = rest,
        None => return false,
    }
    let takes_key = |key: &str, left: &mut usize| match left.checked_sub(key.len() + 4) {
        Some(rest) => {
            *left = rest;
            true
        }
        None => false,
    };
    match value {
        Value::Array(list) => list.iter().all(|one| takes(one, left)),
        Value::Object(object) => {
            object.iter().all(|(key, one)| takes_key(key, left) && takes(one, left))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
