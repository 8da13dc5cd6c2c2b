//! Delivery to destinations that exist only in this file: two steps, batches of three, answers per event.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use hilo_core::config::{Config, DestinationEntry, parse};
use hilo_core::delivery::Brakes;
use hilo_core::event::EventKind;
use hilo_core::profile::Person;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::destination::{
    Acceptance, Access, Batch, BatchEvent, Destination, Kind, LeftOut, Limits, Mapped,
    MappedRequest, Mapping, MissingSecret, OptIns, Reception,
};
use super::destinations::testing::HEAD;
use super::*;
use crate::calls::LEASE_MS;
use crate::platform::Headers;
use crate::shell::memory::run;

mod denied;
mod every_kind;
mod faults;
mod found;
mod kinds;
mod named;
mod order;
mod pages;
mod posts;
mod refunds;
mod rules;
mod script;
mod vault;
mod waits;

pub(super) use kinds::{LEAVER, METER};
pub(super) use vault::VAULT;

const DESK: Kind = Kind {
    name: "desk",
    title: "Desk",
    is_silent: false,
    optins: OptIns::Read,
    load: |_| Ok(Box::new(Desk)),
    purposes: &[Purpose::Analytics],
    limits: Limits {
        events: 3,
        bytes: 2_000,
        age_s_max: Some(3_600),
        is_ordered: false,
        mixes_people: true,
        wants_person: true,
        pace: None,
    },
};

/// A destination that gets the people of all events first, and then the events that are no page views. The bodies are
/// the ids.
struct Desk;

impl Destination for Desk {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        if (batch.access.secrets)("DESK").is_none() {
            return Err(MissingSecret("DESK".to_owned()));
        }
        let mut mapping = Mapping::default();
        let (mut people, mut events) = (Vec::new(), Vec::new());
        for (at, one) in batch.events.iter().enumerate() {
            match &one.event.kind {
                EventKind::Group { .. } => {
                    mapping.left_out.push((at, LeftOut::Refused("no groups".to_owned())));
                }
                EventKind::Page { .. } => people.push(at),
                EventKind::Track { .. }
                | EventKind::Screen { .. }
                | EventKind::Identify { .. }
                | EventKind::Alias { .. } => {
                    people.push(at);
                    events.push(at);
                }
            }
        }
        let body = |places: &[usize]| {
            let ids = places.iter().map(|at| batch.events[*at].event.message_id.clone());
            ids.collect::<Vec<_>>().join(",")
        };
        for (step, path, events) in [(0, "people", people), (1, "events", events)] {
            if !events.is_empty() {
                let url = format!("https://desk.example/{path}");
                let (method, headers) = ("POST".to_owned(), Headers::default());
                let outgoing = Outgoing { method, url, headers, body: body(&events) };
                mapping.requests.push(MappedRequest { outgoing, events, step });
            }
        }
        Ok(mapping)
    }

    fn classify(&self, request: &MappedRequest, response: &Response) -> Reception {
        let reason = || format!("status {}", response.status);
        let one = |word: &str| match word {
            "ok" => Acceptance::Delivered,
            "no" => Acceptance::Rejected { reason: "no".to_owned() },
            "again" => Acceptance::Again,
            after => Acceptance::Retry { after: Some(after.to_owned()), reason: reason() },
        };
        match response.status {
            207 => Reception::Each(response.body.split(',').map(one).collect()),
            400 => Reception::Poison { reason: reason() },
            503 => Reception::All(one(&response.body)),
            _ => {
                assert!(!request.events.is_empty());
                Reception::All(Acceptance::Delivered)
            }
        }
    }
}

fn config(rules: &str) -> Config {
    let desk = "[[destination]]\nname = 'desk'\ntype = 'desk'\npurposes = ['analytics']\n";
    parse(&format!("{HEAD}{desk}{rules}")).unwrap()
}

const NOW: &str = "2026-11-24T10:00:00Z";

fn delivery(id: &str, kind: &str) -> Delivery {
    let event = json!({
        "messageId": id, "type": kind, "event": "x", "groupId": "g", "anonymousId": "a1", "properties": {},
        "timestamp": NOW, "receivedAt": NOW,
        "context": {"consent": {"categoryPreferences": {"analytics": true}, "revision": 1}},
    });
    Delivery {
        profile: "p".to_owned(),
        row: 1,
        message_id: id.to_owned(),
        destination: "desk".to_owned(),
        attempt: 0,
        since_ms: NOW.parse::<Timestamp>().unwrap().as_millisecond(),
        until_ms: NOW.parse::<Timestamp>().unwrap().as_millisecond() + LEASE_MS,
        steps: 0,
        denied: Vec::new(),
        source: None,
        event: event.to_string(),
        person: Some(Rc::new(Person::default())),
    }
}

/// Makes track events.
fn tracks(ids: &[&str]) -> Vec<Delivery> {
    ids.iter().map(|id| delivery(id, "track")).collect()
}

/// Moves an event to this number of seconds before the others.
fn before(mut delivery: Delivery, seconds: i64) -> Delivery {
    let at = NOW.parse::<Timestamp>().unwrap() - SignedDuration::from_secs(seconds);
    delivery.event = delivery.event.replace(NOW, &at.to_string());
    delivery
}

