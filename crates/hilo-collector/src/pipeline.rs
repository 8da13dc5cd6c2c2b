//! The edge's stages in order, readable top to bottom: validate → normalize → plan → store → outcomes.
//!
//! A request in, an answer out; inside, every event of an envelope ends in exactly one outcome. The only place that
//! knows the order, and that calls one stage with what another made.

pub mod cart;
mod orders;

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use hilo_core::config::Source;
use hilo_core::event::{Event, Facts};
use hilo_core::identity::ProfileKey;
use hilo_core::identity::token::Scope;
use hilo_core::journey::presume;
use hilo_core::outcome::{Code, Outcome, Rejection};
use hilo_core::validate::{Envelope, Judged, Verdict};
use hilo_core::{normalize, validate};

use crate::calls::optin::OptIn;
use crate::calls::{ConsentCopy, Delivery, ProfileCall, RecordCall, Recorded, ask_profile};
use crate::forward::Configured;
use crate::ingest::user::verified_user;
use crate::ingest::{self, Door, Route, consent, files, hello, optin, reply, status};
use crate::loaded::Loaded;
use crate::platform::{Failure, Incoming, Platform, Reply, log_line};
use crate::{admin, forward, journal, signature};

/// Why a request has no better answer.
#[derive(Debug)]
enum Trouble {
    /// Theirs.
    Refused(Rejection),
    /// Ours.
    Failed(Failure),
}

