//! Tests of the object of one person, on the same SQL natively.

use std::collections::BTreeMap;

use hilo_core::consent::{
    ChoiceChange, Method, Notice, OptInChannel, OptInState, Purpose, Receipt,
};
use hilo_core::event::Event;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::*;
use crate::calls::optin::{LinkStanding, Listeners, OptIn, OptInCall};
use crate::calls::{
    ConsentChange, ConsentCopy, ConsentRecorded, ConsentStanding, DeliveryState, Page, Planned,
    RecordCall, Recorded, Summary, messages, read_message,
};
use crate::platform::{SqlRow, SqlValue};
use crate::shell::memory::MemorySql;
use crate::store::schema;

mod archive_keys;
mod choices;
mod claims;
mod erasure;
mod links;
mod lost;
mod optins;
mod outbox;
mod persons;
mod refold;
mod rows;
mod sealed;
mod sending;
mod service_ids;
mod sessions;
mod upkeep;

/// An attempt that failed before its first step was done.
fn retry(after_s: u32) -> DeliveryResult {
    DeliveryResult::Retry { after_s, reason: "503".to_owned(), steps: 0 }
}

fn dead(reason: &str) -> DeliveryResult {
    DeliveryResult::Dead { reason: reason.to_owned(), steps: 0 }
}

struct Object {
    name: &'static str,
    sql: MemorySql,
    volatile: Volatile,
    now: Timestamp,
    /// The numbers of the last attempts by event, as the consumer knows them.
    attempts: BTreeMap<String, u32>,
}

impl Object {
    fn new() -> Object {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let (volatile, attempts) = Default::default();
        Object { name: "p", sql: MemorySql::new().unwrap().of("p"), volatile, now, attempts }
    }

    fn ask<A: DeserializeOwned>(&mut self, call: &ProfileCall) -> A {
        let reply = self.answer(&encode(call).unwrap()).unwrap().reply;
        decode(if reply.is_empty() { "null" } else { &reply }).unwrap()
    }

    fn answer(&mut self, call: &str) -> Result<CallResult, Failure> {
        answer(&self.sql, &mut self.volatile, self.name, call, self.now)
    }

    fn record(&mut self, sent: Vec<Sent>) -> Vec<Recorded> {
        let reply = self.answer(&call(&sent)).unwrap().reply;
        if reply.is_empty() {
            sent.iter().map(Sent::as_planned).collect()
        } else {
            decode(&reply).unwrap()
        }
    }

    /// Returns the deliveries that are ready after a call, and then those of an alarm.
    fn deliveries(&mut self) -> Vec<Delivery> {
        let mut deliveries = ready(&self.sql, &mut self.volatile, self.now).unwrap();
        deliveries.extend(due(&self.sql, &mut self.volatile, self.now).unwrap());
        let seen = deliveries.iter().map(|one| (one.message_id.clone(), one.attempt));
        self.attempts.extend(seen);
        deliveries
    }

    /// Returns the event and the attempt of each due delivery.
    fn due(&mut self) -> Vec<(String, u32)> {
        self.deliveries().into_iter().map(|due| (due.message_id, due.attempt)).collect()
    }

    fn confirm(&mut self, message_id: &str, result: DeliveryResult) {
        self.confirm_all(&[(message_id, result)]);
    }

    fn confirm_all(&mut self, results: &[(&str, DeliveryResult)]) {
        let confirmation = |(message_id, result): &(&str, DeliveryResult)| Confirmation {
            row: self.row(message_id),
            message_id: (*message_id).to_owned(),
            destination: "webhook".to_owned(),
            attempt: self.attempts.get(*message_id).copied().unwrap_or(0),
            mark: None,
            result: result.clone(),
        };
        let confirmations = results.iter().map(confirmation).collect();
        self.ask::<()>(&ProfileCall::Confirm { confirmations });
    }

    fn row(&self, message_id: &str) -> i64 {
        let query = "SELECT seq FROM outbox, json_each(message_ids) WHERE value = ?";
        let rows = self.sql.exec(query, &[SqlValue::from(message_id)]).unwrap();
        rows[0].int("seq").unwrap()
    }

