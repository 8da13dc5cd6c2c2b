//! A destination that would count a repeat twice, and what the journal and its admin calls tell of deliveries.

use super::*;
use crate::calls::journal::lines::{DeadLetter, Health};
use crate::calls::journal::{JournalCall, ask_journal, send_gathered};
use crate::calls::{ConsentChange, ProfileCall, ask_profile};
use hilo_core::consent::{ChoiceChange, Method, Notice};

const METER: &str = "https://meter.example/";
const WEBHOOK: &str = "http://127.0.0.1:8787/dev/webhook";

/// The built-in file with one more destination, and the token of the admin calls.
fn deployment() -> Memory {
    let memory = memory();
    memory.set_secret("HILO_ADMIN_TOKEN", "token");
    let meter = "[[destination]]\nname = \"meter\"\ntype = \"meter\"\npurposes = [\"analytics\"]\n";
    memory.configure(&format!("{}\n{meter}", include_str!("../../../../hilo.toml")));
    memory
}

fn view(memory: &Memory, id: &str) {
    let mut event = page_view();
    event["messageId"] = id.into();
    send(memory, &event);
}

fn pass(memory: &Memory, seconds: i64) {
    for _ in 0..seconds {
        settle(memory);
        memory.advance(SignedDuration::from_secs(1));
    }
    settle(memory);
}

/// The bodies that the meter got.
fn metered(memory: &Memory) -> Vec<String> {
    memory.sent().into_iter().filter(|sent| sent.url == METER).map(|sent| sent.body).collect()
}

fn profile_name(memory: &Memory) -> String {
    let secret = crate::call::secret(memory).unwrap();
    let key = hilo_core::identity::ProfileKey::Anonymous("a1".to_owned());
    crate::signature::object_name(secret.naming(), &key)
}

fn health(memory: &Memory, name: &str) -> Health {
    run(send_gathered(memory)).unwrap().unwrap();
    let all: Vec<Health> = run(ask_journal(memory, &JournalCall::Deliveries)).unwrap().unwrap();
    all.into_iter().find(|one| one.destination == name).unwrap_or_default()
}

fn admin(memory: &Memory, method: &str, path: &str, body: &Value) -> Value {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut incoming = request(method, path, body, &[("authorization", "Bearer token")]);
    query.clone_into(&mut incoming.query);
    json(&memory.serve(incoming).unwrap())
}

#[test]
fn an_event_whose_answer_did_not_come_is_not_sent_again_where_a_repeat_counts_twice() {
    let memory = deployment();
    memory.set_answer(METER, 0, SignedDuration::from_secs(10));
    view(&memory, "m1");
    pass(&memory, 600);
    assert_eq!(metered(&memory), ["m1"]);
    let meter = health(&memory, "meter");
    assert_eq!((meter.assumed, meter.retried, meter.dead), (1, 0, 0));
    assert!(meter.last_error.unwrap().starts_with("assumed_sent: "));
    // An answer that asks for another attempt is obeyed.
    memory.set_answer(METER, 503, SignedDuration::ZERO);
    view(&memory, "m2");
    pass(&memory, 3);
    memory.set_answer(METER, 204, SignedDuration::ZERO);
    pass(&memory, 600);
    let twos = metered(&memory).into_iter().filter(|body| body == "m2").count();
    assert!(twos >= 2, "{:?}", metered(&memory));
    assert_eq!(health(&memory, "meter").delivered, 1);
}

#[test]
fn a_lost_call_of_an_object_sends_no_event_twice_and_loses_none() {
    let usual = deployment();
    view(&usual, "m1");
    let before = usual.asked().len();
    pass(&usual, 3);
    let calls = usual.asked().len() - before;
    assert!(calls >= 3, "{calls} calls");
    for after in 0..calls {
        for is_done in [false, true] {
            let memory = deployment();
            view(&memory, "m1");
            memory.cut_call(u32::try_from(after).unwrap(), is_done);
            // The lease of a marked row ends after two minutes.
            pass(&memory, 150);
            let about = format!("call {after} of {calls}, done: {is_done}");
            assert!(memory.has_failed(), "{about}");
            assert_eq!(metered(&memory), ["m1"], "{about}");
            assert_eq!(health(&memory, "meter").assumed, 0, "{about}");
        }
    }
}

#[test]
fn an_event_whose_mark_got_no_answer_is_sent_although_its_hand_back_is_lost_once() {
    let usual = deployment();
    view(&usual, "m1");
    let before = usual.asked().len();
    pass(&usual, 3);
    let calls = u32::try_from(usual.asked().len() - before).unwrap();
    // One of these pairs is the answer to the mark and the hand-back.
    for (first, second) in (0..calls).flat_map(|first| (0..calls).map(move |then| (first, then))) {
        let memory = deployment();
        view(&memory, "m1");
        memory.cut_calls(&[(first, true), (second, false)]);
        pass(&memory, 150);
        memory.cut_calls(&[]);
        let about = format!("calls {first} and {second}");
        assert_eq!(metered(&memory), ["m1"], "{about}");
        assert_eq!(health(&memory, "meter").assumed, 0, "{about}");
    }
}

#[test]
fn only_a_destination_that_would_count_twice_costs_a_call_before_its_request() {
    let calls = |destination: bool| {
        let memory = if destination { deployment() } else { memory() };
        view(&memory, "m1");
        pass(&memory, 5);
        memory.asked().iter().filter(|object| matches!(object, Object::Profile(_))).count()
    };
    // The event, the confirmation of the webhook; and for the meter the mark and its confirmation.
    assert_eq!((calls(false), calls(true)), (2, 4));
}

