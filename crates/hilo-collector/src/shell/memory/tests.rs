//! Tests of the shared loops: an alarm alone runs every due task, also after a crash.

use hilo_core::cart::{LineKey, Quantity};
use hilo_core::money::Currency;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::calls::cart::{
    CartAnswer, CartAsk, CartCall, CartSummary, Command, CommandOp, CustomerCart, Leave, Owner,
    Speaker, Terms, ask_cart,
};
use crate::calls::journal::{Rejects, Wanted, read_rejects};

mod archive;
mod destinations;
mod erasures;
mod feeds;
mod handoffs;
mod inbox;
mod jurisdiction;
mod links;
mod meter;
mod newer_schema;
mod optins;
mod queue;
mod tokens;

/// A deployment with all secrets.
fn memory() -> Memory {
    let memory = Memory::new("2026-11-24T10:00:00Z".parse().unwrap(), None).unwrap();
    memory.set_secret("WEBHOOK_SECRET", "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=");
    memory
}

fn settle(memory: &Memory) {
    run(memory.settle()).unwrap().unwrap();
}

fn page_view() -> Value {
    json!({
        "writeKey": "wk_shop", "type": "page", "messageId": "m1", "anonymousId": "a1",
        "timestamp": "2026-11-24T09:59:59Z", "properties": {},
        "context": {"consent": {
            "categoryPreferences": {"analytics": true, "marketing": true}, "revision": 1,
        }},
    })
}

fn send(memory: &Memory, event: &Value) {
    let incoming = request("POST", "/v1/page", event, &[("origin", SHOP)]);
    assert_eq!(memory.serve(incoming).unwrap().status, 200);
}

fn speaker(owner: Owner) -> Speaker {
    let terms = Terms { abandoned_s: 3_600, keep_days: 30 };
    Speaker { owner, source: "backend".to_owned(), is_server: true, terms }
}

fn customer() -> Speaker {
    speaker(Owner::Customer("u1".to_owned()))
}

fn ask<A: serde::de::DeserializeOwned>(
    memory: &Memory,
    cart: &str,
    speaker: Speaker,
    ask: CartAsk,
) -> A {
    run(ask_cart(memory, cart, &CartCall { speaker, ask })).unwrap().unwrap()
}

/// Puts two mugs into a cart.
fn fill(memory: &Memory, cart: &str, speaker: Speaker) {
    let currency = Currency::parse("EUR").unwrap();
    let line = LineKey { variant: "mug".to_owned(), options_hash: 0, currency };
    let (id, op) = ("c1".to_owned(), CommandOp::Add);
    let command =
        Command { id, op, line: Some(line), quantity: Some(Quantity::whole(2)), info: None };
    let answer: CartAnswer = ask(memory, cart, speaker, CartAsk::Commands(vec![command]));
    assert_eq!(answer.refused, None);
}

fn summary(memory: &Memory, cart: &str) -> CartSummary {
    ask(memory, cart, speaker(Owner::Guest), CartAsk::Summary)
}

#[test]
fn after_a_crash_the_alarm_alone_delivers_an_event() {
    let memory = memory();
    send(&memory, &page_view());
    memory.crash();
    settle(&memory);
    assert_eq!(memory.sent(), [], "the alarm is still to come");
    memory.advance(SignedDuration::from_mins(2));
    settle(&memory);
    assert_eq!(memory.sent().len(), 1, "{:?}", memory.lines());
    memory.advance(SignedDuration::from_hours(2));
    settle(&memory);
    assert_eq!(memory.sent().len(), 1, "a delivery that was confirmed is not sent again");
}

#[test]
fn the_guests_alarm_finishes_a_merge_that_a_crash_has_left() {
    let memory = memory();
    fill(&memory, "guest", speaker(Owner::Guest));
    let to =
        CustomerCart { cart: "customer".to_owned(), speaker: customer(), policy: "sum".to_owned() };
    let left: Leave = ask(&memory, "guest", customer(), CartAsk::Leave(to));
    assert!(matches!(left, Leave::Leaving(_)));
    memory.crash();
    memory.advance(SignedDuration::from_secs(6));
    settle(&memory);
    assert_eq!(summary(&memory, "guest").standing, "merged");
    let lines = summary(&memory, "customer").lines;
    assert_eq!(lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [2]);
}

#[test]
fn the_alarm_reports_an_abandoned_cart_once() {
    let memory = memory();
    fill(&memory, "customer", customer());
    settle(&memory);
    let before = abandoned(&memory);
    memory.advance(SignedDuration::from_mins(61));
    settle(&memory);
    memory.advance(SignedDuration::from_mins(61));
    settle(&memory);
    assert_eq!((before, abandoned(&memory)), (0, 1), "{:?}", memory.lines());
}

