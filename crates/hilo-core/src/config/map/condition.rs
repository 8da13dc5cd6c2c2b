//! `when`, `also` and `any` of a rule: TOML → [`Conditions`].

use toml::Spanned;
use toml::de::DeValue;

use super::super::ProblemCode;
use super::super::nearest::list;
use super::super::reader::{Reader, Section};
use super::path::path;
use super::reading::literal;
use super::scope::Scope;
use crate::mapping::{Condition, Conditions, LIST_MAX, Side, Test};

/// What a condition compares by.
const TESTS: [&str; 12] = [
    "eq",
    "ne",
    "in",
    "exists",
    "absent",
    "gt",
    "ge",
    "lt",
    "le",
    "starts_with",
    "contains",
    "says",
];
const EXPECTED: &str = "a condition, { path = \"$.event.event\", eq = \"…\" },";

/// Reads the conditions of a rule.
pub(super) fn read(reader: &Reader<'_>, rule: &Section<'_>, scope: &Scope) -> Conditions {
    let mut conditions = Conditions::default();
    if let Some(value) = rule.value("when") {
        conditions.all.extend(condition(reader, value, &rule.path_of("when"), scope));
    }
    conditions.all.extend(several(reader, rule, "also", scope));
    conditions.any = several(reader, rule, "any", scope);
    conditions
}

fn several(reader: &Reader<'_>, rule: &Section<'_>, field: &str, scope: &Scope) -> Vec<Condition> {
    let path = rule.path_of(field);
    let values = reader.list(rule, field, "a list of conditions");
    if let Some(value) = values.get(LIST_MAX) {
        let message = format!("there are at most {LIST_MAX} conditions");
        reader.report(value.span(), &path, ProblemCode::BadValue, message);
    }
    values
        .iter()
        .take(LIST_MAX)
        .filter_map(|value| condition(reader, value, &path, scope))
        .collect()
}

fn condition(
    reader: &Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    field: &str,
    scope: &Scope,
) -> Option<Condition> {
    let section = reader.as_section(value, field.to_owned(), EXPECTED)?;
    let known: Vec<_> = std::iter::once("path").chain(TESTS).collect();
    reader.only(&section, &known);
    if !section.has("path") {
        let message = "say what is compared, such as path = \"$.event.properties.total\"";
        reader.report_missing(&section, "path", message);
    }
    let mut present = TESTS.into_iter().filter(|test| section.has(test));
    let (first, second) = (present.next(), present.next());
    match (first, second) {
        (Some(name), None) => {
            let path = path(reader, section.value("path")?, &section.path_of("path"), scope);
            let test = test(reader, &section, name);
            Some(Condition { path: path?, test: test? })
        }
        (None, _) => {
            // A word that is not known was told above, with its right spelling.
            if section.table.iter().all(|(key, _)| known.contains(&key.get_ref().as_ref())) {
                let message = format!("say how it is compared: {}", list(&TESTS));
                reader.report_missing(&section, "eq", &message);
            }
            None
        }
        (Some(_), Some(name)) => {
            let message = "a condition compares once: write a second condition in `also`";
            let place = section.value(name).map_or(section.span.clone(), Spanned::span);
            reader.report(place, &section.path_of(name), ProblemCode::BadValue, message);
            None
        }
    }
}

fn test(reader: &Reader<'_>, section: &Section<'_>, name: &str) -> Option<Test> {
    let field = section.path_of(name);
    let value = section.value(name)?;
    match name {
        "eq" => literal(reader, value, &field).map(Test::Equal),
        "ne" => literal(reader, value, &field).map(Test::Unequal),
        "in" => {
            let values = reader.list(section, name, "a list of values");
            if values.is_empty() || values.len() > LIST_MAX {
                let message = format!("list 1 to {LIST_MAX} values");
                reader.report(value.span(), &field, ProblemCode::BadValue, message);
            }
            let values = values.iter().take(LIST_MAX);
            Some(Test::In(values.filter_map(|one| literal(reader, one, &field)).collect()))
        }
        "exists" => presence(reader, section, name, Test::Exists, Test::Absent),
        "absent" => presence(reader, section, name, Test::Absent, Test::Exists),
        "starts_with" => reader.text(section, name).map(Test::StartsWith),
        "contains" => reader.text(section, name).map(Test::Contains),
        "says" => {
            let words = reader.texts(section, name);
            if words.is_empty() || words.len() > LIST_MAX {
                let message = format!("list 1 to {LIST_MAX} words");
                reader.report(value.span(), &field, ProblemCode::BadValue, message);
            }
            Some(Test::Says(words.iter().map(|word| word.to_lowercase()).collect()))
        }
        side => {
            let side = match side {
                "gt" => Side::Above,
                "ge" => Side::AtLeast,
                "lt" => Side::Below,
                _ => Side::AtMost,
            };
            match literal(reader, value, &field)? {
                serde_json::Value::Number(number) => Some(Test::Is(side, number)),
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::String(_)
                | serde_json::Value::Array(_)
                | serde_json::Value::Object(_) => {
                    reader.wrong_type(value, &field, "a number");
                    None
                }
            }
        }
    }
}

fn presence(
    reader: &Reader<'_>,
    section: &Section<'_>,
    name: &str,
    yes: Test,
    no: Test,
) -> Option<Test> {
    reader.flag(section, name).map(|flag| if flag { yes } else { no })
}
