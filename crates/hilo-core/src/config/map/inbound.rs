//! `[[source.map]]`: rules about what another system sends. TOML → [`Rule`]s, compiled; every mistake with its place.

use super::super::reader::{Reader, Section};
use super::super::{ProblemCode, nearest};
use super::name::name_fault;
use super::path::{fault, path};
use super::scope::{Orders, Scope};
use super::{condition, reading};
use crate::mapping::inbound::{Field, Rule, Tells, What};
use crate::mapping::{Cast, Clock, FIELDS_MAX, Input, RULES_MAX, Reading};

/// The fields of a rule that say when it counts.
const COUNTS: [&str; 7] = ["each", "when", "also", "any", "drop", "stop", "orders"];
/// The fields of a rule that tell something.
const TELLS: [&str; 10] = [
    "event",
    "properties",
    "traits",
    "optin",
    "id",
    "time",
    "user",
    "channel",
    "locale",
    "campaign",
];
/// How another system names a person.
const USER: [&str; 6] = ["user_id", "anonymous_id", "email", "phone", "order_id", "loyalty_id"];
/// What brought the person.
const CAMPAIGN: [&str; 6] = ["id", "name", "source", "medium", "term", "content"];
/// Parts of an id.
const ID_PARTS_MAX: usize = 8;

/// Reads the rules of a source or of a preset. A rule with `orders` counts where the source's orders do so.
pub(in crate::config) fn read(
    reader: &Reader<'_>,
    owner: &Section<'_>,
    scope: &Scope,
) -> Vec<Rule> {
    let sections = reader.sections(owner, "map");
    if let Some(section) = sections.get(RULES_MAX) {
        let message = format!("a source has at most {RULES_MAX} rules");
        reader.report(section.span.clone(), &section.path, ProblemCode::BadValue, message);
    }
    let mut rules: Vec<Rule> = Vec::new();
    for (at, section) in sections.iter().take(RULES_MAX).enumerate() {
        let (rule, counts) = rule(reader, section, at + 1, scope);
        if !counts {
            continue;
        }
        let earlier = rules.iter().find(|earlier| {
            ends(earlier) && earlier.each == rule.each && earlier.when.cover(&rule.when)
        });
        if let Some(earlier) = earlier.filter(|_| reader.is_clean()) {
            let message = format!(
                "nothing reaches this rule: rule {} before it matches whatever this rule matches. Put this rule first, or write stop = false there",
                earlier.number
            );
            reader.report(section.span.clone(), &section.path, ProblemCode::BadValue, message);
        }
        rules.push(rule);
    }
    rules
}

/// Whether a rule that matches is the last for certain.
fn ends(rule: &Rule) -> bool {
    let is_fixed = |reading: &Reading| matches!(reading.input, Input::Fixed(_));
    rule.stops
        && match rule.tells.as_ref().map(|tells| &tells.what) {
            Some(What::Act { name, .. }) => is_fixed(name),
            Some(What::OptIn { channel, state, .. }) => is_fixed(channel) && is_fixed(state),
            Some(What::Traits(_)) | None => true,
        }
}

/// A rule, and whether it counts for the orders of this source.
fn rule(reader: &Reader<'_>, section: &Section<'_>, number: usize, scope: &Scope) -> (Rule, bool) {
    reader.only(section, &[&COUNTS[..], &TELLS].concat());
    let orders = reader.words(section, "orders", &Orders::WORDS);
    let each = section
        .value("each")
        .and_then(|value| path(reader, value, &section.path_of("each"), scope));
    let is_dropped = reader.flag(section, "drop").unwrap_or(false);
    let told = TELLS.into_iter().find(|field| section.has(field));
    if let Some(field) = told.filter(|_| is_dropped) {
        let message = "what is left out tells nothing: remove `drop`, or remove this";
        fault(reader, section, field, message);
    }
    let rule = Rule {
        number,
        each,
        when: condition::read(reader, section, scope),
        tells: if is_dropped { None } else { tells(reader, section, scope) },
        stops: reader.flag(section, "stop").unwrap_or(true),
    };
    (rule, !section.has("orders") || orders.contains(&scope.orders.unwrap_or_default().word()))
}

