//! The deliveries that a profile still has when it moves.

use super::*;
use crate::calls::OwnPart;

/// A device with one delivery that has failed once, and a user, linked.
fn linked() -> Objects {
    let mut both = Objects::new(&["device", "user"]);
    both.get("user").record(vec![kept("u1", 1)]);
    both.get("device").record(vec![bound("m1"), bound("m2")]);
    both.get("device").deliveries();
    both.get("device").confirm_all(&[("m1", retry(60)), ("m2", retry(60))]);
    both.link("device", "user");
    both.settle("device");
    both
}

fn states(both: &mut Objects, name: &str) -> Vec<(String, String)> {
    let rows = both.rows(name, |cursor, limit| ProfileCall::Deliveries { cursor, limit });
    let state = |row: &Value| {
        let text = |field: &str| row[field].as_str().unwrap().to_owned();
        (text("messageId"), text("state"))
    };
    rows.iter().map(state).collect()
}

fn pairs(states: &[(&str, &str)]) -> Vec<(String, String)> {
    states.iter().map(|(id, state)| ((*id).to_owned(), (*state).to_owned())).collect()
}

/// Lets the next attempt be due.
fn wait(both: &mut Objects) {
    for object in &mut both.objects {
        object.now += SignedDuration::from_secs(120);
    }
    both.settle("device");
}

#[test]
fn the_device_finishes_what_it_has_begun_and_the_user_shows_it() {
    let mut both = linked();
    assert_eq!(states(&mut both, "user"), pairs(&[("m2", "pending"), ("m1", "pending")]));
    wait(&mut both);
    assert_eq!(both.get("user").due(), [], "the user's profile sends nothing of it");
    assert_eq!(both.get("device").due().len(), 2);
    both.get("device").confirm_all(&[("m1", DeliveryResult::Delivered), ("m2", dead("400"))]);
    both.settle("device");
    assert_eq!(states(&mut both, "device"), pairs(&[("m2", "dead"), ("m1", "delivered")]));
    assert_eq!(keys(both.get("device")).len(), 3);
    // A dead letter names the device, and is replayed by the user's profile.
    let replay = ProfileCall::Replay { destination: None, message: Some("m2".to_owned()) };
    assert_eq!(both.ask::<u32>("device", &replay), 1);
    assert_eq!(both.get("user").due(), [("m2".to_owned(), 0)]);
    both.get("user").confirm("m2", DeliveryResult::Delivered);
    assert_eq!(both.get("user").due(), []);
}

#[test]
fn a_delivery_that_is_left_obeys_a_later_denial_of_the_user() {
    let mut both = linked();
    let user = both.get("user");
    user.now += SignedDuration::from_secs(1);
    user.decide(0, "analytics", "denied");
    wait(&mut both);
    assert_eq!(both.get("device").due(), []);
    both.settle("device");
    assert_eq!(states(&mut both, "user"), pairs(&[("m2", "dead"), ("m1", "dead")]));
    let replay = ProfileCall::Replay { destination: None, message: None };
    assert_eq!(both.ask::<u32>("device", &replay), 0);
}

#[test]
fn a_delivery_that_is_left_obeys_an_opt_out_of_the_user() {
    let mut both = Objects::new(&["device", "user"]);
    both.get("user").record(vec![kept("u1", 1)]);
    let device = both.get("device");
    device.say(OptInChannel::Email, OptInState::Subscribed);
    let mut letter = bound("m1");
    letter.to[0].channel = Some(OptInChannel::Email);
    device.record(vec![letter]);
    device.deliveries();
    device.confirm("m1", retry(60));
    both.link("device", "user");
    both.settle("device");
    let user = both.get("user");
    user.now += SignedDuration::from_secs(1);
    user.say(OptInChannel::Email, OptInState::Unsubscribed);
    wait(&mut both);
    assert_eq!(both.get("device").due(), []);
    both.settle("device");
    assert_eq!(states(&mut both, "user"), pairs(&[("m1", "dead")]));
}

#[test]
fn a_device_whose_deliveries_are_left_sends_none_before_it_knows_what_is_in_force() {
    let mut both = linked();
    both.cut = Some((both.calls + 1, Break::Lost));
    both.get("device").now += SignedDuration::from_secs(120);
    assert!(!both.alarm("device"));
    assert!(has_moved(&both.get("device").volatile), "the shell sends nothing then");
    assert!(both.alarm("device"));
    assert_eq!(both.get("device").due().len(), 2);
}

