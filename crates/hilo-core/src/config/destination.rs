//! `[[destination]]`: a place to which events are forwarded, with its purposes, its filter of events and its rules.
//!
//! Reads the fields that all destinations share. A destination's own settings stay a table, and the destination types them.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};
use toml::de::DeValue;

use super::nearest::{list, nearest, shown};
use super::reader::{Reader, Section, article};
use super::secret::{self, REMEDY};
use super::{Problem, ProblemCode, map, source};
use crate::consent::{OptInChannel, Purpose};
use crate::event::Event;
use crate::mapping::Rule;

/// Fields that every destination has. All other fields are settings.
const COMMON: [&str; 6] = ["name", "type", "purposes", "channel", "events", "map"];
/// The types of event that a filter may name.
const TYPES: [&str; 6] = ["track", "page", "screen", "identify", "group", "alias"];

/// A place to which events are forwarded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DestinationEntry {
    /// The name. Outbox, reports and Segment's `integrations` use it.
    pub name: String,
    /// The service.
    #[serde(rename = "type")]
    pub kind: String,
    /// The purposes that it needs, all of them. Never empty.
    pub purposes: Vec<Purpose>,
    /// The channel by which it writes to people. It gets only events of people who have subscribed to this channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<OptInChannel>,
    /// The filter of events.
    pub events: EventFilter,
    /// The deployer's rules about what the destination gets. People see their number.
    #[serde(rename = "rules", serialize_with = "count", skip_serializing_if = "Vec::is_empty")]
    pub map: Vec<Rule>,
    /// The destination's own settings, not typed yet.
    pub settings: toml::Table,
    /// The first line of the entry.
    #[serde(skip)]
    pub line: usize,
    /// Line and column of each setting, by dotted path.
    #[serde(skip)]
    places: BTreeMap<String, (usize, usize)>,
}

fn count<S: Serializer>(rules: &[Rule], serializer: S) -> Result<S::Ok, S::Error> {
    rules.len().serialize(serializer)
}

/// The events that a destination wants: all events where the filter is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventFilter {
    /// Types; empty means all.
    pub types: Vec<String>,
    /// Names of acts, pages or groups; empty means all.
    pub names: Vec<String>,
    /// Names of events that the destination does not want.
    pub except: Vec<String>,
}

impl EventFilter {
    /// Whether the destination wants `event`.
    pub fn wants(&self, event: &Event) -> bool {
        let named = |names: &[String]| {
            event.kind.label().is_some_and(|label| names.iter().any(|name| name == label))
        };
        (self.types.is_empty() || self.types.iter().any(|name| name == event.kind.name()))
            && (self.names.is_empty() || named(&self.names))
            && !named(&self.except)
    }
}