impl From<Rejection> for Trouble {
    fn from(why: Rejection) -> Trouble {
        Trouble::Refused(why)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

/// Answers one request.
pub async fn serve<P: Platform>(incoming: Incoming, platform: &P) -> Reply {
    let loaded = platform.config().await;
    let door = Door::of(&incoming, &loaded.config, platform.is_dev());
    let route = ingest::route(&incoming, &platform.mount());
    let is_file = matches!(route, Ok(Route::File(_)));
    let answer = match route {
        Ok(route) => answer(route, &incoming, &door, &loaded, platform).await,
        Err(why) => Err(why.into()),
    };
    let mut reply = match answer {
        Ok(reply) => reply,
        Err(Trouble::Refused(why)) => reply::refused(&why),
        Err(Trouble::Failed(failure)) => {
            platform.log(&log_line("error", "unavailable", &[("why", failure.message())]));
            reply::unavailable()
        }
    };
    // Files are the same for everybody and may be kept by shared caches.
    if !is_file {
        door.mark(&mut reply);
    }
    reply
}

async fn answer<P: Platform>(
    route: Route,
    incoming: &Incoming,
    door: &Door,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    match route {
        Route::Batch => events(None, incoming, loaded, platform).await,
        Route::Single(kind) => events(Some(kind), incoming, loaded, platform).await,
        Route::Hello => say_hello(incoming, loaded, platform).await,
        Route::ConsentChange => change_consent(incoming, loaded, platform).await,
        Route::ConsentCopy => copy_consent(incoming, platform).await,
        Route::OptIn => change_optin(incoming, loaded, platform).await,
        Route::Cart(user, act) => cart::serve(user, act, incoming, loaded, platform).await,
        Route::Webhook(source) => orders::take(&source, incoming, loaded, platform).await,
        Route::Health => Ok(status::health(loaded, platform)),
        Route::Version => Ok(status::version()),
        Route::Preflight => Ok(ingest::preflight(door)?),
        Route::Admin(path) => Ok(admin::serve(incoming, &path, loaded, platform).await),
        Route::File(name) => files::serve(incoming, &name, platform).await?.ok_or_else(|| {
            Trouble::Refused(Rejection::new(Code::NotFound, "there is no such file"))
        }),
    }
}

/// Envelopes: from the wire to their outcomes.
async fn events<P: Platform>(
    kind: Option<&str>,
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    let admitted = open_envelope(kind, incoming, loaded, platform);
    let (envelope, source) = match admitted {
        Ok(admitted) => admitted,
        Err(why) => {
            journal::refused(&why, loaded, platform).await;
            return Err(why.into());
        }
    };
    let facts = ingest::facts(incoming, source, platform);
    let items = run(&envelope, source, &facts, loaded, platform).await?;
    if let (true, [Item { outcome: Outcome::Rejected(why) | Outcome::Dropped(why), .. }]) =
        (envelope.single, items.as_slice())
    {
        return Err(why.clone().into());
    }
    let lines = items.iter().map(|item| (item.index, item.message_id.as_deref(), &item.outcome));
    Ok(reply::judged(lines))
}

fn open_envelope<'l, P: Platform>(
    kind: Option<&str>,
    incoming: &Incoming,
    loaded: &'l Loaded,
    platform: &P,
) -> Result<(Envelope, &'l Source), Rejection> {
    let body = ingest::open(incoming)?;
    let envelope = match kind {
        Some(kind) => validate::read_single(&body, kind)?,
        None => validate::read_batch(&body)?,
    };
    let key = envelope.write_key.as_deref();
    let source = ingest::admit(incoming, &loaded.config, key, platform.is_dev())?;
    Ok((envelope, source))
}

/// An item of an envelope at its end.
#[derive(Debug)]
pub struct Item {
    /// Its place in the envelope.
    pub index: usize,
    /// Its id.
    pub message_id: Option<String>,
    /// Its fate.
    pub outcome: Outcome,
    /// The event, if it was one.
    pub event: Option<Box<Event>>,
    /// Where it is sent on.
    pub destinations: Vec<String>,
    /// Remarks.
    pub notices: Vec<Rejection>,
    /// Its shape for the reject log.
    pub redacted: Option<String>,
}

/// Takes one envelope through the stages: exactly one [`Item`] per event, in order.
///
/// # Errors
/// When not everything is known to be durable. What was stored already answers `duplicate` to the next attempt.
pub async fn run<P: Platform>(
    envelope: &Envelope,
    source: &Source,
    facts: &Facts,
    loaded: &Loaded,
    platform: &P,
) -> Result<Vec<Item>, Failure> {
    let mut items: Vec<Item> =
        validate::check(envelope, source, facts).into_iter().map(Item::from).collect();
    for event in items.iter_mut().filter_map(|item| item.event.as_mut()) {
        normalize::apply(event, facts);
        // Mostly that says what the session's first event said, and the profile, which knows better, need not write the
        // event anew.
        event.context.hilo.channel = presume(&event.context.hilo);
    }
    // Before anything is sent on: a crash repeats a delivery and never loses one.
    store_all(&mut items, source, loaded, platform).await?;
    journal::judged(&items, source, loaded, platform).await;
    Ok(items)
}

impl From<Judged> for Item {
    fn from(judged: Judged) -> Item {
        let (outcome, event) = match judged.verdict {
            Verdict::Pass(event) => (Outcome::Accepted, Some(event)),
            Verdict::Out(outcome) => (outcome, None),
        };
        Item {
            index: judged.index,
            message_id: judged.message_id,
            outcome,
            event,
            destinations: Vec::new(),
            notices: judged.notices,
            redacted: judged.redacted,
        }
    }
}

/// Hands each profile its events in one call, and writes the answers into the items.
async fn store_all<P: Platform>(
    items: &mut [Item],
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<(), Failure> {
    let secret = secret(platform)?;
    let configured = Configured::all(&loaded.config.destinations);
    let mut profiles: BTreeMap<ProfileKey, (Vec<usize>, RecordCall)> = BTreeMap::new();
    for (place, item) in items.iter_mut().enumerate() {
        let Some(event) = &item.event else { continue };
        let new = || (Vec::new(), RecordCall::of(&source.name));
        let (places, call) = profiles.entry(profile_key(event)).or_insert_with(new);
        let planned = forward::plan(event, &configured);
        item.destinations = planned.iter().map(|planned| planned.name.clone()).collect();
        call.add(event, &planned)?;
        places.push(place);
    }
    let calls = profiles.into_iter().map(|(key, (places, call))| {
        let name = signature::object_name(&secret, &key);
        async move {
            let Some(recorded) = call.ask(platform, name).await? else {
                return Ok(Vec::new());
            };
            if recorded.len() != places.len() {
                return Err(Failure::Fatal("a profile did not answer every record".to_owned()));
            }
            Ok(places.into_iter().zip(recorded).collect())
        }
    });
    for (place, recorded) in try_join_all(calls).await?.into_iter().flatten() {
        if let Some(item) = items.get_mut(place) {
            item.settle(recorded);
        }
    }
    Ok(())
}

impl Item {
    /// Takes the answer of its profile, if anything is other than planned.
    fn settle(&mut self, recorded: Recorded) {
        self.destinations.clear();
        match recorded {
            Recorded::Stored { channel, destinations } => {
                self.destinations = destinations;
                if let Some(event) = &mut self.event {
                    event.context.hilo.channel = channel;
                }
            }
            Recorded::Duplicate => self.outcome = Outcome::Duplicate,
            Recorded::ConsentDenied => {
                let message = "the recorded consent denies a purpose of this event";
                self.outcome = Outcome::Rejected(Rejection::new(Code::ConsentDenied, message));
                // Not kept, not even for the live stream.
                self.event = None;
            }
        }
    }
}

/// Whose event it is: a person that a server vouches for, or a device. Validation has seen that there is one of the two.
fn profile_key(event: &Event) -> ProfileKey {
    match (&event.user_id, &event.anonymous_id) {
        (Some(user), _) => ProfileKey::User(user.clone()),
        (None, Some(anonymous)) => ProfileKey::Anonymous(anonymous.clone()),
        (None, None) => ProfileKey::Anonymous(event.message_id.clone()),
    }
}

async fn say_hello<P: Platform>(
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    ingest::require_header(incoming)?;
    let (body, _) = open_call(incoming, loaded, platform)?;
    let secret = secret(platform)?;
    Ok(hello::answer(incoming, &hello::read(body)?, loaded, &secret, platform)?)
}

async fn change_consent<P: Platform>(
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    ingest::require_header(incoming)?;
    let (body, _) = open_call(incoming, loaded, platform)?;
    let secret = secret(platform)?;
    let controller = &loaded.config.controller;
    let accepted = consent::accept(incoming, hello::read(body)?, controller, &secret, platform)?;
    let name = signature::object_name(&secret, &accepted.key);
    let call = ProfileCall::Consent(accepted.change.clone());
    let recorded = ask_profile(platform, name, &call).await?;
    Ok(consent::answer(incoming, &accepted, &recorded, &secret, platform))
}

async fn copy_consent<P: Platform>(incoming: &Incoming, platform: &P) -> Result<Reply, Trouble> {
    let secret = secret(platform)?;
    let key = consent::whose(incoming, &secret, platform)?;
    let name = signature::object_name(&secret, &key);
    let copy: ConsentCopy = ask_profile(platform, name, &ProfileCall::ConsentCopy).await?;
    Ok(consent::copy(&copy))
}

async fn change_optin<P: Platform>(
    incoming: &Incoming,
    loaded: &Loaded,
    platform: &P,
) -> Result<Reply, Trouble> {
    ingest::require_header(incoming)?;
    let (body, source) = open_call(incoming, loaded, platform)?;
    let user = verified_user(incoming, loaded, platform).await?;
    if let Some(user) = &user {
        user.require(Scope::Profile)?;
    }
    let secret = secret(platform)?;
    let told: optin::Told = hello::read(body)?;
    let key = optin::whose(incoming, &told, user.as_ref(), &secret, platform)?;
    let said = optin::accept(told, &source.name, user.is_some(), platform)?;
    let name = signature::object_name(&secret, &key);
    let stands: OptIn = ask_profile(platform, name, &ProfileCall::OptIn(said)).await?;
    Ok(optin::answer(&stands))
}

type Body = serde_json::Map<String, serde_json::Value>;

/// A call with one small object: its body, and the source it speaks for.
fn open_call<'l, P: Platform>(
    incoming: &Incoming,
    loaded: &'l Loaded,
    platform: &P,
) -> Result<(Body, &'l Source), Rejection> {
    let body = validate::read_object(&ingest::open(incoming)?)?;
    let key = body.get("writeKey").and_then(serde_json::Value::as_str);
    let source = ingest::admit(incoming, &loaded.config, key, platform.is_dev())?;
    Ok((body, source))
}

/// The secret that signs cookies and names objects.
fn secret<P: Platform>(platform: &P) -> Result<String, Failure> {
    platform
        .secret(crate::SECRET)
        .filter(|secret| !secret.is_empty())
        .ok_or_else(|| Failure::Fatal("the secret HILO_SECRET is not set".to_owned()))
}

/// Delivers what the queue carries.
pub async fn deliver<P: Platform>(deliveries: Vec<Delivery>, platform: &P) {
    forward::deliver(deliveries, platform).await;
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::platform::memory::{Memory, run};
    use crate::platform::{Body, Upload};

    fn memory() -> Memory {
        Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap()
    }

    fn call(memory: &Memory, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut incoming = Incoming {
            method: method.to_owned(),
            scheme: "http".to_owned(),
            host: "127.0.0.1:8787".to_owned(),
            path: path.to_owned(),
            body: Upload::Bytes(body.to_string().into_bytes()),
            ..Incoming::default()
        };
        incoming.headers.push("origin", "http://127.0.0.1:8787");
        incoming.headers.push("x-hilo", "1");
        let reply = run(serve(incoming, memory)).unwrap();
        let Body::Text(text) = reply.body else { return (reply.status, Value::Null) };
        (reply.status, serde_json::from_str(&text).unwrap())
    }

    fn view(id: &str, consent: &Value) -> Value {
        json!({
            "type": "page", "messageId": id, "anonymousId": "a1", "properties": {},
            "timestamp": "2026-11-24T09:59:59Z", "context": {"consent": consent},
        })
    }

    fn granted() -> Value {
        json!({"categoryPreferences": {"analytics": true}, "revision": 1})
    }

    #[test]
    fn every_event_ends_in_exactly_one_outcome() {
        let batch = json!([
            view("m1", &granted()),
            view("m1", &granted()),
            view("m2", &Value::Null),
            "not an event",
        ]);
        let envelope = json!({"writeKey": "wk_shop", "batch": batch});
        let (status, answer) = call(&memory(), "POST", "/_h/v1/batch", &envelope);
        assert_eq!(status, 200);
        assert_eq!((&answer["accepted"], &answer["duplicate"]), (&json!(1), &json!(1)));
        assert_eq!(answer["rejected"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn an_event_sent_alone_is_refused_with_its_own_status() {
        let mut message = view("m1", &Value::Null);
        message["writeKey"] = json!("wk_shop");
        let (status, answer) = call(&memory(), "POST", "/v1/page", &message);
        assert_eq!((status, &answer["error"]["code"]), (422, &json!("no_consent")));
    }

    #[test]
    fn without_its_secret_the_collector_acknowledges_nothing_and_says_so() {
        let memory = memory();
        memory.set_secret(crate::SECRET, "");
        let envelope = json!({"writeKey": "wk_shop", "batch": [view("m1", &granted())]});
        let (status, answer) = call(&memory, "POST", "/v1/batch", &envelope);
        assert_eq!((status, &answer["error"]["code"]), (503, &json!("unavailable")));
        let (status, health) = call(&memory, "GET", "/health", &Value::Null);
        assert_eq!((status, &health["degraded"]), (200, &json!(["secret_missing"])));
    }

    #[test]
    fn a_broken_configuration_keeps_the_last_good_one_and_shows() {
        let memory = memory();
        memory.configure("[[source]]\nnam = 1");
        let envelope = json!({"writeKey": "wk_shop", "batch": [view("m1", &granted())]});
        assert_eq!(call(&memory, "POST", "/v1/batch", &envelope).0, 200);
        let (_, health) = call(&memory, "GET", "/health", &Value::Null);
        assert_eq!(health, json!({"status": "degraded", "degraded": ["config_invalid"]}));
    }
}