#[test]
fn a_row_of_a_device_that_gets_an_old_number_replaces_no_dead_letter_and_no_replay_of_the_user() {
    for is_replayed in [false, true] {
        let mut both = Objects::new(&["device", "user"]);
        both.get("user").record(vec![kept("u1", 1)]);
        both.get("device").record(vec![bound("m1"), bound("m2")]);
        both.get("device").record(vec![bound("m3")]);
        both.get("device").deliveries();
        both.get("device").confirm_all(&[
            ("m1", retry(60)),
            ("m2", retry(60)),
            ("m3", dead("400")),
        ]);
        let number = both.get("device").row("m3");
        both.link("device", "user");
        both.settle("device");
        let replay = ProfileCall::Replay { destination: None, message: Some("m3".to_owned()) };
        if is_replayed {
            assert_eq!(both.ask::<u32>("device", &replay), 1);
            assert_eq!(both.get("user").due(), [("m3".to_owned(), 0)]);
        }
        wait(&mut both);
        both.get("device").deliveries();
        both.get("device").confirm_all(&[("m1", retry(60)), ("m2", retry(70))]);
        assert_eq!(both.get("device").row("m2"), number);
        both.settle("device");
        let state = if is_replayed { "pending" } else { "dead" };
        let expected = pairs(&[("m3", state), ("m2", "pending"), ("m1", "pending")]);
        assert_eq!(states(&mut both, "user"), expected);
        let rows =
            both.get("user").sql.exec("SELECT state FROM outbox ORDER BY state", &[]).unwrap();
        let mut expected = ["elsewhere", "elsewhere", state];
        expected.sort_unstable();
        let kept: Vec<_> = rows.iter().map(|row| row.text("state").unwrap()).collect();
        assert_eq!(kept, expected);
    }
}

#[test]
fn a_dead_letter_that_was_told_and_is_replayed_by_the_device_is_not_kept_twice() {
    let mut both = linked();
    wait(&mut both);
    both.get("device").deliveries();
    both.get("device").confirm_all(&[("m1", dead("400")), ("m2", dead("400"))]);
    both.cut = Some((both.calls + 1, Break::Unanswered));
    both.alarm("device");
    both.cut = None;
    assert_eq!(states(&mut both, "user"), pairs(&[("m2", "dead"), ("m1", "dead")]));
    let replay = ProfileCall::Replay { destination: None, message: Some("m2".to_owned()) };
    assert_eq!(both.ask::<u32>("device", &replay), 1);
    both.settle("device");
    let rows = both.get("user").sql.exec("SELECT message_ids, state FROM outbox ORDER BY seq", &[]);
    let rows = rows.unwrap();
    let text = |row: &SqlRow, name| row.text(name).unwrap().to_owned();
    let kept: Vec<_> =
        rows.iter().map(|row| (text(row, "message_ids"), text(row, "state"))).collect();
    assert_eq!(kept, pairs(&[("[\"m1\"]", "dead"), ("[\"m2\"]", "elsewhere")]));
}

#[test]
fn a_device_whose_deliveries_are_left_shows_nothing_of_the_users_record() {
    let mut both = linked();
    let user = both.get("user");
    user.decide(0, "advertising", "denied");
    user.say(OptInChannel::Sms, OptInState::Unsubscribed);
    both.settle("device");
    let device = both.get("device");
    assert!(Standing::read(&device.sql).unwrap().denies(&[Purpose::Advertising]));
    let own = |part| ProfileCall::Own { part, cursor: None };
    let shown: Summary = device.ask(&own(OwnPart::Profile));
    assert_eq!((shown.known, shown.events), (true, 2));
    assert_eq!((shown.consent, shown.optins), Default::default());
    for part in [OwnPart::OptIns, OwnPart::Receipts] {
        assert_eq!(device.ask::<Page>(&own(part)).rows.len(), 0, "{part:?}");
    }
    assert_eq!(device.ask::<Page>(&own(OwnPart::Events)).rows.len(), 2);
}

#[test]
fn a_delivery_that_is_being_sent_while_its_device_moves_is_finished_there_and_never_sent_twice() {
    let mut both = Objects::new(&["device", "user"]);
    both.get("user").record(vec![kept("u1", 1)]);
    both.get("device").record(vec![bound("m1"), bound("m2")]);
    let deliveries = both.get("device").deliveries();
    let asked =
        ProfileCall::Sending(deliveries.iter().map(crate::calls::Delivery::under_way).collect());
    assert_eq!(both.ask::<Vec<Option<i64>>>("device", &asked).len(), 2);
    both.link("device", "user");
    both.settle("device");
    assert_eq!(states(&mut both, "user"), pairs(&[("m2", "pending"), ("m1", "pending")]));
    both.get("device").confirm("m1", DeliveryResult::Delivered);
    wait(&mut both);
    assert_eq!((both.get("user").due(), both.get("device").due()), (vec![], vec![]));
    both.settle("device");
    assert_eq!(states(&mut both, "user"), pairs(&[("m2", "delivered"), ("m1", "delivered")]));
}

#[test]
fn deliveries_of_a_device_and_of_its_user_have_the_denials_of_both() {
    let mut both = linked();
    both.get("user").now += SignedDuration::from_secs(1);
    both.get("user").decide(0, "sale_share", "denied");
    wait(&mut both);
    let denied = |object: &mut Object| -> Vec<_> {
        object.deliveries().into_iter().map(|one| one.denied).collect()
    };
    assert_eq!(denied(both.get("device")), vec![vec![Purpose::SaleShare]; 2], "what is left");
    let mut both = Objects::new(&["device", "user"]);
    both.get("user").record(vec![kept("u1", 1)]);
    both.get("device").record(vec![kept("m1", 1)]);
    both.get("device").decide(0, "personalization", "denied");
    both.link("device", "user");
    both.settle("device");
    both.get("user").record(vec![bound("m2")]);
    assert_eq!(denied(both.get("user")), [[Purpose::Personalization]], "the device's own choice");
}
