//! An event against the plan: which properties violate it, and what is taken away.
//!
//! Event and plan → violations, in the order of the properties' names. In the mode `strip` the properties that violate the plan are
//! gone afterwards. A missing property cannot be taken away, so it only flags.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use std::collections::BTreeMap;

use super::{Mode, Plan, PlannedEvent, PlannedKind, PlannedShape, Rule};
use crate::event::{Event, EventKind};
use crate::outcome::{Code, Rejection};

/// Violations of one event that are told. An event with more is no better known by the rest.
const VIOLATIONS_MAX: usize = 8;
/// How the names begin that hilo's own tracker, cart and ledger give to what they capture, and the names themselves.
const OWN: [&str; 12] = [
    "Cart Abandoned",
    "Cart Recovered",
    "Contact Clicked",
    "Content Shared",
    "File Downloaded",
    "Form ",
    "Lead Submitted",
    "Link Clicked",
    "Opt-In ",
    "Page Engaged",
    "Segment Consent Preference Updated",
    "Video ",
];

/// Checks an event. Returns its violations, and flags the event with the code of each.
pub fn check(event: &mut Event, plan: &Plan) -> Vec<Rejection> {
    let Some(kind) = kind_of(&event.kind) else { return Vec::new() };
    let label = event.kind.label().map(str::to_owned);
    let mut found = Found { is_stripping: plan.mode == Mode::Strip, ..Found::default() };
    match planned(plan, kind, label.as_deref()) {
        Some(planned) => {
            let place = match kind {
                PlannedKind::Track | PlannedKind::Page | PlannedKind::Screen => "properties",
                PlannedKind::Identify | PlannedKind::Group => "traits",
            };
            if let Some(details) = event.kind.details_mut() {
                found.object(details, &planned.properties, planned.only_planned, place);
            }
        }
        None if kind == PlannedKind::Track && plan.only_planned && !is_own(label.as_deref()) => {
            let message =
                "the tracking plan has no event of this name: add it to the plan, or mend the name";
            found.violations.push(Rejection::at(Code::PlanUnknownEvent, "event", message));
        }
        None => {}
    }
    for violation in &mut found.violations {
        event.context.hilo.flag(violation.code);
        if !plan.version.is_empty() {
            violation.message.push_str(&format!(" (plan {})", plan.version));
        }
    }
    found.violations
}

/// The plan's event of this kind and name. An entry without a name is for all of its kind that have no entry of their own.
fn planned<'p>(plan: &'p Plan, kind: PlannedKind, label: Option<&str>) -> Option<&'p PlannedEvent> {
    let of_kind = || plan.events.iter().filter(|planned| planned.kind == kind);
    let is_named = kind != PlannedKind::Identify && kind != PlannedKind::Group;
    let own = of_kind()
        .find(|planned| is_named && planned.name.is_some() && planned.name.as_deref() == label);
    own.or_else(|| of_kind().find(|planned| planned.name.is_none()))
}

const fn kind_of(kind: &EventKind) -> Option<PlannedKind> {
    match kind {
        EventKind::Track { .. } => Some(PlannedKind::Track),
        EventKind::Page { .. } => Some(PlannedKind::Page),
        EventKind::Screen { .. } => Some(PlannedKind::Screen),
        EventKind::Identify { .. } => Some(PlannedKind::Identify),
        EventKind::Group { .. } => Some(PlannedKind::Group),
        EventKind::Alias { .. } => None,
    }
}

fn is_own(label: Option<&str>) -> bool {
    let is_listed = |name: &str| {
        OWN.iter().any(|own| {
            if own.ends_with(' ') || own.ends_with('-') {
                name.starts_with(own)
            } else {
                name == *own
            }
        })
    };
    label.is_some_and(is_listed)
}

/// The violations so far.
#[derive(Default)]
struct Found {
    violations: Vec<Rejection>,
    is_stripping: bool,
}