/// Counts the `Cart Abandoned` events on the customer's timeline.
fn abandoned(memory: &Memory) -> usize {
    use crate::calls::{Page, ProfileCall, ask_profile};
    let key = hilo_core::identity::ProfileKey::User("u1".to_owned());
    let secret = crate::call::secret(memory).unwrap();
    let name = crate::signature::object_name(secret.naming(), &key);
    let call = ProfileCall::Events { cursor: None, limit: 100 };
    let page: Page = run(ask_profile(memory, name, &call)).unwrap().unwrap();
    page.rows.iter().filter(|row| row.get().contains("Cart Abandoned")).count()
}

#[test]
fn a_cart_is_deleted_when_its_keep_days_are_over() {
    let memory = memory();
    fill(&memory, "guest", speaker(Owner::Guest));
    memory.advance(SignedDuration::from_hours(24 * 31));
    settle(&memory);
    assert!(!summary(&memory, "guest").known);
}

/// Sends `number` events without consent, and one with it, in envelopes of a hundred.
fn send_refused(memory: &Memory, number: usize) {
    for first in (0..number).step_by(100) {
        let refused =
            |n| json!({"type": "page", "messageId": format!("r{n}"), "anonymousId": "a1"});
        let batch: Vec<_> = (first..number.min(first + 100)).map(refused).collect();
        let body = json!({"writeKey": "wk_shop", "batch": batch});
        let incoming = request("POST", "/v1/batch", &body, &[("origin", SHOP)]);
        assert_eq!(memory.serve(incoming).unwrap().status, 200);
    }
}

fn rejects(memory: &Memory, days: u32) -> Rejects {
    run(read_rejects(memory, &Wanted { limit: 100, ..Wanted::default() }, days)).unwrap().unwrap()
}

#[test]
fn no_request_calls_the_journal_and_what_was_gathered_arrives_later() {
    let memory = memory();
    send_refused(&memory, 1);
    assert_eq!(memory.0.journal.borrow().len(), 0, "a refusal waits for nothing");
    settle(&memory);
    assert_eq!(memory.0.journal.borrow().len(), 2, "the head and a shard");
    assert_eq!(rejects(&memory, 14).counts, BTreeMap::from([("no_consent".to_owned(), 1)]));
}

#[test]
fn the_reject_log_tells_how_many_refusals_of_a_flood_have_no_line() {
    let memory = memory();
    send_refused(&memory, 1_000);
    let found = rejects(&memory, 14);
    assert_eq!(found.rejects.len(), 100);
    assert_eq!(found.counts, BTreeMap::from([("no_consent".to_owned(), 1_000)]));
    assert_eq!(found.left_out, BTreeMap::from([("no_consent".to_owned(), 900)]));
}

#[test]
fn the_reject_log_goes_back_over_the_shards_of_many_hours() {
    let memory = memory();
    for _ in 0..30 {
        send_refused(&memory, 1);
        settle(&memory);
        memory.advance(SignedDuration::from_hours(1));
    }
    let found = rejects(&memory, 14);
    assert_eq!(found.counts, BTreeMap::from([("no_consent".to_owned(), 30)]));
    let ats: Vec<_> = found.rejects.iter().map(|reject| reject.at.as_str()).collect();
    assert_eq!(
        (ats.first(), ats.last()),
        (Some(&"2026-11-25T15:00:00Z"), Some(&"2026-11-24T10:00:00Z"))
    );
    assert_eq!(ats.len(), 30);
    assert_eq!(rejects(&memory, 1).counts["no_consent"], 24, "older ones are not shown");
}

#[test]
fn refusals_are_gone_when_their_days_are_over_though_nobody_calls() {
    let memory = memory();
    send_refused(&memory, 1);
    settle(&memory);
    for _ in 0..13 {
        memory.advance(SignedDuration::from_hours(24));
        settle(&memory);
    }
    assert_eq!(rejects(&memory, 90).rejects.len(), 1);
    memory.advance(SignedDuration::from_hours(24));
    settle(&memory);
    assert_eq!(memory.0.journal.borrow().keys().collect::<Vec<_>>(), ["journal"]);
    memory.advance(SignedDuration::from_hours(24));
    settle(&memory);
    let found = rejects(&memory, 90);
    assert_eq!((found.rejects.len(), found.counts.len()), (0, 0));
}

#[test]
fn a_shorter_bound_for_refusals_counts_for_those_that_are_kept_already() {
    let memory = memory();
    send_refused(&memory, 1);
    settle(&memory);
    let built_in = include_str!("../../../hilo.toml");
    memory.configure(&built_in.replace("rejects_days = 14", "rejects_days = 2"));
    for _ in 0..2 {
        memory.advance(SignedDuration::from_hours(24));
        settle(&memory);
    }
    assert_eq!(memory.0.journal.borrow().keys().collect::<Vec<_>>(), ["journal"]);
}

