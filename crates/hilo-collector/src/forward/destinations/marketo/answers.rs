//! What Marketo's answers mean (<https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/error-codes>).
//!
//! Request and answer → the results of the request's events. The status is 200 for almost everything: codes of the answer, and then those
//! of each record, tell what happened.

use hilo_core::text::shortened;
use serde_json::Value;

use super::settings::{NEW_ORDER, ORDER, Orders};
use crate::access::{Refused, marketo};
use crate::forward::destination::{Acceptance, MappedRequest, Reception};
use crate::forward::destinations::answer::{by_status, quoted, retry};
use crate::forward::destinations::contact::of_contacts;
use crate::forward::destinations::crm::{MISSING, THERE, order_name};
use crate::forward::reason;
use crate::platform::Response;

/// The longest part of an answer in a reason, in bytes.
const REASON_BYTES_MAX: usize = 300;

/// What the answer means for each event of the request. `orders` tells which records of orders have a state.
pub(super) fn classify(
    request: &MappedRequest,
    response: &Response,
    orders: Option<&Orders>,
) -> Reception {
    if !(200..300).contains(&response.status) {
        return by_status(response);
    }
    let Some(answer) = read(&response.body) else { return unreadable(request, response) };
    if answer.get("success") != Some(&Value::Bool(true)) {
        return refused(&answer, response);
    }
    let sent = read(&request.outgoing.body).unwrap_or_default();
    let (sent, results) = (list(&sent, "input"), list(&answer, "result"));
    if results.is_empty() || results.len() != sent.len() {
        return Reception::All(retry(response));
    }
    let state = orders.and_then(|orders| orders.status.as_ref());
    let has_state = |sent: &Value| state.map(|field| sent.get(field).is_some());
    let read = |(sent, result)| record(request.step, has_state(sent), result);
    let records = sent.iter().zip(results).map(read).collect();
    of_contacts(records, request.events.len(), reason::refused(&quoted(response)))
}

/// The address and the id of each lead that was written.
pub(super) fn lead_ids(request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
    let mut found = Vec::new();
    if !request.outgoing.url.ends_with("/rest/v1/leads.json") {
        return found;
    }
    let (Some(sent), Some(answer)) = (read(&request.outgoing.body), read(&response.body)) else {
        return found;
    };
    for (lead, result) in list(&sent, "input").iter().zip(list(&answer, "result")) {
        let email = lead.get("email").and_then(Value::as_str);
        let id = result.get("id").and_then(Value::as_u64);
        found.extend(email.zip(id).map(|(email, id)| (email.to_owned(), id.to_string())));
    }
    found
}

/// What the answer tells of orders by their numbers. What was there is not made again.
pub(super) fn orders_found(
    request: &MappedRequest,
    response: &Response,
    orders: &Orders,
) -> Vec<(String, String)> {
    let (Some(sent), Some(answer)) = (read(&request.outgoing.body), read(&response.body)) else {
        return Vec::new();
    };
    let told = list(&sent, "input").iter().zip(list(&answer, "result"));
    let told = told.filter_map(|(order, result)| {
        let what = match is_skipped(result) {
            false => THERE,
            true => code(result).is_some_and(is_missing).then_some(MISSING)?,
        };
        Some((order_name(order.get(&orders.id)?.as_str()?), what.to_owned()))
    });
    told.collect()
}

/// An answer whose JSON was cut off. What counts a repeat twice is not repeated if the beginning tells of a success.
fn unreadable(request: &MappedRequest, response: &Response) -> Reception {
    let url = &request.outgoing.url;
    let counts_twice = ["/activities/external.json", "/leads/submitForm.json"]
        .iter()
        .any(|end| url.ends_with(end));
    let is_success = response.body.replace(' ', "").contains("\"success\":true");
    Reception::All(match counts_twice && is_success {
        true => Acceptance::Delivered,
        false => retry(response),
    })
}

/// An answer that refuses the whole request.
fn refused(answer: &Value, response: &Response) -> Reception {
    let code = list(answer, "errors").first().and_then(|error| error.get("code")?.as_str());
    let why = quoted(response);
    let code = code.unwrap_or_default();
    Reception::All(match marketo::refused(code) {
        Refused::Door => Acceptance::Unauthorized { reason: why },
        Refused::Later(Some(seconds)) => {
            Acceptance::Retry { after: Some(seconds.to_string()), reason: why }
        }
        Refused::Later(None) => retry(response),
        Refused::Other if code.is_empty() => retry(response),
        // 609 is an invalid body. Codes of records at the level of the answer: one record is at fault.
        Refused::Other if code == "609" || code.len() == 4 => {
            return Reception::Poison { reason: reason::refused(&why) };
        }
        Refused::Other => Acceptance::Rejected { reason: reason::refused(&why) },
    })
}

/// The result of one record. `has_state` tells whether the record has an order's state; `None` where orders have none.
fn record(step: u32, has_state: Option<bool>, result: &Value) -> Acceptance {
    if !is_skipped(result) {
        return Acceptance::Delivered;
    }
    let why = shortened(&result.to_string(), REASON_BYTES_MAX).to_owned();
    let later = |reason: String| Acceptance::Retry { after: None, reason };
    match (step, code(result), has_state) {
        (ORDER, Some(code), Some(true)) if is_missing(code) => {
            later(format!("the order is not there yet: {why}"))
        }
        // The next step makes the order with its state.
        (ORDER, Some(code), Some(false)) if is_missing(code) => Acceptance::Delivered,
        // It was made in between. The next attempt changes it.
        (NEW_ORDER, Some("1005" | "1017"), _) => later(why),
        // Busy, in another change, or over a limit for now.
        (_, Some("1016" | "1019" | "1020" | "1029"), _) => later(why),
        // The lead is not in the list that it should leave.
        (_, Some("1015"), _) => Acceptance::Delivered,
        _ => Acceptance::Rejected { reason: reason::refused(&why) },
    }
}

fn is_skipped(result: &Value) -> bool {
    result.get("status").and_then(Value::as_str) == Some("skipped")
}

fn code(result: &Value) -> Option<&str> {
    list(result, "reasons").first()?.get("code")?.as_str()
}

/// Whether the code of a record that was to be changed tells that nobody has it. Adobe's page of custom objects has the code of leads
/// in its example, and the list of codes has one for objects.
fn is_missing(code: &str) -> bool {
    ["1004", "1013"].contains(&code)
}

fn read(body: &str) -> Option<Value> {
    serde_json::from_str(body).ok().filter(Value::is_object)
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