fn tells(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<Tells> {
    Some(Tells {
        what: what(reader, section, scope)?,
        id: id(reader, section, scope),
        time: section.value("time").and_then(|value| {
            let mut time = field(reader, section, "time", value, scope)?;
            time.reading.cast.get_or_insert(Cast::Time(Clock::Iso));
            if !matches!(time.reading.cast, Some(Cast::Time(_))) {
                fault(reader, section, "time", "a time has as = \"time\", or no `as`");
            }
            Some(time)
        }),
        who: named(reader, section, "user", &USER, scope),
        context: context(reader, section, scope),
    })
}

/// The one thing that a rule tells.
fn what(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Option<What> {
    let kinds = ["event", "traits", "optin"];
    let mut present = kinds.into_iter().filter(|kind| section.has(kind));
    let (first, second) = (present.next(), present.next());
    if let Some(second) = second {
        let message = "a rule tells one thing: write a second rule, and stop = false in this one";
        fault(reader, section, second, message);
    }
    if section.has("properties") && first != Some("event") {
        fault(reader, section, "properties", "this belongs to `event`, which is missing");
    }
    match first {
        Some("event") => Some(What::Act {
            name: Box::new(reading::word(reader, section, "event", scope)?),
            properties: fields(reader, section, "properties", &["message_id"], scope),
        }),
        Some("traits") => {
            Some(What::Traits(fields(reader, section, "traits", &["email", "phone"], scope)))
        }
        Some(_) => {
            let optin = reader.section(section, "optin")?;
            reader.only(&optin, &["channel", "state", "text"]);
            for (field, message) in [
                ("channel", "say by what the person may be written to, such as \"email\""),
                ("state", "say \"subscribed\", \"unsubscribed\", or where it stands"),
            ] {
                if !optin.has(field) {
                    reader.report_missing(&optin, field, message);
                }
            }
            Some(What::OptIn {
                channel: Box::new(reading::word(reader, &optin, "channel", scope)?),
                state: Box::new(reading::word(reader, &optin, "state", scope)?),
                text: reading::word(reader, &optin, "text", scope).map(Box::new),
            })
        }
        None => {
            let mut fields = section.table.iter().map(|(key, _)| key.get_ref().as_ref());
            if fields.all(|field| COUNTS.contains(&field) || TELLS.contains(&field)) {
                let message = "say what the rule tells: an act (event), traits, an opt-in (optin), or drop = true";
                reader.report_missing(section, "event", message);
            }
            None
        }
    }
}

/// The parts of the id: one, or a list of them.
fn id(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Vec<Reading> {
    let Some(value) = section.value("id") else { return Vec::new() };
    let path = section.path_of("id");
    let Some(parts) = value.get_ref().as_array() else {
        return reading::read(reader, value, &path, scope).into_iter().collect();
    };
    if parts.is_empty() || parts.len() > ID_PARTS_MAX {
        let message = format!("an id has 1 to {ID_PARTS_MAX} parts");
        fault(reader, section, "id", &message);
    }
    let parts = parts.iter().take(ID_PARTS_MAX);
    parts.filter_map(|part| reading::read(reader, part, &path, scope)).collect()
}

fn context(reader: &Reader<'_>, section: &Section<'_>, scope: &Scope) -> Vec<Field> {
    let plain = |name: &str| {
        let reading = reading::word(reader, section, name, scope)?;
        Some(Field { name: name.to_owned(), reading, is_required: false })
    };
    let mut context: Vec<_> = ["channel", "locale"].into_iter().filter_map(plain).collect();
    for mut part in named(reader, section, "campaign", &CAMPAIGN, scope) {
        part.name.insert_str(0, "campaign.");
        context.push(part);
    }
    context
}

/// A table whose names are known.
fn named(
    reader: &Reader<'_>,
    section: &Section<'_>,
    table: &str,
    known: &[&str],
    scope: &Scope,
) -> Vec<Field> {
    let Some(section) = reader.section(section, table) else { return Vec::new() };
    reader.only(&section, known);
    let known = section.table.iter().filter(|(key, _)| known.contains(&key.get_ref().as_ref()));
    known.filter_map(|(key, value)| field(reader, &section, key.get_ref(), value, scope)).collect()
}

/// A table whose names are the rule's to choose.
fn fields(
    reader: &Reader<'_>,
    section: &Section<'_>,
    table: &str,
    allowed: &[&str],
    scope: &Scope,
) -> Vec<Field> {
    let Some(section) = reader.section(section, table) else { return Vec::new() };
    if section.table.len() > FIELDS_MAX {
        let message = format!("a rule has at most {FIELDS_MAX} fields");
        reader.report(section.span.clone(), &section.path, ProblemCode::BadValue, message);
    }
    let mut read = Vec::new();
    for (key, value) in section.table.iter().take(FIELDS_MAX) {
        let name = key.get_ref().as_ref();
        if let Some(why) = name_fault(name, allowed) {
            let shown = nearest::shown(name, "this name");
            let path = section.path_of(if shown.starts_with('`') { name } else { "…" });
            reader.report(key.span(), &path, ProblemCode::BadValue, format!("{shown} {why}"));
        }
        read.extend(field(reader, &section, name, value, scope));
    }
    read
}

/// One value with its name, and whether it is required.
fn field(
    reader: &Reader<'_>,
    section: &Section<'_>,
    name: &str,
    value: &toml::Spanned<toml::de::DeValue<'_>>,
    scope: &Scope,
) -> Option<Field> {
    let path = section.path_of(name);
    let reading = reading::read(reader, value, &path, scope)?;
    let table = value.get_ref().as_table();
    let is_required = table.and_then(|table| table.get("required")).is_some_and(|required| {
        let flag = required.get_ref().as_bool();
        if flag.is_none() {
            reader.wrong_type(required, &path, "true or false");
        }
        flag == Some(true)
    });
    Some(Field { name: name.to_owned(), reading, is_required })
}
