//! Attempts without a result, waits, and results that come late.

use super::*;

fn due(ids: &[(&str, u32)]) -> Vec<(String, u32)> {
    ids.iter().map(|(id, attempt)| ((*id).to_owned(), *attempt)).collect()
}

fn after(object: &mut Object, seconds: i64) -> Vec<(String, u32)> {
    object.now += SignedDuration::from_secs(seconds);
    object.due()
}

fn wait(after_s: u32) -> DeliveryResult {
    DeliveryResult::Wait { after_s, reason: "busy".to_owned(), steps: 0 }
}

/// Returns state, attempts and reason of the one delivery.
fn state(object: &mut Object) -> (String, u32, Option<String>) {
    let page: Page = object.ask(&ProfileCall::Deliveries { cursor: None, limit: 10 });
    let [row] = page.rows.as_slice() else { panic!("one delivery") };
    let DeliveryState { state, attempts, reason, .. } = decode(row.get()).unwrap();
    (state, attempts, reason)
}

#[test]
fn a_lease_that_ends_without_a_result_counts_as_an_attempt() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    assert_eq!(object.due(), due(&[("m1", 0)]));
    assert_eq!(after(&mut object, 120), [], "the next attempt has a delay");
    let (pending, attempts, reason) = state(&mut object);
    assert_eq!((pending.as_str(), attempts), ("pending", 1));
    assert!(reason.unwrap().starts_with("lost"));
    assert_eq!(after(&mut object, 1), due(&[("m1", 1)]));
    assert_eq!(after(&mut object, 120), []);
    assert_eq!(after(&mut object, 2), due(&[("m1", 2)]));
    object.confirm("m1", DeliveryResult::Delivered);
    assert_eq!(object.outbox(), [("m1".to_owned(), "delivered".to_owned(), 2)]);
}

#[test]
fn after_a_crash_a_delivery_is_sent_at_once_and_after_more_crashes_ever_later() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    object.volatile = Volatile::default();
    assert_eq!(object.due(), due(&[("m1", 0)]));
    for (attempt, delay_s) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 15)] {
        object.volatile = Volatile::default();
        assert_eq!(after(&mut object, delay_s - 1), []);
        assert_eq!(after(&mut object, 1), due(&[("m1", attempt)]));
    }
}

#[test]
fn the_last_lost_attempt_is_sent_for_its_end() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let mut last = 0;
    for _ in 0..25 {
        last = object.due().first().map_or(last, |(_, attempt)| *attempt);
        object.volatile = Volatile::default();
        object.now += SignedDuration::from_hours(21);
    }
    // The consumer gives up what has no attempt left.
    assert!(hilo_core::delivery::is_over(last), "{last}");
}

#[test]
fn a_wait_counts_no_attempt_and_shows_its_reason() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    object.confirm("m1", wait(30));
    let expected = ("pending".to_owned(), 0, Some("busy".to_owned()));
    assert_eq!(state(&mut object), expected);
    assert_eq!(after(&mut object, 29), []);
    assert_eq!(after(&mut object, 1), due(&[("m1", 0)]));
    // The same holds for a delivery that is sent from the storage, and has counted its attempt beforehand.
    object.confirm("m1", wait(30));
    assert_eq!(state(&mut object), expected);
    assert_eq!(after(&mut object, 30), due(&[("m1", 0)]));
    assert_eq!(object.due(), []);
}

#[test]
fn a_result_of_an_attempt_that_counts_as_lost_does_not_touch_the_next_attempt() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    object.now += SignedDuration::from_secs(120);
    object.due();
    assert_eq!(after(&mut object, 1), due(&[("m1", 1)]));
    let late = |object: &mut Object, result| {
        object.attempts.insert("m1".to_owned(), 0);
        object.confirm("m1", result);
    };
    late(&mut object, retry(0));
    late(&mut object, wait(0));
    assert_eq!(object.due(), [], "the second attempt is in progress");
    assert_eq!(object.outbox(), [("m1".to_owned(), "pending".to_owned(), 2)]);
    late(&mut object, DeliveryResult::Delivered);
    assert_eq!(object.outbox(), [("m1".to_owned(), "delivered".to_owned(), 0)]);
}

#[test]
fn a_bounded_number_of_rows_is_in_progress_and_the_others_follow() {
    let mut object = Object::new();
    for n in 0..150 {
        object.record(vec![bound(&format!("m{n}"))]);
    }
    let first = object.due();
    assert_eq!((first.len(), object.due()), (100, vec![]));
    for (id, _) in &first {
        object.confirm(id, DeliveryResult::Delivered);
    }
    assert_eq!(object.due().len(), 50);
}

#[test]
fn a_delivery_is_pending_since_its_event_came_or_since_its_replay() {
    let mut object = Object::new();
    let came_ms = object.now.as_millisecond();
    object.record(vec![bound("m1")]);
    let since = |object: &mut Object| {
        let deliveries = object.deliveries();
        deliveries.iter().map(|one| one.since_ms).collect::<Vec<_>>()
    };
    assert_eq!(since(&mut object), [came_ms]);
    object.now += SignedDuration::from_secs(5);
    object.confirm("m1", retry(5));
    object.now += SignedDuration::from_secs(5);
    assert_eq!(since(&mut object), [came_ms]);
    object.confirm("m1", dead("410"));
    object.ask::<u32>(&ProfileCall::Replay { destination: None, message: None });
    assert_eq!(since(&mut object), [came_ms + 10_000]);
}

#[test]
fn a_repeated_result_does_not_end_the_row_that_got_its_number() {
    let mut object = Object::new();
    let to = |name: &str| Planned { name: name.to_owned(), ..bound("").to.remove(0) };
    let sent = |id| Sent { to: vec![to("first"), to("second")], ..kept(id, 1) };
    object.record(vec![sent("m1"), sent("m2")]);
    let results = |deliveries: &[Delivery], result: DeliveryResult| {
        let confirmation = |one: &Delivery| Confirmation {
            row: one.row,
            message_id: one.message_id.clone(),
            destination: one.destination.clone(),
            attempt: one.attempt,
            mark: None,
            result: result.clone(),
        };
        let confirmations = deliveries.iter().map(confirmation).collect();
        ProfileCall::Confirm { confirmations }
    };
    let mut first = object.deliveries();
    let second = first.split_off(2);
    let done = results(&second, DeliveryResult::Delivered);
    object.ask::<()>(&done);
    // One event of the other row gets a row of its own.
    object.ask::<()>(&results(&first[..1], retry(5)));
    assert_eq!(object.row("m1"), second[0].row, "the number came back");
    object.ask::<()>(&done);
    assert_eq!(object.row("m1"), second[0].row, "the retry is still pending");
    assert_eq!(after(&mut object, 5), due(&[("m1", 1)]));
}
