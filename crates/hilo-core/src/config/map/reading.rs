//! The values of a rule's fields: TOML → [`Reading`].

use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::super::ProblemCode;
use super::super::reader::{Reader, Section, Span};
use crate::mapping::{Cast, Clock, CurrencyOf, EACH_MAX, Input, LIST_MAX, Path, Reading, Unit};
use crate::money::Currency;
use crate::phone::Market;

/// The fields of a value.
const VALUE: [&str; 13] = [
    "path",
    "first",
    "join",
    "with",
    "value",
    "each",
    "max",
    "as",
    "unit",
    "currency",
    "default_country",
    "table",
    "else",
];
/// What a value may become.
const CASTS: [&str; 12] = [
    "text", "int", "bool", "decimal", "money", "time", "phone", "email", "lower", "digits", "url",
    "country",
];
/// Values of an `each` without `max`.
const EACH_DEFAULT: u32 = 100;

/// Reads a path or a table that says how a value is read.
pub(super) fn read(
    reader: &Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    field: &str,
) -> Option<Reading> {
    if value.get_ref().as_str().is_some() {
        let input = Input::First(vec![path(reader, value, field)?]);
        return Some(Reading { input, cast: None, table: Vec::new(), otherwise: None });
    }
    let expected = "a path, \"$.event.properties.total\", or a fixed value, { value = … },";
    let section = reader.as_section(value, field.to_owned(), expected)?;
    reader.only(&section, &VALUE);
    let cast = cast(reader, &section);
    let input = input(reader, &section);
    let fixed = ["as", "table", "else"].into_iter().find(|name| section.has(name));
    if let (Some(Input::Fixed(_)), Some(name)) = (&input, fixed) {
        fault(reader, &section, name, "a fixed value stays as it is: write the value itself");
    }
    let reading = Reading {
        input: input?,
        cast: cast?,
        table: table(reader, &section),
        otherwise: section
            .value("else")
            .and_then(|value| literal(reader, value, &section.path_of("else"))),
    };
    if let (Some(cast), Some(other), true) =
        (&reading.cast, &reading.otherwise, reading.table.is_empty())
        && !has_form(cast, other)
    {
        fault(reader, &section, "else", "this is not what `as` makes of a value");
    }
    Some(reading)
}

/// Whether a value looks like the result of a cast. A currency of the document is not known here, so any number is an amount.
fn has_form(cast: &Cast, value: &Value) -> bool {
    match cast {
        Cast::Money(..) => value.is_number(),
        Cast::Text => value.is_string(),
        Cast::Time(_) => Cast::Time(Clock::Iso).apply(value, &Value::Null).is_some(),
        Cast::Int
        | Cast::Bool
        | Cast::Decimal
        | Cast::Phone(_)
        | Cast::Email
        | Cast::Lower
        | Cast::Digits
        | Cast::Url
        | Cast::Country => cast.apply(value, &Value::Null).as_ref() == Some(value),
    }
}

fn fault(reader: &Reader<'_>, section: &Section<'_>, field: &str, message: &str) {
    let span = section.value(field).map_or(section.span.clone(), Spanned::span);
    reader.report(span, &section.path_of(field), ProblemCode::BadValue, message);
}

fn input(reader: &Reader<'_>, section: &Section<'_>) -> Option<Input> {
    let inputs = ["value", "first", "join", "each", "path"];
    let mut present = inputs.into_iter().filter(|name| section.has(name));
    let (first, second) = (present.next(), present.next());
    let belongs = [("with", "join"), ("max", "each")];
    for (part, whole) in belongs.into_iter().filter(|(part, _)| section.has(part)) {
        if first != Some(whole) {
            fault(reader, section, part, &format!("this belongs to `{whole}`, which is missing"));
        }
    }
    match (first, second) {
        (Some("each"), Some("path") | None) => each(reader, section),
        (Some(_), Some(second)) => {
            let message =
                "a value comes from one place: `path`, `first`, `join`, `each` or `value`";
            fault(reader, section, second, message);
            None
        }
        (Some("value"), None) => {
            literal(reader, section.value("value")?, &section.path_of("value")).map(Input::Fixed)
        }
        (Some("first"), None) => paths(reader, section, "first").map(Input::First),
        (Some("join"), None) => {
            let with = section.value("with").map(|value| value.get_ref().as_str());
            if with == Some(None) {
                fault(reader, section, "with", "write text in quotes here");
            }
            let with = with.flatten().unwrap_or(" ").to_owned();
            paths(reader, section, "join").map(|paths| Input::Join(paths, with))
        }
        (Some(name), None) => {
            let path = path(reader, section.value(name)?, &section.path_of(name))?;
            Some(Input::First(vec![path]))
        }
        (None, _) => {
            let message =
                "say where the value comes from: `path`, `first`, `join`, `each` or `value`";
            reader.report_missing(section, "path", message);
            None
        }
    }
}

fn each(reader: &Reader<'_>, section: &Section<'_>) -> Option<Input> {
    let list = path(reader, section.value("each")?, &section.path_of("each"))?;
    if list.is_single() {
        fault(reader, section, "each", "this path leads to one place: end it with `[*]`");
    }
    let inner = match section.value("path") {
        Some(value) => path(reader, value, &section.path_of("path"))?,
        None => Path::root(),
    };
    let most = u32::try_from(EACH_MAX).unwrap_or(u32::MAX);
    let max = reader.number(section, "max", 1..=most).unwrap_or(EACH_DEFAULT);
    Some(Input::Each(list, inner, usize::try_from(max).unwrap_or(EACH_MAX)))
}

