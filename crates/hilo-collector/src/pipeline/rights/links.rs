//! Who links a device to a user, and what becomes of both.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::*;
use crate::platform::Object;

mod erasures;

const USER: &str = "u:user-1";
const WEBHOOK: &str = "http://127.0.0.1:8787/dev/webhook";

fn memory_with_webhook() -> Memory {
    let memory = memory_with_users();
    memory.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
    memory
}

/// Lets some seconds pass, alarm by alarm.
fn pass(memory: &Memory, seconds: u32) {
    wait(memory, seconds, 1);
}

/// Lets so many spans of `seconds` pass.
fn wait(memory: &Memory, spans: u32, seconds: i64) {
    for _ in 0..spans {
        memory::run(memory.settle()).unwrap().unwrap();
        memory.advance(SignedDuration::from_secs(seconds));
    }
}

fn view(id: &str, device: &str) -> Value {
    json!({
        "type": "page", "messageId": id, "anonymousId": device, "properties": {},
        "timestamp": "2026-11-24T09:59:59Z",
        "context": {"consent": {"categoryPreferences": {"analytics": true}, "revision": 1}},
    })
}

/// Sends events under the key of a page, or of a server.
fn send(memory: &Memory, is_server: bool, events: &Value) -> (u16, Value) {
    let mut sender = Browser::new(memory);
    if is_server {
        sender.fields.push(("authorization", "Bearer sk_dev_backend".to_owned()));
    }
    let body = json!({"batch": events, "sentAt": memory.now().to_string()});
    let (status, answer) =
        if is_server { server_call(memory, &body) } else { sender.call("POST", "/v1/batch", body) };
    (status, answer)
}

/// A backend's envelope has neither origin nor header of ours.
fn server_call(memory: &Memory, body: &Value) -> (u16, Value) {
    let fields = [("authorization", "Bearer sk_dev_backend")];
    let reply = memory.serve(request("POST", "/v1/batch", body, &fields)).unwrap();
    (reply.status, memory::json(&reply))
}

fn summary(memory: &Memory, key: &str) -> Value {
    let fields = vec![("authorization", "Bearer token".to_owned())];
    let mut admin = Browser { fields, ..Browser::new(memory) };
    admin.call("GET", &format!("/admin/v1/profiles/{key}"), Value::Null).1
}

/// The ids of a profile's events.
fn events(memory: &Memory, key: &str) -> BTreeSet<String> {
    let events = listed(memory, key, "events").into_iter();
    events.map(|event| event["messageId"].as_str().unwrap().to_owned()).collect()
}

/// The browser of a device with an id, an event and a token.
fn signed_in<'m>(memory: &'m Memory, id: &str, token: String) -> Browser<'m> {
    let mut page = Browser::new(memory);
    assert_eq!(page.hello(json!({"spareId": id}))["anonymousId"], id);
    page.decide(Some(id), 0, "granted");
    assert_eq!(send(memory, false, &json!([view(&format!("m-{id}"), id)])).0, 200);
    page.fields = vec![("x-hilo-user-token", token)];
    page
}

fn is_linked(memory: &Memory, id: &str) -> bool {
    pass(memory, 3);
    let (device, user) = (summary(memory, &format!("a:{id}")), summary(memory, USER));
    assert_eq!(device["linking"], Value::Null, "no move lasts so long");
    user["links"].as_u64() > Some(0) && device == user
}

