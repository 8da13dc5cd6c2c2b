//! What Salesforce's answers mean. A collection is answered with 200 whatever became of its records, so each result is read.
//!
//! Request and answer → the result of each event. Reasons contain codes and names of fields, and no value of a record.

use serde::Deserialize;
use serde_json::Value;

use super::records::STAGE;
use crate::forward::destination::{Acceptance, MappedRequest, Reception};
use crate::forward::destinations::answer::{by_status, retry, unread};
use crate::forward::destinations::crm::{KNOWN, MISSING, ORDERS, THERE, order_name};
use crate::forward::reason;
use crate::platform::Response;

/// The seconds until the next attempt after the limit of calls was reached: it counts the calls of the last 24 hours.
const LIMIT_S: &str = "900";

/// What Salesforce demands of a new person and of a new deal.
const OF_PEOPLE: [&str; 2] = ["LastName", "Company"];
const OF_ORDERS: [&str; 2] = ["Name", "CloseDate"];

/// The most errors of one record in a reason.
const ERRORS_MAX: usize = 3;

/// The result of one record.
#[derive(Deserialize)]
struct RecordResult {
    success: bool,
    #[serde(default)]
    created: bool,
    #[serde(default)]
    errors: Vec<RecordError>,
}

/// An error of a record, or of a whole request. The two have different names for the code.
#[derive(Deserialize)]
struct RecordError {
    #[serde(alias = "errorCode", rename = "statusCode")]
    code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    fields: Vec<String>,
}

/// The answer to a composite request, which deletes a person.
#[derive(Deserialize)]
struct Composite {
    #[serde(rename = "compositeResponse")]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "httpStatusCode")]
    status: u16,
    #[serde(default)]
    body: Value,
}

/// Reads the result of each event of a request.
pub(super) fn read(request: &MappedRequest, response: &Response) -> Reception {
    if response.status != 200 {
        return refusal(response);
    }
    if let Ok(composite) = serde_json::from_str::<Composite>(&response.body) {
        return deleted(&composite, response);
    }
    let Ok(results) = serde_json::from_str::<Vec<RecordResult>>(&response.body) else {
        return unread(response);
    };
    let sent: Value = serde_json::from_str(&request.outgoing.body).unwrap_or_default();
    let asks_for = |names: &[&str], at: usize, result: &RecordResult| {
        let record = sent.get("records").and_then(|records| records.get(at));
        record.is_some_and(|record| asks_for_more(record, names, result))
    };
    let results = results.iter().enumerate().map(|(at, result)| match request.step {
        _ if result.success => Acceptance::Delivered,
        KNOWN if asks_for(&OF_PEOPLE, at, result) => Acceptance::Delivered,
        // The next step makes the order with its stage.
        ORDERS if asks_for(&[STAGE], at, result) => Acceptance::Delivered,
        // A refund has none of this. A deal that a refund makes would be closed twice, once by its order.
        ORDERS if asks_for(&OF_ORDERS, at, result) => {
            let reason = format!("the order is not there yet: {}", told(&result.errors));
            Acceptance::Retry { after: None, reason }
        }
        _ => failed(&result.errors),
    });
    Reception::Each(results.collect())
}

/// What the answer tells of people and orders by their external ids. What was there is not made again. Who was missing is asked for again
/// by the next attempt: somebody may have written a name into the new record meanwhile.
pub(super) fn found(request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
    let (is_order, lacks): (bool, &[&str]) = match request.step {
        KNOWN => (false, &OF_PEOPLE),
        ORDERS => (true, &[STAGE]),
        _ => return Vec::new(),
    };
    let field = request.outgoing.url.rsplit('/').next().unwrap_or_default();
    let sent: Value = serde_json::from_str(&request.outgoing.body).unwrap_or_default();
    let records = sent.get("records").and_then(Value::as_array).into_iter().flatten();
    let results: Vec<RecordResult> = serde_json::from_str(&response.body).unwrap_or_default();
    let told = records.zip(&results).filter_map(|(record, result)| {
        let what = match result.success {
            // An object of the deployer's own may make an order without its stage.
            true if is_order && result.created => MISSING,
            true => THERE,
            false => asks_for_more(record, lacks, result).then_some(MISSING)?,
        };
        let id = record.get(field)?.as_str()?;
        let name = if is_order { order_name(id) } else { id.to_owned() };
        Some((name, what.to_owned()))
    });
    told.collect()
}

/// Whether a record failed only because nobody has its id yet, and a new one needs more of `names`.
fn asks_for_more(record: &Value, names: &[&str], result: &RecordResult) -> bool {
    let lacks = |name: &String| names.contains(&name.as_str()) && record.get(name).is_none();
    let is_lack = |error: &RecordError| {
        error.code == "REQUIRED_FIELD_MISSING"
            && !error.fields.is_empty()
            && error.fields.iter().all(lacks)
    };
    !result.errors.is_empty() && result.errors.iter().all(is_lack)
}