/// A list of paths.
fn paths(reader: &Reader<'_>, section: &Section<'_>, name: &str) -> Option<Vec<Path>> {
    let field = section.path_of(name);
    let values = reader.list(section, name, "a list of paths");
    if values.is_empty() || values.len() > LIST_MAX {
        fault(reader, section, name, &format!("list 1 to {LIST_MAX} paths"));
        return None;
    }
    let paths: Vec<_> = values.iter().filter_map(|value| path(reader, value, &field)).collect();
    (paths.len() == values.len()).then_some(paths)
}

/// A path. A mistake is told with its own column.
pub(super) fn path(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>, field: &str) -> Option<Path> {
    let text = reader.as_text(value, field)?;
    match Path::parse(&text) {
        Ok(path) => Some(path),
        Err(unread) => {
            let place = place(reader, value.span(), &text, unread.at);
            reader.report(place, field, ProblemCode::BadValue, unread.message);
            None
        }
    }
}

/// The place of a byte of a text that stands in quotes. The text's own place if an escape hides it.
fn place(reader: &Reader<'_>, span: Span, text: &str, at: usize) -> Span {
    match reader.source(&span).find(text) {
        Some(begins) => span.start + begins + at..span.end,
        None => span,
    }
}

/// A plain value.
pub(super) fn literal(
    reader: &Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    field: &str,
) -> Option<Value> {
    let read = match value.get_ref() {
        DeValue::String(text) => Some(Value::from(text.as_ref())),
        DeValue::Boolean(flag) => Some(Value::Bool(*flag)),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).ok().map(Value::from)
        }
        DeValue::Float(number) => {
            number.as_str().parse().ok().and_then(Number::from_f64).map(Value::Number)
        }
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    };
    if read.is_none() {
        reader.wrong_type(value, field, "text in quotes, a number, true or false");
    }
    read
}

/// `as` with what belongs to it; `None` where it has a mistake.
fn cast(reader: &Reader<'_>, section: &Section<'_>) -> Option<Option<Cast>> {
    let name = if section.has("as") { Some(reader.word(section, "as", &CASTS)?) } else { None };
    let belongs: [(&str, &[&str]); 3] =
        [("unit", &["money", "time"]), ("currency", &["money"]), ("default_country", &["phone"])];
    for (part, casts) in belongs.into_iter().filter(|(part, _)| section.has(part)) {
        if !name.is_some_and(|name| casts.contains(&name)) {
            let message = format!("this belongs to as = \"{}\"", casts.join("\" or \""));
            fault(reader, section, part, &message);
        }
    }
    let Some(name) = name else { return Some(None) };
    let cast = match name {
        "text" => Cast::Text,
        "int" => Cast::Int,
        "bool" => Cast::Bool,
        "decimal" => Cast::Decimal,
        "money" => money(reader, section)?,
        "time" => Cast::Time(clock(reader, section)?),
        "phone" => Cast::Phone(market(reader, section)?),
        "email" => Cast::Email,
        "lower" => Cast::Lower,
        "digits" => Cast::Digits,
        "url" => Cast::Url,
        _ => Cast::Country,
    };
    Some(Some(cast))
}

fn money(reader: &Reader<'_>, section: &Section<'_>) -> Option<Cast> {
    for (field, message) in [
        ("unit", "say what the number counts: unit = \"major\" (euros) or \"minor\" (cents)"),
        (
            "currency",
            "say which money it is: a code, \"EUR\", or a path, \"$.event.properties.currency\"",
        ),
    ] {
        if !section.has(field) {
            reader.report_missing(section, field, message);
        }
    }
    let unit = reader.word(section, "unit", &["major", "minor"]).map(|unit| match unit {
        "minor" => Unit::Minor,
        _ => Unit::Major,
    });
    let currency = currency(reader, section);
    Some(Cast::Money(unit?, currency?))
}

fn currency(reader: &Reader<'_>, section: &Section<'_>) -> Option<CurrencyOf> {
    let field = section.path_of("currency");
    let (text, span) = reader.text_at(section, "currency")?;
    if text.starts_with('$') {
        return path(reader, section.value("currency")?, &field).map(CurrencyOf::At);
    }
    let currency = Currency::parse(&text);
    if currency.is_none() {
        let message = "write the currency as ISO 4217 does, such as \"EUR\", or a path";
        reader.report(span, &field, ProblemCode::BadValue, message);
    }
    currency.map(CurrencyOf::Fixed)
}

fn clock(reader: &Reader<'_>, section: &Section<'_>) -> Option<Clock> {
    if !section.has("unit") {
        return Some(Clock::Iso);
    }
    reader.word(section, "unit", &["iso", "s", "ms"]).map(|unit| match unit {
        "s" => Clock::Seconds,
        "ms" => Clock::Milliseconds,
        _ => Clock::Iso,
    })
}

fn market(reader: &Reader<'_>, section: &Section<'_>) -> Option<Option<&'static Market>> {
    if !section.has("default_country") {
        return Some(None);
    }
    let country = reader.text(section, "default_country")?;
    let market = Market::of(&country);
    if market.is_none() {
        let known: Vec<_> = Market::countries().collect();
        let message = format!("hilo knows the numbers of {}", known.join(", "));
        fault(reader, section, "default_country", &message);
    }
    market.map(Some)
}

fn table(reader: &Reader<'_>, section: &Section<'_>) -> Vec<(String, Value)> {
    let Some(table) = reader.section(section, "table") else { return Vec::new() };
    if table.table.is_empty() || table.table.len() > LIST_MAX {
        fault(reader, section, "table", &format!("list 1 to {LIST_MAX} values"));
    }
    let mut read = Vec::new();
    for (key, value) in table.table.iter().take(LIST_MAX) {
        if let Some(value) = literal(reader, value, &table.path) {
            read.push((key.get_ref().to_string(), value));
        }
    }
    read
}
