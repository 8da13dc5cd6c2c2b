//! Tests of reports and of the persons whom they join, on the whole collector in memory.

use hilo_core::inbound::{Report, Told, Who};
use hilo_core::outcome::{Code, Outcome};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::forget_progress;
use super::reports::{Taken, take};
use crate::platform::{Object, Platform as _};
use crate::shell::memory::{self, Memory, SHOP, request, run};

mod choices;
mod ends;
mod proofs;

/// The sources of these tests beside the built-in ones: a telephone whose word counts, a newsletter whose word does not.
const SOURCES: &str = r#"
[[source]]
name = "phone"
kind = "server"
keys = [{ sha256 = "1111111111111111111111111111111111111111111111111111111111111111" }]
consent_basis = { basis = "contract", purposes = ["analytics"] }
[[source]]
name = "newsletter"
kind = "server"
identity = "claimed"
keys = [{ sha256 = "2222222222222222222222222222222222222222222222222222222222222222" }]
consent_basis = { basis = "contract", purposes = ["analytics"] }
"#;

const ANA: &str = "u:ana";
const EMAIL: &str = "ana@shop.example";
const PHONE: &str = "+34600111222";

fn memory() -> Memory {
    let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
    let built_in = include_str!("../../hilo.toml");
    let normalize = "\n[normalize]\ncountry = \"ES\"\n";
    memory.configure(&format!("{}\n{SOURCES}", built_in.replace("\n[normalize]\n", normalize)));
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    memory.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
    memory
}

