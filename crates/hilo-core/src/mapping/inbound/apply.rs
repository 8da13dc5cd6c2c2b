//! What the rules make of one body.
//!
//! `(rules, call) → a step for each thing that is told, left out or at fault`, in the order of rules and elements. The cost is bounded by
//! the rules times the body.

use std::ops::ControlFlow;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::cast::Cast;
use super::super::document::Document;
use super::super::path::Path;
use super::super::plain;
use super::super::reading::{Read, Reading, bytes};
use super::fault::MapFault;
use super::rule::{Call, Field, REPORT_BYTES_MAX, Rule, Rules, Tells, What};
use crate::event::fields::NAME_BYTES_MAX;
use crate::inbound::{Report, Told, Who};
use crate::outcome::Code;

/// Elements of one body that a rule is about.
pub const ELEMENTS_MAX: usize = 1_000;

/// One result of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The number of the rule, from 1; `None` where none matches.
    pub rule: Option<usize>,
    /// The number of the element, from 0.
    pub element: Option<usize>,
    /// What came of it.
    pub made: Made,
}

/// What came of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Made {
    /// A report.
    Report(Box<Report>),
    /// Nothing, because the rule says so.
    Nothing,
    /// A fault.
    Fault(MapFault),
}

/// The reports of a body, and its faults. Empty where rules leave it out on purpose.
pub fn map(rules: &Rules, call: Call<'_>) -> Vec<Result<Report, MapFault>> {
    let made = trace(rules, call).into_iter().map(|step| step.made);
    made.filter_map(|made| match made {
        Made::Report(report) => Some(Ok(*report)),
        Made::Fault(fault) => Some(Err(fault)),
        Made::Nothing => None,
    })
    .collect()
}

/// As [`map`], with the rule behind each result.
pub fn trace(rules: &Rules, call: Call<'_>) -> Vec<Step> {
    let (mut steps, mut unmatched) = (Vec::new(), Vec::new());
    let mut seen: Vec<Option<&Path>> = Vec::new();
    for rule in &rules.rules {
        let each = rule.each.as_ref();
        if seen.contains(&each) {
            continue;
        }
        seen.push(each);
        let (before, misses) = (steps.len(), unmatched.len());
        group(&rules.rules, each, call, &mut steps, &mut unmatched);
        // A list that no rule of the group knows may be another group's.
        if steps.len() == before {
            unmatched.truncate(misses);
        }
    }
    if steps.is_empty() {
        unmatched = vec![None];
    }
    steps.extend(unmatched.into_iter().map(|element| Step {
        rule: None,
        element,
        made: Made::Fault(MapFault {
            code: Code::NotMapped,
            rule: None,
            element,
            field: None,
            cast: None,
            is_report_lost: true,
        }),
    }));
    steps
}

/// The rules about the same elements.
fn group(
    rules: &[Rule],
    each: Option<&Path>,
    call: Call<'_>,
    steps: &mut Vec<Step>,
    unmatched: &mut Vec<Option<usize>>,
) {
    let mut judge = |here, element| {
        let document = Document { here, body: call.body, headers: call.headers };
        let mut is_matched = false;
        for rule in rules.iter().filter(|rule| rule.each.as_ref() == each) {
            if rule.when.hold(document) && apply(rule, element, document, steps) {
                is_matched = true;
                if rule.stops {
                    break;
                }
            }
        }
        if !is_matched {
            unmatched.push(element);
        }
    };
    let Some(path) = each else { return judge(call.body, None) };
    let mut count = 0;
    let document = Document { here: call.body, body: call.body, headers: call.headers };
    let end = path.visit(document, &mut |here| {
        if count == ELEMENTS_MAX {
            return ControlFlow::Break(());
        }
        judge(here, Some(count));
        count += 1;
        ControlFlow::Continue(())
    });
    if end.is_break() {
        unmatched.push(Some(count));
    }
}

/// Applies one rule. `false` if it does not match after all: its act has no name, or its opt-in no state.
fn apply(
    rule: &Rule,
    element: Option<usize>,
    document: Document<'_>,
    steps: &mut Vec<Step>,
) -> bool {
    let number = rule.number;
    let mut out = Out { number, element, document, faults: Vec::new(), left: REPORT_BYTES_MAX };
    let made = match &rule.tells {
        None => Made::Nothing,
        Some(tells) => match out.report(tells) {
            Some(report) => Made::Report(Box::new(report)),
            None => return false,
        },
    };
    // A report without a field that it requires is none; the fault says so.
    if !out.faults.iter().any(|fault| fault.is_report_lost) {
        steps.push(Step { rule: Some(number), element, made });
    }
    let fault = |fault| Step { rule: Some(number), element, made: Made::Fault(fault) };
    steps.extend(out.faults.into_iter().map(fault));
    true
}

