//! Deliveries: how they are leased, confirmed, ended and replayed.

use super::*;
use crate::signature::message_hash;

#[test]
fn a_delivery_is_sent_once_until_its_lease_ends() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    assert_eq!(object.due().len(), 1);
    object.now += SignedDuration::from_secs(119);
    assert_eq!(object.due().len(), 0);
    // A restart loses the leases, so pending deliveries are sent again at once, with the name of their object.
    object.volatile = Volatile::default();
    let again = object.deliveries();
    assert_eq!(again.iter().map(|due| due.profile.as_str()).collect::<Vec<_>>(), ["p"]);
}

#[test]
fn an_object_that_slept_sends_nothing_again_before_its_lease_ends() {
    let (mut attempts, mut object) = (Attempts::default(), Object::new());
    let wake = |object: &mut Object, attempts: &mut Attempts| {
        object.volatile = Volatile::of("id".to_owned(), attempts, object.now);
    };
    wake(&mut object, &mut attempts);
    object.record(vec![bound("m1")]);
    assert_eq!(object.due(), [("m1".to_owned(), 0)]);
    object.now += SignedDuration::from_secs(60);
    wake(&mut object, &mut attempts);
    assert_eq!(object.due(), []);
    object.record(vec![bound("m2")]);
    assert_eq!(object.due(), [("m2".to_owned(), 0)]);
    object.now += SignedDuration::from_secs(60);
    wake(&mut object, &mut attempts);
    assert_eq!(object.due(), [], "a lost attempt is counted first");
    object.now += SignedDuration::from_secs(2);
    assert_eq!(object.due(), [("m1".to_owned(), 1)]);
    object.volatile.forget();
    wake(&mut object, &mut attempts);
    assert_eq!(object.due(), [("m2".to_owned(), 0)], "what forgets its storage forgets its leases");
}

#[test]
fn a_delivery_that_the_queue_did_not_accept_is_due_again() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    for _ in 0..3 {
        let deliveries = object.deliveries();
        assert_eq!(deliveries.iter().map(|one| one.attempt).collect::<Vec<_>>(), [0]);
        release(&object.sql, &mut object.volatile, &deliveries, object.now).unwrap();
    }
}

#[test]
fn only_the_destination_ends_a_delivery() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    object.confirm("m1", retry(120));
    object.now += SignedDuration::from_secs(100);
    assert_eq!(object.due(), []);
    object.now += SignedDuration::from_secs(20);
    assert_eq!(object.due(), [("m1".to_owned(), 1)]);
    object.confirm("m1", DeliveryResult::Delivered);
    object.confirm("m1", dead("late"));
    assert_eq!(object.outbox(), [("m1".to_owned(), "delivered".to_owned(), 1)]);
    assert_eq!(next_alarm(&object.sql, object.now).unwrap(), None);
}

#[test]
fn a_retry_is_due_after_its_own_delay_and_not_after_its_lease() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    object.now += SignedDuration::from_millis(10);
    object.confirm("m1", retry(1));
    object.now += SignedDuration::from_secs(2);
    // The attempt was answered, so its lease is over, though its minute is not.
    assert_eq!(object.due().len(), 1);
}

#[test]
fn a_dead_event_is_replayed_on_request() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2")]);
    assert_eq!(object.due().len(), 2);
    for id in ["m1", "m2"] {
        object.confirm(id, dead("410"));
    }
    assert_eq!(object.due(), []);
    let call = ProfileCall::Replay { destination: None, message: Some(message_hash("m2")) };
    assert_eq!(object.ask::<u32>(&call), 1);
    assert_eq!(object.due().len(), 1);
}

#[test]
fn a_withdrawal_ends_pending_deliveries() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.decide(1, "analytics", "denied");
    assert_eq!(object.due(), []);
    assert_eq!(object.outbox(), [("m1".to_owned(), "dead".to_owned(), 0)]);
    let replay = ProfileCall::Replay { destination: None, message: None };
    assert_eq!(object.ask::<u32>(&replay), 0);
}

/// An event for a destination that writes e-mails.
fn mailed(message_id: &str) -> Sent {
    let mut record = bound(message_id);
    record.to[0].channel = Some(OptInChannel::Email);
    record
}

#[test]
fn an_event_of_a_person_who_has_not_subscribed_is_not_sent() {
    let mut object = Object::new();
    object.record(vec![mailed("m1")]);
    object.say(OptInChannel::Sms, OptInState::Subscribed);
    object.record(vec![mailed("m2")]);
    assert_eq!(object.outbox(), []);
    object.say(OptInChannel::Email, OptInState::Subscribed);
    let recorded = object.record(vec![mailed("m3")]);
    let is_bound = |one: &Recorded| matches!(one, Recorded::Stored { destinations, .. } if !destinations.is_empty());
    assert!(recorded.iter().all(is_bound));
    assert_eq!(object.due(), [("m3".to_owned(), 0)]);
}