fn answer(status: u16, body: &str) -> Response {
    Response { status, body: body.to_owned(), ..Response::default() }
}

/// The sent requests, such as `people m1,m2`, and the result of each event.
type Delivered = (Vec<String>, BTreeMap<String, DeliveryResult>);

fn deliver_with(
    limits: Limits,
    sent: Vec<Delivery>,
    answer: impl Fn(&str) -> Response,
) -> Delivered {
    deliver_to(Box::new(Desk), limits, sent, answer)
}

fn deliver_to(
    destination: Box<dyn Destination>,
    limits: Limits,
    sent: Vec<Delivery>,
    answer: impl Fn(&str) -> Response,
) -> Delivered {
    deliver_through(Rc::default(), destination, limits, sent, answer)
}

fn deliver_through(
    brakes: Rc<RefCell<Brakes>>,
    destination: Box<dyn Destination>,
    limits: Limits,
    sent: Vec<Delivery>,
    answer: impl Fn(&str) -> Response,
) -> Delivered {
    deliver_by(&config(""), brakes, destination, limits, sent, answer)
}

fn deliver_by(
    config: &Config,
    brakes: Rc<RefCell<Brakes>>,
    destination: Box<dyn Destination>,
    limits: Limits,
    sent: Vec<Delivery>,
    answer: impl Fn(&str) -> Response,
) -> Delivered {
    let [entry]: &[DestinationEntry] = config.destinations.as_slice() else { panic!("one entry") };
    let loaded = Loaded { kind: Kind { limits, ..DESK }, destination };
    let configured = Configured::with(entry, Ok(loaded));
    let log = RefCell::new(Vec::new());
    let outside = Outside {
        keyring: None,
        send: async |request: &Outgoing| {
            let path = request.url.rsplit('/').next().unwrap();
            let line = format!("{path} {}", request.body);
            log.borrow_mut().push(line.clone());
            match answer(&line) {
                Response { status: 0, .. } => Err(Failure::Retriable("no answer".to_owned())),
                response => Ok(response),
            }
        },
        secrets: &|_| Some("secret".to_owned()),
        now: &|| NOW.parse().unwrap(),
        is_dev: false,
        gate: Gate::new("desk", brakes, NOW.parse().unwrap()),
        renew: &|_| Box::pin(async { panic!("a desk needs no token") }),
        mark: &|_, asked| {
            Box::pin(async move { Some(asked.iter().map(|one| Some(one.row)).collect()) })
        },
        mark_id: "first".to_owned(),
    };
    let results = RefCell::new(BTreeMap::new());
    let report = async |more: Vec<Ended>| {
        let more = more.into_iter().map(|one| (one.delivery.message_id, one.result));
        results.borrow_mut().extend(more);
    };
    run(deliver_group(sent, &configured, AT_ONCE, &outside, report)).unwrap();
    (log.take(), results.take())
}

fn deliver(sent: Vec<Delivery>, answer: impl Fn(&str) -> Response) -> Delivered {
    deliver_with(DESK.limits, sent, answer)
}

fn delivered(ids: &[&str]) -> BTreeMap<String, DeliveryResult> {
    ids.iter().map(|id| ((*id).to_owned(), DeliveryResult::Delivered)).collect()
}

fn dead(reason: &str, steps: u32) -> DeliveryResult {
    DeliveryResult::Dead { reason: reason.to_owned(), steps }
}

fn retry(after_s: u32, reason: &str, steps: u32) -> DeliveryResult {
    DeliveryResult::Retry { after_s, reason: reason.to_owned(), steps }
}

#[test]
fn a_batch_has_no_more_events_than_the_destination_takes() {
    let (log, results) = deliver(tracks(&["m1", "m2", "m3", "m4"]), |_| answer(200, ""));
    assert_eq!(log, ["people m1,m2,m3", "events m1,m2,m3", "people m4", "events m4"]);
    assert_eq!(results, delivered(&["m1", "m2", "m3", "m4"]));
}

#[test]
fn a_batch_has_no_more_bytes_than_the_destination_takes() {
    let limits = Limits { bytes: tracks(&["m1"])[0].event.len() * 2, ..DESK.limits };
    let (log, _) = deliver_with(limits, tracks(&["m1", "m2", "m3"]), |_| answer(200, ""));
    assert_eq!(log, ["people m1,m2", "events m1,m2", "people m3", "events m3"]);
}

#[test]
fn a_batch_has_several_people_only_if_the_destination_takes_them() {
    let sent = || {
        let mut sent = tracks(&["m1", "m2", "m3"]);
        sent[1].profile = "other".to_owned();
        sent
    };
    let one_person = Limits { mixes_people: false, ..DESK.limits };
    let mut log = deliver_with(one_person, sent(), |_| answer(200, "")).0;
    log.sort();
    assert_eq!(log, ["events m1,m3", "events m2", "people m1,m3", "people m2"]);
    assert_eq!(deliver(sent(), |_| answer(200, "")).0, ["people m1,m2,m3", "events m1,m2,m3"]);
}

