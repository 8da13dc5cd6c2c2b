//! Deliveries that are marked before their request, because their destination would count a repeat twice.

use super::*;
use crate::calls::UnderWay;
use crate::calls::journal::lines::AttemptEnd;

/// Asks to send these events, as the consumer has them, and returns the rows that may be sent.
fn mark(object: &mut Object, deliveries: &[Delivery], ids: &[&str]) -> Vec<Option<i64>> {
    let asked = deliveries.iter().filter(|one| ids.contains(&one.message_id.as_str()));
    object.ask(&ProfileCall::Sending(asked.map(Delivery::under_way).collect()))
}

/// The same by the attempt with this id.
fn mark_as(
    object: &mut Object,
    deliveries: &[Delivery],
    ids: &[&str],
    who: &str,
) -> Vec<Option<i64>> {
    let asked = deliveries.iter().filter(|one| ids.contains(&one.message_id.as_str()));
    let mark = Some(who.to_owned());
    let asked = asked.map(|one| UnderWay { mark: mark.clone(), ..one.under_way() });
    object.ask(&ProfileCall::Sending(asked.collect()))
}

/// Brings the result that the attempt with this id has of these events, as it knows their rows.
fn end_as(
    object: &mut Object,
    deliveries: &[Delivery],
    ids: &[&str],
    who: &str,
    result: &DeliveryResult,
) {
    let ended = deliveries.iter().filter(|one| ids.contains(&one.message_id.as_str()));
    let confirmation = |one: &Delivery| Confirmation {
        row: one.row,
        message_id: one.message_id.clone(),
        destination: one.destination.clone(),
        attempt: one.attempt,
        mark: Some(who.to_owned()),
        result: result.clone(),
    };
    let confirmations = ended.map(confirmation).collect();
    object.ask::<()>(&ProfileCall::Confirm { confirmations });
}

fn handed_back() -> DeliveryResult {
    DeliveryResult::Wait { after_s: 1, reason: "waits: no answer".to_owned(), steps: 0 }
}

/// The state and the reason of each delivery, by event.
fn states(object: &mut Object) -> BTreeMap<String, (String, Option<String>)> {
    let page: Page = object.ask(&ProfileCall::Deliveries { cursor: None, limit: 50 });
    let rows = page.rows.iter().map(|row| decode::<DeliveryState>(row.get()).unwrap());
    rows.map(|row| (row.message_id, (row.state, row.reason))).collect()
}

fn state(object: &mut Object, id: &str) -> String {
    states(object).remove(id).unwrap().0
}

#[test]
fn a_marked_delivery_is_never_sent_again_and_counts_as_sent_when_no_result_comes() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2")]);
    let deliveries = object.deliveries();
    let row = deliveries[0].row;
    assert_eq!(mark(&mut object, &deliveries, &["m1", "m2"]), [Some(row), Some(row)]);
    // The process is killed while the request is under way.
    object.volatile = Volatile::default();
    for seconds in [0, 60, 59] {
        object.now += SignedDuration::from_secs(seconds);
        assert_eq!(object.due(), [], "after {seconds} s");
        assert_eq!(state(&mut object, "m1"), "sending");
    }
    assert_eq!(
        next_alarm(&object.sql, object.now).unwrap(),
        Some(object.now + SignedDuration::from_secs(1))
    );
    object.now += SignedDuration::from_secs(1);
    assert_eq!(object.due(), []);
    let (state, reason) = states(&mut object).remove("m2").unwrap();
    assert!(state == "delivered" && reason.unwrap().starts_with("assumed_sent: "));
    let ended = object.volatile.take_ended();
    assert_eq!(ended.len(), 2);
    assert!(ended.iter().all(|one| one.end == AttemptEnd::Assumed && one.reason.is_none()));
    assert_eq!(
        (object.volatile.take_ended(), next_alarm(&object.sql, object.now).unwrap()),
        (vec![], None)
    );
    // A result that comes much too late changes nothing.
    object.confirm("m1", retry(1));
    object.now += SignedDuration::from_secs(600);
    assert_eq!(object.due(), []);
}

