//! `as` of a value, with what belongs to it: TOML → [`Cast`].

use serde_json::Value;

use super::super::ProblemCode;
use super::super::reader::{Reader, Section};
use super::path::{fault, path};
use super::scope::Scope;
use crate::mapping::{Cast, Clock, CurrencyOf, Document, Pattern, Unit};
use crate::money::Currency;
use crate::phone::Market;
use crate::zone::Zone;

/// What a value may become.
const CASTS: [&str; 16] = [
    "text", "int", "bool", "decimal", "money", "time", "phone", "email", "lower", "upper",
    "digits", "url", "link", "duration", "length", "country",
];
/// How a local time is written, in front of its form.
const LOCAL: &str = "local ";

/// Whether a value looks like the result of a cast. A currency of the document is not known here, so any number is an amount.
pub(super) fn has_form(cast: &Cast, value: &Value) -> bool {
    match cast {
        Cast::Money(..) => value.is_number(),
        Cast::Text => value.is_string(),
        Cast::Length => value.is_u64(),
        Cast::Time(_) => Cast::Time(Clock::Iso).apply(value, Document::EMPTY).is_some(),
        Cast::Int
        | Cast::Bool
        | Cast::Decimal
        | Cast::Phone(_)
        | Cast::Email
        | Cast::Lower
        | Cast::Upper
        | Cast::Digits
        | Cast::Url
        | Cast::Link
        | Cast::Duration
        | Cast::Country => cast.apply(value, Document::EMPTY).as_ref() == Some(value),
    }
}

/// `as` with what belongs to it; `None` where it has a mistake.
pub(super) fn read(
    reader: &Reader<'_>,
    section: &Section<'_>,
    scope: &Scope,
) -> Option<Option<Cast>> {
    let name = if section.has("as") { Some(reader.word(section, "as", &CASTS)?) } else { None };
    let belongs: [(&str, &[&str]); 4] = [
        ("unit", &["money", "time"]),
        ("currency", &["money"]),
        ("default_country", &["phone"]),
        ("zone", &["time"]),
    ];
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
        "money" => money(reader, section, scope)?,
        "time" => Cast::Time(clock(reader, section, scope)?),
        "phone" => Cast::Phone(market(reader, section, scope)?),
        "email" => Cast::Email,
        "lower" => Cast::Lower,
        "upper" => Cast::Upper,
        "digits" => Cast::Digits,
        "url" => Cast::Url,
        "link" => Cast::Link,
        "duration" => Cast::Duration,
        "length" => Cast::Length,
        _ => Cast::Country,
    };
    Some(Some(cast))
}

fn money(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<Cast> {
    if !section.has("unit") {
        let message = "say what the number counts: unit = \"major\" (euros) or \"minor\" (cents)";
        reader.report_missing(section, "unit", message);
    }
    let unit = reader.word(section, "unit", &["major", "minor"]).map(|unit| match unit {
        "minor" => Unit::Minor,
        _ => Unit::Major,
    });
    let currency = match (section.has("currency"), scope.currency) {
        (false, Some(currency)) => Some(CurrencyOf::Fixed(currency)),
        (false, None) => {
            let message = if scope.is_call {
                "say which money it is: a code, \"EUR\", a path, or `currency` of the source"
            } else {
                "say which money it is: a code, \"EUR\", or a path, \"$.event.properties.currency\""
            };
            reader.report_missing(section, "currency", message);
            None
        }
        (true, _) => currency(reader, section, scope),
    };
    Some(Cast::Money(unit?, currency?))
}

fn currency(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<CurrencyOf> {
    let field = section.path_of("currency");
    let (text, span) = reader.text_at(section, "currency")?;
    if text.starts_with('$') {
        return path(reader, section.value("currency")?, &field, scope).map(CurrencyOf::At);
    }
    let currency = Currency::parse(&text);
    if currency.is_none() {
        let message = "write the currency as ISO 4217 does, such as \"EUR\", or a path";
        reader.report(span, &field, ProblemCode::BadValue, message);
    }
    currency.map(CurrencyOf::Fixed)
}

/// How a time is written.
fn clock(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<Clock> {
    let unit = section.value("unit").and_then(|value| value.get_ref().as_str());
    let form = unit.and_then(|unit| unit.strip_prefix(LOCAL));
    if let Some(form) = form {
        let pattern = Pattern::parse(form);
        if pattern.is_none() {
            let message = "write a form with %Y, %m, %d and, where they are there, %H, %I, %M, %S, %p: \"local %d/%m/%Y %H:%M\"";
            fault(reader, section, "unit", message);
        }
        return Some(Clock::Local(pattern?, zone(reader, section, scope)?));
    }
    if section.has("zone") {
        fault(reader, section, "zone", "this belongs to unit = \"local …\"");
    }
    if !section.has("unit") {
        return Some(Clock::Iso);
    }
    reader.word(section, "unit", &["iso", "s", "ms", "rfc2822", "local …"]).map(|unit| match unit {
        "s" => Clock::Seconds,
        "ms" => Clock::Milliseconds,
        "rfc2822" => Clock::Mail,
        _ => Clock::Iso,
    })
}

/// The zone of a local time: its own, or that of the source.
fn zone(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<Zone> {
    if section.has("zone") {
        return named_zone(reader, section, "zone");
    }
    if scope.zone.is_none() {
        let message = "times without an offset need a zone: set `timezone` of the source, such as \"Europe/Madrid\", or `zone` here";
        reader.report_missing(section, "zone", message);
    }
    scope.zone.clone()
}

/// A zone by its name.
pub(in crate::config) fn named_zone(
    reader: &Reader<'_>,
    section: &Section<'_>,
    field: &str,
) -> Option<Zone> {
    let zone = Zone::of(&reader.text(section, field)?);
    if zone.is_none() {
        let message =
            "write the zone as the tz database does, such as \"Europe/Madrid\" or \"UTC\"";
        fault(reader, section, field, message);
    }
    zone
}

fn market(
    reader: &Reader<'_>,
    section: &Section<'_>,
    scope: &Scope,
) -> Option<Option<&'static Market>> {
    if !section.has("default_country") {
        return Some(scope.market);
    }
    named_market(reader, section).map(Some)
}

/// `default_country`.
pub(in crate::config) fn named_market(
    reader: &Reader<'_>,
    section: &Section<'_>,
) -> Option<&'static Market> {
    let market = Market::of(&reader.text(section, "default_country")?);
    if market.is_none() {
        let known: Vec<_> = Market::countries().collect();
        let message = format!("hilo knows the numbers of {}", known.join(", "));
        fault(reader, section, "default_country", &message);
    }
    market
}
