//! The calls with which a vendor tries a webhook out: `handshake = ["get", "challenge", { echo = "x-name" }, { number = "webhook_id" }]`.

use toml::Spanned;
use toml::de::DeValue;

use super::{hosts, place};
use crate::config::ProblemCode;
use crate::config::reader::{Reader, Section};
use crate::inbound::verify::Handshake;

/// What a handshake may be.
const KNOWN: &str = "\"get\", \"challenge\", { echo = \"x-name\" }, { number = \"name\" } and { subscribe = …, when = … }";

/// Reads the list.
pub(super) fn read(reader: &Reader<'_>, section: &Section<'_>) -> Vec<Handshake> {
    let values = reader.list(section, "handshake", "a list of handshakes");
    values.iter().filter_map(|value| one(reader, section, value)).collect()
}

fn one(
    reader: &Reader<'_>,
    section: &Section<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Option<Handshake> {
    let path = section.path_of("handshake");
    let unknown = || {
        let message = format!("this handshake is not known here: there are {KNOWN}");
        reader.report(value.span(), &path, ProblemCode::BadValue, message);
        None
    };
    match value.get_ref().as_str() {
        Some("get") => return Some(Handshake::Get),
        Some("challenge") => return Some(Handshake::Challenge),
        Some(_) => return unknown(),
        None => {}
    }
    let table = reader.as_section(value, path.clone(), "a handshake")?;
    reader.only(&table, &["echo", "number", "subscribe", "when"]);
    if let Some(name) = reader.text(&table, "echo") {
        return Some(Handshake::Echo(name.to_ascii_lowercase()));
    }
    if let Some(name) = reader.text(&table, "number") {
        return Some(Handshake::Number(name));
    }
    if !table.has("subscribe") {
        return unknown();
    }
    let url = place::read(reader, &table, "subscribe");
    if !table.has("when") {
        reader.report_missing(&table, "when", "say what tells such a call: a place and its value");
    }
    let when = place::fixed(reader, &table, "when");
    Some(Handshake::Subscribe { when: when?, url: url?, hosts: hosts::read(reader, section) })
}