#[test]
fn a_message_that_the_queue_brings_twice_is_sent_once() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let deliveries = object.deliveries();
    assert_eq!(mark(&mut object, &deliveries, &["m1"]), [Some(deliveries[0].row)]);
    assert_eq!(mark(&mut object, &deliveries, &["m1"]), [None]);
    object.confirm("m1", DeliveryResult::Delivered);
    assert_eq!(mark(&mut object, &deliveries, &["m1"]), [None]);
}

#[test]
fn a_definite_answer_ends_the_mark_and_the_next_attempt_gets_its_own() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let first = object.deliveries();
    mark(&mut object, &first, &["m1"]);
    object.confirm("m1", retry(5));
    object.now += SignedDuration::from_secs(5);
    let second = object.deliveries();
    assert_eq!(second.iter().map(|one| one.attempt).collect::<Vec<_>>(), [1]);
    assert_eq!(mark(&mut object, &second, &["m1"]), [Some(second[0].row)]);
    object.confirm("m1", DeliveryResult::Wait { after_s: 5, reason: "busy".to_owned(), steps: 0 });
    object.now += SignedDuration::from_secs(5);
    let third = object.deliveries();
    assert_eq!(
        third.iter().map(|one| one.attempt).collect::<Vec<_>>(),
        [1],
        "a wait counts no attempt"
    );
    let stale = Delivery { attempt: 0, ..third[0].clone() };
    object.confirm("m1", retry(5));
    object.now += SignedDuration::from_secs(5);
    assert_eq!(object.due(), [("m1".to_owned(), 2)]);
    assert_eq!(mark(&mut object, &[stale], &["m1"]), [None], "a message of an earlier attempt");
}

#[test]
fn events_of_one_row_that_are_not_marked_keep_the_row_and_its_lease() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2"), bound("m3")]);
    let deliveries = object.deliveries();
    let [Some(one), Some(two)] = mark(&mut object, &deliveries, &["m1", "m3"])[..] else {
        panic!()
    };
    assert!(one == two && one != deliveries[0].row);
    assert_eq!((object.row("m1"), object.row("m2")), (one, deliveries[0].row));
    assert_eq!(object.due(), [], "the others are still in progress");
    object.confirm_all(&[("m1", DeliveryResult::Delivered), ("m2", retry(1)), ("m3", dead("400"))]);
    object.now += SignedDuration::from_secs(1);
    assert_eq!(object.due(), [("m2".to_owned(), 1)]);
    let states = states(&mut object);
    assert_eq!(states["m3"].0, "dead");
    // A row that is written next gets a number of its own.
    object.record(vec![bound("m4")]);
    let numbers: Vec<_> = ["m2", "m3", "m4"].map(|id| object.row(id)).into();
    assert!(
        numbers.iter().enumerate().all(|(at, row)| !numbers[..at].contains(row)),
        "{numbers:?}"
    );
}

#[test]
fn a_delivery_that_nobody_wants_any_more_is_not_marked() {
    for end in [
        |object: &mut Object| drop(object.decide(0, "analytics", "denied")),
        |object: &mut Object| object.confirm("m1", dead("410")),
    ] {
        let mut object = Object::new();
        object.record(vec![bound("m1")]);
        let deliveries = object.deliveries();
        end(&mut object);
        assert_eq!(mark(&mut object, &deliveries, &["m1"]), [None]);
    }
    let mut nobody = Object::new();
    let asked = UnderWay {
        row: 1,
        message_id: "m1".to_owned(),
        destination: "w".to_owned(),
        attempt: 0,
        denied: Vec::new(),
        mark: None,
    };
    assert_eq!(nobody.ask::<Vec<Option<i64>>>(&ProfileCall::Sending(vec![asked])), [None]);
}

#[test]
fn a_mark_does_not_hide_other_rows_that_are_due() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let deliveries = object.deliveries();
    mark(&mut object, &deliveries, &["m1"]);
    object.record(vec![bound("m2")]);
    object.volatile.fresh.clear();
    object.volatile.leases.end(object.row("m2"));
    assert_eq!(object.due(), [("m2".to_owned(), 0)]);
}

