//! Every kind of destination has a page, and the facts on it are those of the catalogue.
//!
//! Catalogue → the facts of each page, and of the index.

use std::fs;

use hilo_collector::forward::Loaded;
use hilo_collector::forward::destination::{
    Access, BatchEvent, Flow, Kind, Mapped, STEPS_MAX, Token,
};
use hilo_collector::forward::destinations::CATALOGUE;
use hilo_core::config::parse;
use hilo_core::profile::Person;
use hilo_core::testing::{event_of, page_message};
use hilo_tests::forward::{secrets, settings};
use serde_json::{Value, json};

use crate::facts::{at, stale};

const FOLDER: &str = "crates/hilo-collector/docs/destinations";

#[test]
fn every_page_has_the_facts_of_the_catalogue() {
    let mut stale = vec![check("README", &index())];
    stale.extend(CATALOGUE.iter().map(|kind| check(kind.name, &facts(kind))));
    let stale: Vec<_> = stale.into_iter().flatten().collect();
    assert!(stale.is_empty(), "{}", stale.join("\n"));
}

#[test]
fn every_page_is_about_a_kind_of_the_catalogue() {
    let files = fs::read_dir(at(FOLDER)).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().replace(".md", ""));
    let known = |name: &String| CATALOGUE.iter().any(|kind| kind.name == name);
    let unknown: Vec<_> = names.filter(|name| name != "README" && !known(name)).collect();
    assert!(unknown.is_empty(), "no kind has these pages: {unknown:?}");
}

/// What is wrong with the page `name` of the folder.
fn check(name: &str, facts: &str) -> Option<String> {
    stale(&format!("{FOLDER}/{name}.md"), facts)
}

/// A kind with the settings of its golden cases.
#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn loaded(kind: &Kind) -> Loaded {
    let config = parse(&settings(kind.name).expect("the kind has settings.toml"));
    let config = config.expect("its settings load");
    Loaded::of(config.destinations.first().expect("one destination")).expect("it loads")
}

/// The table of one kind.
fn facts(kind: &Kind) -> String {
    let loaded = loaded(kind);
    let limits = kind.limits;
    let rows = [
        ("`type` in hilo.toml", format!("`{}`", kind.name)),
        ("Purposes it always needs", purposes(kind)),
        ("Events of one request", count(limits.events)),
        ("Bytes of their events, as they are stored", limits.bytes.to_string()),
        ("Oldest event", limits.age_s_max.map_or_else(|| "any".to_owned(), age)),
        ("Order of a person's events", either(limits.is_ordered, "kept", "not kept")),
        ("People of one request", either(limits.mixes_people, "several", "one")),
        (
            "Ids, traits and opt-ins of the person",
            either(limits.wants_person, "sent, as far as consent allows", "not sent"),
        ),
        (
            "Pace of an isolate",
            limits.pace.map_or_else(
                || "no limit".to_owned(),
                |pace| format!("{} requests a second, {} at once", pace.per_s, pace.burst),
            ),
        ),
        (
            "Its answer tells which events it has kept",
            either(kind.is_silent, "no: a success means that it has read the request", "yes"),
        ),
        ("Access", access(&loaded)),
        ("Deletes people", either(deletes(&loaded, kind), "yes, when a person asks for it", "no")),
        ("After an attempt with an unknown end", after_crash(&loaded)),
    ];
    let mut table = "| fact | value |\n| --- | --- |\n".to_owned();
    for (name, value) in rows {
        table.push_str(&format!("| {name} | {value} |\n"));
    }
    table
}

/// The table of all kinds.
fn index() -> String {
    let mut table =
        "| kind | needs | person | access | deletes people |\n| --- | --- | --- | --- | --- |\n"
            .to_owned();
    for kind in CATALOGUE {
        let loaded = loaded(kind);
        table.push_str(&format!(
            "| [{}]({}.md) | {} | {} | {} | {} |\n",
            kind.title,
            kind.name,
            purposes(kind),
            either(kind.limits.wants_person, "yes", "no"),
            access(&loaded),
            either(deletes(&loaded, kind), "yes", "no"),
        ));
    }
    table
}