    fn outbox(&mut self) -> Vec<(String, String, u32)> {
        let page: Page = self.ask(&ProfileCall::Deliveries { cursor: None, limit: 10 });
        let rows = page.rows.iter().map(|row| decode::<DeliveryState>(row.get()).unwrap());
        rows.map(|row| (row.message_id, row.state, row.attempts)).collect()
    }

    fn say(&mut self, channel: OptInChannel, state: OptInState) -> OptIn {
        let said = OptIn { at: self.now.to_string(), ..opt_in(channel, state) };
        let listeners = Listeners::default();
        self.ask(&ProfileCall::OptIn(Box::new(OptInCall { said, request: None, listeners })))
    }

    fn decide(&mut self, base: u32, purpose: &str, state: &str) -> ConsentRecorded {
        self.ask(&ProfileCall::Consent(change(base, purpose, state)))
    }
}

fn opt_in(channel: OptInChannel, state: OptInState) -> OptIn {
    OptIn {
        channel,
        state,
        at: String::new(),
        text: Some("Write to me.".to_owned()),
        version: Some("1".to_owned()),
        address: None,
        address_hash: None,
        url: None,
        source: "shop".to_owned(),
        is_verified: false,
        nonce: None,
        confirmed: None,
        by_link: false,
    }
}

fn change(base: u32, purpose: &str, state: &str) -> ConsentChange {
    ConsentChange {
        subject: "s".to_owned(),
        controller: "Shop".to_owned(),
        base,
        chosen_at: "2026-11-24T10:00:00Z".parse().unwrap(),
        is_found: false,
        changes: vec![ChoiceChange {
            purpose: purpose.to_owned(),
            state: state.to_owned(),
            at: "2026-11-24T10:00:00Z".to_owned(),
            method: Method::Api,
        }],
        notice: Notice::default(),
        signals: Default::default(),
        random: [7; 16],
        report: None,
    }
}

fn event(id: &str, revision: u32) -> Event {
    serde_json::from_value(json!({
        "messageId": id, "type": "page", "anonymousId": "a1", "properties": {},
        "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        "context": {
            "consent": {"categoryPreferences": {"analytics": true}, "revision": revision},
            "hilo": {"session": {"id": "1"}},
        },
    }))
    .unwrap()
}

/// An event to send, and its destinations.
#[derive(Clone)]
struct Sent {
    event: Event,
    to: Vec<Planned>,
}

impl Sent {
    /// The result that an empty answer stands for.
    fn as_planned(&self) -> Recorded {
        let destinations = self.to.iter().map(|planned| planned.name.clone()).collect();
        Recorded::Stored { channel: self.event.context.hilo.channel, destinations }
    }
}

fn bound(id: &str) -> Sent {
    let to = vec![Planned {
        name: "webhook".to_owned(),
        purposes: vec![Purpose::Analytics],
        channel: None,
        wants_person: false,
        wants_key: false,
        is_owed: false,
    }];
    Sent { to, ..kept(id, 1) }
}

/// An event without destinations.
fn kept(id: &str, revision: u32) -> Sent {
    Sent { event: event(id, revision), to: vec![] }
}

fn call(sent: &[Sent]) -> String {
    let mut call = RecordCall::of("shop", true);
    for one in sent {
        call.add(&one.event, &one.to.iter().collect::<Vec<_>>()).unwrap();
    }
    call.encode().unwrap()
}

fn stored(destinations: &[&str]) -> Recorded {
    let destinations = destinations.iter().map(|name| (*name).to_owned()).collect();
    Recorded::Stored { channel: None, destinations }
}

#[test]
fn the_same_event_is_stored_once() {
    let mut object = Object::new();
    let batch = vec![bound("m1"), bound("m2"), bound("m1")];
    assert_eq!(
        object.record(batch.clone()),
        [stored(&["webhook"]), stored(&["webhook"]), Recorded::Duplicate]
    );
    assert_eq!(object.record(batch), vec![Recorded::Duplicate; 3]);
    assert_eq!(object.ask::<Summary>(&ProfileCall::Summary).events, 2);
    assert_eq!(object.outbox().len(), 2);
}

