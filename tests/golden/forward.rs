//! A batch of events → the exact requests that a kind of destination makes of it, and what its answers mean.
//!
//! In: `{message, person, settings, nowS}`, or `messages` for a batch. Each message is laid over an ordinary page view that was
//! normalized before. The rules of the settings are applied. `token` has the access token and the host of a kind that gets one. `delete` has a person to delete instead of
//! events. `found` has what earlier steps found. `normalize` brings the events into their normal form first, with an ordinary request's browser and place.
//! `server` has them sent by a server, which vouches for users. `settings` adds lines to the kind's `settings.toml`. `answers` are classified, one per request.
//! `consent` is what the person allows by now: a message without `analytics` does not pass validation, and may still be stored.
//! `repeat` has the message so many times, in batches as large as the kind's limit.
//! Out: `requests`, and `leftOut` and `received` where there are any; or `planned: false` with the reason; or `dropped`, where a rule drops
//! every event.

use hilo_collector::forward::destination::{
    Acceptance, Access, Batch, BatchEvent, LeftOut, MappedRequest, Mapping, MissingSecret,
    Reception, Token,
};
use hilo_collector::forward::destinations::CATALOGUE;
use hilo_collector::forward::{Configured, Loaded, Ruled, plan, refusal, rule};
use hilo_collector::platform::{Headers, Response};
use hilo_core::config::{Config, NormalizeRules, parse};
use hilo_core::event::{Event, Facts, Trust};
use hilo_core::normalize;
use hilo_core::profile::Person;
use hilo_core::testing::{event_of, facts, page_message, server_event_of};
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
    if let Some(given) = input.get("delete") {
        return deletion(kind, given, input, &config);
    }
    let entry = config.destinations.first().ok_or("settings.toml names no destination")?;
    let loaded = Loaded::of(entry).map_err(|problem| problem.to_string())?;
    let mut events = events(input)?;
    let configured = Configured::all(&config.destinations);
    let now = input.get("nowS").and_then(Value::as_i64).unwrap_or(1_795_514_400);
    let now = Timestamp::from_second(now).map_err(|error| error.to_string())?;
    if let Some(out) = unsent(&configured, &events, now)? {
        return Ok(out);
    }
    let is_wanted = loaded.kind.limits.wants_person || loaded.destination.wants_key();
    let person = person(input.get("person"), is_wanted)?;
    let known = secrets(kind)?;
    let (token, found) = (token(input, &loaded), found(input));
    let secrets = |name: &str| known.get(name).cloned();
    let mut mapped = Vec::new();
    let mut dropped = Value::Null;
    events.retain(|event| match rule(&entry.map, event, person.as_ref()) {
        Ruled::Kept { mapped: kept, .. } => {
            mapped.push(kept);
            true
        }
        Ruled::Dropped(why) => {
            dropped = json!(why);
            false
        }
    });
    if events.is_empty() {
        return Ok(json!({ "dropped": dropped }));
    }
    let all: Vec<BatchEvent<'_>> = events
        .iter()
        .zip(&mapped)
        .map(|(event, mapped)| BatchEvent { event, source: None, person: person.as_ref(), mapped })
        .collect();
    let size = if input.get("repeat").is_some() { loaded.kind.limits.events } else { all.len() };
    let mapping = mapped_by(&loaded, &all, size, |events| Batch {
        events,
        access: Access { secrets: &secrets, token: token.as_ref() },
        found: &found,
        now,
    })?;
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

