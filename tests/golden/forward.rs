//! A batch of events → the exact requests that a kind of destination makes of it, and what its answers mean.
//!
//! In: `{message, person, settings, nowS}`, or `messages` for a batch. Each message is laid over an ordinary page view that was
//! normalized before. `settings` adds lines to the kind's `settings.toml`. `answers` are classified, one per request.
//! Out: `requests`, and `leftOut` and `received` where there are any; or `planned: false`.

use hilo_collector::forward::destination::{
    Acceptance, Batch, BatchEvent, MappedRequest, Mapping, MissingSecret, Reception,
};
use hilo_collector::forward::destinations::CATALOGUE;
use hilo_collector::forward::{Configured, Loaded, plan};
use hilo_collector::platform::{Headers, Response};
use hilo_core::config::parse;
use hilo_core::event::Event;
use hilo_core::profile::Person;
use hilo_core::testing::{event_of, page_message};
use hilo_tests::forward::{secrets, settings};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The kinds of destination, each a folder of cases.
pub(crate) fn kinds() -> Vec<&'static str> {
    CATALOGUE.iter().map(|kind| kind.name).collect()
}

pub(crate) fn run(kind: &str, input: &Value) -> Value {
    match outcome(kind, input) {
        Ok(value) => value,
        Err(why) => json!(why),
    }
}

fn outcome(kind: &str, input: &Value) -> Result<Value, String> {
    let more = input.get("settings").and_then(Value::as_str).unwrap_or_default();
    let config = match parse(&format!("{}{more}\n", settings(kind)?)) {
        Ok(config) => config,
        Err(problems) => {
            return Ok(json!(problems.iter().map(ToString::to_string).collect::<Vec<_>>()));
        }
    };
    let events = events(input)?;
    let configured = Configured::all(&config.destinations);
    if events.iter().any(|event| plan(event, &configured).is_empty()) {
        return Ok(json!({ "planned": false }));
    }
    let entry = config.destinations.first().ok_or("settings.toml names no destination")?;
    let loaded = Loaded::of(entry).map_err(|problem| problem.to_string())?;
    let person = person(input, loaded.kind.limits.wants_person)?;
    let known = secrets(kind)?;
    let now = input.get("nowS").and_then(Value::as_i64).unwrap_or(1_795_514_400);
    let batch = Batch {
        events: events.iter().map(|event| BatchEvent { event, person: person.as_ref() }).collect(),
        secrets: &|name| known.get(name).cloned(),
        now: Timestamp::from_second(now).map_err(|error| error.to_string())?,
    };
    let mapping = loaded
        .destination
        .requests(&batch)
        .map_err(|MissingSecret(name)| format!("the secret {name} is missing"))?;
    let mut out = written(&mapping, events.len());
    if let Some(answers) = input.get("answers").and_then(Value::as_array) {
        let received = mapping.requests.iter().zip(answers);
        let received = received.map(|(request, answer)| {
            reception(&loaded.destination.classify(request, &response(answer)))
        });
        out.insert("received".to_owned(), received.collect());
    }
    Ok(Value::Object(out))
}

fn events(input: &Value) -> Result<Vec<Event>, String> {
    let messages = match input.get("messages").and_then(Value::as_array) {
        Some(messages) => messages.clone(),
        None => vec![input.get("message").cloned().unwrap_or_default()],
    };
    let event = |over: Value| {
        let mut message = page_message();
        if let (Value::Object(base), Value::Object(over)) = (&mut message, over) {
            base.extend(over);
        }
        event_of(&message).ok_or_else(|| "the message does not pass validation".to_owned())
    };
    messages.into_iter().map(event).collect()
}

/// The person of the case; an empty one if a kind that wants a person is given none.
fn person(input: &Value, is_wanted: bool) -> Result<Option<Person>, String> {
    let given = input.get("person").cloned().unwrap_or_else(|| json!({}));
    let person = serde_json::from_value(given).map_err(|error| error.to_string())?;
    Ok(is_wanted.then_some(person))
}

fn written(mapping: &Mapping, count: usize) -> Map<String, Value> {
    let requests = mapping.requests.iter().map(|request| written_request(request, count));
    let mut out = Map::new();
    out.insert("requests".to_owned(), requests.collect());
    if !mapping.left_out.is_empty() {
        let left_out = mapping.left_out.iter().map(|(at, why)| (at.to_string(), json!(why)));
        out.insert("leftOut".to_owned(), left_out.collect());
    }
    out
}

/// The events of a request are written where there are several to choose from, and the step if it is not the first.
fn written_request(request: &MappedRequest, count: usize) -> Value {
    let MappedRequest { outgoing, events, step } = request;
    let headers = outgoing.headers.0.iter().map(|(name, value)| (name.clone(), json!(value)));
    let mut out = json!({
        "method": outgoing.method, "url": outgoing.url, "headers": headers.collect::<Map<_, _>>(),
        "body": outgoing.body,
    });
    if let Value::Object(out) = &mut out {
        if count > 1 {
            out.insert("events".to_owned(), json!(events));
        }
        if *step > 0 {
            out.insert("step".to_owned(), json!(step));
        }
    }
    out
}

fn response(answer: &Value) -> Response {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let headers = answer.get("headers").and_then(Value::as_object).into_iter().flatten();
    Response {
        status: answer
            .get("status")
            .and_then(Value::as_u64)
            .and_then(|n| n.try_into().ok())
            .unwrap_or(0),
        headers: Headers(headers.map(|(name, value)| (name.clone(), text(value))).collect()),
        body: answer.get("body").map(text).unwrap_or_default(),
    }
}

fn reception(reception: &Reception) -> Value {
    match reception {
        Reception::All(one) => json!({ "all": acceptance(one) }),
        Reception::Each(each) => each.iter().map(acceptance).collect(),
        Reception::Poison { reason } => json!({ "poison": reason }),
    }
}

fn acceptance(acceptance: &Acceptance) -> Value {
    match acceptance {
        Acceptance::Delivered => json!("delivered"),
        Acceptance::Retry { after, reason } => json!({ "retry": reason, "after": after }),
        Acceptance::Rejected { reason } => json!({ "rejected": reason }),
    }
}