impl DestinationEntry {
    /// The settings as the destination's own type.
    ///
    /// # Errors
    /// The first setting that is wrong, with its line and the nearest right spelling.
    pub fn read_settings<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        toml::Value::Table(self.settings.clone()).try_into().map_err(|error| self.explain(&error))
    }

    /// A setting that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.settings.get(name).and_then(toml::Value::as_str)
    }

    /// The names of the secrets in the settings: every `{ secret = "NAME" }`, at any depth.
    pub fn secret_names(&self) -> Vec<&str> {
        let mut names = Vec::new();
        let mut left: Vec<&toml::Value> = self.settings.values().collect();
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

    /// A problem with one of the settings, or with the entry as a whole where `field` is empty.
    pub fn problem(&self, field: &str, code: ProblemCode, message: impl Into<String>) -> Problem {
        let (line, column) = self.places.get(field).copied().unwrap_or((self.line, 1));
        let field = if field.is_empty() {
            "destination".to_owned()
        } else {
            format!("destination.{field}")
        };
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
                field: format!("destination.{field}"),
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

/// Reads every `[[destination]]`.
///
/// `asked` are the purposes that visitors are asked about. No visitor grants a purpose that is not among them.
pub(super) fn read_all(
    reader: &Reader<'_>,
    root: &Section<'_>,
    asked: &[Purpose],
) -> Vec<DestinationEntry> {
    let mut entries: Vec<DestinationEntry> = Vec::new();
    for section in reader.sections(root, "destination") {
        let taken: Vec<_> = entries.iter().map(|entry| entry.name.as_str()).collect();
        let entry = read(reader, &section, &taken);
        let unasked = entry.purposes.iter().find(|purpose| !asked.contains(purpose));
        if let (Some(purpose), Some(value)) = (unasked, section.value("purposes")) {
            let name = purpose.name();
            let message = format!(
                "visitors are not asked for `{name}`, so nothing would arrive: add it to [consent] purposes"
            );
            reader.report(
                value.span(),
                &section.path_of("purposes"),
                ProblemCode::BadValue,
                message,
            );
        }
        entries.push(entry);
    }
    entries
}

fn read(reader: &Reader<'_>, section: &Section<'_>, taken: &[&str]) -> DestinationEntry {
    let name = source::name(reader, section, taken);
    if !section.has("type") {
        reader.report_missing(
            section,
            "type",
            "say which service it is, such as type = \"webhook\"",
        );
    }
    if !section.has("purposes") {
        let message = "say what it needs consent for, such as purposes = [\"analytics\"]: without it nothing may be forwarded";
        reader.report_missing(section, "purposes", message);
    }
    let mut places = BTreeMap::new();
    let mut settings = toml::Table::new();
    for (key, value) in section.table {
        let key_text = key.get_ref().as_ref();
        if !COMMON.contains(&key_text) {
            places.insert(key_text.to_owned(), reader.position(key.span().start));
            settings.insert(
                key_text.to_owned(),
                setting(reader, value.get_ref(), key_text, &mut places),
            );
        }
    }
    DestinationEntry {
        name,
        kind: reader.text(section, "type").unwrap_or_default(),
        purposes: reader.purposes(section, "purposes"),
        channel: reader
            .word(section, "channel", &OptInChannel::ALL.map(OptInChannel::name))
            .and_then(OptInChannel::from_name),
        events: filter(reader, section),
        map: map::read(reader, section),
        settings,
        line: reader.position(section.span.start).0,
        places,
    }
}

fn filter(reader: &Reader<'_>, section: &Section<'_>) -> EventFilter {
    let Some(events) = reader.section(section, "events") else { return EventFilter::default() };
    reader.only(&events, &["types", "names", "except"]);
    EventFilter {
        types: reader.words(&events, "types", &TYPES).into_iter().map(str::to_owned).collect(),
        names: reader.texts(&events, "names"),
        except: reader.texts(&events, "except"),
    }
}

/// A setting's value. The places of its fields are added to `places`.
fn setting(
    reader: &Reader<'_>,
    value: &DeValue<'_>,
    path: &str,
    places: &mut BTreeMap<String, (usize, usize)>,
) -> toml::Value {
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
            values.iter().map(|value| setting(reader, value.get_ref(), path, places)).collect(),
        ),
        DeValue::Table(table) => {
            let mut settings = toml::Table::new();
            for (key, value) in table {
                let path = format!("{path}.{}", key.get_ref());
                places.insert(path.clone(), reader.position(key.span().start));
                let named = value.get_ref().as_str().filter(|_| *key.get_ref() == "secret");
                if let Some(message) = named.and_then(secret::fault) {
                    let field = format!("destination.{path}");
                    reader.report(value.span(), &field, ProblemCode::BadValue, message);
                }
                settings.insert(
                    key.get_ref().to_string(),
                    setting(reader, value.get_ref(), &path, places),
                );
            }
            toml::Value::Table(settings)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[expect(dead_code, reason = "only its reading is tested")]
        url: String,
        #[expect(dead_code, reason = "only its reading is tested")]
        secret: Secret,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Secret {
        #[expect(dead_code, reason = "only its reading is tested")]
        secret: String,
    }

    const HEAD: &str = "[project]\ncontroller = \"Shop\"\n\n[[source]]\nname = \"shop\"\nkind = \"browser\"\n\
        keys = [\"wk_shop\"]\norigins = [\"https://shop.example\"]\n\n[[destination]]\nname = \"hook\"\ntype = \"webhook\"\n\
        purposes = [\"analytics\"]\n";

    fn entry(settings: &str) -> DestinationEntry {
        parse(&format!("{HEAD}{settings}")).unwrap().destinations.remove(0)
    }

    fn check(settings: &str, expected: &str) {
        let problem = entry(settings).read_settings::<Settings>().unwrap_err();
        assert_eq!(problem.to_string(), expected);
    }

    #[test]
    fn a_wrong_setting_is_reported_with_its_line_and_field() {
        let secret = "secret = { secret = \"NAME\" }\n";
        assert!(
            entry(&format!("url = \"https://a.example\"\n{secret}"))
                .read_settings::<Settings>()
                .is_ok()
        );
        check(
            &format!("ulr = \"https://a.example\"\n{secret}"),
            "14:1: destination.ulr: a webhook has no setting `ulr`: did you mean `url`?",
        );
        check(
            "url = \"https://a.example\"\nsecret = { secrt = \"NAME\" }\n",
            "15:12: destination.secret.secrt: a webhook has no setting `secrt`: did you mean `secret`?",
        );
        check(secret, "10:1: destination.url: a webhook needs the setting `url`");
        check(
            &format!("url = 7\n{secret}"),
            "14:1: destination.url: write a string here, not an integer",
        );
    }

    #[test]
    fn a_secret_in_clear_is_never_repeated() {
        let value = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let entry = entry(&format!("url = \"https://a.example\"\nsecret = \"{value}\"\n"));
        let problem = entry.read_settings::<Settings>().unwrap_err().to_string();
        assert!(problem.starts_with("15:1: destination.secret: write"), "{problem}");
        assert!(!problem.contains("whsec_"), "{problem}");
        let named =
            format!("{HEAD}url = \"https://a.example\"\nsecret = {{ secret = \"{value}\" }}\n");
        let problem = parse(&named).unwrap_err().remove(0).to_string();
        assert!(
            problem.contains("destination.secret.secret: the secret itself must not"),
            "{problem}"
        );
        assert!(!problem.contains("whsec_"), "{problem}");
    }
}
