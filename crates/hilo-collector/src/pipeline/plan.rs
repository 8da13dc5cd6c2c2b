//! The tracking plan at the edge: judges events.
//!
//! Entries → entries with remarks, or refused. A refused event is held sealed in the journal before the sender is answered, so that
//! `replay.rs` can bring it back once the plan is mended.

use hilo_core::config::Source;
use hilo_core::plan;

use super::entry::{Entry, profile_key};
use crate::call::secret;
use crate::calls::encode;
use crate::calls::journal::held::HeldEvent;
use crate::calls::journal::{JournalCall, ask_journal};
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform};
use crate::signature::{message_hash, object_name};

/// Judges the events by the plan. In the mode `reject` an event that violates it is held.
///
/// # Errors
/// A failure if an event could not be held: the envelope may be sent again.
pub(super) async fn judge<P: Platform>(
    entries: &mut [Entry],
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<(), Failure> {
    let Some(plan) = &loaded.config.plan else { return Ok(()) };
    let mut held = Vec::new();
    for entry in entries {
        let Some(event) = &mut entry.event else { continue };
        let violations = plan::check(event, plan);
        let Some(first) = plan::refusal(plan.mode, &violations) else {
            entry.notices.extend(violations);
            continue;
        };
        held.push(HeldEvent {
            source: source.name.clone(),
            profile: object_name(secret(platform)?.naming(), &profile_key(event, source.trust())),
            message_hash: message_hash(&event.message_id),
            code: first.code.name().to_owned(),
            event: encode(event)?,
        });
        let first = first.clone();
        entry.notices.extend(violations.into_iter().skip(1));
        entry.refuse(first);
    }
    if held.is_empty() {
        return Ok(());
    }
    ask_journal(platform, &JournalCall::Hold { events: held }).await
}

#[cfg(test)]
mod tests {
    use hilo_core::identity::ProfileKey;
    use serde_json::{Value, json};

    use super::*;
    use crate::calls::journal::forget_profile;
    use crate::keyring::Keyring;
    use crate::platform::Incoming;
    use crate::shell::memory::{self, Memory, SHOP, request, run};

    const STRICT: &str = "[plan]\nmode = \"reject\"\n[[plan.event]]\nname = \"Order Completed\"\n\
        properties = { total = { type = \"number\", required = true } }\n";

    fn memory(plan: &str) -> Memory {
        let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
        memory.set_secret("HILO_ADMIN_TOKEN", "token");
        configure(&memory, plan);
        memory
    }

    fn configure(memory: &Memory, plan: &str) {
        let built_in = include_str!("../../hilo.toml");
        memory.configure(&format!("{built_in}\n{plan}"));
    }

    fn call(memory: &Memory, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let fields = [("origin", SHOP), ("x-hilo", "1"), ("authorization", "Bearer token")];
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let incoming = Incoming { query: query.to_owned(), ..request(method, path, body, &fields) };
        let reply = memory.serve(incoming).unwrap();
        (reply.status, memory::json(&reply))
    }

    fn order(id: &str, total: &Value) -> Value {
        json!({
            "type": "track", "event": "Order Completed", "messageId": id, "anonymousId": "a1",
            "properties": {"total": total}, "timestamp": "2026-11-24T09:59:59Z",
            "context": {"consent": {"categoryPreferences": {"analytics": true}, "revision": 1}},
        })
    }

    fn send(memory: &Memory, batch: &[Value]) -> Value {
        let envelope = json!({"writeKey": "wk_shop", "batch": batch});
        // The batch call knows its key by the body. An admin token is none.
        let fields = [("origin", SHOP), ("x-hilo", "1")];
        let reply = memory.serve(request("POST", "/v1/batch", &envelope, &fields)).unwrap();
        memory::json(&reply)
    }

    fn replay(memory: &Memory, body: &Value) -> Value {
        let (status, answer) = call(memory, "POST", "/admin/v1/rejects/replay", body);
        assert_eq!(status, 200, "{answer}");
        answer
    }

    fn counts(replayed: u32, duplicate: u32, refused: u32, still_held: u32) -> Value {
        json!({"replayed": replayed, "duplicate": duplicate, "refused": refused, "stillHeld": still_held})
    }

    fn stored(memory: &Memory) -> Value {
        let path = "/admin/v1/profiles/a%3Aa1/events";
        call(memory, "GET", path, &Value::Null).1["events"].clone()
    }

    #[test]
    fn an_event_that_the_plan_refused_comes_back_once_the_plan_is_mended() {
        let memory = memory(STRICT);
        let answer = send(&memory, &[order("m1", &json!("19.50")), order("m2", &json!(5))]);
        assert_eq!(answer["accepted"], 1);
        assert_eq!(answer["rejected"][0]["code"], "plan_type");
        assert_eq!(answer["rejected"][0]["field"], "properties.total");
        assert_eq!(replay(&memory, &json!({})), counts(0, 0, 0, 1));
        configure(&memory, &STRICT.replace("\"number\"", "\"text\""));
        assert_eq!(replay(&memory, &json!({"code": "plan_enum"})), counts(0, 0, 0, 0));
        assert_eq!(replay(&memory, &json!({"code": "plan_type"})), counts(1, 0, 0, 0));
        let events = stored(&memory);
        let ids: Vec<_> =
            events.as_array().unwrap().iter().map(|e| e["messageId"].clone()).collect();
        assert!(ids.contains(&json!("m1")) && ids.contains(&json!("m2")), "{events}");
        assert_eq!(replay(&memory, &json!({})), counts(0, 0, 0, 0), "it is held no more");
    }

    #[test]
    fn a_client_that_sends_a_refused_event_again_does_not_make_two() {
        let memory = memory(STRICT);
        for _ in 0..2 {
            send(&memory, &[order("m1", &json!("x"))]);
        }
        configure(&memory, "");
        send(&memory, &[order("m1", &json!("x"))]);
        assert_eq!(replay(&memory, &json!({"messageIds": ["m1"]})), counts(0, 1, 0, 0));
    }

    #[test]
    fn a_withdrawn_consent_and_an_erasure_hold_for_held_events_too() {
        let memory = memory(STRICT);
        send(&memory, &[order("m1", &json!("x"))]);
        let denial = json!({"categoryPreferences": {"analytics": false}, "revision": 2});
        let mut report = order("m2", &json!(1));
        report["event"] = json!("Segment Consent Preference Updated");
        report["context"]["consent"] = denial;
        send(&memory, &[report]);
        configure(&memory, "");
        assert_eq!(replay(&memory, &json!({})), counts(0, 0, 1, 0));
        configure(&memory, STRICT);
        send(&memory, &[order("m3", &json!("x"))]);
        let keyring = Keyring::of(&memory).unwrap();
        let name = object_name(keyring.naming(), &ProfileKey::Anonymous("a1".to_owned()));
        run(forget_profile(&memory, &name)).unwrap().unwrap();
        assert_eq!(replay(&memory, &json!({})), counts(0, 0, 0, 0));
    }

    #[test]
    fn violations_of_a_plan_that_only_flags_are_found_in_the_reject_log_by_their_code() {
        let memory = memory(&STRICT.replace("reject", "flag"));
        let answer = send(&memory, &[order("m1", &json!("x")), json!({"type": "nonsense"})]);
        assert_eq!(
            (&answer["accepted"], &answer["notices"][0]["code"]),
            (&json!(1), &json!("plan_type"))
        );
        assert_eq!(stored(&memory)[0]["context"]["hilo"]["flags"], json!(["plan_type"]));
        let (_, log) = call(&memory, "GET", "/admin/v1/rejects?code=plan_", &Value::Null);
        assert_eq!(log["counts"], json!({"plan_type": 1}), "{log}");
        assert_eq!(log["rejects"][0]["outcome"], "notice");
    }

    #[test]
    fn a_replay_needs_the_admin_token_and_its_own_method() {
        let memory = memory(STRICT);
        let request = request("POST", "/admin/v1/rejects/replay", &json!({}), &[]);
        assert_eq!(memory.serve(request).unwrap().status, 401);
        assert_eq!(call(&memory, "GET", "/admin/v1/rejects/replay", &Value::Null).0, 405);
        assert_eq!(call(&memory, "POST", "/admin/v1/rejects/replay", &json!({"x": 1})).0, 400);
    }

    #[test]
    fn the_events_of_a_bot_are_flagged_or_dropped_as_the_file_wants_it() {
        let send = |rules: &str| {
            let memory = memory("");
            let built_in = include_str!("../../hilo.toml");
            memory.configure(&built_in.replace("[normalize]", &format!("[normalize]\n{rules}")));
            let envelope = json!({"writeKey": "wk_shop", "batch": [order("m1", &json!(1))]});
            let bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
            let fields = [("origin", SHOP), ("x-hilo", "1"), ("user-agent", bot)];
            let reply = memory.serve(request("POST", "/v1/batch", &envelope, &fields)).unwrap();
            (memory::json(&reply), stored(&memory))
        };
        let (answer, events) = send("");
        assert_eq!(
            (&answer["accepted"], &events[0]["context"]["hilo"]["bot"]),
            (&json!(1), &json!(true))
        );
        let (answer, events) = send("bots = \"refuse\"");
        assert_eq!(answer["rejected"][0]["code"], "bot_refused");
        assert_eq!(events.as_array().map_or(0, Vec::len), 0);
    }
}
