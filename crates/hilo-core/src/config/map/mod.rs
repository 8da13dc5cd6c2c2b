//! `[[destination.map]]`: the deployer's rules about what a destination gets. `inbound` reads those about what other systems send.
//!
//! TOML → [`Rule`]s, compiled; every mistake with its place. What a rule does stands in `mapping`, its form in
//! `crates/hilo-collector/docs/mapping.md` and `inbound.md`.

mod cast;
mod condition;
mod inbound;
mod name;
mod path;
mod reading;
mod scope;

pub(super) use cast::{named_market, named_zone};
pub(super) use inbound::read as read_inbound;
use name::name_fault;
pub(super) use scope::{Orders, Scope};

use super::reader::{Reader, Section};
use super::{ProblemCode, nearest};
use crate::mapping::{FIELDS_MAX, RULES_MAX, Reading, Rule};

/// The fields of a rule.
const RULE: [&str; 7] = ["when", "also", "any", "drop", "event", "fields", "stop"];
/// Reads the rules of a destination.
pub(super) fn read(reader: &Reader<'_>, destination: &Section<'_>) -> Vec<Rule> {
    let sections = reader.sections(destination, "map");
    if let Some(section) = sections.get(RULES_MAX) {
        let message = format!("a destination has at most {RULES_MAX} rules");
        reader.report(section.span.clone(), &section.path, ProblemCode::BadValue, message);
    }
    let mut rules: Vec<Rule> = Vec::new();
    for section in sections.iter().take(RULES_MAX) {
        let rule = rule(reader, section);
        let earlier = rules.iter().position(|earlier| {
            let ends = earlier.stops || earlier.drops;
            ends && earlier.when.cover(&rule.when)
        });
        if let Some(at) = earlier.filter(|_| reader.is_clean()) {
            let message = format!(
                "nothing reaches this rule: rule {} before it matches whatever this rule matches. Put this rule first, or write stop = false there",
                at + 1
            );
            reader.report(section.span.clone(), &section.path, ProblemCode::BadValue, message);
        }
        rules.push(rule);
    }
    rules
}

fn rule(reader: &Reader<'_>, section: &Section<'_>) -> Rule {
    reader.only(section, &RULE);
    let rule = Rule {
        when: condition::read(reader, section, &Scope::default()),
        drops: reader.flag(section, "drop").unwrap_or(false),
        name: reader.text(section, "event"),
        fields: fields(reader, section),
        stops: reader.flag(section, "stop").unwrap_or(true),
    };
    let writes = ["event", "fields"].into_iter().find(|field| section.has(field));
    if let Some(value) = writes.and_then(|field| section.value(field)).filter(|_| rule.drops) {
        let message =
            "an event that is dropped gets neither name nor fields: remove `drop`, or remove this";
        reader.report(value.span(), &section.path_of("drop"), ProblemCode::BadValue, message);
    }
    let is_known = section.table.iter().all(|(key, _)| RULE.contains(&key.get_ref().as_ref()));
    if !rule.drops && writes.is_none() && is_known {
        let message = "say what the rule does: drop = true, a name (event), or fields";
        reader.report_missing(section, "fields", message);
    }
    rule
}

fn fields(reader: &Reader<'_>, section: &Section<'_>) -> Vec<(String, Reading)> {
    let Some(fields) = reader.section(section, "fields") else { return Vec::new() };
    if fields.table.len() > FIELDS_MAX {
        let message = format!("a rule has at most {FIELDS_MAX} fields");
        reader.report(fields.span.clone(), &fields.path, ProblemCode::BadValue, message);
    }
    let mut read = Vec::new();
    for (key, value) in fields.table.iter().take(FIELDS_MAX) {
        let name = key.get_ref().as_ref();
        let shown = nearest::shown(name, "this name");
        let path = fields.path_of(if shown.starts_with('`') { name } else { "…" });
        if let Some(why) = name_fault(name, &[]) {
            reader.report(key.span(), &path, ProblemCode::BadValue, format!("{shown} {why}"));
        }
        if let Some(reading) = reading::read(reader, value, &path, &Scope::default()) {
            read.push((name.to_owned(), reading));
        }
    }
    read
}