#[test]
fn an_opt_out_ends_pending_deliveries_of_its_channel() {
    let mut object = Object::new();
    object.say(OptInChannel::Email, OptInState::Subscribed);
    object.record(vec![mailed("m1"), bound("m2")]);
    object.say(OptInChannel::Email, OptInState::Unsubscribed);
    assert_eq!(object.due(), [("m2".to_owned(), 0)]);
    let replay = ProfileCall::Replay { destination: None, message: None };
    assert_eq!(object.ask::<u32>(&replay), 0);
    let summary: Summary = object.ask(&ProfileCall::Summary);
    assert_eq!(summary.optins, [("email".to_owned(), "unsubscribed".to_owned())].into());
}

#[test]
fn pending_deliveries_keep_an_alarm_near() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let at = next_alarm(&object.sql, object.now).unwrap().unwrap();
    assert!(at > object.now && at <= object.now + SignedDuration::from_secs(20));
}

#[test]
fn a_retry_does_not_wait_for_the_alarm_of_deliveries_in_progress() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.record(vec![bound("m2")]);
    object.due();
    object.confirm("m1", retry(3));
    let at = next_alarm(&object.sql, object.now).unwrap().unwrap();
    assert_eq!(at, object.now + SignedDuration::from_secs(3));
    let again = Confirmation {
        row: object.row("m2"),
        message_id: "m2".to_owned(),
        destination: "webhook".to_owned(),
        attempt: 0,
        mark: None,
        result: retry(0),
    };
    let confirm = encode(&ProfileCall::Confirm { confirmations: vec![again] }).unwrap();
    assert!(object.answer(&confirm).unwrap().pump, "a retry that is due at once is sent at once");
    assert_eq!(object.deliveries().len(), 1);
}

#[test]
fn an_event_that_was_just_stored_is_sent_without_being_read_again() {
    let mut object = Object::new();
    let answered = object.answer(&call(&[bound("m1"), bound("m2")])).unwrap();
    assert!(answered.pump && answered.alarm.is_some_and(|at| at > object.now));
    let fresh = messages(&object.deliveries()).unwrap();
    assert_eq!(fresh.iter().map(|one| read_message(&one.text).unwrap().len()).sum::<usize>(), 2);
    assert_eq!(object.due(), []);
    // A restarted object reads the same deliveries.
    object.volatile = Volatile::default();
    assert_eq!(fresh, messages(&object.deliveries()).unwrap());
}

#[test]
fn events_of_one_row_may_have_different_results() {
    let mut object = Object::new();
    object.record((1..=5).map(|n| bound(&format!("m{n}"))).collect());
    assert_eq!(object.row("m1"), object.row("m5"));
    assert_eq!(object.due().len(), 5);
    object.now += SignedDuration::from_secs(1);
    object.confirm_all(&[("m1", DeliveryResult::Delivered), ("m2", dead("410")), ("m3", retry(5))]);
    let of = |id: &str, state: &str, attempts| (id.to_owned(), state.to_owned(), attempts);
    let mut outbox = object.outbox();
    outbox.sort();
    let ends = [
        of("m1", "delivered", 0),
        of("m2", "dead", 0),
        of("m3", "pending", 1),
        of("m4", "pending", 0),
        of("m5", "pending", 0),
    ];
    assert_eq!(outbox, ends);
    // Events without a confirmation are still in progress, and a new event gets a row of its own.
    assert_eq!(object.due(), []);
    object.record(vec![bound("m6")]);
    assert_eq!(object.due(), [("m6".to_owned(), 0)]);
    object.now += SignedDuration::from_secs(5);
    assert_eq!(object.due(), [("m3".to_owned(), 1)]);
    object.now += SignedDuration::from_secs(120);
    assert_eq!(object.due(), [], "attempts that were lost are repeated after their delays");
    object.now += SignedDuration::from_secs(2);
    assert_eq!(object.due().len(), 4);
    for id in ["m3", "m4", "m5", "m6"] {
        object.confirm(id, DeliveryResult::Delivered);
    }
    assert_eq!(next_alarm(&object.sql, object.now).unwrap(), None);
}

#[test]
fn one_dead_event_of_a_row_is_replayed_and_the_others_stay_dead() {
    let mut object = Object::new();
    object.record((1..=3).map(|n| bound(&format!("m{n}"))).collect());
    object.due();
    object.confirm_all(&["m1", "m2", "m3"].map(|id| (id, dead("410"))));
    let replay = |id: Option<&str>| ProfileCall::Replay {
        destination: Some("webhook".to_owned()),
        message: id.map(message_hash),
    };
    assert_eq!(object.ask::<u32>(&replay(Some("m2"))), 1);
    assert_eq!(object.due(), [("m2".to_owned(), 0)]);
    assert_eq!(object.ask::<u32>(&replay(None)), 2);
    assert_eq!(object.due(), [("m1".to_owned(), 0), ("m3".to_owned(), 0)]);
}