fn failed(errors: &[RecordError]) -> Acceptance {
    let why = told(errors);
    match errors.iter().any(RecordError::passes) {
        true => Acceptance::Retry { after: None, reason: why },
        false => Acceptance::Rejected { reason: reason::refused(&why) },
    }
}

impl RecordError {
    /// Whether the same record may succeed later: somebody else has locked it, or the person it names is not there yet.
    fn passes(&self) -> bool {
        let is_busy = ["UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED"]
            .contains(&self.code.as_str());
        is_busy
            || self.message.contains("UNABLE_TO_LOCK_ROW")
            || self.message.contains("Too many SOQL queries")
            || (self.code == "INVALID_FIELD" && self.message.starts_with("Foreign key external ID"))
    }
}

/// The codes and the fields. A message may quote the record, except that about a field that there is not.
fn told(errors: &[RecordError]) -> String {
    let mut why = String::new();
    for RecordError { code, message, fields } in errors.iter().take(ERRORS_MAX) {
        why.push_str(if why.is_empty() { "" } else { "; " });
        why.push_str(code);
        let column = message.split('\'').nth(1).filter(|_| message.contains("No such column"));
        let named = fields.iter().map(String::as_str).chain(column).collect::<Vec<_>>();
        if !named.is_empty() {
            why.push_str(&format!(" ({})", named.join(", ")));
        }
    }
    if why.is_empty() { "the answer names no error".to_owned() } else { why }
}

/// What another status than 200 means.
fn refusal(response: &Response) -> Reception {
    let errors: Vec<RecordError> = serde_json::from_str(&response.body).unwrap_or_default();
    let has = |code: &str| errors.iter().any(|error| error.code == code);
    let reason = format!("status {}: {}", response.status, told(&errors));
    match response.status {
        403 if has("REQUEST_LIMIT_EXCEEDED") => {
            Reception::All(Acceptance::Retry { after: Some(LIMIT_S.to_owned()), reason })
        }
        400 if errors.iter().any(RecordError::passes) => {
            Reception::All(Acceptance::Retry { after: None, reason })
        }
        400 if !errors.is_empty() => Reception::Poison { reason: reason::refused(&reason) },
        _ => by_status(response),
    }
}

/// A person who is not there is deleted.
fn deleted(composite: &Composite, response: &Response) -> Reception {
    let Some(part) = composite.parts.first() else { return Reception::All(retry(response)) };
    let errors: Vec<RecordError> = serde_json::from_value(part.body.clone()).unwrap_or_default();
    let reason = format!("status {}: {}", part.status, told(&errors));
    Reception::All(match part.status {
        200..=299 | 404 => Acceptance::Delivered,
        _ if part.status >= 500 || errors.iter().any(RecordError::passes) => {
            Acceptance::Retry { after: None, reason }
        }
        _ => Acceptance::Rejected { reason: reason::refused(&reason) },
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::http::ANSWER_BYTES_MAX;
    use crate::platform::{Headers, Outgoing};

    fn request(step: u32) -> MappedRequest {
        let (method, url) = ("POST".to_owned(), "https://acme.my.salesforce.com/services/data/v66.0/composite/sobjects/Lead/Collector_Id__c".to_owned());
        let body = json!({"records": [{"Collector_Id__c": "ana@shop.example"}]}).to_string();
        let outgoing = Outgoing { method, url, headers: Headers::default(), body };
        MappedRequest { outgoing, events: vec![0], step }
    }

    fn answer(body: &str) -> Response {
        Response { status: 200, body: body.to_owned(), ..Response::default() }
    }

    #[test]
    fn who_was_missing_is_asked_for_again_by_the_next_attempt() {
        let lacks = answer(&json!([{"success": false, "errors": [{"statusCode": "REQUIRED_FIELD_MISSING", "fields": ["LastName"]}]}]).to_string());
        assert_eq!(read(&request(KNOWN), &lacks), Reception::Each(vec![Acceptance::Delivered]));
        let missing = [("ana@shop.example".to_owned(), "missing".to_owned())];
        assert_eq!(found(&request(KNOWN), &lacks), missing);
        assert!(found(&request(KNOWN + 1), &lacks).is_empty());
    }

    #[test]
    fn an_answer_that_was_cut_divides_the_batch_and_a_broken_one_is_repeated() {
        let cut = answer(&"[".repeat(ANSWER_BYTES_MAX));
        assert!(matches!(read(&request(KNOWN), &cut), Reception::Poison { .. }));
        let retry = read(&request(KNOWN), &answer("["));
        assert!(matches!(retry, Reception::All(Acceptance::Retry { .. })), "{retry:?}");
    }
}
