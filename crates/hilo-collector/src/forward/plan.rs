//! Planning: finds the destinations of an event.
//!
//! `(event, configured destinations) → plans`, before anything is stored. Consent is checked here and again before each
//! attempt.

use hilo_core::config::{self, Config, DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::{ConsentState, Decision, Purpose, decide};
use hilo_core::event::Event;

use super::destination::{Destination, Kind};
use super::destinations::CATALOGUE;
use crate::calls::Planned;

/// A configured destination with parsed settings. It is made once for a batch, because parsing costs more than planning
/// an event.
pub struct Configured<'c> {
    pub(super) entry: &'c DestinationEntry,
    pub(super) loaded: Result<Loaded, Problem>,
    /// The plan that is stored with an event for this destination. It contains all purposes that the destination needs.
    pub(super) planned: Planned,
}

/// A destination with parsed settings, and its kind.
pub struct Loaded {
    /// The kind.
    pub kind: Kind,
    /// The destination.
    pub destination: Box<dyn Destination>,
}

impl Loaded {
    /// Reads the settings of an entry.
    ///
    /// # Errors
    /// The problem of an unknown type or a wrong setting, with line, column and remedy.
    pub fn of(entry: &DestinationEntry) -> Result<Loaded, Problem> {
        let Some(kind) = CATALOGUE.iter().find(|kind| kind.name == entry.kind) else {
            let names: Vec<_> = CATALOGUE.iter().map(|kind| kind.name).collect();
            let message = format!("there is no such type; there is {}", names.join(", "));
            return Err(entry.problem("", ProblemCode::BadValue, message));
        };
        Ok(Loaded { kind: *kind, destination: (kind.load)(entry)? })
    }
}

/// Reads a `hilo.toml` with the settings of its destinations, as far as it can be read. Returns every problem beside it, in the order of
/// the lines.
pub fn examine(text: &str) -> (Config, Vec<Problem>) {
    let (config, mut found) = config::examine(text);
    if found.iter().all(|problem| problem.code != ProblemCode::Syntax) {
        for problem in problems(&config) {
            let is_known =
                |known: &Problem| (known.line, &known.field) == (problem.line, &problem.field);
            if !found.iter().any(is_known) {
                found.push(problem);
            }
        }
        found.sort_by_key(|problem| (problem.line, problem.column));
    }
    (config, found)
}

/// Every problem of the destinations' own settings, which the core does not know. It has reported entries without a type.
fn problems(config: &Config) -> Vec<Problem> {
    let typed = config.destinations.iter().filter(|entry| !entry.kind.is_empty());
    typed.filter_map(|entry| Loaded::of(entry).err()).collect()
}

/// The secrets that a destination names and that are not set, each with its destination.
pub fn missing_secrets<'c>(
    config: &'c Config,
    is_set: &dyn Fn(&str) -> bool,
) -> Vec<(&'c str, &'c str)> {
    let named = config.destinations.iter().flat_map(|entry| {
        entry.secret_names().into_iter().map(|secret| (entry.name.as_str(), secret))
    });
    named.filter(|(_, secret)| !is_set(secret)).collect()
}

impl Configured<'_> {
    /// Reads the settings of every entry.
    pub fn all(entries: &[DestinationEntry]) -> Vec<Configured<'_>> {
        entries.iter().map(Configured::of).collect()
    }

    pub(super) fn of(entry: &DestinationEntry) -> Configured<'_> {
        Configured::with(entry, Loaded::of(entry))
    }

    pub(super) fn with(
        entry: &DestinationEntry,
        loaded: Result<Loaded, Problem>,
    ) -> Configured<'_> {
        let kind = loaded.as_ref().ok().map(|loaded| loaded.kind);
        let planned = Planned {
            name: entry.name.clone(),
            purposes: all_purposes(&entry.purposes, kind.map_or(&[], |kind| kind.purposes)),
            channel: entry.channel,
            wants_person: kind.is_some_and(|kind| kind.limits.wants_person),
        };
        Configured { entry, loaded, planned }
    }

    /// Whether the event's own consent allows this destination. A destination that cannot be loaded gets nothing.
    pub(super) fn is_allowed(&self, event: &Event) -> bool {
        let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
        self.passes(&said)
    }

    fn passes(&self, said: &ConsentState) -> bool {
        self.loaded.is_ok()
            && !self.planned.purposes.is_empty()
            && decide(said, &self.planned.purposes) == Decision::Pass
    }

    /// Removes what this destination's purposes do not cover: ids of a device are kept for advertising alone.
    pub(super) fn narrow(&self, event: &mut Event) {
        if !self.planned.purposes.contains(&Purpose::Advertising) {
            event.context.remove_device_ids();
        }
    }
}