impl Found {
    fn tell(&mut self, code: Code, path: &str, message: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(Rejection::at(code, path, message));
        }
    }

    /// Checks the properties of an object at a path.
    fn object(
        &mut self,
        object: &mut Map<String, Value>,
        rules: &BTreeMap<String, Rule>,
        only_planned: bool,
        path: &str,
    ) {
        for (name, rule) in rules {
            let path = format!("{path}.{name}");
            let is_right = match object.get_mut(name) {
                Some(value) if !is_blank(value, rule) => self.value(value, rule, &path),
                Some(_) | None => {
                    if rule.required {
                        let message = format!(
                            "the tracking plan requires this: send {}",
                            rule.shape.wanted()
                        );
                        self.tell(Code::PlanMissing, &path, message);
                    }
                    true
                }
            };
            if self.is_stripping && !is_right {
                object.remove(name);
            }
        }
        if only_planned {
            self.unplanned(object, rules, path);
        }
    }

    /// Finds what the rules do not name.
    fn unplanned(
        &mut self,
        object: &mut Map<String, Value>,
        rules: &BTreeMap<String, Rule>,
        path: &str,
    ) {
        let count = object.keys().filter(|name| !rules.contains_key(*name)).count();
        if count == 0 {
            return;
        }
        // The names are the sender's own text, and may be data.
        let message = format!(
            "the tracking plan does not have {count} of these properties: add what is missing, or leave it out"
        );
        self.tell(Code::PlanUnknownProperty, path, message);
        if self.is_stripping {
            object.retain(|name, _| rules.contains_key(name));
        }
    }

    /// Whether a value is right. Properties below it tell of themselves.
    fn value(&mut self, value: &mut Value, rule: &Rule, path: &str) -> bool {
        if !has_shape(value, rule.shape) {
            let message = format!("the tracking plan wants {} here", rule.shape.wanted());
            self.tell(Code::PlanType, path, message);
            return false;
        }
        let is_listed = |text: &str| rule.one_of.iter().any(|known| known == text);
        if !rule.one_of.is_empty() && !value.as_str().is_some_and(is_listed) {
            let message =
                format!("the tracking plan has only these values: {}", rule.one_of.join(", "));
            self.tell(Code::PlanEnum, path, message);
            return false;
        }
        if !is_inside(value, rule) {
            let message = format!("the tracking plan allows {} here", range(rule));
            self.tell(Code::PlanLimit, path, message);
            return false;
        }
        match value {
            Value::Object(object) if !rule.properties.is_empty() => {
                self.object(object, &rule.properties, false, path);
            }
            Value::Array(values) if !rule.properties.is_empty() => {
                for (place, value) in values.iter_mut().enumerate() {
                    let path = format!("{path}[{place}]");
                    match value {
                        Value::Object(object) => {
                            self.object(object, &rule.properties, false, &path)
                        }
                        Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::String(_)
                        | Value::Array(_) => {
                            let message = "the tracking plan wants an object here".to_owned();
                            self.tell(Code::PlanType, &path, message);
                        }
                    }
                }
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => {}
        }
        true
    }
}

/// Whether a value says nothing. Some libraries send `null` and empty texts for what they do not know.
fn is_blank(value: &Value, rule: &Rule) -> bool {
    value.is_null()
        || rule.shape != PlannedShape::Any
            && value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn has_shape(value: &Value, shape: PlannedShape) -> bool {
    match shape {
        PlannedShape::Text => value.is_string(),
        PlannedShape::Number => value.is_number(),
        PlannedShape::Integer => value.is_i64() || value.is_u64(),
        PlannedShape::Flag => value.is_boolean(),
        PlannedShape::Time => value.as_str().is_some_and(is_time),
        PlannedShape::Object => value.is_object(),
        PlannedShape::List => value.is_array(),
        PlannedShape::Any => true,
    }
}

fn is_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok()
        || text.len() == "2026-11-24".len() && text.parse::<Date>().is_ok()
}

/// Whether a number, or the length of a text or a list, is inside the rule's limits. The comparison stores no number.
fn is_inside(value: &Value, rule: &Rule) -> bool {
    let (least, most) = (rule.min.unwrap_or(i64::MIN), rule.max.unwrap_or(i64::MAX));
    let length =
        |count: usize| i64::try_from(count).is_ok_and(|count| (least..=most).contains(&count));
    match value {
        Value::String(text) => length(text.chars().count()),
        Value::Array(values) => length(values.len()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => (least..=most).contains(&whole),
            (None, Some(number)) => {
                let above = |limit: i64| number >= limit as f64;
                let below = |limit: i64| number <= limit as f64;
                rule.min.is_none_or(above) && rule.max.is_none_or(below)
            }
            (None, None) => true,
        },
        Value::Null | Value::Bool(_) | Value::Object(_) => true,
    }
}

fn range(rule: &Rule) -> String {
    let unit = match rule.shape {
        PlannedShape::Text | PlannedShape::Time => " letters",
        PlannedShape::List => " elements",
        PlannedShape::Number
        | PlannedShape::Integer
        | PlannedShape::Flag
        | PlannedShape::Object
        | PlannedShape::Any => "",
    };
    match (rule.min, rule.max) {
        (Some(min), Some(max)) => format!("{min} to {max}{unit}"),
        (Some(min), None) => format!("{min}{unit} or more"),
        (None, Some(max)) => format!("at most {max}{unit}"),
        (None, None) => "anything".to_owned(),
    }
}