#[test]
fn an_object_that_wakes_up_folds_the_same_profile() {
    let mut object = Object::new();
    for n in 0..50 {
        let mut sent = bound(&format!("m{n}"));
        let touch = json!({"channel": "Email", "via": "page"});
        sent.event.context.hilo.touch = serde_json::from_value(touch).unwrap();
        sent.event.context.locale = Some(format!("l{n}"));
        object.record(vec![sent]);
        let Some(known) = object.volatile.known.take() else { panic!("nothing is known") };
        let woken = known::Known::read(&object.sql).unwrap();
        assert_eq!(format!("{:?}", woken.profile), format!("{:?}", known.profile));
    }
    let summary: Summary = object.ask(&ProfileCall::Summary);
    let profile: serde_json::Value = decode(summary.profile.get()).unwrap();
    assert_eq!(profile["events"], json!({"page": 50}));
}

#[test]
fn a_call_whose_events_all_go_as_planned_gets_an_empty_answer() {
    let mut object = Object::new();
    assert_eq!(object.answer(&call(&[bound("m1"), kept("m2", 1)])).unwrap().reply, "");
    assert_ne!(object.answer(&call(&[bound("m2"), kept("m3", 1)])).unwrap().reply, "");
}

#[test]
fn events_are_stored_byte_for_byte() {
    let mut object = Object::new();
    let mut spoken = kept("m1", 1);
    spoken.event.context.locale = Some("ñ — \u{1f6d2} \"quoted\"\n".to_owned());
    object.record(vec![kept("m0", 1), spoken.clone(), kept("m2", 1)]);
    let page: Page = object.ask(&ProfileCall::Events { cursor: None, limit: 10 });
    let bodies: Vec<&str> = page.rows.iter().map(|row| row.get()).collect();
    // The facts of the touchpoint and the source stand before the event.
    let sent = [kept("m2", 1), spoken, kept("m0", 1)].map(|one| {
        let body = encode(&one.event).unwrap();
        let facts = r#"{"touchpoint":{"kind":"page","state":"new"},"source":"shop","#;
        format!("{facts}{}", body.strip_prefix('{').unwrap())
    });
    assert_eq!(bodies, sent);
}

#[test]
fn a_batch_that_needs_several_statements_is_stored_whole_and_once() {
    let mut object = Object::new();
    let big = |n: usize| {
        let mut sent = kept(&format!("m{n}"), 1);
        sent.event.context.locale = Some("x".repeat(30 * 1024));
        sent
    };
    let batch: Vec<Sent> = (0..60).map(big).collect();
    object.record(vec![big(50)]);
    let recorded = object.record(batch.clone());
    let is_new = |one: &Recorded| *one != Recorded::Duplicate;
    assert_eq!(recorded.iter().position(|one| !is_new(one)), Some(50));
    assert_eq!(recorded.iter().filter(|one| is_new(one)).count(), 59);
    assert_eq!(object.ask::<Summary>(&ProfileCall::Summary).events, 60);
    assert_eq!(object.record(batch), vec![Recorded::Duplicate; 60]);
}

#[test]
fn a_call_about_an_unknown_person_creates_no_storage() {
    let mut object = Object::new();
    assert!(!object.ask::<Summary>(&ProfileCall::Summary).known);
    assert!(object.sql.exec("SELECT name FROM sqlite_master", &[]).unwrap().is_empty());
}