/// Joins all purposes that a delivery needs: those of `hilo.toml` and those of the kind.
fn all_purposes(declared: &[Purpose], own: &[Purpose]) -> Vec<Purpose> {
    let mut all = declared.to_vec();
    all.extend(own.iter().filter(|purpose| !declared.contains(purpose)));
    all
}

/// Finds the destinations of `event`: their filters match, the event's consent allows every purpose they need, and the
/// sender's `integrations` does not exclude them. A destination that Global Privacy Control denies is planned too where
/// the event claims a grant: the profile takes it out unless it has recorded such a choice.
pub fn plan<'p>(event: &Event, configured: &'p [Configured<'_>]) -> Vec<&'p Planned> {
    let claim = event.context.consent.as_ref();
    let said = claim.map(|claim| claim.state_if_lifted()).unwrap_or_default();
    let wanted = |one: &&Configured<'_>| {
        one.entry.events.wants(event) && is_integrated(event, &one.entry.name) && one.passes(&said)
    };
    configured.iter().filter(wanted).map(|one| &one.planned).collect()
}

/// Reads Segment's `integrations`: `{"All": false}` excludes every destination except those with `true` or with options.
fn is_integrated(event: &Event, name: &str) -> bool {
    let is_on = |value: &serde_json::Value| value.as_bool().unwrap_or(!value.is_null());
    let all = event.integrations.get("All").is_none_or(is_on);
    event.integrations.get(name).map_or(all, is_on)
}

#[cfg(test)]
mod tests {
    use hilo_core::config::parse;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_device(purposes: &str, expected: &serde_json::Value) {
        let config = parse(&format!(
            "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"browser\"\nkeys = [\"wk_shop\"]\n\
             origins = [\"https://shop.example\"]\n[[destination]]\nname = \"w\"\ntype = \"webhook\"\n\
             purposes = {purposes}\nurl = \"https://w.example\"\nsecret = {{ secret = \"W\" }}\n"
        ));
        let mut event: Event = serde_json::from_value(json!({
            "messageId": "m1", "type": "track", "event": "A",
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
            "context": {"device": {"id": "d1", "model": "p"}},
        }))
        .unwrap();
        Configured::all(&config.unwrap().destinations)[0].narrow(&mut event);
        assert_eq!(json!(event.context.device), *expected);
    }

    #[test]
    fn a_wrong_source_hides_no_problem_of_a_later_destination_and_none_is_told_twice() {
        let text = "[project]\ncontroller = \"Shop\"\n[[source]]\nname = \"shop\"\nkind = \"web\"\nkeys = [\"wk_shop\"]\n\
            [[destination]]\nname = \"w\"\ntype = \"webhook\"\npurposes = [\"analytics\"]\nulr = \"https://w.example\"\n\
            secret = { secret = \"in clear\" }\n[[destination]]\nname = \"x\"\npurposes = []\n";
        let told: Vec<_> =
            examine(text).1.iter().map(|problem| (problem.line, problem.field.clone())).collect();
        let expected = [
            (5, "source.kind"),
            (11, "destination.ulr"),
            (12, "destination.secret.secret"),
            (13, "destination.type"),
            (15, "destination.purposes"),
        ];
        assert_eq!(told, expected.map(|(line, field)| (line, field.to_owned())));
    }

    #[test]
    fn ids_of_a_device_reach_only_destinations_for_advertising() {
        check_device("[\"analytics\"]", &json!({"model": "p"}));
        check_device("[\"analytics\", \"advertising\"]", &json!({"id": "d1", "model": "p"}));
    }
}
