//! The brakes before any object is called: requests from one network, and requests under one write key.
//!
//! A request → nothing, or [`Failure::Busy`]. `wrangler.jsonc` has the numbers. Refusals are sampled for the reject log: a
//! flood must not become a flood of the journal's calls.

use std::cell::Cell;

use hilo_core::config::Source;
use hilo_core::normalize::geo;
use hilo_core::outcome::{Code, Rejection};

use super::journal;
use crate::call::Call;
use crate::ingest;
use crate::platform::{Failure, Limit, Platform};

/// The seconds after which a refused sender may try again. The limits count within 10 and 60 seconds.
const RETRY_S: u32 = 10;
/// An isolate writes at most one line into the reject log within this time.
const NOTE_EVERY_MS: i64 = 10_000;

thread_local! {
    static SAMPLE: Cell<Sample> = const { Cell::new(Sample { noted_ms: i64::MIN, left_out: 0 }) };
}

/// When an isolate wrote its last line, and the number of refusals since.
#[derive(Clone, Copy, Debug)]
struct Sample {
    noted_ms: i64,
    left_out: u64,
}

impl Sample {
    /// Counts a refusal. Returns the number that a line stands for, if one is due.
    fn count(&mut self, now_ms: i64) -> Option<u64> {
        self.left_out += 1;
        if now_ms.saturating_sub(self.noted_ms) < NOTE_EVERY_MS {
            return None;
        }
        self.noted_ms = now_ms;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Counts a request of its network.
///
/// # Errors
/// `Busy` where the network sent too much. A backend's own key is not refused: it is secret, and an import is large.
pub(super) async fn check_peer<P: Platform>(call: &Call<'_, P>) -> Result<(), Failure> {
    let address = call.incoming.headers.get("cf-connecting-ip");
    // Without an address, as on a developer's machine, nobody can be told apart.
    let Some(network) = address.and_then(geo::network) else { return Ok(()) };
    if call.platform.is_within(Limit::Peer, &network).await || is_backend(call) {
        return Ok(());
    }
    Err(Failure::Busy { after_s: RETRY_S })
}

/// Counts a request of its source. The active keys of a source share their limit.
///
/// # Errors
/// `Busy` where too much came under the key.
pub(super) async fn check_key<P: Platform>(
    source: &Source,
    call: &Call<'_, P>,
) -> Result<(), Failure> {
    if call.platform.is_within(Limit::Key, &source.name).await {
        return Ok(());
    }
    Err(Failure::Busy { after_s: RETRY_S })
}

fn is_backend<P: Platform>(call: &Call<'_, P>) -> bool {
    let Call { incoming, loaded, platform } = *call;
    let key = ingest::presented_key(&incoming.headers);
    key.and_then(|key| loaded.config.source_by_key(&key, platform.is_dev()).ok())
        .is_some_and(Source::is_server)
}

/// Writes a refusal into the reject log, or counts it for the next line.
pub(super) fn note<P: Platform>(call: &Call<'_, P>) {
    let mut sample = SAMPLE.get();
    let due = sample.count(call.platform.now().as_millisecond());
    SAMPLE.set(sample);
    if let Some(count) = due {
        let message = format!(
            "answered with 429: one network, key, person or cart sent too much, or an envelope took too long; {count} such requests since the last line"
        );
        journal::note_refusal(&Rejection::new(Code::RateLimited, message), call);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::calls::journal::{Wanted, read_rejects};
    use crate::platform::Object;
    use crate::shell::memory::{self, Memory, request, run};

    const BACKEND: &str = "Bearer sk_dev_backend";

    fn memory() -> Memory {
        Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap()
    }

    /// Posts a body from a network, and returns status, `Retry-After` and answer.
    fn post(
        memory: &Memory,
        path: &str,
        body: &Value,
        fields: &[(&str, &str)],
    ) -> (u16, Option<String>, Value) {
        let reply = memory.serve(request("POST", path, body, fields)).unwrap();
        let after = reply.headers.get("retry-after").map(str::to_owned);
        (reply.status, after, memory::json(&reply))
    }

    fn envelope(persons: std::ops::Range<usize>) -> Value {
        let event = |n| json!({"type": "page", "messageId": format!("m{n}"), "anonymousId": format!("a{n}"), "properties": {}});
        let consent = json!({"categoryPreferences": {"analytics": true}, "revision": 1});
        let batch: Vec<_> = persons.map(event).collect();
        json!({"writeKey": "wk_shop", "context": {"consent": consent}, "batch": batch})
    }

    fn noted(memory: &Memory) -> Vec<String> {
        let rejects = run(read_rejects(memory, &Wanted { limit: 100, ..Wanted::default() }, 14))
            .unwrap()
            .unwrap();
        rejects.rejects.into_iter().map(|reject| reject.code).collect()
    }

    #[test]
    fn a_flood_of_refusals_is_one_line_in_ten_seconds_with_their_number() {
        let mut sample = SAMPLE.get();
        assert_eq!(sample.count(0), Some(1));
        assert!((1..500).all(|ms| sample.count(ms).is_none()));
        assert_eq!(sample.count(10_000), Some(500));
    }

    #[test]
    fn an_envelope_of_a_page_about_2500_persons_calls_eight_objects() {
        let memory = memory();
        let (status, _, answer) = post(&memory, "/v1/batch", &envelope(0..2_500), &[]);
        assert_eq!((status, &answer["accepted"]), (200, &json!(8)));
        assert_eq!(answer["rejected"].as_array().map(Vec::len), Some(2_492));
        assert_eq!(answer["rejected"][0]["code"], "too_many_persons");
        assert_eq!(memory.profiles(), 8);
    }

    #[test]
    fn an_envelope_of_a_backend_may_be_about_many_persons() {
        let memory = memory();
        let mut envelope = envelope(1_000..1_200);
        envelope["writeKey"] = Value::Null;
        let fields = [("authorization", BACKEND)];
        let (status, _, answer) = post(&memory, "/v1/batch", &envelope, &fields);
        assert_eq!((status, &answer["accepted"]), (200, &json!(200)));
        assert_eq!(memory.profiles(), 200);
    }

    /// Sends a backend's envelope to objects that are far away, until all of it is durable. Returns the answers' statuses.
    fn attempts(memory: &Memory, envelope: &Value) -> Vec<u16> {
        memory.move_objects_away(jiff::SignedDuration::from_millis(200));
        let fields = [("authorization", BACKEND)];
        let mut answers = Vec::new();
        while answers.last().is_none_or(|status| *status == 429) && answers.len() < 9 {
            let (status, after, answer) = post(memory, "/v1/batch", envelope, &fields);
            if status == 200 {
                let duplicate = answer["duplicate"].as_u64().unwrap();
                assert_eq!(answer["accepted"].as_u64().unwrap() + duplicate, 100);
            } else {
                assert_eq!(after.as_deref(), Some("1"));
            }
            answers.push(status);
        }
        answers
    }

    #[test]
    fn a_backends_envelope_that_is_too_large_for_one_request_gets_further_with_each_attempt() {
        let memory = memory();
        let answers = attempts(&memory, &envelope(0..100));
        assert_eq!(answers, [429, 429, 200], "forty of them in eight seconds");
        assert_eq!(memory.profiles(), 100);
    }

    #[test]
    fn the_reports_of_a_backends_large_envelope_get_further_with_each_attempt() {
        let (memory, mut envelope) = (memory(), envelope(0..100));
        for event in envelope["batch"].as_array_mut().unwrap() {
            event["type"] = "track".into();
            event["event"] = "Segment Consent Preference Updated".into();
            event["messageId"] = format!("r-{}", event["anonymousId"]).into();
        }
        assert_eq!(attempts(&memory, &envelope), [429, 429, 200]);
        let asked = memory.asked();
        let reports = asked.iter().filter(|object| matches!(object, Object::Profile(_)));
        assert_eq!(reports.count(), 100, "one call for each person");
    }

    #[test]
    fn a_network_that_sends_too_much_is_refused_before_any_object_and_noted_once() {
        let memory = memory();
        memory.limit(Limit::Peer, 1);
        let from = [("cf-connecting-ip", "203.0.113.7")];
        assert_eq!(post(&memory, "/v1/batch", &envelope(0..1), &from).0, 200);
        for n in 1..5 {
            let (status, after, answer) = post(&memory, "/v1/batch", &envelope(n..n + 1), &from);
            assert_eq!((status, after.as_deref()), (429, Some("10")));
            assert_eq!(answer["error"]["code"], "rate_limited");
        }
        assert_eq!(memory.profiles(), 1);
        assert_eq!(noted(&memory), ["rate_limited"]);
        let nobody = envelope(9..10);
        assert_eq!(post(&memory, "/v1/batch", &nobody, &[]).0, 200, "no address, no network");
    }

    #[test]
    fn a_backend_that_imports_is_not_refused_for_its_network() {
        let memory = memory();
        memory.limit(Limit::Peer, 0);
        let fields = [("cf-connecting-ip", "203.0.113.7"), ("authorization", BACKEND)];
        assert_eq!(post(&memory, "/v1/batch", &envelope(0..1), &fields).0, 200);
        let page = [("cf-connecting-ip", "203.0.113.7"), ("authorization", "Bearer wk_shop")];
        assert_eq!(post(&memory, "/v1/batch", &envelope(0..1), &page).0, 429);
    }

    #[test]
    fn a_key_that_is_used_too_much_is_refused_before_any_object() {
        let memory = memory();
        memory.limit(Limit::Key, 0);
        assert_eq!(post(&memory, "/v1/batch", &envelope(0..1), &[]).0, 429);
        let fields = [("authorization", "Bearer wk_shop"), ("x-hilo", "1")];
        assert_eq!(post(&memory, "/v1/cart/checkout", &json!({}), &fields).0, 429);
        let fields = [("x-hilo", "1")];
        let changes = |state| json!([{"purpose": "analytics", "state": state, "at": "2026-11-24T10:00:00Z", "method": "api"}]);
        let consent = |state| json!({"writeKey": "wk_shop", "anonymousId": "a1", "consent": {"changes": changes(state)}});
        let optin = |state| json!({"writeKey": "wk_shop", "channel": "email", "state": state, "text": "Write to me.", "version": "1"});
        let granted = json!({"categoryPreferences": {"analytics": true}});
        let hello = json!({"writeKey": "wk_shop", "consent": granted});
        for (path, body) in [
            ("/v1/hello", hello),
            ("/v1/consent", consent("granted")),
            ("/v1/optin", optin("subscribed")),
        ] {
            assert_eq!(post(&memory, path, &body, &fields).0, 429, "{path}");
        }
        assert_eq!((memory.profiles(), memory.carts()), (0, 0));
        for (path, body) in [
            ("/v1/hello", json!({"writeKey": "wk_shop"})),
            ("/v1/consent", consent("denied")),
            ("/v1/optin", optin("unsubscribed")),
        ] {
            assert_eq!(post(&memory, path, &body, &fields).0, 200, "{path} denies");
        }
    }

    #[test]
    fn a_person_may_send_a_thousand_events_at_once_and_a_backend_more() {
        let memory = memory();
        let of_one = |from: usize, key: &str| {
            let mut envelope = envelope(from..from + 500);
            for event in envelope["batch"].as_array_mut().unwrap() {
                event["anonymousId"] = "a1".into();
            }
            envelope["writeKey"] = key.into();
            envelope
        };
        for (from, expected) in [(0, 200), (500, 200), (1_000, 429)] {
            let (status, after, _) = post(&memory, "/v1/batch", &of_one(from, "wk_shop"), &[]);
            assert_eq!((status, after.is_some()), (expected, expected == 429), "{from}");
        }
        memory.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(post(&memory, "/v1/batch", &of_one(1_000, "wk_shop"), &[]).0, 200);
        for from in 0..6 {
            let envelope = of_one(2_000 + 500 * from, "sk_dev_backend");
            assert_eq!(post(&memory, "/v1/batch", &envelope, &[]).0, 200);
        }
    }

    #[test]
    fn a_flood_of_events_or_reports_does_not_keep_a_person_from_withdrawing() {
        for name in [None, Some("Segment Consent Preference Updated")] {
            let memory = memory();
            let consent = json!({"categoryPreferences": {"analytics": true}});
            let hello = json!({"writeKey": "wk_shop", "anonymousId": "a1", "consent": consent});
            let fields = [("x-hilo", "1"), ("x-hilo-auth", "none")];
            let (_, _, welcome) = post(&memory, "/v1/hello", &hello, &fields);
            let proof = welcome["token"].as_str().unwrap();
            let mut flood = envelope(0..2_000);
            for event in flood["batch"].as_array_mut().unwrap() {
                event["anonymousId"] = "a1".into();
                if let Some(name) = name {
                    event["type"] = "track".into();
                    event["event"] = name.into();
                }
            }
            assert_eq!(post(&memory, "/v1/batch", &flood, &[]).0, 200, "{name:?}");
            assert_eq!(post(&memory, "/v1/batch", &envelope(1..2), &[]).0, 429, "{name:?}");
            let optin = json!({"writeKey": "wk_shop", "anonymousId": "a1", "channel": "email", "state": "unsubscribed"});
            let fields = [("x-hilo", "1"), ("x-hilo-auth", proof)];
            assert_eq!(post(&memory, "/v1/optin", &optin, &fields).0, 200, "{name:?}");
        }
    }
}