#[test]
fn receipts_form_a_chain_and_a_repeated_change_adds_no_link() {
    let mut object = Object::new();
    let first = object.decide(0, "analytics", "granted").receipt.unwrap();
    let second = object.decide(1, "analytics", "denied").receipt.unwrap();
    assert_eq!(second.prev_hash, first.hash);
    assert_eq!(crate::signature::sha256_hex(second.chain_text().as_bytes()), second.hash);
    assert_eq!(object.decide(0, "analytics", "granted").receipt.as_ref(), Some(&first));
    let copy: ConsentCopy = object.ask(&ProfileCall::ConsentCopy { cursor: None });
    let receipts: Vec<Receipt> =
        copy.receipts.iter().map(|row| decode(row.get()).unwrap()).collect();
    assert_eq!((receipts, copy.next), (vec![second, first], None));
}

#[test]
fn the_ledger_of_opt_ins_keeps_every_change_and_no_repetition() {
    let mut object = Object::new();
    let first = object.say(OptInChannel::Email, OptInState::Subscribed);
    object.now += SignedDuration::from_secs(1);
    assert_eq!(object.say(OptInChannel::Email, OptInState::Subscribed), first);
    object.say(OptInChannel::Email, OptInState::Unsubscribed);
    object.say(OptInChannel::Email, OptInState::Subscribed);
    let page: Page = object.ask(&ProfileCall::OptIns { cursor: None, limit: 10 });
    assert_eq!(page.rows.len(), 3);
}

#[test]
fn an_object_of_an_older_schema_is_brought_up_to_date_by_the_first_call() {
    let mut object = Object::new();
    schema::apply(&object.sql, schema::PROFILE.first(1)).unwrap();
    let body = encode(&event("m1", 1)).unwrap();
    let insert = "INSERT INTO events (message_id, occurred_ms, body) VALUES ('m1', 0, ?)";
    object.sql.run(insert, &[SqlValue::Text(body)]).unwrap();
    let profile = json!({"events": {"page": 1}}).to_string();
    let insert = "INSERT INTO meta (key, value) VALUES ('profile', ?), ('name', 'p')";
    object.sql.run(insert, &[SqlValue::Text(profile)]).unwrap();
    let insert = "INSERT INTO outbox (message_id, destination, purposes, next_ms, updated_ms)
        VALUES ('m1', 'webhook', 'analytics', 0, 0)";
    object.sql.run(insert, &[]).unwrap();
    assert_eq!(object.due(), [("m1".to_owned(), 0)]);
    object.record(vec![kept("m2", 1)]);
    let summary: Summary = object.ask(&ProfileCall::Summary);
    assert_eq!(summary.optins, Default::default());
    let profile: serde_json::Value = decode(summary.profile.get()).unwrap();
    assert_eq!(profile["events"], json!({"page": 2}));
}

#[test]
fn a_call_that_fails_half_way_stores_nothing() {
    let mut object = Object::new();
    object.record(vec![bound("m0")]);
    object.sql.exec("DROP TABLE outbox", &[]).unwrap();
    assert!(object.answer(&call(&[bound("m1")])).is_err());
    assert_eq!(object.ask::<Summary>(&ProfileCall::Summary).events, 1);
}

#[test]
fn a_call_that_failed_leaves_nothing_in_memory_either() {
    let mut object = Object::new();
    object.record(vec![bound("m0")]);
    object.sql.exec("ALTER TABLE outbox RENAME TO hidden", &[]).unwrap();
    assert!(object.answer(&call(&[bound("m1")])).is_err());
    object.sql.exec("ALTER TABLE hidden RENAME TO outbox", &[]).unwrap();
    assert_eq!(object.record(vec![bound("m1")]), [stored(&["webhook"])]);
    let summary: Summary = object.ask(&ProfileCall::Summary);
    let profile: serde_json::Value = decode(summary.profile.get()).unwrap();
    assert_eq!(profile["events"], json!({"page": 2}));
}

#[test]
fn pages_follow_each_other_newest_first() {
    let mut object = Object::new();
    object.record((0..5).map(|n| bound(&format!("m{n}"))).collect());
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page: Page = object.ask(&ProfileCall::Events { cursor, limit: 2 });
        let ids = page.rows.iter().map(|row| decode::<Event>(row.get()).unwrap().message_id);
        seen.extend(ids);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["m4", "m3", "m2", "m1", "m0"]);
}
