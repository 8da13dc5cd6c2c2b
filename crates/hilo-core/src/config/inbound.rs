//! What the calls of a webhook source mean: its rules, its own or those of a preset, and what they need to know of the source.
//!
//! TOML → [`Inbound`]. Verifies no call. A preset's text is read here as if it stood in the file.

use serde::{Serialize, Serializer};

use super::map::{Orders, Scope, named_market, named_zone, read_inbound};
use super::nearest::hint;
use super::reader::{Reader, Section};
use super::{Problem, ProblemCode};
use crate::inbound::presets;
use crate::mapping::inbound::Rules;
use crate::money::Currency;

/// The fields of a source that this module reads.
pub(super) const FIELDS: [&str; 6] =
    ["map", "json_field", "timezone", "default_country", "currency", "orders"];

/// What the calls of a source mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Inbound {
    /// The preset whose rules count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// The rules.
    #[serde(serialize_with = "count")]
    pub rules: Rules,
    /// What the orders of the source count for: `primary`, `confirm` or `ignore`.
    pub orders: &'static str,
}

fn count<S: Serializer>(rules: &Rules, serializer: S) -> Result<S::Ok, S::Error> {
    rules.rules.len().serialize(serializer)
}

/// Reads the rules of a source. Other kinds than webhooks must not have them.
pub(super) fn read(
    reader: &Reader<'_>,
    section: &Section<'_>,
    is_webhook: bool,
) -> Option<Inbound> {
    if !is_webhook {
        reader.refuse(section, &FIELDS, "only a source of kind = \"webhook\" has this");
        return None;
    }
    let scope = scope(reader, section);
    let word = |field: &str| section.value(field)?.get_ref().as_str();
    match word("map").or_else(|| word("verify").filter(|_| !section.has("map"))) {
        Some(name) => preset(reader, section, name, scope),
        None if section.has("map") => {
            let rules = Rules {
                rules: read_inbound(reader, section, &scope),
                json_field: reader.text(section, "json_field"),
            };
            Some(Inbound { preset: None, rules, orders: scope.orders.unwrap_or_default().word() })
        }
        None => None,
    }
}

/// What the source says for all of its rules.
fn scope(reader: &Reader<'_>, section: &Section<'_>) -> Scope {
    let currency = reader.text_at(section, "currency").and_then(|(text, span)| {
        let currency = Currency::parse(&text);
        if currency.is_none() {
            let message = "write the currency as ISO 4217 does, such as \"EUR\"";
            reader.report(span, &section.path_of("currency"), ProblemCode::BadValue, message);
        }
        currency
    });
    Scope {
        is_call: true,
        zone: named_zone(reader, section, "timezone"),
        market: named_market(reader, section),
        currency,
        orders: reader.word(section, "orders", &Orders::WORDS).map(Orders::of),
    }
}

/// The rules of a preset. What they miss is told at the place that names the preset.
fn preset(reader: &Reader<'_>, section: &Section<'_>, name: &str, scope: Scope) -> Option<Inbound> {
    let field = if section.has("map") { "map" } else { "verify" };
    let report = |message: String| {
        let span = section.value(field).map_or(section.span.clone(), toml::Spanned::span);
        reader.report(span, &section.path_of(field), ProblemCode::BadValue, message);
    };
    let Some(text) = presets::text(name) else {
        let names: Vec<_> = presets::ALL.iter().map(|(name, _)| *name).collect();
        // `verify` may name a scheme that no preset has.
        if field == "map" {
            report(format!("there is no preset with this name: {}", hint(name, &names)));
        }
        return None;
    };
    if section.has("json_field") {
        let message = "the preset has its own: remove this, or write rules of your own";
        let span = section.value("json_field").map_or(section.span.clone(), toml::Spanned::span);
        reader.report(span, &section.path_of("json_field"), ProblemCode::BadValue, message);
    }
    let inner = Reader::new(text);
    let (rules, orders) = rules_of(&inner, scope);
    if rules.rules.is_empty() && inner.is_clean() {
        report(format!("the preset {name} has no rules: write [[source.map]]"));
    }
    let mut told: Vec<String> = Vec::new();
    for problem in inner.into_problems() {
        if !told.contains(&problem.message) {
            report(format!("for the preset {name}, {}: {}", problem.field, problem.message));
            told.push(problem.message);
        }
    }
    Some(Inbound { preset: Some(name.to_owned()), rules, orders: orders.word() })
}

/// The rules of the preset `name` as a source without any settings of its own has them; `None` if there is no such preset.
///
/// # Errors
/// What the preset needs of its source.
pub fn preset_rules(name: &str) -> Result<Option<Rules>, Vec<Problem>> {
    let Some(text) = presets::text(name) else { return Ok(None) };
    let reader = Reader::new(text);
    let scope = Scope { is_call: true, ..Scope::default() };
    let rules = rules_of(&reader, scope).0;
    let problems = reader.into_problems();
    if problems.is_empty() { Ok(Some(rules)) } else { Err(problems) }
}

/// The rules of the preset `name` where its orders count as the word `orders` says. `None` if there is no such preset or no such word, or the
/// preset needs more of its source.
pub fn preset_rules_for(name: &str, orders: &str) -> Option<Rules> {
    let reader = Reader::new(presets::text(name)?);
    let orders = Orders::WORDS.contains(&orders).then(|| Orders::of(orders))?;
    let scope = Scope { is_call: true, orders: Some(orders), ..Scope::default() };
    let rules = rules_of(&reader, scope).0;
    reader.is_clean().then_some(rules)
}

/// The rules of a preset's file, and what its orders count for.
fn rules_of(reader: &Reader<'_>, mut scope: Scope) -> (Rules, Orders) {
    let root = reader.parse();
    let root = Section::root(root.get_ref());
    if let Some(orders) = reader.word(&root, "orders", &Orders::WORDS) {
        scope.orders.get_or_insert(Orders::of(orders));
    }
    let orders = *scope.orders.get_or_insert(Orders::Primary);
    let rules = read_inbound(reader, &root, &scope);
    (Rules { rules, json_field: reader.text(&root, "json_field") }, orders)
}
