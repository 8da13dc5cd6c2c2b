//! The values of a rule's fields: TOML → [`Reading`].

use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::DeValue;

use super::super::reader::{Reader, Section};
use super::super::{ProblemCode, nearest};
use super::cast;
use super::name::name_fault;
use super::path::{fault, path};
use super::scope::Scope;
use crate::mapping::{EACH_MAX, Edits, FIELDS_MAX, Input, LIST_MAX, Path, Reading};

/// The fields of a value.
const VALUE: [&str; 17] = [
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
    "zone",
    "except",
    "strip",
    "prefix",
    "table",
    "else",
];
/// The fields that only the values of calls have.
const OF_CALL: [&str; 2] = ["fields", "required"];
/// Values of an `each` without `max`.
const EACH_DEFAULT: u32 = 100;

/// Reads a path or a table that says how a value is read.
pub(super) fn read(
    reader: &Reader<'_>,
    value: &Spanned<DeValue<'_>>,
    field: &str,
    scope: &Scope,
) -> Option<Reading> {
    if value.get_ref().as_str().is_some() {
        return Some(plain(Input::First(vec![path(reader, value, field, scope)?])));
    }
    let expected = "a path, \"$.event.properties.total\", or a fixed value, { value = … },";
    let section = reader.as_section(value, field.to_owned(), expected)?;
    let of_call = if scope.is_call { OF_CALL.as_slice() } else { &[] };
    reader.only(&section, &[VALUE.as_slice(), of_call].concat());
    let cast = cast::read(reader, &section, scope);
    let input = input(reader, &section, scope);
    let fixed = ["as", "table", "else", "except", "strip", "prefix"]
        .into_iter()
        .find(|name| section.has(name));
    if let (Some(Input::Fixed(_)), Some(name)) = (&input, fixed) {
        fault(reader, &section, name, "a fixed value stays as it is: write the value itself");
    }
    let reading = Reading {
        input: input?,
        edits: Edits {
            except: reader.texts(&section, "except"),
            strip: reader.texts(&section, "strip"),
            prefix: reader.text(&section, "prefix").unwrap_or_default(),
        },
        cast: cast?,
        table: table(reader, &section),
        otherwise: section
            .value("else")
            .and_then(|value| literal(reader, value, &section.path_of("else"))),
    };
    if let (Some(cast), Some(other), true) =
        (&reading.cast, &reading.otherwise, reading.table.is_empty())
        && !cast::has_form(cast, other)
    {
        fault(reader, &section, "else", "this is not what `as` makes of a value");
    }
    Some(reading)
}

/// A value as it is.
const fn plain(input: Input) -> Reading {
    let edits = Edits { except: Vec::new(), strip: Vec::new(), prefix: String::new() };
    Reading { input, edits, cast: None, table: Vec::new(), otherwise: None }
}

/// A fixed text, or what [`read`] reads where the text begins like a path.
pub(super) fn word(
    reader: &Reader<'_>,
    section: &Section<'_>,
    name: &str,
    scope: &Scope,
) -> Option<Reading> {
    let value = section.value(name)?;
    match value.get_ref().as_str() {
        Some(text) if !text.starts_with('$') => {
            reader.text(section, name).map(|text| plain(Input::Fixed(Value::String(text))))
        }
        Some(_) | None => read(reader, value, &section.path_of(name), scope),
    }
}

fn input(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<Input> {
    let inputs = ["value", "first", "join", "each", "path"];
    let mut present = inputs.into_iter().filter(|name| section.has(name));
    let (first, second) = (present.next(), present.next());
    let belongs = [("with", "join"), ("max", "each"), ("fields", "each")];
    for (part, whole) in belongs.into_iter().filter(|(part, _)| section.has(part)) {
        if first != Some(whole) {
            fault(reader, section, part, &format!("this belongs to `{whole}`, which is missing"));
        }
    }
    match (first, second) {
        (Some("each"), None) if section.has("fields") => records(reader, section, scope),
        (Some("each"), Some("path") | None) => each(reader, section, scope),
        (Some(_), Some(second)) => {
            let message =
                "a value comes from one place: `path`, `first`, `join`, `each` or `value`";
            fault(reader, section, second, message);
            None
        }
        (Some("value"), None) => {
            literal(reader, section.value("value")?, &section.path_of("value")).map(Input::Fixed)
        }
        (Some("first"), None) => paths(reader, section, "first", scope).map(Input::First),
        (Some("join"), None) => {
            let with = section.value("with").map(|value| value.get_ref().as_str());
            if with == Some(None) {
                fault(reader, section, "with", "write text in quotes here");
            }
            let with = with.flatten().unwrap_or(" ").to_owned();
            paths(reader, section, "join", scope).map(|paths| Input::Join(paths, with))
        }
        (Some(name), None) => {
            let path = path(reader, section.value(name)?, &section.path_of(name), scope)?;
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

fn each(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<Input> {
    let (list, max) = elements(reader, section, scope)?;
    let inner = match section.value("path") {
        Some(value) => path(reader, value, &section.path_of("path"), &Scope::default())?,
        None => Path::root(),
    };
    Some(Input::Each(list, inner, max))
}

/// The path of a list, and how many elements count.
fn elements(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<(Path, usize)> {
    let list = path(reader, section.value("each")?, &section.path_of("each"), scope)?;
    if list.is_single() {
        fault(reader, section, "each", "this path leads to one place: end it with `[*]`");
    }
    let most = u32::try_from(EACH_MAX).unwrap_or(u32::MAX);
    let max = reader.number(section, "max", 1..=most).unwrap_or(EACH_DEFAULT);
    Some((list, usize::try_from(max).unwrap_or(EACH_MAX)))
}

/// A list of objects. An object has no lists of objects itself, so that the cost stays bounded.
fn records(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<Input> {
    let (list, max) = elements(reader, section, scope)?;
    let fields = reader.section(section, "fields")?;
    if fields.table.is_empty() || fields.table.len() > FIELDS_MAX {
        fault(reader, section, "fields", &format!("name 1 to {FIELDS_MAX} fields"));
    }
    let mut read_fields = Vec::new();
    for (key, value) in fields.table.iter().take(FIELDS_MAX) {
        let (name, path) = (key.get_ref().as_ref(), fields.path_of(key.get_ref()));
        if let Some(why) = name_fault(name, &[]) {
            let message = format!("{} {why}", nearest::shown(name, "this name"));
            reader.report(key.span(), &fields.path, ProblemCode::BadValue, message);
        }
        let reading = read(reader, value, &path, scope)?;
        if matches!(reading.input, Input::Each(..) | Input::Records(..)) {
            reader.report(
                value.span(),
                &path,
                ProblemCode::BadValue,
                "a list in a list is not read",
            );
        }
        read_fields.push((name.to_owned(), reading));
    }
    Some(Input::Records(list, read_fields, max))
}

/// A list of paths.
pub(super) fn paths(
    reader: &Reader<'_>,
    section: &Section<'_>,
    name: &str,
    scope: &Scope,
) -> Option<Vec<Path>> {
    let field = section.path_of(name);
    let values = reader.list(section, name, "a list of paths");
    if values.is_empty() || values.len() > LIST_MAX {
        fault(reader, section, name, &format!("list 1 to {LIST_MAX} paths"));
        return None;
    }
    let paths: Vec<_> =
        values.iter().filter_map(|value| path(reader, value, &field, scope)).collect();
    (paths.len() == values.len()).then_some(paths)
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
