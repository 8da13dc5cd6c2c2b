//! What HubSpot's answers mean (<https://developers.hubspot.com/docs/api-reference/error-handling>).
//!
//! Request and answer → the results of the request's events. Most answers are judged by their status. Those of batches may refuse parts
//! inside 2xx, a second order of one number is the first one again, and the two limits of calls end at different times.

use hilo_core::text::shortened;
use serde_json::Value;

use crate::forward::destination::{Acceptance, MappedRequest, Reception};
use crate::forward::destinations::answer::{by_status, quoted, retry};
use crate::forward::destinations::contact::of_contacts;
use crate::forward::reason;
use crate::platform::Response;

/// The seconds until the calls of ten seconds are counted anew.
const TEN_SECONDS: &str = "10";
/// The seconds to wait where the calls of a day are used up. The day ends at midnight of the account, which nobody tells.
const DAILY: &str = "3600";
/// The longest part of an answer in a reason, in bytes.
const REASON_BYTES_MAX: usize = 300;

pub(super) fn classify(request: &MappedRequest, response: &Response) -> Reception {
    let is = |ending: &str| request.outgoing.url.ends_with(ending);
    let is_new_order = is("/orders") && request.outgoing.method == "POST";
    let is_change = request.outgoing.method == "PATCH";
    match response.status {
        200..=299 if is_page(response) => Reception::All(retry(response)),
        200..=299 if is("/batch/upsert") => upserted(request, response),
        200..=299 if is("/batch/write") => written(response),
        400 | 409 if is_new_order && is_known_already(response) => {
            Reception::All(Acceptance::Delivered)
        }
        404 if is("/gdpr-delete") => Reception::All(Acceptance::Delivered),
        // The order itself may still be on its way. A locked record, or an account that moves, passes.
        404 if is_change => Reception::All(retry(response)),
        409 | 423 | 477 => Reception::All(retry(response)),
        429 => Reception::All(throttled(response)),
        _ => by_status(response),
    }
}

/// The address and the id of the only contact of a request.
pub(super) fn contact_id(request: &MappedRequest, response: &Response) -> Option<(String, String)> {
    if !request.outgoing.url.ends_with("/contacts/batch/upsert") {
        return None;
    }
    let (sent, answer) = (read(&request.outgoing.body)?, read(&response.body)?);
    let id = |list: &[Value]| match list {
        [only] => only.get("id")?.as_str().map(str::to_owned),
        _ => None,
    };
    Some((id(list(&sent, "inputs"))?, id(list(&answer, "results"))?))
}

/// Whether the body is a page for people, which HubSpot's API never sends.
fn is_page(response: &Response) -> bool {
    response.body.trim_start().starts_with('<')
}

/// An answer to `batch/upsert`: 200 where all records were written, 207 where some were.
fn upserted(request: &MappedRequest, response: &Response) -> Reception {
    let why = reason::refused(&quoted(response));
    let Some(answer) = read(&response.body) else {
        return match response.status {
            // Only the beginning of a long answer is kept. Halves of the batch have shorter ones.
            207 => Reception::Poison { reason: why },
            _ if response.body.starts_with('{') => Reception::All(Acceptance::Delivered),
            _ => Reception::All(retry(response)),
        };
    };
    let errors = list(&answer, "errors");
    if errors.is_empty() && list(&answer, "results").is_empty() {
        // HubSpot has written nothing and names no reason.
        return Reception::All(retry(response));
    }
    let count = read(&request.outgoing.body).map_or(0, |body| list(&body, "inputs").len());
    let mut records = vec![Acceptance::Delivered; count];
    for error in errors {
        let named =
            error.get("context").map_or(&[][..], |context| list(context, "objectWriteTraceId"));
        let places: Vec<usize> = named.iter().filter_map(place).collect();
        if places.is_empty() {
            return Reception::Poison { reason: why };
        }
        for place in places {
            if let Some(record) = records.get_mut(place) {
                *record = Acceptance::Rejected {
                    reason: reason::refused(shortened(&error.to_string(), REASON_BYTES_MAX)),
                };
            }
        }
    }
    of_contacts(records, request.events.len(), why)
}

fn place(trace_id: &Value) -> Option<usize> {
    trace_id.as_str()?.parse().ok()
}

/// An answer to `statuses/batch/write`: an error names no input that could be told apart, so the batch is bisected.
fn written(response: &Response) -> Reception {
    let errors = read(&response.body).map_or(0, |answer| list(&answer, "errors").len());
    if response.status == 207 || errors > 0 {
        return Reception::Poison { reason: reason::refused(&quoted(response)) };
    }
    Reception::All(Acceptance::Delivered)
}

/// Whether an order was refused because there is one with its number: a repeat.
fn is_known_already(response: &Response) -> bool {
    response.status == 409
        || ["CONFLICTING_UNIQUE_VALUE", "already has that value"]
            .iter()
            .any(|words| response.body.contains(words))
}

fn throttled(response: &Response) -> Acceptance {
    let own = if response.body.contains("DAILY") { DAILY } else { TEN_SECONDS };
    let after = response.headers.get("retry-after").unwrap_or(own);
    Acceptance::Retry { after: Some(after.to_owned()), reason: quoted(response) }
}

fn read(body: &str) -> Option<Value> {
    serde_json::from_str(body).ok().filter(Value::is_object)
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