#[test]
fn an_event_that_has_no_use_there_is_counted_and_lists_no_dead_letter() {
    let memory = deployment();
    view(&memory, "m1");
    let mut event = page_view();
    (event["messageId"], event["userId"]) = ("m2".into(), "ana".into());
    send(&memory, &event);
    pass(&memory, 5);
    let meter = health(&memory, "meter");
    let skipped: Vec<_> = meter.skipped.iter().map(|(code, n)| (code.as_str(), *n)).collect();
    let sent = metered(&memory).join(",");
    assert_eq!((meter.dead, meter.last_error, sent.as_str()), (0, None, "m1"));
    assert_eq!(skipped, [("missing_identifier", 1)]);
}

#[test]
fn a_refused_secret_waits_and_is_told_by_health_and_the_list_of_deliveries() {
    let memory = deployment();
    memory.set_answer(METER, 401, SignedDuration::ZERO);
    for n in 0..20 {
        view(&memory, &format!("m{n}"));
    }
    pass(&memory, 290);
    assert_eq!(metered(&memory).len(), 1, "one request, and then only probes");
    let health =
        memory.serve(request("GET", "/health", &Value::Null, &[("authorization", "Bearer token")]));
    let faults = json(&health.unwrap())["faults"].to_string();
    assert!(
        faults.contains("destination_unauthorized") && faults.contains("status 401"),
        "{faults}"
    );
    let list = admin(&memory, "GET", "/admin/v1/deliveries", &Value::Null);
    let rows = list["destinations"].as_array().unwrap();
    let meter = rows.iter().find(|row| row["destination"] == "meter").unwrap();
    assert_eq!(
        (&meter["lastError"], &meter["dead"]),
        (&json!("unauthorized: status 401"), &json!(0))
    );
    memory.set_answer(METER, 204, SignedDuration::ZERO);
    pass(&memory, 1_200);
    assert_eq!(self::health(&memory, "meter").delivered, 20);
}

#[test]
fn dead_letters_are_listed_and_replayed_by_code_and_time() {
    let memory = deployment();
    memory.set_answer(METER, 404, SignedDuration::ZERO);
    view(&memory, "m1");
    pass(&memory, 5);
    let between = memory.now();
    memory.advance(SignedDuration::from_mins(1));
    memory.set_answer(WEBHOOK, 410, SignedDuration::ZERO);
    view(&memory, "m2");
    pass(&memory, 5);
    let listed = |query: &str| -> Vec<DeadLetter> {
        let found = admin(&memory, "GET", &format!("/admin/v1/dead-letters{query}"), &Value::Null);
        serde_json::from_value(found["deadLetters"].clone()).unwrap()
    };
    let named = |query: &str| {
        let mut named: Vec<_> = listed(query).into_iter().map(|one| one.destination).collect();
        named.sort();
        named
    };
    assert_eq!(named(""), ["meter", "meter", "webhook"]);
    assert_eq!(named("?code=refused"), ["meter", "meter"]);
    assert_eq!(named(&format!("?code=refused&until={between}")), ["meter"]);
    assert_eq!(named(&format!("?destination=meter&since={between}")), ["meter"]);
    assert_eq!(named("?messageId=m2"), ["meter", "webhook"]);
    let letter = listed("?messageId=m2&destination=meter").remove(0);
    assert_eq!(letter.answer.unwrap().status, 404);
    assert_eq!(letter.request.unwrap().url, METER);
    memory.set_answer(METER, 204, SignedDuration::ZERO);
    let body = json!({"code": "refused", "until": between.to_string()});
    let answer = admin(&memory, "POST", "/admin/v1/dead-letters/replay", &body);
    assert_eq!(answer, json!({"replayed": 1}));
    pass(&memory, 5);
    assert_eq!(metered(&memory), ["m1", "m2", "m1"]);
    assert_eq!(named(""), ["meter", "webhook"]);
    let wrong = admin(&memory, "GET", "/admin/v1/dead-letters?until=soon", &Value::Null);
    assert_eq!(wrong["error"]["field"], "until");
}

#[test]
fn deliveries_that_wait_when_their_person_withdraws_are_counted_and_not_sent() {
    let memory = deployment();
    memory.set_answer(METER, 503, SignedDuration::ZERO);
    memory.set_answer(WEBHOOK, 503, SignedDuration::ZERO);
    for n in 0..50 {
        view(&memory, &format!("m{n}"));
        memory.advance(SignedDuration::from_secs(1));
    }
    settle(&memory);
    let change = ConsentChange {
        subject: "s".to_owned(),
        controller: "Shop".to_owned(),
        base: 0,
        chosen_at: memory.now(),
        is_found: false,
        changes: vec![ChoiceChange {
            purpose: "analytics".to_owned(),
            state: "denied".to_owned(),
            at: memory.now().to_string(),
            method: Method::Api,
        }],
        notice: Notice::default(),
        signals: Default::default(),
        random: [7; 16],
        report: None,
    };
    let call = ProfileCall::Consent(change);
    let _: Value = run(ask_profile(&memory, profile_name(&memory), &call)).unwrap().unwrap();
    let before = memory.sent().len();
    for url in [METER, WEBHOOK] {
        memory.set_answer(url, 204, SignedDuration::ZERO);
    }
    pass(&memory, 600);
    assert_eq!(memory.sent().len(), before);
    for name in ["meter", "webhook"] {
        assert_eq!(health(&memory, name).skipped["consent_denied"], 50, "{name}");
    }
}
