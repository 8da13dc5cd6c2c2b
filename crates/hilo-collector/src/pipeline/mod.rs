//! The edge's stages in order: validate → normalize → plan → store → forward.
//!
//! [`serve`] takes a request to its answer, with one file for each call. [`run`] takes an envelope through the stages: each
//! of its events ends in exactly one outcome. [`deliver`] is the last stage, off the request's path. Only this folder knows the
//! order, and hands one stage what another has made.

mod cart;
mod consent;
mod entry;
mod events;
mod hello;
mod merge;
mod optin;
mod orders;
mod profiles;
mod requests;
mod touchpoints;

pub use entry::Entry;
pub use merge::{finish_merge, left, take_in};
pub use requests::serve;
pub use touchpoints::hand_on;

use hilo_core::config::Source;
use hilo_core::event::Facts;
use hilo_core::journey::presume;
use hilo_core::validate::Envelope;
use hilo_core::{normalize, validate};

use crate::calls::{Delivery, Planned};
use crate::forward::{self, Configured};
use crate::journal;
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform};

/// Takes one envelope through the stages: exactly one [`Entry`] for each event, in order.
///
/// # Errors
/// When not everything is known to be durable. An event that was stored answers `duplicate` to the next attempt.
pub async fn run<P: Platform>(
    envelope: &Envelope,
    source: &Source,
    facts: &Facts,
    loaded: &Loaded,
    platform: &P,
) -> Result<Vec<Entry>, Failure> {
    let mut entries: Vec<Entry> =
        validate::check(envelope, source, facts).into_iter().map(Entry::from).collect();
    for event in entries.iter_mut().filter_map(|entry| entry.event.as_mut()) {
        normalize::apply(event, facts);
        // Mostly this is the channel of the session's first event. The profile knows better, and then need not write the
        // event anew.
        event.context.hilo.channel = presume(&event.context.hilo);
    }
    let configured = Configured::all(&loaded.config.destinations);
    let plan = |entry: &Entry| -> Vec<&Planned> {
        entry.event.iter().flat_map(|event| forward::plan(event, &configured)).collect()
    };
    let plans: Vec<_> = entries.iter().map(plan).collect();
    // Before anything is forwarded: a crash repeats a delivery and never loses one. The object that stores an event also
    // hands its deliveries to the queue, and the queue calls `deliver`.
    profiles::store(&mut entries, &plans, platform).await?;
    journal::judged(&entries, source, loaded, platform).await;
    Ok(entries)
}

/// Forwards what the queue carries.
pub async fn deliver<P: Platform>(deliveries: Vec<Delivery>, platform: &P) {
    forward::deliver(deliveries, platform).await;
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::platform::{Body, Incoming, Upload};
    use crate::shell::memory::{Memory, run};
    use crate::signature::SECRET;

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
        memory.set_secret(SECRET, "");
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
