//! Erasures of whole people: carts, deliveries, dead letters, linked devices and destinations, with a failure at every call.

use hilo_core::identity::ProfileKey;

use super::*;
use crate::calls::erasing::begin;
use crate::calls::erasure::{ErasureStanding, ErasureStatus};
use crate::calls::journal::lines::DeadLetter;
use crate::calls::journal::{JournalCall, ask_journal};
use crate::calls::{ProfileCall, Summary, ask_profile};
use crate::forward;
use crate::keyring::Keyring;
use crate::platform::{Outgoing, Sql as _};
use crate::signature::{CartOwner, cart_label, object_name};

const LEAVER: &str = "https://leaver.example/delete";
const WEBHOOK: &str = "http://127.0.0.1:8787/dev/webhook";

fn keyring(memory: &Memory) -> Keyring {
    crate::call::secret(memory).unwrap()
}

fn name(memory: &Memory, key: &ProfileKey) -> String {
    object_name(keyring(memory).naming(), key)
}

fn device(id: &str) -> ProfileKey {
    ProfileKey::Anonymous(id.to_owned())
}

fn user() -> ProfileKey {
    ProfileKey::User("u1".to_owned())
}

/// A deployment with a destination that can delete a person.
fn deployment() -> Memory {
    let memory = memory();
    let leaver =
        "[[destination]]\nname = \"leaver\"\ntype = \"leaver\"\npurposes = [\"analytics\"]\n";
    memory.configure(&format!("{}\n{leaver}", include_str!("../../../../hilo.toml")));
    memory
}

/// Posts one event, and returns the code of its refusal.
fn post(memory: &Memory, event: &Value) -> Value {
    let fields = [("authorization", "Bearer sk_dev_backend")];
    let call = request("POST", "/v1/batch", &json!({"batch": [event]}), &fields);
    let answer = json(&memory.serve(call).unwrap());
    answer["rejected"][0]["code"].clone()
}

fn event(memory: &Memory, id: &str, person: &Value) -> Value {
    let mut event = json!({
        "type": "track", "event": "Seen", "messageId": id, "properties": {},
        "timestamp": memory.now().to_string(),
    });
    event.as_object_mut().unwrap().extend(person.as_object().unwrap().clone());
    event
}

/// A user with events, a dead letter, a cart that has taken in a guest's, and a linked phone with events of its own.
fn populate(memory: &Memory) {
    memory.set_answer(WEBHOOK, 410, SignedDuration::ZERO);
    for (id, person) in [
        ("m1", json!({"userId": "u1", "anonymousId": "phone"})),
        ("m2", json!({"anonymousId": "phone"})),
    ] {
        assert_eq!(post(memory, &event(memory, id, &person)), Value::Null);
    }
    let link = "INSERT INTO links (name, at) VALUES (?, 1)";
    let stored = object(&memory.0.profiles, &name(memory, &user())).unwrap();
    stored.sql.run(link, &[name(memory, &device("phone")).into()]).unwrap();
    let own = label(memory);
    fill(memory, "guest", speaker(Owner::Guest));
    fill(memory, &own, customer());
    let to = CustomerCart { cart: own, speaker: customer(), policy: "max".to_owned() };
    let left: Leave = ask(memory, "guest", customer(), CartAsk::Leave(to));
    assert!(matches!(left, Leave::Leaving(_)));
    memory.advance(SignedDuration::from_secs(6));
    settle(memory);
    assert_eq!(summary(memory, "guest").standing, "merged");
    assert!(letters(memory).len() > 1, "{:?}", memory.lines());
}

fn label(memory: &Memory) -> String {
    cart_label(keyring(memory).naming(), &CartOwner::Customer("u1"))
}

fn letters(memory: &Memory) -> Vec<DeadLetter> {
    let call = JournalCall::DeadLetters {
        destination: None,
        since_ms: 0,
        until_ms: None,
        code: None,
        messages: vec![],
        limit: 10,
    };
    run(ask_journal(memory, &call)).unwrap().unwrap()
}

fn erase(memory: &Memory, key: &ProfileKey) -> Result<ErasureStanding, Failure> {
    let loaded = run(memory.config()).unwrap().unwrap();
    let deleting = forward::deleting(&loaded.config);
    let secret = keyring(memory);
    let begun = run(begin(key, vec![], &deleting, &secret, memory)).unwrap();
    begun.map(|erased| erased.standing)
}

fn kept(memory: &Memory, key: &ProfileKey) -> Summary {
    run(ask_profile(memory, name(memory, key), &ProfileCall::Summary)).unwrap().unwrap()
}

fn is_done(memory: &Memory, key: &ProfileKey) -> bool {
    kept(memory, key).erasure.is_some_and(|one| one.status == ErasureStatus::Done)
}

/// The requests to delete somebody.
fn deletions(memory: &Memory) -> Vec<String> {
    let sent = memory.sent().into_iter().filter(|sent| sent.url == LEAVER);
    let mut bodies: Vec<_> = sent.map(|Outgoing { body, .. }| body).collect();
    bodies.sort();
    bodies
}

