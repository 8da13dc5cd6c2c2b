//! What Zoho's answers mean. Each of 200, 201, 202 and 207 may contain refused records, so each result is read.
//!
//! Request and answer → the result of each event. Reasons contain codes and names of fields, and no value of a record.

use serde::Deserialize;
use serde_json::Value;

use super::records::{COMPANY, LAST_NAME, STAGE};
use crate::forward::destination::{Acceptance, MappedRequest, Reception};
use crate::forward::destinations::answer::{by_status, retry, unread};
use crate::forward::destinations::crm::{KNOWN, MISSING, ORDERS, THERE, order_name};
use crate::forward::reason;
use crate::platform::Response;

/// What Zoho may demand of a new person and of a new deal.
const OF_PEOPLE: [&str; 2] = [LAST_NAME, COMPANY];
const OF_ORDERS: [&str; 2] = ["Deal_Name", "Closing_Date"];

/// The answer to an upsert.
#[derive(Deserialize)]
struct Results {
    data: Vec<RecordResult>,
}

/// The result of one record, or what was wrong with a whole request.
#[derive(Deserialize)]
struct RecordResult {
    code: String,
    /// `insert` or `update`.
    #[serde(default)]
    action: String,
    #[serde(default)]
    details: Value,
}

impl RecordResult {
    /// The field that the result is about.
    fn field(&self) -> Option<&str> {
        self.details.get("api_name")?.as_str()
    }
}

/// Reads the result of each event of a request.
pub(super) fn read(request: &MappedRequest, response: &Response) -> Reception {
    match serde_json::from_str::<Results>(&response.body) {
        Ok(results) if response.status < 500 && !results.data.is_empty() => {
            let sent: Value = serde_json::from_str(&request.outgoing.body).unwrap_or_default();
            let record = |at: usize| sent.get("data").and_then(|records| records.get(at));
            let read = |(at, result): (usize, &RecordResult)| {
                accept(request.step, result, record(at).unwrap_or(&Value::Null))
            };
            Reception::Each(results.data.iter().enumerate().map(read).collect())
        }
        Ok(_) | Err(_) => whole(response),
    }
}

/// What the answer tells of people and orders by the field that finds them. What was there is not made again. Who was missing is asked for
/// again by the next attempt: somebody may have written a name into the new record meanwhile.
pub(super) fn found(request: &MappedRequest, response: &Response) -> Vec<(String, String)> {
    let (is_order, lacks): (bool, &[&str]) = match request.step {
        KNOWN => (false, &OF_PEOPLE),
        ORDERS => (true, &[STAGE]),
        _ => return Vec::new(),
    };
    let sent: Value = serde_json::from_str(&request.outgoing.body).unwrap_or_default();
    let field = sent.pointer("/duplicate_check_fields/0").and_then(Value::as_str);
    let field = field.unwrap_or_default();
    let records = sent.get("data").and_then(Value::as_array).into_iter().flatten();
    let results = serde_json::from_str::<Results>(&response.body).map(|results| results.data);
    let results = results.unwrap_or_default();
    let told = records.zip(&results).filter_map(|(record, result)| {
        let what = match result.code.as_str() {
            // Zoho may make a deal with a stage of its own choice.
            "SUCCESS" if is_order && result.action == "insert" => MISSING,
            "SUCCESS" => THERE,
            _ => asks_for_more(record, lacks, result).then_some(MISSING)?,
        };
        let id = record.get(field)?.as_str()?;
        let name = if is_order { order_name(id) } else { id.to_owned() };
        Some((name, what.to_owned()))
    });
    told.collect()
}

/// The result of one record.
fn accept(step: u32, result: &RecordResult, record: &Value) -> Acceptance {
    let field = result.field().map(|field| format!(" ({field})")).unwrap_or_default();
    let why = format!("{}{field}", result.code);
    match step {
        _ if result.code == "SUCCESS" => Acceptance::Delivered,
        // The next step sends what Zoho demands of a new person.
        KNOWN if asks_for_more(record, &OF_PEOPLE, result) => Acceptance::Delivered,
        // The next step makes the deal with its stage.
        ORDERS if asks_for_more(record, &[STAGE], result) => Acceptance::Delivered,
        // A refund has none of this. A deal that a refund makes would be closed twice, once by its order.
        ORDERS if asks_for_more(record, &OF_ORDERS, result) => {
            Acceptance::Retry { after: None, reason: format!("the order is not there yet: {why}") }
        }
        _ => failed(&result.code, &why),
    }
}

/// Whether a record failed only because nobody has its key yet, and a new one needs more of `names`. Zoho names one of them.
fn asks_for_more(record: &Value, names: &[&str], result: &RecordResult) -> bool {
    let lacks = |name: &str| names.contains(&name) && record.get(name).is_none();
    result.code == "MANDATORY_NOT_FOUND" && result.field().is_some_and(lacks)
}

fn failed(code: &str, why: &str) -> Acceptance {
    match code {
        "RECORD_LOCKED" | "INTERNAL_ERROR" | "TOO_MANY_REQUESTS" => {
            Acceptance::Retry { after: None, reason: why.to_owned() }
        }
        _ => Acceptance::Rejected { reason: reason::refused(why) },
    }
}

/// What an answer means that has no results of records.
fn whole(response: &Response) -> Reception {
    let code = serde_json::from_str::<RecordResult>(&response.body).map(|one| one.code).ok();
    let why = || format!("status {}: {}", response.status, code.as_deref().unwrap_or_default());
    match (response.status, code.as_deref()) {
        (
            _,
            Some(
                "INVALID_TOKEN"
                | "AUTHENTICATION_FAILURE"
                | "OAUTH_SCOPE_MISMATCH"
                | "NO_PERMISSION",
            ),
        ) => Reception::All(Acceptance::Unauthorized { reason: why() }),
        (429 | 500..=599, _) => by_status(response),
        (_, Some("TOO_MANY_REQUESTS" | "INTERNAL_ERROR" | "LIMIT_EXCEEDED")) => {
            Reception::All(retry(response))
        }
        // The settings name what the account has not.
        (_, Some("INVALID_MODULE" | "INVALID_URL_PATTERN" | "NOT_SUPPORTED")) => {
            Reception::All(Acceptance::Rejected { reason: reason::refused(&why()) })
        }
        (200..=299 | 400, Some(_)) => Reception::Poison { reason: reason::refused(&why()) },
        // A success names its records.
        (200..=299, None) => unread(response),
        _ => by_status(response),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::platform::http::ANSWER_BYTES_MAX;
    use crate::platform::{Headers, Outgoing};

    fn request(step: u32) -> MappedRequest {
        let (method, url) =
            ("POST".to_owned(), "https://www.zohoapis.eu/crm/v8/Leads/upsert".to_owned());
        let people = json!([{"Email": "ana@shop.example"}]);
        let body = json!({"data": people, "duplicate_check_fields": ["Email"]}).to_string();
        let outgoing = Outgoing { method, url, headers: Headers::default(), body };
        MappedRequest { outgoing, events: vec![0], step }
    }

    fn answer(body: &str) -> Response {
        Response { status: 200, body: body.to_owned(), ..Response::default() }
    }

    #[test]
    fn who_was_missing_is_asked_for_again_by_the_next_attempt() {
        let lacks = answer(&json!({"data": [{"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Last_Name"}}]}).to_string());
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