/// What one rule reads of one element.
struct Out<'d> {
    number: usize,
    element: Option<usize>,
    document: Document<'d>,
    faults: Vec<MapFault>,
    left: usize,
}

impl Out<'_> {
    fn report(&mut self, tells: &Tells) -> Option<Report> {
        let told = match &tells.what {
            What::Act { name, properties } => Told::Act {
                event: self.text(name).filter(|name| name.len() <= NAME_BYTES_MAX)?,
                properties: self.fields(properties, "properties"),
            },
            What::Traits(traits) => Told::Traits(self.fields(traits, "traits")),
            What::OptIn { channel, state, text } => Told::OptIn {
                channel: self.text(channel)?,
                is_subscribed: match self.text(state)?.as_str() {
                    "subscribed" => true,
                    "unsubscribed" => false,
                    _ => return None,
                },
                text: text.as_ref().and_then(|text| self.text(text)),
            },
        };
        let mut context = Map::new();
        for (name, value) in self.fields(&tells.context, "context") {
            insert(&mut context, &name, value);
        }
        Some(Report {
            id: self.id(tells),
            told,
            occurred_at: tells.time.as_ref().and_then(|time| self.time(time)),
            who: self.who(&tells.who),
            context,
        })
    }

    fn text(&self, reading: &Reading) -> Option<String> {
        match reading.read(self.document, NAME_BYTES_MAX * 2) {
            Read::Value(value) => plain::text(&value).filter(|text| !text.is_empty()),
            Read::Missing | Read::Unfit => None,
        }
    }

    /// The parts of the id with `:` between them. Elements of one body whose id is the body's get their number too.
    fn id(&self, tells: &Tells) -> Option<String> {
        let parts: Option<Vec<_>> = tells.id.iter().map(|part| self.text(part)).collect();
        let mut parts = parts.filter(|parts| !parts.is_empty())?;
        let is_of_element = tells.id.iter().flat_map(Reading::paths).any(Path::is_here);
        if let Some(element) = self.element.filter(|_| !is_of_element) {
            parts.push(element.to_string());
        }
        Some(parts.join(":"))
    }

    fn time(&mut self, field: &Field) -> Option<Timestamp> {
        match self.field(field, "")? {
            Value::String(text) => text.parse().ok(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => None,
        }
    }

    fn who(&mut self, fields: &[Field]) -> Who {
        let mut who = Who::default();
        for (name, value) in self.fields(fields, "user") {
            let text = plain::text(&value).filter(|text| !text.is_empty());
            match name.as_str() {
                "user_id" => who.user_id = text,
                "anonymous_id" => who.anonymous_id = text,
                "email" => who.email = text,
                "phone" => who.phone = text,
                "order_id" => who.order_id = text,
                _ => who.loyalty_id = text,
            }
        }
        who
    }

    fn fields(&mut self, fields: &[Field], place: &str) -> Map<String, Value> {
        let mut read = Map::new();
        for field in fields {
            if let Some(value) = self.field(field, place) {
                self.left = self.left.saturating_sub(field.name.len() + bytes(&value));
                read.insert(field.name.clone(), value);
            }
        }
        read
    }

    /// The value of a field. What is at fault is noted.
    fn field(&mut self, field: &Field, place: &str) -> Option<Value> {
        let (code, cast) = match field.reading.read(self.document, self.left) {
            // An empty `else` stands for nothing.
            Read::Value(value) => return Some(value).filter(|value| value.as_str() != Some("")),
            Read::Missing if !field.is_required => return None,
            Read::Missing => (Code::MapMissingRequired, None),
            Read::Unfit => (Code::MapBadValue, field.reading.cast.as_ref().map(Cast::name)),
        };
        let dot = if place.is_empty() { "" } else { "." };
        self.faults.push(MapFault {
            code,
            rule: Some(self.number),
            element: self.element,
            field: Some(format!("{place}{dot}{}", field.name)),
            cast,
            is_report_lost: field.is_required,
        });
        None
    }
}

/// Puts a value at a name, or at the member of an object: `campaign.name`.
fn insert(context: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        None => drop(context.insert(name.to_owned(), value)),
        Some((object, member)) => {
            let object = context.entry(object).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(object) = object {
                object.insert(member.to_owned(), value);
            }
        }
    }
}