fn either(is_so: bool, yes: &str, no: &str) -> String {
    if is_so { yes.to_owned() } else { no.to_owned() }
}

fn purposes(kind: &Kind) -> String {
    let names: Vec<_> = kind.purposes.iter().map(|one| format!("`{}`", one.name())).collect();
    names.join(", ")
}

fn count(events: usize) -> String {
    if events == 1 { "1".to_owned() } else { format!("up to {events}") }
}

/// A number of seconds in the largest unit that has no rest.
fn age(seconds: u32) -> String {
    let units = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "seconds"));
    format!("{} {name}", seconds / unit)
}

fn access(loaded: &Loaded) -> String {
    let Some(oauth) = loaded.destination.oauth() else {
        return "a secret that stays".to_owned();
    };
    match oauth.flow {
        Flow::Client { .. } => "OAuth: the client's own id and secret".to_owned(),
        Flow::Refresh { rotates: false, .. } => "OAuth: a refresh token".to_owned(),
        Flow::Refresh { rotates: true, .. } => {
            "OAuth: a refresh token, and each answer brings a new one".to_owned()
        }
        Flow::Signed { .. } => "OAuth: a signed token (RFC 7523)".to_owned(),
    }
}

/// Whether the kind makes a request that deletes a person of whom everything is known.
#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn deletes(loaded: &Loaded, kind: &Kind) -> bool {
    let at = "2026-11-24T09:00:00Z";
    let told = |value: &str| json!({"value": value, "at": at, "vouched": true});
    let person: Person = serde_json::from_value(json!({
        "anonymousIds": ["a1"], "userId": "u1",
        "traits": {"email": told("ana@shop.example"), "phone": told("+34600111222")},
    }))
    .expect("a person");
    let known = secrets(kind.name).expect("the kind has secrets.json");
    let host =
        loaded.destination.oauth().and_then(|oauth| oauth.host_member.and(oauth.hosts.first()));
    let token =
        Token { access: "at_docs".to_owned(), host: host.map(|ending| format!("docs{ending}")) };
    let access = Access { secrets: &|name| known.get(name).cloned(), token: Some(&token) };
    loaded.destination.deletion(&person, &access).is_some()
}

/// What happens to an event whose attempt was lost, as the kind decides for some events.
fn after_crash(loaded: &Loaded) -> String {
    let samples = [
        ("page views", json!({"type": "page"})),
        (
            "added products",
            json!({"type": "track", "event": "Product Added", "properties": {"product_id": "p1"}}),
        ),
        (
            "orders",
            json!({"type": "track", "event": "Order Completed", "properties": {"order_id": "o1", "total": 10, "currency": "EUR"}}),
        ),
        ("identified people", json!({"type": "identify", "traits": {"email": "ana@shop.example"}})),
    ];
    let (sent, again): (Vec<_>, Vec<_>) =
        samples.into_iter().partition(|(_, over)| assumes_sent(loaded, over));
    let names =
        |list: &[(&str, Value)]| list.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    match (sent.is_empty(), again.is_empty()) {
        (true, _) => "the event is sent again".to_owned(),
        (_, true) => "the event counts as sent".to_owned(),
        _ => format!("counts as sent: {}; sent again: {}", names(&sent), names(&again)),
    }
}

#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn assumes_sent(loaded: &Loaded, over: &Value) -> bool {
    let mut message = page_message();
    if let (Value::Object(message), Value::Object(over)) = (&mut message, over.clone()) {
        message.extend(over);
    }
    let event = event_of(&message).expect("the message passes");
    let one = BatchEvent { event: &event, source: None, person: None, mapped: &Mapped::default() };
    (0..STEPS_MAX).any(|step| loaded.destination.assumes_sent(&one, step))
}
