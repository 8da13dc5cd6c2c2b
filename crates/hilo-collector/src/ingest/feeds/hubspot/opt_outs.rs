//! Since when contacts of HubSpot have opted out: ids → the request for the history of one property, its answer → opt-outs.
//!
//! A contact tells `hs_email_optout` with every change of anything. Its history has the time of the choice, so an old choice that is told
//! again does not count against a newer subscription.

use hilo_core::inbound::Who;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::shape::{Flag, Page};
use super::super::words::{at, id, list, opt_out, text, time};
use super::contact::{changed_at, person};

/// The property that ends all letters.
const OPTED_OUT: &str = "hs_email_optout";
/// Sources of a value that write what another record or system has, and no choice of the person.
const COPIES: [&str; 6] =
    ["IMPORT", "INTEGRATIONS_SYNC", "MERGE_CONTACTS", "MERGE_OBJECTS", "MIGRATION", "SALESFORCE"];
/// The contacts whose history one request gets.
const CONTACTS_MAX: usize = 50;

/// Whether a contact has opted out.
pub(super) fn is_opted_out(contact: &Value) -> bool {
    at(contact, "properties").and_then(|all| text(all, OPTED_OUT)).as_deref() == Some("true")
}

/// The body of the next request.
pub(super) fn asked(ids: &[String], user_id: Option<&str>) -> Value {
    let inputs: Vec<Value> = ids.iter().take(CONTACTS_MAX).map(|id| json!({ "id": id })).collect();
    let mut properties = vec!["email", "lastmodifieddate", OPTED_OUT];
    properties.extend(user_id);
    json!({ "inputs": inputs, "properties": properties, "propertiesWithHistory": [OPTED_OUT] })
}

/// Takes the contacts of the last request for read.
pub(super) fn go_on(ids: &mut Vec<String>) {
    ids.drain(..ids.len().min(CONTACTS_MAX));
}

/// What a contact tells that has not opted out: a later opt-out is a new one.
pub(super) fn lifted(of: &str) -> Flag {
    Flag { of: name(of), opt_out: None }
}

fn name(of: &str) -> String {
    format!("contact:{of}:optout")
}

/// Adds the opt-outs of an answer. A contact that is gone, or that is subscribed again by now, has none.
pub(super) fn read(answer: &Value, user_id: Option<&str>, page: &mut Page) {
    for contact in list(answer, "results") {
        if !is_opted_out(contact) {
            page.flags.extend(id(contact, "id").map(|of| lifted(&of)));
            continue;
        }
        let properties = at(contact, "properties").unwrap_or(&Value::Null);
        match (id(contact, "id"), person(properties, user_id)) {
            (Some(of), Some(who)) => add(&of, &who, contact, page),
            _ => page.odd += 1,
        }
    }
}

/// Adds one opt-out, with its time. Where the history does not tell the time, the opt-out is one that may only be repeated.
fn add(of: &str, who: &Who, contact: &Value, page: &mut Page) {
    let of = name(of);
    match since(contact) {
        Some(since) => {
            let id = format!("{of}:{}", since.as_millisecond());
            page.reports.push(opt_out(id, "email", (who, Some(since))));
        }
        None => {
            let at = at(contact, "properties").and_then(changed_at);
            let out = opt_out(of.clone(), "email", (who, at));
            page.flags.push(Flag { of, opt_out: Some(out) });
        }
    }
}

/// When the person has opted out: of the newest values in a row that say so, the newest that is no copy of one before it. Whoever opts out
/// again has chosen again.
fn since(contact: &Value) -> Option<Timestamp> {
    let history = list(contact, &format!("propertiesWithHistory.{OPTED_OUT}"));
    let mut values = history
        .iter()
        .map(|one| {
            let is_copy = text(one, "sourceType").is_some_and(|by| COPIES.contains(&by.as_str()));
            let is_set = text(one, "value").as_deref() == Some("true");
            Some((time(one, "timestamp")?, is_set, is_copy))
        })
        .collect::<Option<Vec<_>>>()?;
    values.sort_unstable();
    let in_a_row = || values.iter().rev().take_while(|(_, is_set, _)| *is_set);
    let choice = in_a_row().find(|(_, _, is_copy)| !is_copy);
    choice.or_else(|| in_a_row().last()).map(|(at, _, _)| *at)
}
