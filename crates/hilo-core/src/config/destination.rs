//! `[[destination]]`: a place to which events are forwarded, with its purposes, its filter of events and its rules.
//!
//! Reads the fields that all destinations share. A destination's own settings stay a table, and the destination types them.

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

use super::reader::{Reader, Section};
use super::settings::Settings;
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
    pub settings: Settings,
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
        self.settings.read()
    }

    /// A setting that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.settings.text(name)
    }

    /// The names of the secrets in the settings: every `{ secret = "NAME" }`, at any depth.
    pub fn secret_names(&self) -> Vec<&str> {
        self.settings.secret_names()
    }

    /// A problem with one of the settings, or with the entry as a whole where `field` is empty.
    pub fn problem(&self, field: &str, code: ProblemCode, message: impl Into<String>) -> Problem {
        self.settings.problem(field, code, message)
    }
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
    let kind = reader.text(section, "type").unwrap_or_default();
    DestinationEntry {
        name,
        settings: Settings::of(reader, section, "destination", &kind, &COMMON),
        kind,
        purposes: reader.purposes(section, "purposes"),
        channel: reader
            .word(section, "channel", &OptInChannel::ALL.map(OptInChannel::name))
            .and_then(OptInChannel::from_name),
        events: filter(reader, section),
        map: map::read(reader, section),
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
