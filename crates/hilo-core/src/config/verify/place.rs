//! Places in a call: `{ header = "x-signature", format = "kv", key = "v1" }`, `{ query = "token" }`, `{ body = "data.id" }`.

use toml::Spanned;
use toml::de::DeValue;

use crate::config::ProblemCode;
use crate::config::reader::{Reader, Section};
use crate::inbound::verify::{Fixed, Form, Place, Spot};

/// The formats without a text of their own.
const FORMATS: &str = "plain, prefix:…, kv, list, bearer or basic";

/// Reads a place.
pub(super) fn read(reader: &Reader<'_>, section: &Section<'_>, field: &str) -> Option<Place> {
    with(reader, section.value(field)?, section.path_of(field), &[]).map(|(place, _)| place)
}

/// Reads a place that must be there.
pub(super) fn required(
    reader: &Reader<'_>,
    section: &Section<'_>,
    field: &str,
    message: &str,
) -> Option<Place> {
    if !section.has(field) {
        reader.report_missing(section, field, message);
    }
    read(reader, section, field)
}

/// Reads a list of places.
pub(super) fn list(reader: &Reader<'_>, section: &Section<'_>, field: &str) -> Vec<Place> {
    let values = reader.list(section, field, "a list of places");
    let place = |value| with(reader, value, section.path_of(field), &[]).map(|(place, _)| place);
    values.iter().filter_map(place).collect()
}

/// Reads a place with its value.
pub(super) fn fixed(reader: &Reader<'_>, section: &Section<'_>, field: &str) -> Option<Fixed> {
    fixed_of(reader, section.value(field)?, section.path_of(field))
}

/// Reads a list of places with their values.
pub(super) fn all_fixed(reader: &Reader<'_>, section: &Section<'_>, field: &str) -> Vec<Fixed> {
    let values = reader.list(section, field, "a list of places with their values");
    values.iter().filter_map(|value| fixed_of(reader, value, section.path_of(field))).collect()
}

fn fixed_of(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>, path: String) -> Option<Fixed> {
    let (place, section) = with(reader, value, path, &["is"])?;
    if !section.has("is") {
        reader.report_missing(&section, "is", "write the value that stands there");
    }
    Some(Fixed { place, is: reader.text(&section, "is")? })
}

/// Reads a place with further fields beside it, and returns its table for them.
pub(super) fn with<'v>(
    reader: &Reader<'_>,
    value: &'v Spanned<DeValue<'v>>,
    path: String,
    more: &[&str],
) -> Option<(Place, Section<'v>)> {
    let section = reader.as_section(value, path, "a place, such as { header = \"x-name\" },")?;
    reader.only(&section, &[&["header", "query", "body", "format", "key"], more].concat());
    let spots = [
        reader.text(&section, "header").map(|name| Spot::Header(name.to_ascii_lowercase())),
        reader.text(&section, "query").map(Spot::Query),
        reader.text(&section, "body").map(Spot::Body),
    ];
    let mut spots = spots.into_iter().flatten();
    let (Some(spot), None) = (spots.next(), spots.next()) else {
        let message =
            "name one place: a header field, a parameter of the query, or a field of the body";
        reader.report(section.span.clone(), &section.path, ProblemCode::BadValue, message);
        return None;
    };
    let form = form(reader, &section)?;
    Some((Place { spot, form }, section))
}

fn form(reader: &Reader<'_>, section: &Section<'_>) -> Option<Form> {
    let Some((format, span)) = reader.text_at(section, "format") else { return Some(Form::Plain) };
    let keyed = |form: fn(String) -> Form| {
        if !section.has("key") {
            reader.report_missing(section, "key", "name the key before the value");
        }
        reader.text(section, "key").map(form)
    };
    match format.as_str() {
        "plain" => Some(Form::Plain),
        "kv" => keyed(Form::Pairs),
        "list" => keyed(Form::List),
        "bearer" => Some(Form::Bearer),
        "basic" => Some(Form::Basic),
        other => match other.strip_prefix("prefix:").filter(|prefix| !prefix.is_empty()) {
            Some(prefix) => Some(Form::Prefix(prefix.to_owned())),
            None => {
                let message = format!("this format is not known here: there are {FORMATS}");
                reader.report(span, &section.path_of("format"), ProblemCode::BadValue, message);
                None
            }
        },
    }
}
