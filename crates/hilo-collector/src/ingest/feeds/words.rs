//! What the files of the services share: values of JSON by their path, times, requests, and the meaning of a status.
//!
//! Nothing here is specific to one service.

use hilo_core::delivery::retry_after_s;
use hilo_core::inbound::{Report, Told, Who};
use hilo_core::redact;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::shape::Refusal;
use crate::platform::http::PAGE_BYTES_MAX;
use crate::platform::{Headers, Outgoing, Response};

/// How far back the first run of a feed reads.
pub(super) const HISTORY_DAYS: i64 = 7;

/// The value at a dotted path.
pub(super) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(value, |value, name| match value.as_array() {
        Some(list) => list.get(name.parse::<usize>().ok()?),
        None => value.get(name),
    })
}

/// A text that is not empty.
pub(super) fn text(value: &Value, path: &str) -> Option<String> {
    at(value, path)?.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An id: text, or a whole number that becomes text.
pub(super) fn id(value: &Value, path: &str) -> Option<String> {
    let found = at(value, path)?;
    let number = found.as_i64().map(|number| number.to_string());
    number.or_else(|| found.as_u64().map(|number| number.to_string())).or_else(|| text(value, path))
}

/// The elements of a list; none where there is no list.
pub(super) fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A time as ISO 8601 writes it.
pub(super) fn time(value: &Value, path: &str) -> Option<Timestamp> {
    text(value, path)?.parse().ok()
}

/// A time in milliseconds since the epoch: a number, or the digits as text.
pub(super) fn millis(value: &Value, path: &str) -> Option<Timestamp> {
    let ms = id(value, path)?.parse().ok()?;
    Timestamp::from_millisecond(ms).ok()
}

/// A time in seconds since the epoch.
pub(super) fn seconds(value: &Value, path: &str) -> Option<Timestamp> {
    Timestamp::from_second(at(value, path)?.as_i64()?).ok()
}

/// Parameters by which mail services tell who clicks.
const CLICKERS: [&str; 4] = ["mkt_tok", "_hsenc", "_hsmi", "bxid"];

/// An address without what may tell who clicked it.
pub(super) fn address(value: &Value, path: &str) -> Option<Value> {
    text(value, path).map(|url| nobodys(&url).into())
}

/// An address without the parameters that name somebody.
pub(super) fn nobodys(url: &str) -> String {
    let (page, rest) = url.split_once('?').unwrap_or((url, ""));
    let is_kept = |pair: &&str| !CLICKERS.contains(&pair.split('=').next().unwrap_or_default());
    let kept: Vec<&str> = rest.split('&').filter(is_kept).collect();
    let query = kept.join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    redact::url(&format!("{page}{mark}{query}"))
}

/// The time so many days before `now`.
pub(super) fn days_before(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now)
}

/// The members that are there.
pub(super) fn members<const N: usize>(pairs: [(&str, Option<Value>); N]) -> Map<String, Value> {
    let there = pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.collect()
}

/// A report of an act, which came by `channel`.
pub(super) fn act(
    id: String,
    event: &str,
    channel: &str,
    (who, occurred_at): (&Who, Option<Timestamp>),
    properties: Map<String, Value>,
) -> Report {
    Report {
        id: Some(id),
        told: Told::Act { event: event.to_owned(), properties },
        occurred_at,
        who: who.clone(),
        context: members([("channel", Some(channel.into()))]),
    }
}

/// A report that the person may no longer be written to by `channel`.
pub(super) fn opt_out(
    id: String,
    channel: &str,
    (who, occurred_at): (&Who, Option<Timestamp>),
) -> Report {
    let told = Told::OptIn { channel: channel.to_owned(), is_subscribed: false, text: None };
    Report { id: Some(id), told, occurred_at, who: who.clone(), context: Map::new() }
}

/// A report of facts about the person.
pub(super) fn facts(
    id: String,
    (who, occurred_at): (&Who, Option<Timestamp>),
    traits: Map<String, Value>,
) -> Report {
    let told = Told::Traits(traits);
    Report { id: Some(id), told, occurred_at, who: who.clone(), context: Map::new() }
}

/// Whether anybody is meant.
pub(super) fn is_somebody(who: &Who) -> bool {
    *who != Who::default()
}

/// The state as the service's own type. One of another version begins anew.
pub(super) fn state<T: DeserializeOwned + Default>(state: &Value) -> T {
    T::deserialize(state).unwrap_or_default()
}

/// A state as it is kept.
pub(super) fn kept<T: Serialize>(state: &T) -> Value {
    serde_json::to_value(state).unwrap_or_default()
}

/// `name=value&…`, encoded.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        query.append_pair(name, value);
    }
    query.finish()
}

/// A request without a body.
pub(super) fn get(url: String, token: &str) -> Outgoing {
    Outgoing { method: "GET".to_owned(), url, headers: bearer(token), body: String::new() }
}

/// A request with a body of JSON.
pub(super) fn post(url: String, token: &str, body: &Value) -> Outgoing {
    let mut headers = bearer(token);
    headers.push("content-type", "application/json");
    Outgoing { method: "POST".to_owned(), url, headers, body: body.to_string() }
}

fn bearer(token: &str) -> Headers {
    let mut headers = Headers::default();
    headers.push("authorization", format!("Bearer {token}"));
    headers.push("accept", "application/json");
    headers
}

/// The body of an answer that is a success by its status.
///
/// # Errors
/// What the status means, or that the body cannot be read.
pub(super) fn opened(response: &Response, now: Timestamp) -> Result<Value, Refusal> {
    if !(200..300).contains(&response.status) {
        return Err(by_status(response, "", now));
    }
    if response.body.len() >= PAGE_BYTES_MAX {
        let reason = "the answer is longer than what is read of it".to_owned();
        return Err(Refusal::Wrong(reason));
    }
    serde_json::from_str(&response.body)
        .map_err(|_| later(None, "the answer is no JSON".to_owned()))
}

/// The body of any answer, for the service's own codes; null where it is no JSON.
pub(super) fn body(response: &Response) -> Value {
    serde_json::from_str(&response.body).unwrap_or_default()
}

/// What a status means; `code` is the service's own word for it.
pub(super) fn by_status(response: &Response, code: &str, now: Timestamp) -> Refusal {
    let space = if code.is_empty() { "" } else { " " };
    let reason = format!("status {}{space}{code}", response.status);
    let after = response.headers.get("retry-after").and_then(|text| retry_after_s(text, now));
    match response.status {
        401 => Refusal::Unauthorized(reason),
        200..=399 | 408 | 423 | 425 | 429 | 477 | 500..=599 => later(after, reason),
        _ => Refusal::Wrong(reason),
    }
}

/// Not now.
pub(super) const fn later(after_s: Option<u32>, reason: String) -> Refusal {
    Refusal::Later { after_s, reason }
}

/// A word of the service that stands in a reason: a code, and never a sentence, which may name people.
pub(super) fn code(value: &Value, path: &str) -> String {
    let code = id(value, path).unwrap_or_default();
    let is_code = code.len() <= 64
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if is_code { code } else { String::new() }
}
