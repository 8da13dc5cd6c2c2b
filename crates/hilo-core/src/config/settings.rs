//! The settings of a destination or of a service that hilo reads: a table that only its own code types.
//!
//! Section → values with their places; later the values → the code's own type, or the first mistake with its line. Knows no
//! setting by name.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use toml::de::DeValue;

use super::nearest::{list, nearest, shown};
use super::reader::{Reader, Section, article};
use super::secret::{self, REMEDY};
use super::{Problem, ProblemCode};

/// Settings that are not typed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The table of `hilo.toml` that they stand in: `destination` or `source`.
    owner: &'static str,
    /// What has the settings, for people: `webhook`, `hubspot`.
    kind: String,
    values: toml::Table,
    /// The first line of the table.
    line: usize,
    /// Line and column of each setting, by dotted path.
    places: BTreeMap<String, (usize, usize)>,
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.values.serialize(serializer)
    }
}

impl Settings {
    /// A setting that is text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(toml::Value::as_str)
    }

    /// Reads every field of a section but the `common` ones.
    pub(super) fn of(
        reader: &Reader<'_>,
        section: &Section<'_>,
        owner: &'static str,
        kind: &str,
        common: &[&str],
    ) -> Settings {
        let line = reader.position(section.span.start).0;
        let mut settings = Settings {
            owner,
            kind: kind.to_owned(),
            values: toml::Table::new(),
            line,
            places: BTreeMap::new(),
        };
        for (key, value) in section.table {
            let key_text = key.get_ref().as_ref();
            if !common.contains(&key_text) {
                settings.places.insert(key_text.to_owned(), reader.position(key.span().start));
                let value = settings.value(reader, value.get_ref(), key_text);
                settings.values.insert(key_text.to_owned(), value);
            }
        }
        settings
    }

    /// The settings as their own type.
    ///
    /// # Errors
    /// The first setting that is wrong, with its line and the nearest right spelling.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        toml::Value::Table(self.values.clone()).try_into().map_err(|error| self.explain(&error))
    }

    /// The names of the secrets in the settings: every `{ secret = "NAME" }`, at any depth.
    pub fn secret_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut left: Vec<&toml::Value> = self.values.values().collect();
        while let Some(value) = left.pop() {
            if let Some(name) = value.get("secret").and_then(toml::Value::as_str) {
                names.push(name);
            } else if let Some(table) = value.as_table() {
                left.extend(table.values());
            } else if let Some(list) = value.as_array() {
                left.extend(list);
            }
        }
        names
    }

    /// A problem with one of the settings, or with the table as a whole where `field` is empty.
    pub fn problem(&self, field: &str, code: ProblemCode, message: impl Into<String>) -> Problem {
        let (line, column) = self.places.get(field).copied().unwrap_or((self.line, 1));
        let owner = self.owner;
        let field = if field.is_empty() { owner.to_owned() } else { format!("{owner}.{field}") };
        Problem { line, column, field, code, message: message.into() }
    }

    /// serde names fields in backquotes: "unknown field `ulr`, expected one of `url`, `secret`".
    fn explain(&self, error: &toml::de::Error) -> Problem {
        let said = error.message();
        let quoted: Vec<_> = said.split('`').skip(1).step_by(2).collect();
        let (field, others) =
            quoted.split_first().map_or(("", [].as_slice()), |(first, rest)| (*first, rest));
        if said.starts_with("unknown field") {
            let place = self.places.keys().find(|path| path.rsplit('.').next() == Some(field));
            let hint = nearest(field, others).map_or_else(
                || format!("there are {}", list(others)),
                |meant| format!("did you mean `{meant}`?"),
            );
            let told = shown(field, "with this name");
            let message = format!("a {} has no setting {told}: {hint}", self.kind);
            let field = if told.starts_with('`') { field } else { "…" };
            return self.problem(
                place.map_or(field, String::as_str),
                ProblemCode::UnknownField,
                message,
            );
        }
        if said.starts_with("missing field") {
            let message = format!("a {} needs the setting `{field}`", self.kind);
            return Problem {
                field: format!("{}.{field}", self.owner),
                ..self.problem("", ProblemCode::MissingField, message)
            };
        }
        // The error's text names the path of the wrong value, but only in its second line.
        let place = error.to_string();
        let place = place
            .lines()
            .find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'))
            .unwrap_or_default();
        self.problem(place, ProblemCode::WrongType, without_value(said, others))
    }

    /// A setting's value. The places of its fields are kept.
    fn value(&mut self, reader: &Reader<'_>, value: &DeValue<'_>, path: &str) -> toml::Value {
        match value {
            DeValue::String(text) => toml::Value::String(text.to_string()),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or_else(|_| toml::Value::String(number.to_string()), toml::Value::Integer),
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .map_or_else(|_| toml::Value::String(number.to_string()), toml::Value::Float),
            DeValue::Boolean(flag) => toml::Value::Boolean(*flag),
            DeValue::Datetime(at) => toml::Value::Datetime(*at),
            DeValue::Array(values) => toml::Value::Array(
                values.iter().map(|value| self.value(reader, value.get_ref(), path)).collect(),
            ),
            DeValue::Table(table) => {
                let mut settings = toml::Table::new();
                for (key, value) in table {
                    let path = format!("{path}.{}", key.get_ref());
                    self.places.insert(path.clone(), reader.position(key.span().start));
                    let named = value.get_ref().as_str().filter(|_| *key.get_ref() == "secret");
                    if let Some(message) = named.and_then(secret::fault) {
                        let field = format!("{}.{path}", self.owner);
                        reader.report(value.span(), &field, ProblemCode::BadValue, message);
                    }
                    let value = self.value(reader, value.get_ref(), &path);
                    settings.insert(key.get_ref().to_string(), value);
                }
                toml::Value::Table(settings)
            }
        }
    }
}

/// What serde said of a wrong value, without the value: it may be a secret in the wrong place.
fn without_value(said: &str, others: &[&str]) -> String {
    let wrong =
        said.strip_prefix("invalid type: ").or_else(|| said.strip_prefix("invalid value: "));
    if let Some((found, expected)) = wrong.and_then(|said| said.rsplit_once(", expected ")) {
        let kind = found.split(['"', '`']).next().unwrap_or_default().trim();
        let is_secret = kind == "string" && expected.contains("secret");
        return if is_secret {
            REMEDY.to_owned()
        } else {
            format!("write {expected} here, not {}", article(kind))
        };
    }
    if said.starts_with("unknown variant") {
        return format!("this word is not known here: there are {}", list(others));
    }
    said.to_owned()
}
