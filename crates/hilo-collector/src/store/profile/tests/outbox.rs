//! What is still to be delivered, and what ends a delivery.

use super::*;

#[test]
fn a_delivery_is_out_once_until_its_lease_ends() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    assert_eq!(object.due().len(), 1);
    assert_eq!(object.due().len(), 0);
    object.now += SignedDuration::from_secs(61);
    assert_eq!(object.due().len(), 1);
    // A restart forgets leases, so that what was under way is sent again at once, from the object it belongs to.
    object.volatile = Volatile::default();
    let again = object.deliveries();
    assert_eq!(again.iter().map(|due| due.profile.as_str()).collect::<Vec<_>>(), ["p"]);
}

#[test]
fn what_the_queue_did_not_take_is_due_again() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let deliveries = object.deliveries();
    release(&mut object.volatile, &deliveries);
    assert_eq!(object.due().len(), 1);
}

#[test]
fn only_the_destination_ends_a_delivery() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    let retry = DeliveryResult::Retry { after_s: 120, reason: "503".to_owned() };
    object.confirm("m1", retry);
    object.now += SignedDuration::from_secs(100);
    assert_eq!(object.due(), []);
    object.now += SignedDuration::from_secs(20);
    assert_eq!(object.due(), [("m1".to_owned(), 1)]);
    object.confirm("m1", DeliveryResult::Delivered);
    object.confirm("m1", DeliveryResult::Dead { reason: "late".to_owned() });
    assert_eq!(object.outbox(), [("m1".to_owned(), "delivered".to_owned(), 1)]);
    assert_eq!(next_alarm(&object.sql, object.now).unwrap(), None);
}

#[test]
fn a_retry_waits_no_longer_than_it_was_told_to() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.due();
    object.now += SignedDuration::from_millis(10);
    object.confirm("m1", DeliveryResult::Retry { after_s: 1, reason: "503".to_owned() });
    object.now += SignedDuration::from_secs(2);
    // The attempt was answered, so its lease is over, though the minute is not.
    assert_eq!(object.due().len(), 1);
}

#[test]
fn the_dead_are_replayed_on_request() {
    let mut object = Object::new();
    object.record(vec![bound("m1"), bound("m2")]);
    assert_eq!(object.due().len(), 2);
    for id in ["m1", "m2"] {
        object.confirm(id, DeliveryResult::Dead { reason: "410".to_owned() });
    }
    assert_eq!(object.due(), []);
    let call = ProfileCall::Replay { destination: None, message_id: Some("m2".to_owned()) };
    assert_eq!(object.ask::<u32>(&call), 1);
    assert_eq!(object.due().len(), 1);
}

#[test]
fn a_withdrawal_drops_what_is_still_to_be_delivered() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.decide(2, "analytics", "denied");
    assert_eq!(object.due(), []);
    assert_eq!(object.outbox(), [("m1".to_owned(), "dead".to_owned(), 0)]);
    let replay = ProfileCall::Replay { destination: None, message_id: None };
    assert_eq!(object.ask::<u32>(&replay), 0);
}

/// An event for a destination that writes e-mails.
fn mailed(message_id: &str) -> Sent {
    let mut record = bound(message_id);
    record.to[0].channel = Some(OptInChannel::Email);
    record
}

#[test]
fn who_has_not_subscribed_is_not_written_to() {
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
fn an_opt_out_drops_what_is_still_to_be_delivered() {
    let mut object = Object::new();
    object.say(OptInChannel::Email, OptInState::Subscribed);
    object.record(vec![mailed("m1"), bound("m2")]);
    object.say(OptInChannel::Email, OptInState::Unsubscribed);
    assert_eq!(object.due(), [("m2".to_owned(), 0)]);
    let replay = ProfileCall::Replay { destination: None, message_id: None };
    assert_eq!(object.ask::<u32>(&replay), 0);
    let summary: Summary = object.ask(&ProfileCall::Summary);
    assert_eq!(summary.optins, [("email".to_owned(), "unsubscribed".to_owned())].into());
}

#[test]
fn pending_deliveries_keep_an_alarm_near() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let at = next_alarm(&object.sql, object.now).unwrap().unwrap();
    assert!(at > object.now && at <= object.now + SignedDuration::from_secs(5));
}

#[test]
fn what_was_just_kept_goes_out_without_being_read_again() {
    let mut object = Object::new();
    let answered = object.answer(&call(&[bound("m1"), bound("m2")])).unwrap();
    assert!(answered.pump && answered.alarm.is_some_and(|at| at > object.now));
    let fresh = messages(&object.deliveries()).unwrap();
    assert_eq!(fresh.iter().map(|one| read_message(one).unwrap().len()).sum::<usize>(), 2);
    assert_eq!(object.due(), []);
    // The same as what a restarted object reads.
    object.volatile = Volatile::default();
    assert_eq!(fresh, messages(&object.deliveries()).unwrap());
}

#[test]
fn what_an_older_denial_rules_out_is_kept_and_not_sent() {
    let mut object = Object::new();
    object.decide(1, "analytics", "denied");
    let sent = Sent { to: bound("m1").to, ..kept("m1", 2) };
    let answered = object.answer(&call(&[sent])).unwrap();
    assert!(!answered.pump);
    assert_eq!(object.due(), []);
    assert_eq!(object.outbox(), [("m1".to_owned(), "dead".to_owned(), 0)]);
}