#[test]
fn a_proof_beside_a_users_token_links_the_device_at_each_door_that_a_page_uses() {
    type Act = fn(&mut Browser<'_>, &str);
    let hello: Act = |page, id| drop(page.hello(json!({"anonymousId": id})));
    let grant: Act = |page, id| drop(page.choose(Some(id), 1, "functional", "granted"));
    let denial: Act = |page, id| drop(page.choose(Some(id), 1, "functional", "denied"));
    let cart: Act = |page, _| {
        page.fields.push(("authorization", "Bearer wk_shop".to_owned()));
        assert_eq!(page.call("GET", "/v1/cart", Value::Null).0, 200);
    };
    let copy: Act = |page, _| assert_eq!(page.copy().0, 200);
    for (name, act, expected) in [
        ("hello", hello, true),
        ("grant", grant, true),
        ("cart", cart, true),
        ("denial", denial, false),
        ("copy", copy, false),
    ] {
        let memory = memory_with_webhook();
        let id = format!("device-{name}");
        let mut page = signed_in(&memory, &id, token(&memory, "profile cart", 600));
        act(&mut page, &id);
        assert_eq!(is_linked(&memory, &id), expected, "{name}");
    }
}

#[test]
fn without_a_token_that_allows_it_or_without_the_proof_nothing_is_linked() {
    for (scope, life_s) in [("cart", 600), ("profile", -300)] {
        let memory = memory_with_webhook();
        let mut page = signed_in(&memory, ID, token(&memory, scope, life_s));
        assert_eq!(page.hello(json!({"anonymousId": ID}))["anonymousId"], ID, "{scope}");
        assert_eq!(page.choose(Some(ID), 1, "functional", "granted").0, 200);
        assert!(!is_linked(&memory, ID), "{scope}");
    }
    let memory = memory_with_webhook();
    let page = signed_in(&memory, ID, String::new());
    let mut stranger = Browser {
        fields: vec![("x-hilo-user-token", token(&memory, "profile", 600))],
        ..Browser::new(&memory)
    };
    assert_ne!(stranger.hello(json!({"anonymousId": ID}))["anonymousId"], ID);
    stranger.cookie = None;
    assert_eq!(stranger.choose(Some(ID), 1, "functional", "granted").0, 403);
    assert!(!is_linked(&memory, ID));
    // The positive control: the same token beside the proof.
    stranger.cookie = page.cookie;
    stranger.hello(json!({"anonymousId": ID}));
    assert!(is_linked(&memory, ID));
}

#[test]
fn a_mode_that_tries_tokens_out_links_nothing() {
    for mode in ["report", "off"] {
        let memory = memory_with_webhook();
        let key = "[[identity.key]]\nkid = \"k1\"\nalg = \"HS256\"\nsecret = { secret = \"TOKEN_SECRET\" }\n";
        let built_in = include_str!("../../../hilo.toml");
        let set = built_in.replace("mode = \"enforce\"", &format!("mode = \"{mode}\""));
        assert_ne!(set, built_in);
        memory.configure(&format!("{set}\n{key}"));
        let mut page = signed_in(&memory, ID, token(&memory, "profile", 600));
        page.hello(json!({"anonymousId": ID}));
        let identify = json!([identify("i1", ID)]);
        assert_eq!(send(&memory, true, &identify).0, 200);
        assert!(!is_linked(&memory, ID), "{mode}");
    }
}

fn identify(id: &str, device: &str) -> Value {
    let mut event = view(id, device);
    event["type"] = "identify".into();
    event["userId"] = "user-1".into();
    event
}

fn alias(id: &str, earlier: &str) -> Value {
    let mut event = view(id, "another-device");
    event["type"] = "alias".into();
    event["userId"] = "user-1".into();
    event["previousId"] = earlier.into();
    event
}

#[test]
fn a_servers_identify_and_alias_link_and_those_of_a_page_do_not() {
    for (event, is_server, expected) in [
        (identify("e1", ID), true, true),
        (identify("e1", ID), false, false),
        (alias("e1", ID), true, true),
        (alias("e1", ID), false, false),
    ] {
        let memory = memory_with_webhook();
        assert_eq!(send(&memory, false, &json!([view("m1", ID)])).0, 200);
        let (status, answer) = send(&memory, is_server, &json!([event]));
        assert_eq!((status, &answer["accepted"]), (200, &json!(1)), "{answer}");
        assert_eq!(is_linked(&memory, ID), expected, "{event} {is_server}");
        if expected {
            assert_eq!(events(&memory, USER), BTreeSet::from(["e1", "m1"].map(str::to_owned)));
        }
    }
}

#[test]
fn a_track_event_with_both_ids_links_nothing_and_an_unused_id_is_linked_to_nobody() {
    let memory = memory_with_webhook();
    send(&memory, false, &json!([view("m1", ID)]));
    let mut track = identify("t1", ID);
    track["type"] = "track".into();
    track["event"] = "Seen".into();
    send(&memory, true, &json!([track, identify("i1", "unused"), alias("x1", "unused-too")]));
    assert!(!is_linked(&memory, ID));
    for id in ["unused", "unused-too"] {
        let mut page = Browser::new(&memory);
        assert_eq!(page.hello(json!({"spareId": id}))["anonymousId"], id, "its page claims it");
    }
}

#[test]
fn a_servers_alias_of_two_users_makes_one_of_them() {
    let memory = memory_with_webhook();
    let mut old = identify("i1", ID);
    old["userId"] = "old".into();
    send(&memory, false, &json!([view("m1", ID)]));
    send(&memory, true, &json!([old]));
    pass(&memory, 3);
    send(&memory, true, &json!([alias("x1", "old")]));
    pass(&memory, 3);
    let all = BTreeSet::from(["i1", "m1", "x1"].map(str::to_owned));
    for key in ["u:old", USER, &format!("a:{ID}")] {
        assert_eq!(events(&memory, key), all, "{key}");
    }
    assert_eq!(summary(&memory, USER)["links"], 2);
}

#[test]
fn a_linked_device_reads_and_writes_the_record_of_its_user() {
    let memory = memory_with_webhook();
    let mut page = signed_in(&memory, ID, token(&memory, "profile", 600));
    page.hello(json!({"anonymousId": ID}));
    assert!(is_linked(&memory, ID));
    let before = listed(&memory, USER, "receipts").len();
    // The choice reaches the user's record once, although the token names the same person.
    assert_eq!(page.choose(Some(ID), 1, "functional", "granted").0, 200);
    assert_eq!(listed(&memory, USER, "receipts").len(), before + 1);
    page.fields.clear();
    let (_, copy) = page.copy();
    assert_eq!(
        (&copy["state"], copy["receipts"].as_array().unwrap().len()),
        (&json!({"analytics": "granted", "functional": "granted"}), before + 1)
    );
    assert_eq!(page.hello(json!({"anonymousId": ID}))["state"], copy["state"]);
    assert_eq!(page.opt(Some(ID), "subscribed", None).0, 200);
    assert_eq!(ledger(&memory, USER), ["subscribed"]);
    // A denial from another device of the user reaches this one.
    let mut other = signed_in(&memory, "other-device", token(&memory, "profile", 600));
    assert_eq!(other.decide(Some("other-device"), 1, "denied").0, 200);
    let (_, refused) = send(&memory, false, &json!([view("m2", ID)]));
    assert_eq!(refused["rejected"][0]["code"], "consent_denied");
    assert_eq!(page.hello(json!({"anonymousId": ID}))["denied"], json!(["analytics"]));
}

#[test]
fn an_event_of_somebody_unlinked_costs_one_call_and_one_of_somebody_linked_two() {
    let memory = memory_with_webhook();
    let calls = |memory: &Memory, id: &str| {
        let before = memory.asked().len();
        send(memory, false, &json!([view(id, ID)]));
        let asked = memory.asked();
        asked[before..].iter().filter(|one| matches!(one, Object::Profile(_))).count()
    };
    assert_eq!(calls(&memory, "m1"), 1);
    send(&memory, true, &json!([identify("i1", ID)]));
    assert!(is_linked(&memory, ID));
    assert_eq!(calls(&memory, "m2"), 2);
}

/// Links a device with pending deliveries, and lets call number `after` of the move fail. Returns what the user has, what the webhook
/// got, and whether the call failed.
fn move_with(after: u32, is_done: bool) -> (BTreeSet<String>, Vec<String>, bool) {
    let memory = memory_with_webhook();
    memory.set_answer(WEBHOOK, 503, SignedDuration::ZERO);
    send(&memory, false, &json!([view("m1", ID), view("m2", ID)]));
    send(&memory, true, &json!([identify("i1", ID)]));
    memory.cut_call(after, is_done);
    pass(&memory, 2);
    memory.crash();
    // What is not acknowledged is sent again.
    while send(&memory, false, &json!([view("m2", ID), view("m3", ID)])).0 != 200 {}
    wait(&memory, 10, 4);
    let has_failed = memory.has_failed();
    // A confirmation that fails after the webhook has answered would repeat a delivery, as it does for everybody.
    memory.cut_call(u32::MAX, false);
    memory.set_answer(WEBHOOK, 204, SignedDuration::ZERO);
    let failed = memory.sent().len();
    wait(&memory, 20, 20);
    assert_eq!(summary(&memory, &format!("a:{ID}")), summary(&memory, USER));
    let sent = memory.sent().split_off(failed);
    let mut ids: Vec<String> = sent.iter().map(crate::shell::memory::delivered_id).collect();
    ids.sort_unstable();
    (events(&memory, USER), ids, has_failed)
}

#[test]
fn a_move_whose_calls_fail_loses_no_event_and_sends_each_once() {
    let all = ["i1", "m1", "m2", "m3"].map(str::to_owned);
    for is_done in [false, true] {
        let mut after = 0;
        loop {
            let (stored, sent, has_failed) = move_with(after, is_done);
            assert_eq!(stored, BTreeSet::from(all.clone()), "call {after}, {is_done}");
            assert_eq!(sent, all, "call {after}, {is_done}");
            if !has_failed {
                break;
            }
            after += 1;
        }
        assert!(after >= 10, "{after} calls");
    }
}

/// Erases whomever `fields` prove, and lets every step be done.
fn erase(memory: &Memory, cookie: Option<String>, token: Option<String>) -> Value {
    let mut fields = vec![("authorization", "Bearer wk_shop".to_owned())];
    fields.extend(token.map(|token| ("x-hilo-user-token", token)));
    let mut person = Browser { fields, cookie, ..Browser::new(memory) };
    let (status, answer) = person.call("DELETE", "/v1/me", Value::Null);
    assert_eq!(status, 202, "{answer}");
    wait(memory, 12, 10);
    answer
}

#[test]
fn an_erasure_of_a_user_reaches_the_devices_that_have_moved_there() {
    let memory = memory_with_webhook();
    let mut page = signed_in(&memory, ID, token(&memory, "profile", 600));
    page.hello(json!({"anonymousId": ID}));
    assert!(is_linked(&memory, ID));
    assert_eq!(events(&memory, USER), BTreeSet::from([format!("m-{ID}")]));
    erase(&memory, None, Some(token(&memory, "erase", 600)));
    for key in [USER, &format!("a:{ID}")] {
        let kept = summary(&memory, key);
        assert_eq!(kept["erasure"]["status"], "done", "{key}");
        assert_eq!((&kept["events"], &kept["consent"]), (&json!(0), &json!({})), "{key}");
    }
    let (_, answer) = send(&memory, false, &json!([view("late", ID)]));
    assert_eq!(answer["rejected"][0]["code"], "erased");
}

#[test]
fn the_proof_of_a_device_erases_nothing_of_its_user() {
    let memory = memory_with_webhook();
    let mut page = signed_in(&memory, ID, token(&memory, "profile", 600));
    page.hello(json!({"anonymousId": ID}));
    assert!(is_linked(&memory, ID));
    let mut own = Browser { cookie: page.cookie.clone(), ..Browser::new(&memory) };
    own.fields.push(("authorization", "Bearer wk_shop".to_owned()));
    assert_eq!(own.call("GET", "/v1/me", Value::Null).1["events"], 0, "the user's are the user's");
    let answer = erase(&memory, page.cookie, None);
    let said = (&answer["erases"], &answer["notice"]["code"]);
    assert_eq!(said, (&json!(["device"]), &json!("user_kept")));
    assert_eq!(events(&memory, USER), BTreeSet::from([format!("m-{ID}")]));
    let (_, answer) = send(&memory, false, &json!([view("late", ID)]));
    assert_eq!(answer["rejected"][0]["code"], "erased");
}

#[test]
fn a_device_on_its_way_brings_nothing_back_of_what_its_user_had_erased() {
    let memory = memory_with_webhook();
    let mut page = signed_in(&memory, ID, token(&memory, "profile", 600));
    page.hello(json!({"anonymousId": ID}));
    // The device has not begun to move.
    erase(&memory, None, Some(token(&memory, "erase", 600)));
    let user = summary(&memory, USER);
    assert_eq!((&user["events"], &user["profile"]["events"]), (&json!(0), &json!({})));
    assert_eq!(events(&memory, USER), BTreeSet::new());
    assert_eq!((&user["profile"], &user["consent"]), (&json!({"events": {}}), &json!({})));
    assert_eq!(listed(&memory, USER, "receipts"), Vec::<Value>::new());
    let device = summary(&memory, &format!("a:{ID}"));
    assert_eq!((&device["erasure"]["status"], &device["events"]), (&json!("done"), &json!(0)));
}

#[test]
fn what_an_erasure_refuses_reaches_no_user_by_an_alias() {
    let memory = memory_with_webhook();
    let page = signed_in(&memory, ID, String::new());
    erase(&memory, page.cookie, None);
    let alias =
        json!({"type": "alias", "messageId": "alias", "previousId": ID, "userId": "user-1"});
    assert_eq!(send(&memory, true, &json!([alias])).0, 200);
    pass(&memory, 5);
    assert_eq!(summary(&memory, USER)["links"].as_u64().unwrap_or(0), 0);
    let (_, answer) = send(&memory, false, &json!([view("late", ID)]));
    assert_eq!(answer["rejected"][0]["code"], "erased");
}
