//! A run of a feed: what the service answers, page by page → the exact requests, the reports, the touchpoints, and the state behind them.
//! Or a call of the service → what it tells.
//!
//! In: `{state, told, now, answers}`; each answer is `{status, headers, body}`, and the run ends with the last one. `odd: true` tells the judge
//! that the vendor describes no such answer. Or `{call}` with a body
//! that proves itself. Out: `requests`, `reports`, `flags`, `records`, `touches`, `odd`, `state` and how the run `ended`;
//! or `reports`, `ids`, `deleted` and `odd`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hilo_collector::access::{Access, MissingSecret};
use hilo_collector::calls::tokens::Token;
use hilo_collector::ingest::feeds::shape::{Called, Flag, Page, Recorded, Refusal, Turn};
use hilo_collector::ingest::feeds::{CATALOGUE, Configured, find};
use hilo_collector::platform::{Headers, Outgoing, Response};
use hilo_core::config::{Config, parse};
use hilo_core::inbound::{Report, Told, Who};
use serde_json::{Map, Value, json};

const HEAD: &str = "[project]\ncontroller = \"Shop\"\n\n";
const NOW: &str = "2026-11-24T10:00:00Z";

/// The kinds of feed, each a folder of cases.
pub(crate) fn kinds() -> Vec<&'static str> {
    CATALOGUE.iter().map(|kind| kind.name).collect()
}

pub(crate) fn run(kind: &str, input: &Value) -> Value {
    outcome(kind, input).unwrap_or_else(|why| json!(why))
}

fn outcome(kind: &str, input: &Value) -> Result<Value, String> {
    let more = input.get("settings").and_then(Value::as_str).unwrap_or_default();
    let text = format!("{HEAD}{}{more}\n", read(kind, "settings.toml")?);
    let config: Config = parse(&text).map_err(|problems| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    })?;
    let feed = find(kind, &config)?;
    if let Some(body) = input.get("call") {
        return Ok(called(&feed.reader.called(body)));
    }
    let secrets = read(kind, "secrets.json")?;
    let secrets: BTreeMap<String, String> =
        serde_json::from_str(&secrets).map_err(|error| error.to_string())?;
    whole_run(&feed, input, &secrets)
}

fn read(kind: &str, file: &str) -> Result<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/feeds").join(kind).join(file);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn whole_run(
    feed: &Configured<'_>,
    input: &Value,
    secrets: &BTreeMap<String, String>,
) -> Result<Value, String> {
    let look_up = |name: &str| secrets.get(name).cloned();
    let host = feed
        .reader
        .oauth()
        .and_then(|oauth| oauth.host_member)
        .map(|_| "acme.my.salesforce.com".to_owned());
    let token = feed.reader.oauth().map(|_| Token { access: "a-token".to_owned(), host });
    let now = input.get("now").and_then(Value::as_str).unwrap_or(NOW);
    let now = now.parse().map_err(|_| "now is no time".to_owned())?;
    let mut told: Vec<String> = serde_json::from_value(input["told"].clone()).unwrap_or_default();
    let mut state = input["state"].clone();
    let (mut requests, mut reports, mut touches) = (Vec::new(), Vec::new(), Vec::new());
    let (mut flags, mut records) = (Vec::new(), Vec::new());
    let (mut odd, mut ended) = (0, json!("more"));
    for answer in input["answers"].as_array().into_iter().flatten() {
        let access = Access { secrets: &look_up, token: token.as_ref() };
        let turn = Turn { state: &state, told: &told, access, now };
        let request = feed.reader.request(&turn);
        let request = request.map_err(|MissingSecret(name)| format!("{name} is missing"))?;
        requests.extend(request.as_ref().map(written));
        match feed.reader.read(&turn, &response(answer)) {
            Ok(Page {
                reports: more,
                flags: set,
                records: of,
                touches: new,
                odd: left,
                state: next,
                read,
                is_done,
            }) => {
                reports.extend(more.iter().map(report));
                flags.extend(set.iter().map(flag));
                records.extend(of.iter().map(recorded));
                touches.extend(new.iter().map(|touch| json!(touch)));
                odd += left;
                state = next;
                told.retain(|id| !read.contains(id));
                if is_done {
                    ended = json!("done");
                }
            }
            Err(refusal) => {
                ended = refused(&refusal);
                break;
            }
        }
    }
    Ok(json!({
        "requests": requests, "reports": reports, "flags": flags, "records": records, "touches": touches, "odd": odd, "state": state, "ended": ended,
    }))
}

fn response(answer: &Value) -> Response {
    let status = answer["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let mut headers = Headers::default();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        headers.push(name, value.as_str().unwrap_or_default());
    }
    let body = answer["body"].as_str().map_or_else(|| answer["body"].to_string(), str::to_owned);
    Response { status: status.unwrap_or(200), headers, body }
}

fn written(request: &Outgoing) -> Value {
    let headers = request.headers.0.iter().map(|(name, value)| (name.clone(), json!(value)));
    json!({
        "method": request.method, "url": request.url,
        "headers": headers.collect::<Map<_, _>>(), "body": request.body,
    })
}

fn report(report: &Report) -> Value {
    let Report { id, told, occurred_at, who, context } = report;
    let told = match told {
        Told::Act { event, properties } => json!({ "event": event, "properties": properties }),
        Told::Traits(traits) => json!({ "traits": traits }),
        Told::OptIn { channel, is_subscribed, .. } => {
            json!({ "channel": channel, "isSubscribed": is_subscribed })
        }
    };
    json!({ "id": id, "told": told, "at": occurred_at, "who": person(who), "context": context })
}

fn flag(flag: &Flag) -> Value {
    json!({ "of": flag.of, "optOut": flag.opt_out.as_ref().map(report) })
}

fn recorded(record: &Recorded) -> Value {
    json!({ "of": record.of, "who": person(&record.who) })
}

fn person(who: &Who) -> Value {
    let Who { user_id, email, phone, .. } = who;
    let known = [("userId", user_id), ("email", email), ("phone", phone)];
    let known = known.into_iter().filter_map(|(name, id)| Some((name, id.as_ref()?)));
    json!(known.collect::<BTreeMap<_, _>>())
}

fn called(called: &Called) -> Value {
    let Called { reports, ids, deleted, odd } = called;
    let reports: Vec<_> = reports.iter().map(report).collect();
    json!({ "reports": reports, "ids": ids, "deleted": deleted, "odd": odd })
}

fn refused(refusal: &Refusal) -> Value {
    match refusal {
        Refusal::Later { after_s, reason } => json!({ "later": reason, "afterS": after_s }),
        Refusal::Unauthorized(reason) => json!({ "unauthorized": reason }),
        Refusal::Wrong(reason) => json!({ "wrong": reason }),
    }
}
