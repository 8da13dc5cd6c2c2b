//! Warnings about what fits a developer's machine only, and about sources whose events would be refused.
//!
//! Text of `hilo.toml` → warnings with their places. A warning stops nothing: the file may be meant for that machine, and the events
//! may say themselves what the person chose.

use toml::Spanned;
use toml::de::DeValue;
use url::Url;

use super::reader::{Reader, Section};
use super::{Origin, Problem, ProblemCode};

/// The write key of hilo's own examples.
const EXAMPLE_KEY: &str = "wk_shop";

const ONLY_DEV: &str = "this counts with HILO_DEV=1 only: ";

/// Every warning about the file, in the order of the lines. A file that is no TOML has none.
pub fn warnings(text: &str) -> Vec<Problem> {
    let reader = Reader::new(text);
    let root = reader.parse();
    if !reader.is_clean() {
        return Vec::new();
    }
    let root = Section::root(root.get_ref());
    let search = Search(&reader);
    if let Some(project) = reader.section(&root, "project") {
        search.environment(&project);
    }
    for source in reader.sections(&root, "source") {
        search.source(&source);
        search.basis(&source);
    }
    if let Some(identity) = reader.section(&root, "identity") {
        reader.sections(&identity, "key").iter().for_each(|key| search.token_key(key));
    }
    for destination in reader.sections(&root, "destination") {
        for (name, value) in destination.table {
            search.address(value, &destination.path_of(name.get_ref()));
        }
    }
    let mut found = reader.into_problems();
    found.retain(|one| matches!(one.code, ProblemCode::Development | ProblemCode::Advice));
    found
}

struct Search<'r, 't>(&'r Reader<'t>);

impl Search<'_, '_> {
    fn warn(&self, value: &Spanned<DeValue<'_>>, field: &str, message: &str) {
        self.0.report(value.span(), field, ProblemCode::Development, message);
    }

    fn environment(&self, project: &Section<'_>) {
        let value = project.value("environment");
        if let Some(value) = value.filter(|value| value.get_ref().as_str() == Some("development")) {
            let message = "this is the file of a developer's machine: name your deployment, such as \"production\"";
            self.warn(value, &project.path_of("environment"), message);
        }
    }

    fn source(&self, source: &Section<'_>) {
        let field = source.path_of("keys");
        let list = |field| source.value(field).and_then(|value| value.get_ref().as_array());
        for value in list("keys").into_iter().flatten() {
            let entry = |name: &str| value.get_ref().as_table()?.get(name);
            let (key, state) = (entry("key").unwrap_or(value), entry("state"));
            let has_state =
                |name| state.is_some_and(|state| state.get_ref().as_str() == Some(name));
            if key.get_ref().as_str() == Some(EXAMPLE_KEY) && !has_state("revoked") {
                let message = "everybody knows this key from hilo's examples: write your own";
                self.warn(key, &field, message);
            }
            if has_state("development") {
                let message = format!("{ONLY_DEV}add a key of your own without this state");
                self.warn(state.unwrap_or(value), &field, &message);
            }
        }
        // The pages of an app's web view have this machine's own origins in a deployment too.
        let kind = source.value("kind").and_then(|value| value.get_ref().as_str());
        let origins = list("origins").filter(|_| kind != Some("app"));
        for value in origins.into_iter().flatten() {
            let origin = value.get_ref().as_str().and_then(Origin::parse);
            if origin.is_some_and(|origin| origin.is_loopback() && origin.is_web()) {
                let message = format!("{ONLY_DEV}list the origins of your site");
                self.warn(value, &source.path_of("origins"), &message);
            }
        }
    }

    /// Warns where a server's events would be refused, because servers rarely say what a person chose.
    fn basis(&self, source: &Section<'_>) {
        let kind = source.value("kind").and_then(|kind| kind.get_ref().as_str());
        if matches!(kind, Some("server" | "webhook")) && !source.has("consent_basis") {
            let message = "events that say nothing of consent are refused (no_consent), as no ground is implied: say what they rest on, such as consent_basis = { basis = \"contract\", purposes = [\"analytics\"] }";
            let field = source.path_of("consent_basis");
            self.0.report(source.span.clone(), &field, ProblemCode::Advice, message);
        }
    }

    fn token_key(&self, key: &Section<'_>) {
        let value = key.value("development");
        if let Some(value) = value.filter(|value| value.get_ref().as_bool() == Some(true)) {
            let message = format!("{ONLY_DEV}add the key that your own backend signs with");
            self.warn(value, &key.path_of("development"), &message);
        }
    }

    /// Warns of addresses of this machine, at any depth.
    fn address(&self, value: &Spanned<DeValue<'_>>, field: &str) {
        match value.get_ref() {
            DeValue::String(text) => {
                let origin = Url::parse(text).map(|url| url.origin().ascii_serialization());
                let origin = origin.ok().and_then(|origin| Origin::parse(&origin));
                if origin.is_some_and(|origin| origin.is_loopback()) {
                    let message = format!("{ONLY_DEV}write an address that the internet has");
                    self.warn(value, field, &message);
                }
            }
            DeValue::Array(values) => values.iter().for_each(|value| self.address(value, field)),
            DeValue::Table(table) => {
                for (name, value) in table {
                    self.address(value, &format!("{field}.{}", name.get_ref()));
                }
            }
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_) => {}
        }
    }
}
