//! Requests that are refused as a whole because of events that the answer names.

use super::every_kind::{events, kinds};
use super::order::ORDERED;
use super::script::{answers, live_through, word};
use super::*;

#[test]
fn a_request_is_repeated_at_once_without_the_event_that_the_answer_names() {
    let (log, mut results) = deliver(tracks(&["m1", "m2", "m3"]), |line| match line {
        "people m1,m2,m3" => answer(207, "again,no,again"),
        _ => answer(200, ""),
    });
    assert_eq!(log, ["people m1,m2,m3", "people m1,m3", "events m1,m3"]);
    assert_eq!(results.remove("m2"), Some(dead("no", 0)));
    assert_eq!(results, delivered(&["m1", "m3"]));
}

#[test]
fn an_ordered_destination_gets_the_rest_of_a_refused_request_before_later_events() {
    let limits = Limits { events: 3, ..ORDERED };
    let mut sent = tracks(&["m1", "m2", "m3", "m4"]);
    for (at, one) in sent.iter_mut().enumerate() {
        *one = before(one.clone(), 60 - i64::try_from(at).unwrap());
    }
    let (log, _) = deliver_with(limits, sent, |line| match line {
        "people m1,m2,m3" => answer(207, "no,again,again"),
        _ => answer(200, ""),
    });
    assert_eq!(log, ["people m1,m2,m3", "people m2,m3", "events m2,m3", "people m4", "events m4"]);
}

#[test]
fn an_answer_that_names_no_other_event_counts_an_attempt() {
    let (log, results) = deliver(tracks(&["m1", "m2"]), |_| answer(207, "again,again"));
    assert_eq!(log, ["people m1,m2"]);
    let untold = |one: &DeliveryResult| matches!(one, DeliveryResult::Retry { reason, .. } if reason == "the answer says nothing about this event");
    assert!(results.values().all(untold), "{results:?}");
}

#[test]
fn a_batch_full_of_named_events_is_left_to_the_next_attempt_at_its_bound() {
    let limits = Limits { events: 100, bytes: 1_000_000, ..DESK.limits };
    let ids: Vec<String> = (0..100).map(|n| format!("m{n}")).collect();
    let sent = ids.iter().map(|id| delivery(id, "track")).collect();
    let (log, results) = deliver_with(limits, sent, |line| {
        let count = line.split(',').count();
        answer(207, &format!("no{}", ",again".repeat(count - 1)))
    });
    let count = |is: fn(&DeliveryResult) -> bool| results.values().filter(|one| is(one)).count();
    let dead = count(|one| matches!(one, DeliveryResult::Dead { .. }));
    let waiting = count(
        |one| matches!(one, DeliveryResult::Wait { reason, .. } if reason == "waits: other events of its requests were refused"),
    );
    assert_eq!((log.len(), dead, waiting), (33, 33, 67));
}

/// Every kind whose service names events of a request that it refuses as a whole: the answer that names the second of the events, and a
/// success.
const NAMING: [(&str, u16, &str, &str); 3] = [
    (
        "bigquery",
        200,
        r#"{"insertErrors": [{"index": 0, "errors": [{"reason": "stopped"}]}, {"index": 1, "errors": [{"reason": "invalid"}]}]}"#,
        "{}",
    ),
    (
        "google_ads",
        400,
        r#"{"error": {"details": [{"fieldViolations": [{"field": "events.events[1].currency", "description": "no"}]}]}}"#,
        r#"{"requestId": "r"}"#,
    ),
    (
        "tiktok",
        200,
        r#"{"code": 40002, "message": "data[1].event_time is wrong"}"#,
        r#"{"code": 0}"#,
    ),
];

#[test]
fn of_every_kind_a_named_event_costs_its_neighbors_no_attempt() {
    for (name, status, refusal, success) in NAMING {
        let (config, secrets) =
            kinds().into_iter().find(|(config, _)| config.destinations[0].kind == name).unwrap();
        let loaded = Loaded::of(&config.destinations[0]).unwrap();
        let mut sent = events();
        sent.retain(|one| loaded.destination.wants(&one.read_event().unwrap()));
        sent.truncate(2);
        assert_eq!(sent.len(), 2, "{name}");
        let second = sent[1].message_id.clone();
        let script = [answers(status, refusal), answers(200, success)];
        let outcome = live_through(loaded, sent, &secrets, &script);
        assert_eq!(outcome.sent_s, [0, 0], "{name}");
        let ends: Vec<_> =
            outcome.ends.iter().map(|(id, end)| (*id == second, word(end))).collect();
        assert_eq!(ends.len(), 2, "{name}");
        for (is_named, end) in ends {
            assert_eq!(end, if is_named { "dead refused" } else { "delivered" }, "{name}");
        }
    }
}