fn who(fields: &[(&str, &str)]) -> Who {
    let of = |name: &str| {
        let found = fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Who {
        user_id: of("user"),
        anonymous_id: of("device"),
        email: of("email"),
        phone: of("phone"),
        order_id: of("order"),
        loyalty_id: of("loyalty"),
    }
}

fn act(id: &str, event: &str, properties: &Value, who: Who) -> Report {
    let properties = properties.as_object().unwrap().clone();
    let told = Told::Act { event: event.to_owned(), properties };
    let occurred_at = Some("2026-11-24T09:30:00Z".parse::<Timestamp>().unwrap());
    Report { id: Some(id.to_owned()), told, occurred_at, who, context: Map::new() }
}

fn call(id: &str, who: Who) -> Report {
    act(id, "Call Received", &json!({"call_id": id, "duration_s": 61}), who)
}

fn try_take(memory: &Memory, source: &str, reports: &[Report]) -> Option<Vec<Taken>> {
    let loaded = run(memory.config()).unwrap().unwrap();
    let source = loaded.config.sources.iter().find(|one| one.name == source).unwrap();
    run(take(reports.to_vec(), source, &loaded, memory)).unwrap().ok()
}

/// The outcome's word and the remarks' codes, for each report.
#[track_caller]
fn taken(memory: &Memory, source: &str, reports: &[Report]) -> Vec<(String, Vec<Code>)> {
    let taken = try_take(memory, source, reports).unwrap().into_iter();
    taken
        .map(|one| {
            let word = match &one.outcome {
                Outcome::Rejected(why) | Outcome::Dropped(why) => why.code.name(),
                Outcome::Accepted | Outcome::Duplicate => one.outcome.name(),
            };
            (word.to_owned(), one.notices.iter().map(|notice| notice.code).collect())
        })
        .collect()
}

fn accepted(notices: &[Code]) -> (String, Vec<Code>) {
    ("accepted".to_owned(), notices.to_vec())
}

/// Sends events as the company's backend does.
#[track_caller]
fn tell(memory: &Memory, events: &Value) {
    let fields = [("authorization", "Bearer sk_dev_backend")];
    let body = json!({ "batch": events });
    let reply = memory.serve(request("POST", "/v1/batch", &body, &fields)).unwrap();
    assert_eq!((reply.status, &memory::json(&reply)["rejected"]), (200, &json!([])));
}

/// The backend's word about Ana.
fn identify(memory: &Memory) {
    tell(
        memory,
        &json!([{
            "type": "identify", "messageId": "i1", "userId": "ana",
            "traits": {"email": EMAIL, "phone": "600 11 12 22", "loyalty_id": "L-1"},
        }]),
    );
}

/// Lets some time pass, alarm by alarm.
fn pass(memory: &Memory) {
    for _ in 0..4 {
        run(memory.settle()).unwrap().unwrap();
        memory.advance(SignedDuration::from_secs(2));
    }
}

fn admin(memory: &Memory, method: &str, path: &str, body: &Value) -> Value {
    let fields = [("authorization", "Bearer token"), ("origin", SHOP)];
    let reply = memory.serve(request(method, &format!("/admin/v1/{path}"), body, &fields));
    memory::json(&reply.unwrap())
}

/// The names of a profile's events, the oldest first.
fn timeline(memory: &Memory, key: &str) -> Vec<String> {
    let page = admin(memory, "GET", &format!("profiles/{key}/events"), &Value::Null);
    let events = page["events"].as_array().unwrap_or_else(|| panic!("{page}")).iter().rev();
    let name = |event: &Value| event["event"].as_str().or(event["type"].as_str()).unwrap().into();
    events.map(name).collect()
}

fn find(memory: &Memory, body: &Value) -> (Vec<String>, Vec<String>) {
    let answer = admin(memory, "POST", "profiles/find", body);
    let list = |name: &str| {
        let list = answer[name].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
        list.map(|one| one.as_str().unwrap().to_owned()).collect()
    };
    (list("found"), list("waiting"))
}

#[test]
fn reports_join_the_person_who_has_proved_the_address_and_keep_to_their_order() {
    let memory = memory();
    identify(&memory);
    let mail = act(
        "m1",
        "Email Opened",
        &json!({"message_id": "m"}),
        who(&[("email", "Ana@Shop.example")]),
    );
    let order =
        json!({"order_id": "1001", "total": "59.90", "currency": "EUR", "channel": "store"});
    let bought = act("o1", "Order Completed", &order, who(&[("loyalty", "L-1")]));
    let called = call("c1", who(&[("phone", "0034 600 111 222")]));
    // The number of the order joins what comes later.
    let back = act("r1", "Order Refunded", &json!({"order_id": "#1001"}), who(&[]));
    assert_eq!(taken(&memory, "phone", &[called, mail, bought]), vec![accepted(&[]); 3]);
    assert_eq!(taken(&memory, "phone", &[back]), [accepted(&[])]);
    let expected =
        ["Order Refunded", "Order Completed", "Email Opened", "Call Received", "identify"];
    let mut found = timeline(&memory, ANA);
    found.sort();
    let mut expected = expected.map(str::to_owned).to_vec();
    expected.sort();
    assert_eq!(found, expected);
    let page = admin(&memory, "GET", "profiles/u:ana/events", &Value::Null);
    let of = |name: &str| {
        let events = page["events"].as_array().unwrap();
        events.iter().find(|one| one["event"] == name).unwrap().clone()
    };
    let called = of("Call Received");
    assert_eq!(called["messageId"], "phone:c1");
    assert_eq!(called["userId"], "ana");
    assert_eq!(called["context"]["channel"], "Phone");
    assert_eq!(called["context"]["consent"]["basis"], "contract");
    assert_eq!(of("Order Completed")["context"]["channel"], "Store");
    // Nothing of the address itself is in the event.
    assert!(!called.to_string().contains("600"), "{called}");
}

#[test]
fn a_report_that_is_sent_again_counts_once_with_an_id_and_without() {
    let memory = memory();
    identify(&memory);
    let with_id = call("c1", who(&[("phone", PHONE)]));
    let without = Report { id: None, ..with_id.clone() };
    let long = Report { id: Some("x".repeat(200)), ..with_id.clone() };
    let all = [with_id, without, long];
    assert_eq!(taken(&memory, "phone", &all), vec![accepted(&[]); 3]);
    let again = taken(&memory, "phone", &all);
    assert!(again.iter().all(|(word, _)| word == "duplicate"), "{again:?}");
    assert_eq!(timeline(&memory, ANA).len(), 4);
}

#[test]
fn an_unknown_caller_waits_and_the_calls_join_whoever_proves_the_number() {
    let memory = memory();
    let callers = [call("c1", who(&[("phone", PHONE)])), call("c2", who(&[("phone", PHONE)]))];
    assert_eq!(taken(&memory, "phone", &callers), vec![accepted(&[Code::ContactUnknown]); 2]);
    let (found, waiting) = find(&memory, &json!({"phone": PHONE}));
    assert_eq!((found.len(), waiting.len()), (0, 1));
    let contact = waiting[0].clone();
    assert!(contact.starts_with("c:") && contact.len() == 43, "{contact}");
    assert_eq!(timeline(&memory, &contact), ["Call Received"; 2]);
    identify(&memory);
    pass(&memory);
    assert_eq!(
        find(&memory, &json!({"phone": "600111222", "country": "ES"})),
        (vec![ANA.to_owned()], vec![])
    );
    // The report comes again, and the contact's label leads to the person.
    let again = taken(&memory, "phone", &callers);
    assert!(again.iter().all(|(word, _)| word == "duplicate"), "{again:?}");
    assert_eq!(timeline(&memory, ANA).len(), 3);
    assert_eq!(timeline(&memory, &contact), timeline(&memory, ANA));
}

#[test]
fn a_contact_joins_its_person_once_whatever_call_of_an_object_fails() {
    for is_done in [false, true] {
        for at in 0.. {
            // The isolate remembers what an earlier deployment has proved.
            forget_progress();
            let memory = memory();
            let caller = [call("c1", who(&[("phone", PHONE)]))];
            taken(&memory, "phone", &caller);
            memory.cut_call(at, is_done);
            let body = json!({"batch": [{
                "type": "identify", "messageId": "i1", "userId": "ana", "traits": {"phone": PHONE},
            }]});
            for _ in 0..2 {
                let fields = [("authorization", "Bearer sk_dev_backend")];
                let reply = memory.serve(request("POST", "/v1/batch", &body, &fields)).unwrap();
                if reply.status == 200 {
                    break;
                }
                memory.crash();
            }
            for _ in 0..30 {
                run(memory.settle()).unwrap().unwrap();
                memory.advance(SignedDuration::from_secs(2));
            }
            let failed = memory.has_failed();
            memory.cut_calls(&[]);
            assert_eq!(taken(&memory, "phone", &caller)[0].0, "duplicate", "{at} {is_done}");
            let mut found = timeline(&memory, ANA);
            found.sort();
            assert_eq!(found, ["Call Received", "identify"], "{at} {is_done}");
            let expected = (vec![ANA.to_owned()], vec![]);
            assert_eq!(find(&memory, &json!({"phone": PHONE})), expected, "{at} {is_done}");
            if !failed {
                break;
            }
        }
    }
}

#[test]
fn a_report_that_fails_half_way_is_sent_again_and_counts_once() {
    for is_done in [false, true] {
        for at in 0.. {
            // The isolate remembers what an earlier deployment has proved.
            forget_progress();
            let memory = memory();
            let caller = [call("c1", who(&[("phone", PHONE), ("email", EMAIL)]))];
            memory.cut_call(at, is_done);
            let first = try_take(&memory, "phone", &caller);
            let has_failed = memory.has_failed();
            memory.cut_calls(&[]);
            if first.is_none() {
                let words = taken(&memory, "phone", &caller);
                assert!(["accepted", "duplicate"].contains(&words[0].0.as_str()), "{words:?}");
            }
            identify(&memory);
            pass(&memory);
            let mut found = timeline(&memory, ANA);
            found.sort();
            assert_eq!(found, ["Call Received", "identify"], "{at} {is_done}");
            if !has_failed {
                break;
            }
        }
    }
}

#[test]
fn many_reports_about_one_stranger_make_one_contact() {
    let memory = memory();
    let both = who(&[("phone", PHONE), ("email", EMAIL)]);
    let reports = [
        call("c1", who(&[("phone", PHONE)])),
        call("c2", both),
        act("m1", "Email Opened", &json!({"message_id": "1"}), who(&[("email", EMAIL)])),
    ];
    for report in reports {
        taken(&memory, "phone", &[report]);
    }
    let (_, by_phone) = find(&memory, &json!({"phone": PHONE}));
    let (_, by_email) = find(&memory, &json!({"email": EMAIL}));
    assert_eq!(by_phone, by_email);
    assert_eq!(timeline(&memory, &by_phone[0]).len(), 3);
    identify(&memory);
    pass(&memory);
    assert_eq!(timeline(&memory, ANA).len(), 4);
    assert_eq!(find(&memory, &json!({"email": EMAIL})), (vec![ANA.to_owned()], vec![]));
}

#[test]
fn a_report_about_nobody_and_an_order_without_its_total_are_refused_and_cost_no_other() {
    let memory = memory();
    let order = act("o1", "Order Completed", &json!({"order_id": "1"}), who(&[("phone", PHONE)]));
    let stranger = call("c1", who(&[("phone", "anonymous")]));
    let reserved = call("c2", who(&[("user", "null")]));
    let good = call("c3", who(&[("phone", PHONE)]));
    let found = taken(&memory, "phone", &[order, stranger, reserved, good]);
    let words: Vec<_> = found.iter().map(|(word, _)| word.as_str()).collect();
    assert_eq!(words, ["missing_field", "missing_id", "missing_id", "accepted"]);
}

#[test]
fn a_source_without_a_legal_basis_brings_nothing() {
    let memory = memory();
    let built_in = include_str!("../../hilo.toml");
    let basis = "consent_basis = { basis = \"contract\", purposes = [\"analytics\"] }";
    memory.configure(&format!("{built_in}\n{}", SOURCES.replace(basis, "")));
    let found = taken(&memory, "phone", &[call("c1", who(&[("user", "ana")]))]);
    assert_eq!(found[0].0, "no_consent");
}

#[test]
fn a_system_with_a_servers_key_reports_over_http_and_a_page_does_not() {
    let memory = memory();
    identify(&memory);
    let body = json!({"reports": [
        {"id": "c1", "event": "Call Received", "properties": {"call_id": "c1"}, "who": {"phone": PHONE}},
        {"event": "Call Received", "traits": {}},
        {"id": "c2", "event": "Call Missed", "properties": {}, "who": {"phone": "+34600999888"}},
    ]});
    let fields = [("authorization", "Bearer sk_dev_backend")];
    let reply = memory.serve(request("POST", "/v1/reports", &body, &fields)).unwrap();
    let answer = memory::json(&reply);
    assert_eq!((reply.status, &answer["accepted"]), (200, &json!(2)), "{answer}");
    assert_eq!(answer["rejected"][0]["index"], 1);
    let notices = answer["notices"].as_array().unwrap();
    let notices: Vec<_> =
        notices.iter().map(|one| (one["index"].clone(), one["code"].clone())).collect();
    let expected = [(2, "contact_unknown"), (2, "missing_field")];
    assert_eq!(notices, expected.map(|(index, code)| (json!(index), json!(code))));
    let fields = [("authorization", "Bearer wk_shop"), ("origin", SHOP), ("x-hilo", "1")];
    let reply = memory.serve(request("POST", "/v1/reports", &body, &fields)).unwrap();
    assert_eq!(reply.status, 401);
}

#[test]
fn equal_addresses_of_a_batch_are_looked_up_once() {
    let memory = memory();
    identify(&memory);
    let reports: Vec<_> =
        (0..40).map(|n| call(&format!("c{n}"), who(&[("phone", PHONE)]))).collect();
    let before = memory.asked().len();
    assert_eq!(taken(&memory, "phone", &reports), vec![accepted(&[]); 40]);
    let asked = &memory.asked()[before..];
    let looks = asked.iter().filter(|object| matches!(object, Object::Index(_))).count();
    let profiles = asked.iter().filter(|object| matches!(object, Object::Profile(_))).count();
    assert_eq!((looks, profiles), (1, 1));
}
