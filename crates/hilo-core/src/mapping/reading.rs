//! How one value is read out of a document.
//!
//! `(reading, document) → value`, nothing, or a value that does not fit. Cost and size are bounded by the document and by the limits here.

use std::ops::ControlFlow;

use serde_json::{Map, Value};

use super::cast::Cast;
use super::document::Document;
use super::path::Path;
use super::plain::text;

/// How a value is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Where the value comes from.
    pub input: Input,
    /// What is changed of its text before `as`.
    pub edits: Edits,
    /// What the value shall become.
    pub cast: Option<Cast>,
    /// Values in the place of others, by their text. Empty: none is replaced.
    pub table: Vec<(String, Value)>,
    /// The value where there is none, or none that fits.
    pub otherwise: Option<Value>,
}

/// Changes of a text before it becomes what it shall.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Texts that stand for nothing: `anonymous`. A `*` at the end stands for any rest: `client:*`.
    pub except: Vec<String>,
    /// Beginnings that are cut off: `whatsapp:`.
    pub strip: Vec<String>,
    /// What is put before the text: `+`.
    pub prefix: String,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The rule has it.
    Fixed(Value),
    /// The first path that leads to something.
    First(Vec<Path>),
    /// The texts of all paths that lead to something, with a text between them.
    Join(Vec<Path>, String),
    /// A list: of each node of the first path the value at the second, which begins at the node.
    Each(Path, Path, usize),
    /// A list of objects: of each node of the path these fields. Their paths begin at the node.
    Records(Path, Vec<(String, Reading)>, usize),
}

/// What came of a reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// A value.
    Value(Value),
    /// The document has nothing there.
    Missing,
    /// The document has a value there that cannot become what it shall, or that no line of the table has.
    Unfit,
}

impl Reading {
    /// Every path of the reading, and where its amounts find their currency. Lists are told by their own path.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = match &self.input {
            Input::Fixed(_) => Vec::new(),
            Input::First(paths) | Input::Join(paths, _) => paths.iter().collect(),
            Input::Each(list, ..) | Input::Records(list, ..) => vec![list],
        };
        paths.extend(self.cast.as_ref().and_then(Cast::currency_path));
        paths
    }

    /// Reads the value, of at most `bytes_max` bytes.
    pub fn read<'d>(&self, document: impl Into<Document<'d>>, bytes_max: usize) -> Read {
        match (self.convert(document.into(), bytes_max), &self.otherwise) {
            (Read::Missing | Read::Unfit, Some(value)) => Read::Value(value.clone()),
            (read, _) => read,
        }
    }

    fn convert(&self, document: Document<'_>, bytes_max: usize) -> Read {
        match &self.input {
            Input::Fixed(value) => self.fitted(value, document, bytes_max),
            Input::First(paths) => {
                let mut found = paths.iter().filter_map(|path| path.first(document));
                match found.find(|value| self.edits.keep(value)) {
                    Some(value) => self.fitted(value, document, bytes_max),
                    None => Read::Missing,
                }
            }
            Input::Join(paths, with) => match joined(paths, with, document) {
                Some(text) => self.fitted(&Value::String(text), document, bytes_max),
                None => Read::Missing,
            },
            Input::Each(list, path, max) => self.each(list, path, *max, document, bytes_max),
            Input::Records(list, fields, max) => records(list, fields, *max, document, bytes_max),
        }
    }

    /// The value after `as` and `table`.
    fn fitted(&self, value: &Value, document: Document<'_>, bytes_max: usize) -> Read {
        if exceeds(value, bytes_max) {
            return Read::Unfit;
        }
        let edited = self.edits.apply(value);
        let value = edited.as_ref().unwrap_or(value);
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
        document: Document<'_>,
        bytes_max: usize,
    ) -> Read {
        let (mut values, mut left) = (Vec::new(), bytes_max);
        let _ = list.visit(document, &mut |node| {
            let found = path.first(node).filter(|value| self.edits.keep(value));
            let found = found.map(|value| self.fitted(value, document, left));
            if let Some(Read::Value(value)) = found {
                left = left.saturating_sub(bytes(&value));
                values.push(value);
            }
            if values.len() < max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        if values.is_empty() { Read::Missing } else { Read::Value(Value::Array(values)) }
    }
}

impl Edits {
    /// Whether the value stands for something.
    fn keep(&self, value: &Value) -> bool {
        let is_meant = |text: &str, one: &str| match one.strip_suffix('*') {
            Some(begin) => text.starts_with(begin),
            None => text == one,
        };
        self.except.is_empty()
            || text(value).is_none_or(|text| !self.except.iter().any(|one| is_meant(&text, one)))
    }

    /// The changed text; `None` where nothing is changed.
    fn apply(&self, value: &Value) -> Option<Value> {
        if self.strip.is_empty() && self.prefix.is_empty() {
            return None;
        }
        let text = text(value)?;
        let begins = self.strip.iter().find_map(|begin| text.strip_prefix(begin.as_str()));
        Some(Value::String(format!("{}{}", self.prefix, begins.unwrap_or(&text))))
    }
}

/// A list of objects without the fields that do not fit, and without empty objects.
fn records(
    list: &Path,
    fields: &[(String, Reading)],
    max: usize,
    document: Document<'_>,
    bytes_max: usize,
) -> Read {
    let (mut records, mut left) = (Vec::new(), bytes_max);
    let _ = list.visit(document, &mut |here| {
        let mut record = Map::new();
        for (name, reading) in fields {
            if let Read::Value(value) = reading.read(Document { here, ..document }, left) {
                left = left.saturating_sub(name.len() + bytes(&value));
                record.insert(name.clone(), value);
            }
        }
        if !record.is_empty() {
            records.push(Value::Object(record));
        }
        if records.len() < max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    if records.is_empty() { Read::Missing } else { Read::Value(Value::Array(records)) }
}

fn joined(paths: &[Path], with: &str, document: Document<'_>) -> Option<String> {
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