#[test]
fn deliveries_wait_while_no_configuration_can_be_had() {
    let memory = memory();
    send(&memory, &page_view());
    memory.set_dev(false);
    memory.start_cold();
    settle(&memory);
    assert_eq!(memory.sent(), []);
    memory.set_dev(true);
    memory.start_cold();
    memory.advance(SignedDuration::from_hours(1));
    settle(&memory);
    assert_eq!(memory.sent().len(), 1);
}

/// Asks the page view's profile.
fn ask_visitor<A: serde::de::DeserializeOwned>(
    memory: &Memory,
    call: &crate::calls::ProfileCall,
) -> A {
    let key = hilo_core::identity::ProfileKey::Anonymous("a1".to_owned());
    let secret = crate::call::secret(memory).unwrap();
    let name = crate::signature::object_name(secret.naming(), &key);
    run(crate::calls::ask_profile(memory, name, call)).unwrap().unwrap()
}

fn events_of_visitor(memory: &Memory) -> usize {
    let call = crate::calls::ProfileCall::Events { cursor: None, limit: 100 };
    let page: crate::calls::Page = ask_visitor(memory, &call);
    page.rows.len()
}

#[test]
fn the_alarm_alone_removes_a_timeline_that_is_older_than_its_months() {
    let memory = memory();
    send(&memory, &page_view());
    settle(&memory);
    for month in 1..=14 {
        memory.advance(SignedDuration::from_hours(24 * 31));
        settle(&memory);
        assert_eq!(events_of_visitor(&memory), usize::from(month < 13), "month {month}");
    }
    let summary: crate::calls::Summary = ask_visitor(&memory, &crate::calls::ProfileCall::Summary);
    assert!(summary.known && summary.profile.get().contains("\"page\":1"));
    memory.advance(SignedDuration::from_hours(24 * 31 * 24));
    settle(&memory);
    assert!(
        !ask_visitor::<crate::calls::Summary>(&memory, &crate::calls::ProfileCall::Summary).known
    );
}

#[test]
fn shorter_months_reach_a_person_who_never_comes_back() {
    let memory = memory();
    send(&memory, &page_view());
    settle(&memory);
    memory.advance(SignedDuration::from_mins(1));
    settle(&memory);
    let built_in = include_str!("../../../hilo.toml");
    memory.configure(&built_in.replace("events_months = 13", "events_months = 2"));
    memory.advance(SignedDuration::from_hours(24 * 181));
    settle(&memory);
    assert_eq!(events_of_visitor(&memory), 0);
}

/// Uploads a file that nobody can read, beside an earlier one with short times, to an isolate that starts.
fn fall_back_to_short_times(memory: &Memory) {
    let built_in = include_str!("../../../hilo.toml");
    let short = built_in.replace("events_months = 13", "events_months = 2");
    memory
        .upload(super::config::PUSHED[1], &short.replace("rejects_days = 14", "rejects_days = 1"));
    memory.configure("a file of the future");
    memory.start_cold();
}

#[test]
fn a_configuration_that_stands_in_for_another_removes_nothing() {
    let memory = memory();
    send(&memory, &page_view());
    send_refused(&memory, 1);
    settle(&memory);
    fall_back_to_short_times(&memory);
    memory.advance(SignedDuration::from_hours(24 * 13));
    settle(&memory);
    assert!(!rejects(&memory, 90).rejects.is_empty(), "{:?}", memory.lines());
    memory.advance(SignedDuration::from_hours(24 * 168));
    settle(&memory);
    assert_eq!(events_of_visitor(&memory), 1);
    assert!(!rejects(&memory, 200).rejects.is_empty());
    memory.configure(include_str!("../../../hilo.toml"));
    memory.advance(SignedDuration::from_hours(1));
    settle(&memory);
    assert_eq!((events_of_visitor(&memory), rejects(&memory, 200).rejects.len()), (1, 0));
    memory.advance(SignedDuration::from_hours(24 * 31 * 9));
    settle(&memory);
    assert_eq!(events_of_visitor(&memory), 0);
}

#[test]
fn a_new_storage_has_its_alarm_also_if_its_first_call_fails() {
    use crate::calls::{ProfileCall, Record, encode};
    let memory = memory();
    let event = serde_json::from_value(page_view_as_stored()).unwrap();
    let gist = hilo_core::event::Gist::of(&event);
    let records = vec![Record { gist, bytes: 9, to: vec![] }];
    let call = ProfileCall::Record {
        states: hilo_core::journey::StateRules::default(),
        source: "shop".to_owned(),
        is_public: true,
        claim: None,
        plans: vec![],
        records,
    };
    let object = Object::Profile("p".to_owned());
    assert!(run(memory.ask(&object, encode(&call).unwrap())).unwrap().is_err());
    let soon = memory.now() + SignedDuration::from_secs(20);
    let alarm = memory.0.profiles.borrow()["p"].alarm_ms.get();
    assert_eq!(alarm, Some(soon.as_millisecond()));
}

fn page_view_as_stored() -> Value {
    let mut event = page_view();
    event["receivedAt"] = event["timestamp"].clone();
    event
}
