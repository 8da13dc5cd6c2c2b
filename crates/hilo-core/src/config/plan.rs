//! `[plan]` and `[[plan.event]]`: the tracking plan.
//! Reads and checks the tables. `hilo_core::plan` compares events with it.

use std::collections::BTreeMap;

use toml::de::DeValue;

use super::ProblemCode;
use super::reader::{Reader, Section};
use crate::event::fields::NAME_BYTES_MAX;
use crate::plan::{
    Mode, PLAN_DEPTH_MAX, PLAN_EVENTS_MAX, PLAN_PROPERTIES_MAX, PLAN_VALUES_MAX, Plan,
    PlannedEvent, PlannedKind, PlannedShape, Rule,
};

/// Reads the plan; `None` where the file has none.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>) -> Option<Plan> {
    let section = reader.section(root, "plan")?;
    reader.only(&section, &["file", "mode", "version", "only_planned", "event"]);
    if let Some(file) = section.value("file") {
        let message = "`cargo xtask config check` and `push` put the events of this file here: a collector reads one file only";
        reader.report(file.span(), &section.path_of("file"), ProblemCode::BadValue, message);
    }
    let word = reader.word(&section, "mode", &Mode::WORDS);
    let events = reader.sections(&section, "event");
    if events.len() > PLAN_EVENTS_MAX {
        let message = format!("a plan has at most {PLAN_EVENTS_MAX} events");
        reader.report(section.span.clone(), "plan.event", ProblemCode::BadValue, message);
    }
    let mut plan = Plan {
        version: reader.text(&section, "version").unwrap_or_default(),
        mode: word.and_then(Mode::of).unwrap_or_default(),
        only_planned: reader.flag(&section, "only_planned").unwrap_or(true),
        events: Vec::new(),
    };
    for section in events.iter().take(PLAN_EVENTS_MAX) {
        let Some(event) = event(reader, section) else { continue };
        if plan.events.iter().any(|known| known.kind == event.kind && known.name == event.name) {
            let message = "the plan has this event already: one entry for each type and name";
            reader.report(section.span.clone(), "plan.event.name", ProblemCode::BadValue, message);
        }
        plan.events.push(event);
    }
    Some(plan)
}

fn event(reader: &Reader<'_>, section: &Section<'_>) -> Option<PlannedEvent> {
    let known = ["type", "name", "version", "description", "only_planned", "properties"];
    reader.only(section, &known);
    let word = reader.word(section, "type", &PlannedKind::WORDS);
    let kind = match word {
        Some(word) => PlannedKind::of(word)?,
        None if section.has("type") => return None,
        None => PlannedKind::Track,
    };
    let name = reader.text(section, "name");
    if name.is_none() && kind == PlannedKind::Track && !section.has("name") {
        reader.report_missing(section, "name", "name the event as `track` does");
        return None;
    }
    if name.as_ref().is_some_and(|name| name.len() > NAME_BYTES_MAX) {
        let message = format!("a name has at most {NAME_BYTES_MAX} bytes");
        reader.report(section.span.clone(), "plan.event.name", ProblemCode::BadValue, message);
    }
    Some(PlannedEvent {
        kind,
        name,
        version: reader.number(section, "version", 1..=9_999).unwrap_or(1),
        description: reader.text(section, "description"),
        only_planned: reader.flag(section, "only_planned").unwrap_or(false),
        properties: rules(reader, section, 1),
    })
}

/// `properties`: a table of rules by name.
fn rules(reader: &Reader<'_>, section: &Section<'_>, depth: usize) -> BTreeMap<String, Rule> {
    let mut rules = BTreeMap::new();
    let Some(properties) = reader.section(section, "properties") else { return rules };
    if depth > PLAN_DEPTH_MAX || properties.table.len() > PLAN_PROPERTIES_MAX {
        let message = format!(
            "an event has at most {PLAN_PROPERTIES_MAX} properties in one object, and objects stand at most {PLAN_DEPTH_MAX} deep"
        );
        let path = section.path_of("properties");
        reader.report(properties.span.clone(), &path, ProblemCode::BadValue, message);
        return rules;
    }
    for (name, value) in properties.table {
        let name = name.get_ref().as_ref();
        let path = properties.path_of(name);
        // `order_id = "text"` is short for `order_id = { type = "text" }`.
        let rule = if let DeValue::String(word) = value.get_ref() {
            match PlannedShape::of(word) {
                Some(shape) => Rule { shape, ..Rule::default() },
                None => {
                    let message =
                        format!("write one of these types: {}", PlannedShape::WORDS.join(", "));
                    reader.report(value.span(), &path, ProblemCode::BadValue, message);
                    continue;
                }
            }
        } else {
            let expected = "a type, or a table such as { type = \"text\", required = true },";
            let Some(section) = reader.as_section(value, path, expected) else { continue };
            rule(reader, &section, depth)
        };
        rules.insert(name.to_owned(), rule);
    }
    rules
}

fn rule(reader: &Reader<'_>, section: &Section<'_>, depth: usize) -> Rule {
    let known = ["type", "required", "enum", "min", "max", "description", "properties"];
    reader.only(section, &known);
    let word = reader.word(section, "type", &PlannedShape::WORDS);
    let one_of = reader.texts(section, "enum");
    let properties = rules(reader, section, depth + 1);
    let told = word.and_then(PlannedShape::of);
    let shape = told.unwrap_or(if properties.is_empty() {
        PlannedShape::Text
    } else {
        PlannedShape::Object
    });
    let fault = |field: &str, message: &str| {
        if let Some(value) = section.value(field) {
            let path = section.path_of(field);
            reader.report(value.span(), &path, ProblemCode::BadValue, message);
        }
    };
    if !matches!(shape, PlannedShape::Text) || one_of.len() > PLAN_VALUES_MAX {
        fault("enum", &format!("only text has listed values, at most {PLAN_VALUES_MAX}"));
    }
    if !matches!(shape, PlannedShape::Object | PlannedShape::List) {
        fault("properties", "only an object, or a list of objects, has properties");
    }
    let (min, max) = (whole(reader, section, "min"), whole(reader, section, "max"));
    if matches!(
        shape,
        PlannedShape::Flag | PlannedShape::Time | PlannedShape::Object | PlannedShape::Any
    ) {
        fault("min", "only text, numbers and lists have limits");
        fault("max", "only text, numbers and lists have limits");
    }
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        fault("min", "`min` is greater than `max`, so nothing would fit");
    }
    Rule {
        shape,
        required: reader.flag(section, "required").unwrap_or(false),
        one_of,
        min,
        max,
        description: reader.text(section, "description"),
        properties,
    }
}

/// A whole number with its sign.
fn whole(reader: &Reader<'_>, section: &Section<'_>, field: &str) -> Option<i64> {
    let value = section.value(field)?;
    let number = value
        .get_ref()
        .as_integer()
        .and_then(|integer| i64::from_str_radix(integer.as_str(), integer.radix()).ok());
    if number.is_none() {
        reader.wrong_type(value, &section.path_of(field), "a whole number");
    }
    number
}