#[test]
fn a_skipped_delivery_needs_no_row_and_an_assumed_one_keeps_its_reason() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2")]);
    object.deliveries();
    let reason = "missing_identifier: no address".to_owned();
    let assumed = "assumed_sent: no answer".to_owned();
    object.confirm_all(&[
        ("m1", DeliveryResult::Skipped { reason }),
        ("m2", DeliveryResult::Assumed { reason: assumed.clone() }),
    ]);
    let rows = object.sql.exec("SELECT message_ids, reason FROM outbox", &[]).unwrap();
    let rows: Vec<_> =
        rows.iter().map(|row| (row.text("message_ids"), row.text("reason"))).collect();
    assert_eq!(rows, [(Ok("[\"m2\"]"), Ok(assumed.as_str()))]);
    assert_eq!(state(&mut object, "m2"), "delivered");
}

#[test]
fn five_hundred_deliveries_of_a_person_who_withdraws_are_counted_and_none_is_sent() {
    let mut object = Object::new();
    for n in 0..500 {
        object.record(vec![bound(&format!("m{n}"))]);
    }
    object.volatile = Volatile::default();
    object.decide(0, "analytics", "denied");
    assert_eq!(object.due(), []);
    let ended = object.volatile.take_ended();
    assert_eq!(ended.len(), 500);
    assert!(
        ended
            .iter()
            .all(|one| (one.end, one.code.as_str()) == (AttemptEnd::Skipped, "consent_denied"))
    );
    assert_eq!((object.due(), object.volatile.take_ended()), (vec![], vec![]));
}

#[test]
fn a_mark_whose_answer_was_lost_ends_when_its_attempt_hands_the_events_back() {
    for ids in [&["m1", "m2", "m3"][..], &["m1", "m3"]] {
        let mut object = Object::new();
        object.record(vec![bound("m1"), bound("m2"), bound("m3")]);
        let deliveries = object.deliveries();
        // The answer is lost, so the attempt does not know the row that a part of the row's events gets.
        mark_as(&mut object, &deliveries, ids, "first");
        assert_eq!(state(&mut object, "m1"), "sending");
        end_as(&mut object, &deliveries, ids, "first", &handed_back());
        object.now += SignedDuration::from_secs(1);
        let mut due = object.due();
        due.sort();
        let expected: Vec<_> = ids.iter().map(|id| ((*id).to_owned(), 0)).collect();
        assert_eq!(due, expected, "nothing was sent, so no attempt counts");
        object.now += SignedDuration::from_secs(600);
        object.due();
        assert!(states(&mut object).values().all(|(state, _)| state == "pending"));
    }
}

#[test]
fn an_attempt_cannot_end_the_mark_of_another_one_that_may_have_sent_the_event() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let deliveries = object.deliveries();
    // The queue brought the message twice. The second attempt got no answer, and so does not know of the first one.
    mark_as(&mut object, &deliveries, &["m1"], "first");
    assert_eq!(mark_as(&mut object, &deliveries, &["m1"], "second"), [None]);
    for result in [handed_back(), retry(1)] {
        end_as(&mut object, &deliveries, &["m1"], "second", &result);
        assert_eq!(state(&mut object, "m1"), "sending");
    }
    end_as(&mut object, &deliveries, &["m1"], "first", &DeliveryResult::Delivered);
    object.now += SignedDuration::from_secs(600);
    assert_eq!(object.due(), []);
}

#[test]
fn an_attempt_that_is_over_marks_nothing_more() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let deliveries = object.deliveries();
    mark_as(&mut object, &deliveries, &["m1"], "first");
    end_as(&mut object, &deliveries, &["m1"], "first", &handed_back());
    assert_eq!(mark_as(&mut object, &deliveries, &["m1"], "first"), [None]);
    assert_eq!(state(&mut object, "m1"), "pending");
    object.now += SignedDuration::from_secs(1);
    let again = object.deliveries();
    assert_eq!(mark_as(&mut object, &again, &["m1"], "second"), [Some(again[0].row)]);
}

#[test]
fn an_event_that_one_call_brings_twice_is_marked_once() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let deliveries = object.deliveries();
    let twice = [deliveries.clone(), deliveries.clone()].concat();
    assert_eq!(mark_as(&mut object, &twice, &["m1"], "first"), [Some(deliveries[0].row), None]);
}