/// The result where an event is not sent at all, with the reason. Only its age ends an event that was planned.
fn unsent(
    configured: &[Configured<'_>],
    events: &[Event],
    now: Timestamp,
) -> Result<Option<Value>, String> {
    let one = configured.first().ok_or("settings.toml names no destination")?;
    for event in events {
        let is_planned = !plan(event, configured).is_empty();
        match refusal(one, event, now) {
            Some(why) if !is_planned || why.starts_with("too_old: ") => {
                return Ok(Some(json!({ "planned": is_planned, "why": why })));
            }
            None if is_planned => {}
            why => return Err(format!("planned: {is_planned}, though {why:?}")),
        }
    }
    Ok(None)
}

/// Maps events in batches of this size. Requests name their events by their place among all.
fn mapped_by<'b>(
    loaded: &Loaded,
    all: &[BatchEvent<'b>],
    size: usize,
    batch: impl Fn(Vec<BatchEvent<'b>>) -> Batch<'b>,
) -> Result<Mapping, String> {
    let mut mapping = Mapping::default();
    for (at, events) in all.chunks(size).enumerate() {
        let made = loaded.destination.requests(&batch(events.to_vec()));
        let made = made.map_err(|MissingSecret(name)| format!("the secret {name} is missing"))?;
        let before = at * size;
        mapping.requests.extend(made.requests.into_iter().map(|request| {
            let events = request.events.iter().map(|event| before + event).collect();
            MappedRequest { events, ..request }
        }));
        mapping
            .left_out
            .extend(made.left_out.into_iter().map(|(event, why)| (before + event, why)));
    }
    Ok(mapping)
}

fn events(input: &Value) -> Result<Vec<Event>, String> {
    let message = || input.get("message").cloned().unwrap_or_default();
    let repeat = input.get("repeat").and_then(Value::as_u64);
    let messages = match (input.get("messages").and_then(Value::as_array), repeat) {
        (Some(messages), _) => messages.clone(),
        (None, None) => vec![message()],
        (None, Some(times)) => {
            let numbered = |n: u64| {
                let mut message = message();
                if let Value::Object(message) = &mut message {
                    message.insert("messageId".to_owned(), json!(format!("m-{n:03}")));
                }
                message
            };
            (1..=times).map(numbered).collect()
        }
    };
    let is = |name: &str| input.get(name).and_then(Value::as_bool).unwrap_or_default();
    let (is_normalized, is_of_server) = (is("normalize"), is("server"));
    let event = |over: Value| {
        let mut message = page_message();
        if let (Value::Object(base), Value::Object(over)) = (&mut message, over) {
            base.extend(over);
        }
        let event = if is_of_server { server_event_of(&message) } else { event_of(&message) };
        let mut event = event.ok_or_else(|| "the message does not pass validation".to_owned())?;
        if let Some(said) = input.get("consent") {
            let claim = json!({ "categoryPreferences": said, "revision": 1 });
            event.context.consent =
                Some(serde_json::from_value(claim).map_err(|why| why.to_string())?);
        }
        if is_normalized {
            let trust = if is_of_server { Trust::Server } else { Trust::Public };
            normalize::apply(&mut event, &Facts { trust, ..facts() }, &NormalizeRules::default());
        }
        Ok(event)
    };
    messages.into_iter().map(event).collect()
}

/// The request that deletes the given person; `null` for a kind without one.
fn deletion(kind: &str, given: &Value, input: &Value, config: &Config) -> Result<Value, String> {
    let entry = config.destinations.first().ok_or("settings.toml names no destination")?;
    let loaded = Loaded::of(entry).map_err(|problem| problem.to_string())?;
    let person = person(Some(given), true)?.unwrap_or_default();
    let known = secrets(kind)?;
    let token = token(input, &loaded);
    let access = Access { secrets: &|name| known.get(name).cloned(), token: token.as_ref() };
    let outgoing = loaded.destination.deletion(&person, &access).transpose();
    let outgoing =
        outgoing.map_err(|MissingSecret(name)| format!("the secret {name} is missing"))?;
    let request = outgoing
        .map(|outgoing| written_request(&MappedRequest { outgoing, events: vec![0], step: 0 }, 1));
    Ok(json!({ "requests": request.into_iter().collect::<Vec<_>>() }))
}

/// The person of the case; an empty one if a kind that wants a person is given none.
fn person(given: Option<&Value>, is_wanted: bool) -> Result<Option<Person>, String> {
    let given = given.cloned().unwrap_or_else(|| json!({}));
    let person = serde_json::from_value(given).map_err(|error| error.to_string())?;
    Ok(is_wanted.then_some(person))
}

/// The access token for a kind that gets one: `{token: {access, host}}` of the case.
fn token(input: &Value, loaded: &Loaded) -> Option<Token> {
    loaded.destination.oauth()?;
    let text = |name: &str| {
        let given = input.get("token").and_then(|token| token.get(name));
        given.and_then(Value::as_str).map(str::to_owned)
    };
    Some(Token {
        access: text("access").unwrap_or_else(|| "at_golden".to_owned()),
        host: text("host"),
    })
}

/// What earlier steps of the attempt found: `{found: {name: value}}` of the case.
fn found(input: &Value) -> Vec<(String, String)> {
    let given = input.get("found").and_then(Value::as_object).into_iter().flatten();
    given.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

fn written(mapping: &Mapping, count: usize) -> Map<String, Value> {
    let requests = mapping.requests.iter().map(|request| written_request(request, count));
    let mut out = Map::new();
    out.insert("requests".to_owned(), requests.collect());
    if !mapping.left_out.is_empty() {
        let left_out = mapping.left_out.iter().map(|(at, why)| {
            let why = match why {
                LeftOut::Skipped(why) => json!({ "skipped": why }),
                LeftOut::Refused(why) => json!({ "refused": why }),
            };
            (at.to_string(), why)
        });
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
        Acceptance::Again => json!("again"),
        Acceptance::Retry { after, reason } => json!({ "retry": reason, "after": after }),
        Acceptance::Rejected { reason } => json!({ "rejected": reason }),
        Acceptance::Unauthorized { reason } => json!({ "unauthorized": reason }),
    }
}