#[test]
fn an_event_ends_with_the_last_step_that_it_needs() {
    let sent = vec![delivery("m1", "page"), delivery("m2", "track"), delivery("m3", "group")];
    let (log, mut results) = deliver(sent, |_| answer(200, ""));
    assert_eq!(log, ["people m1,m2", "events m2"]);
    assert_eq!(results.remove("m3"), Some(dead("no groups", 0)));
    assert_eq!(results, delivered(&["m1", "m2"]));
}

#[test]
fn only_events_that_finished_a_step_take_the_next_one() {
    let (log, results) = deliver(tracks(&["m1", "m2", "m3"]), |line| match line {
        "people m1,m2,m3" => answer(207, "ok,no,60"),
        _ => answer(200, ""),
    });
    assert_eq!(log, ["people m1,m2,m3", "events m1"]);
    assert_eq!(results["m1"], DeliveryResult::Delivered);
    assert_eq!(results["m2"], dead("no", 0));
    assert_eq!(results["m3"], retry(60, "status 207", 0));
}

#[test]
fn a_step_that_is_done_is_never_repeated() {
    let fails = |line: &str| match line {
        "events m1" => answer(503, "7"),
        _ => answer(200, ""),
    };
    let (log, results) = deliver(tracks(&["m1"]), fails);
    assert_eq!(log, ["people m1", "events m1"]);
    assert_eq!(results["m1"], retry(7, "status 503", 1));
    // This is the delivery that the outbox sends next.
    let again = Delivery { steps: 1, attempt: 1, ..delivery("m1", "track") };
    let fresh = tracks(&["m2"]);
    let sent = fresh.into_iter().chain([again.clone()]).collect();
    let (log, results) = deliver(sent, |_| answer(200, ""));
    assert_eq!(log, ["people m2", "events m2", "events m1"]);
    assert_eq!(results, delivered(&["m1", "m2"]));
    // All steps are done, and only the confirmation was lost.
    let (log, results) = deliver(vec![Delivery { steps: 2, ..again }], |_| answer(200, ""));
    assert_eq!((log, results), (vec![], delivered(&["m1"])));
}

#[test]
fn a_request_without_an_answer_is_repeated() {
    let (_, results) = deliver(tracks(&["m1"]), |_| answer(0, ""));
    assert!(
        matches!(&results["m1"], DeliveryResult::Retry { reason, .. } if reason == "no answer")
    );
}

#[test]
fn an_answer_that_leaves_an_event_out_does_not_lose_the_event() {
    let (_, results) = deliver(tracks(&["m1", "m2"]), |_| answer(207, "ok"));
    assert!(matches!(&results["m2"], DeliveryResult::Retry { .. }), "{results:?}");
}

#[test]
fn a_poisonous_event_is_found_by_bisecting_and_the_others_are_delivered() {
    let limits = Limits { events: 8, bytes: 100_000, ..DESK.limits };
    let ids = ["m1", "m2", "m3", "m4", "m5", "m6", "m7", "m8"];
    let (log, mut results) = deliver_with(limits, tracks(&ids), |line| {
        answer(if line.starts_with("people") && line.contains("m6") { 400 } else { 200 }, "")
    });
    assert_eq!(results.remove("m6"), Some(dead("status 400", 0)));
    assert_eq!(results, delivered(&["m1", "m2", "m3", "m4", "m5", "m7", "m8"]));
    // The whole batch, then two halves of each part that was refused.
    assert_eq!(log.iter().filter(|line| line.starts_with("people")).count(), 7);
}

#[test]
fn bisecting_ends_at_its_bound_and_leaves_the_rest_to_the_next_attempt() {
    let limits = Limits { events: 100, bytes: 1_000_000, ..DESK.limits };
    let ids: Vec<String> = (0..100).map(|n| format!("m{n}")).collect();
    let sent = ids.iter().map(|id| delivery(id, "track")).collect();
    let (log, results) = deliver_with(limits, sent, |_| answer(400, ""));
    assert!(log.len() < 70, "{} requests", log.len());
    let is_dead = |result: &&DeliveryResult| matches!(result, DeliveryResult::Dead { .. });
    let dead = results.values().filter(is_dead).count();
    assert!((1..100).contains(&dead), "{dead} of {}", results.len());
}

#[test]
fn an_event_beyond_the_age_limit_becomes_a_dead_letter_with_that_reason() {
    let mut sent = tracks(&["m1", "m2"]);
    sent[0] = before(sent[0].clone(), 3_601);
    sent[1] = before(sent[1].clone(), 3_600);
    let (log, results) = deliver(sent, |_| answer(200, ""));
    assert_eq!(log, ["people m2", "events m2"]);
    assert_eq!(results["m1"], dead("too_old: desk takes no event older than 3600 s", 0));
}

#[test]
fn an_event_whose_own_consent_denies_is_not_sent() {
    let mut sent = tracks(&["m1"]);
    sent[0].event = sent[0].event.replace("\"analytics\":true", "\"analytics\":false");
    let (log, results) = deliver(sent, |_| answer(200, ""));
    assert_eq!((log, &results["m1"]), (vec![], &dead("consent_denied", 0)));
}