/// Asserts that nothing of the person is left, and that nothing from before comes back.
fn check_erased(memory: &Memory, case: &str) {
    for key in [user(), device("phone")] {
        let kept = kept(memory, &key);
        assert_eq!(kept.events, 0, "{case}: {key}");
        assert_eq!(kept.erasure.map(|one| one.status), Some(ErasureStatus::Done), "{case}: {key}");
    }
    for cart in ["guest", label(memory).as_str()] {
        assert!(!summary(memory, cart).known, "{case}: {cart}");
    }
    assert_eq!(letters(memory), [], "{case}");
    let mut late = event(memory, "m1", &json!({"anonymousId": "phone"}));
    assert_eq!(post(memory, &late), "erased", "{case}");
    late["messageId"] = "m9".into();
    assert_eq!(post(memory, &late), "erased", "{case}");
}

#[test]
fn everything_of_a_person_goes_and_each_destination_is_asked_to_delete_it() {
    let memory = deployment();
    populate(&memory);
    let before = event(&memory, "m3", &json!({"userId": "u1"}));
    memory.advance(SignedDuration::from_secs(1));
    assert_eq!(erase(&memory, &user()).unwrap().status, ErasureStatus::Erasing);
    settle(&memory);
    memory.advance(SignedDuration::from_mins(3));
    settle(&memory);
    check_erased(&memory, "at once");
    assert_eq!(deletions(&memory), [r#"["u1",["phone"]]"#, r#"[null,["phone"]]"#]);
    assert_eq!(post(&memory, &before), "erased", "it happened before");
    let after = event(&memory, "m4", &json!({"userId": "u1"}));
    assert_eq!(post(&memory, &after), Value::Null, "the person may come back");
    assert_eq!(kept(&memory, &user()).events, 1);
    let steps = memory.lines().into_iter().filter(|line| line.contains("\"erasure\""));
    let text = steps.collect::<Vec<_>>().join("\n");
    assert!(text.contains("\"step\":\"carts\"") && !text.contains("phone"), "{text}");
}

#[test]
fn an_erasure_that_fails_at_any_call_and_crashes_goes_on() {
    for calls in 0.. {
        let memory = deployment();
        populate(&memory);
        memory.advance(SignedDuration::from_secs(1));
        memory.cut_call(calls, false);
        if erase(&memory, &user()).is_err() {
            // The person asks again.
            erase(&memory, &user()).unwrap();
        }
        for _ in 0..8 {
            settle(&memory);
            memory.crash();
            memory.advance(SignedDuration::from_secs(45));
        }
        settle(&memory);
        let has_failed = memory.has_failed();
        memory.cut_call(u32::MAX, false);
        assert!(is_done(&memory, &user()), "{calls}: {:?}", memory.lines());
        check_erased(&memory, &format!("a failure after {calls} calls"));
        if !has_failed {
            assert!(calls >= 9, "{calls}");
            return;
        }
    }
}

#[test]
fn a_device_that_always_fails_keeps_nothing_else_of_the_person() {
    let memory = deployment();
    populate(&memory);
    let stored = |key: ProfileKey| object(&memory.0.profiles, &name(&memory, &key)).unwrap();
    let link = "INSERT INTO links (name, at) VALUES (?, 1)";
    for id in ["d0", "d1", "d2", "d3", "broken"] {
        let seen = event(&memory, id, &json!({"anonymousId": id}));
        assert_eq!(post(&memory, &seen), Value::Null);
        stored(user()).sql.run(link, &[name(&memory, &device(id)).into()]).unwrap();
    }
    let broken = stored(device("broken"));
    settle(&memory);
    let schema = |to: &str| {
        let set = format!("UPDATE meta SET value = '{to}' WHERE key = 'schema'");
        broken.sql.run(&set, &[]).unwrap();
        memory.crash();
    };
    let rows = broken.sql.exec("SELECT value FROM meta WHERE key = 'schema'", &[]);
    let known = rows.unwrap()[0].text("value").unwrap().to_owned();
    schema("99 99");
    memory.advance(SignedDuration::from_secs(1));
    erase(&memory, &user()).unwrap();
    for _ in 0..4 {
        settle(&memory);
        memory.advance(SignedDuration::from_secs(45));
    }
    assert!((0..4).all(|n| is_done(&memory, &device(&format!("d{n}")))), "{:?}", memory.lines());
    assert!(!summary(&memory, &label(&memory)).known);
    let of_broken = name(&memory, &device("broken"));
    assert!(letters(&memory).iter().all(|one| one.profile == of_broken), "its own are left");
    assert!(!is_done(&memory, &user()));
    schema(&known);
    memory.advance(SignedDuration::from_hours(2));
    settle(&memory);
    memory.advance(SignedDuration::from_hours(2));
    settle(&memory);
    assert!(
        is_done(&memory, &device("broken")) && is_done(&memory, &user()),
        "{:?}",
        memory.lines()
    );
}

#[test]
fn a_destination_that_does_not_delete_is_asked_again_and_named_in_the_end() {
    let memory = deployment();
    populate(&memory);
    memory.set_answer(LEAVER, 503, SignedDuration::ZERO);
    erase(&memory, &device("phone")).unwrap();
    for _ in 0..5 {
        settle(&memory);
        memory.advance(SignedDuration::from_mins(1));
    }
    let tried = deletions(&memory).len();
    assert!((2..20).contains(&tried), "{tried}");
    assert!(!is_done(&memory, &device("phone")));
    for _ in 0..100 {
        memory.advance(SignedDuration::from_hours(1));
        settle(&memory);
    }
    let standing = kept(&memory, &device("phone")).erasure.unwrap();
    assert_eq!(
        (standing.status, standing.refused_by),
        (ErasureStatus::Done, vec!["leaver".to_owned()])
    );
}

#[test]
fn a_guests_cart_goes_only_with_the_device_that_it_is_about() {
    let memory = memory();
    let shown = json!({
        "type": "track", "event": "Cart Viewed", "messageId": "m1", "anonymousId": "thief",
        "properties": {"cart_id": "a".repeat(32)}, "timestamp": memory.now().to_string(),
    });
    assert_eq!(post(&memory, &shown), Value::Null);
    let cart = "a".repeat(32);
    fill(&memory, &cart, speaker(Owner::Guest));
    erase(&memory, &device("thief")).unwrap();
    settle(&memory);
    assert!(summary(&memory, &cart).known, "whoever knows a label erases nothing by it");
}

#[test]
fn a_delivery_that_waits_in_the_queue_is_not_sent_after_the_erasure() {
    for (waits_s, requests) in [(11, 0), (9, 1)] {
        let memory = memory();
        let seen = event(&memory, "m1", &json!({"anonymousId": "phone"}));
        assert_eq!(post(&memory, &seen), Value::Null);
        // The object sends to the queue, and nothing is taken out of it yet.
        let work = memory.0.deferred.borrow_mut().pop_front();
        run(async {
            if let Some(work) = work {
                work.await
            }
        })
        .unwrap();
        let mut queue = std::mem::take(&mut *memory.0.queue.borrow_mut());
        while queue.is_empty() {
            let Some(work) = memory.0.deferred.borrow_mut().pop_front() else { break };
            run(work).unwrap();
            queue = std::mem::take(&mut *memory.0.queue.borrow_mut());
        }
        assert_eq!(queue.len(), 1);
        erase(&memory, &device("phone")).unwrap();
        memory.advance(SignedDuration::from_secs(waits_s));
        memory.0.queue.borrow_mut().extend(queue);
        settle(&memory);
        assert_eq!(memory.sent().len(), requests, "{waits_s} s");
        assert!(!is_done(&memory, &device("phone")), "it may still be sent");
        memory.advance(SignedDuration::from_secs(40));
        settle(&memory);
        let erasure = kept(&memory, &device("phone")).erasure;
        assert!(is_done(&memory, &device("phone")), "{erasure:?} {:?}", memory.lines());
    }
}

#[test]
fn a_large_envelope_that_comes_again_does_not_claim_that_an_erased_event_is_stored() {
    let memory = memory();
    let batch: Vec<Value> = (0..10)
        .map(|n| event(&memory, &format!("m{n}"), &json!({"anonymousId": format!("a{n}")})))
        .collect();
    let fields = [("authorization", "Bearer sk_dev_backend")];
    let post_all = |memory: &Memory| {
        json(
            &memory.serve(request("POST", "/v1/batch", &json!({"batch": batch}), &fields)).unwrap(),
        )
    };
    assert_eq!(post_all(&memory)["accepted"], 10);
    assert_eq!(post_all(&memory)["duplicate"], 10);
    erase(&memory, &device("a3")).unwrap();
    settle(&memory);
    let again = post_all(&memory);
    assert_eq!((&again["duplicate"], &again["rejected"][0]["code"]), (&json!(9), &json!("erased")));
    assert_eq!(again["rejected"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_device_that_is_linked_erases_itself_and_its_users_profile_stays() {
    let memory = memory();
    for person in [json!({"anonymousId": "phone"}), json!({"userId": "u1"})] {
        let id = if person.get("userId").is_some() { "m1" } else { "m2" };
        assert_eq!(post(&memory, &event(&memory, id, &person)), Value::Null);
    }
    let stored = object(&memory.0.profiles, &name(&memory, &device("phone"))).unwrap();
    let pointer = "INSERT INTO meta (key, value) VALUES ('linked_to', ?)";
    stored.sql.run(pointer, &[name(&memory, &user()).into()]).unwrap();
    let secret = keyring(&memory);
    let erased = run(begin(&device("phone"), vec![], &[], &secret, &memory)).unwrap().unwrap();
    assert_eq!(erased.linked_to, Some(name(&memory, &user())));
    assert_eq!((kept(&memory, &device("phone")).events, kept(&memory, &user()).events), (0, 1));
    let erased = run(begin(&user(), vec![], &[], &secret, &memory)).unwrap().unwrap();
    assert_eq!(erased.linked_to, None);
}