#[test]
fn deliveries_beyond_the_bound_are_sent_later_row_by_row() {
    let mut object = Object::new();
    for batch in 0..3 {
        object.record((0..90).map(|n| bound(&format!("m{batch}-{n}"))).collect());
    }
    let mut seen = object.due();
    while let more = object.due()
        && !more.is_empty()
    {
        seen.extend(more);
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 270);
}

#[test]
fn a_page_of_deliveries_may_end_inside_a_row_and_loses_none() {
    let mut object = Object::new();
    object.record((0..3).map(|n| bound(&format!("m{n}"))).collect());
    object.record(vec![bound("m3"), bound("m4")]);
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page: Page = object.ask(&ProfileCall::Deliveries { cursor, limit: 2 });
        seen.extend(
            page.rows.iter().map(|row| decode::<DeliveryState>(row.get()).unwrap().message_id),
        );
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["m4", "m3", "m2", "m1", "m0"]);
}

/// Returns event, steps and attempts of each due delivery.
fn steps(object: &mut Object) -> Vec<(String, u32, u32)> {
    object.deliveries().into_iter().map(|due| (due.message_id, due.steps, due.attempt)).collect()
}

#[test]
fn steps_that_are_done_stay_done_through_retries_split_rows_and_a_replay() {
    let mut object = Object::new();
    object.record((1..=4).map(|n| bound(&format!("m{n}"))).collect());
    object.due();
    let retry = |steps| DeliveryResult::Retry { after_s: 5, reason: "503".to_owned(), steps };
    let dead = DeliveryResult::Dead { reason: "410".to_owned(), steps: 1 };
    object.confirm_all(&[("m1", retry(0)), ("m2", retry(1)), ("m3", retry(1)), ("m4", dead)]);
    assert_eq!(object.row("m2"), object.row("m3"));
    assert_ne!(object.row("m1"), object.row("m2"));
    object.now += SignedDuration::from_secs(5);
    let of = |id: &str, steps, attempt| (id.to_owned(), steps, attempt);
    assert_eq!(steps(&mut object), [of("m1", 0, 1), of("m2", 1, 1), of("m3", 1, 1)]);
    // A failure before the first step of a later attempt undoes no step, and a part of a row keeps its steps.
    object.now += SignedDuration::from_secs(1);
    object.confirm_all(&[("m2", retry(0)), ("m3", DeliveryResult::Delivered)]);
    object.now += SignedDuration::from_secs(5);
    assert_eq!(steps(&mut object), [of("m2", 1, 2)]);
    object.ask::<u32>(&ProfileCall::Replay { destination: None, message: None });
    // A restarted object reads the same steps from its rows, after the delay of the attempt that it has lost.
    object.volatile = Volatile::default();
    object.now += SignedDuration::from_secs(4);
    let due = steps(&mut object);
    assert!(due.contains(&of("m4", 1, 0)) && due.contains(&of("m2", 1, 3)), "{due:?}");
}

#[test]
fn events_that_fail_for_different_reasons_count_one_attempt_each() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2")]);
    object.due();
    let other = DeliveryResult::Retry { after_s: 9, reason: "429".to_owned(), steps: 0 };
    object.confirm_all(&[("m1", retry(5)), ("m2", other)]);
    object.now += SignedDuration::from_secs(9);
    assert_eq!(object.due(), [("m1".to_owned(), 1), ("m2".to_owned(), 1)]);
}

#[test]
fn a_delivery_without_its_event_becomes_a_dead_letter_and_the_others_of_its_row_are_sent() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.record(vec![bound("m2"), bound("m3")]);
    object.volatile = Volatile::default();
    object.sql.run("DELETE FROM batches WHERE seq = 1", &[]).unwrap();
    let ids = "UPDATE outbox SET message_ids = replace(message_ids, 'm3', 'm4')";
    object.sql.run(ids, &[]).unwrap();
    assert_eq!(object.due(), [("m2".to_owned(), 0)]);
    let query = "SELECT message_ids, state FROM outbox WHERE reason = 'event_missing' ORDER BY seq";
    let rows = object.sql.exec(query, &[]).unwrap();
    let missing = rows.iter().map(|row| (row.text("message_ids"), row.text("state")));
    let dead = |ids| (Ok(ids), Ok("dead"));
    assert_eq!(missing.collect::<Vec<_>>(), [dead("[\"m1\"]"), dead("[\"m4\"]")]);
    assert_eq!(object.volatile.take_missing(), ["m1", "m4"]);
}
