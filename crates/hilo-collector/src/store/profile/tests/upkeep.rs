//! The alarm's upkeep: what is too old goes, what is in force stays, short rows are joined.

use hilo_core::config::Retention;

use super::*;

pub(super) const MONTHS: Retention =
    Retention { events_months: 13, aggregates_months: 25, rejects_days: 14, receipts_months: 36 };

impl Object {
    /// Moves the clock to the time of the next upkeep, and does it. Returns the time of the one after that.
    fn keep_up(&mut self) -> Upkeep {
        upkeep(&self.sql, &mut self.volatile, &MONTHS, self.now).unwrap().unwrap()
    }

    /// Lets the alarm fire at each of its times until `end`. Returns how often it fired.
    fn live_until(&mut self, end: &str) -> usize {
        let end: Timestamp = end.parse().unwrap();
        let mut fired = 0;
        while let Upkeep::Next(at) = self.keep_up() {
            assert!(at > self.now, "an alarm would fire again and again");
            if at > end {
                self.now = end;
                return fired;
            }
            self.now = at;
            fired += 1;
        }
        panic!("the object is empty at {}", self.now)
    }

    fn events(&mut self) -> Vec<String> {
        let page: Page = self.ask(&ProfileCall::Events { cursor: None, limit: 200 });
        let events = page.rows.iter().map(|row| decode::<Event>(row.get()).unwrap());
        events.map(|event| event.message_id).collect()
    }

    fn profile(&mut self) -> serde_json::Value {
        let summary: Summary = self.ask(&ProfileCall::Summary);
        decode(summary.profile.get()).unwrap()
    }

    fn rows(&self) -> usize {
        let rows = self.sql.exec("SELECT seq FROM batches", &[]).unwrap();
        rows.len()
    }
}

/// An event of another day, with a trait.
fn on(id: &str, day: &str) -> Sent {
    let mut sent = bound(id);
    sent.event.occurred_at = format!("{day}T10:00:00Z").parse().unwrap();
    let traits = json!({id: true}).as_object().cloned().unwrap();
    sent.event.kind = hilo_core::event::EventKind::Identify { traits };
    sent
}

fn deliver(object: &mut Object, ids: &[&str]) {
    object.deliveries();
    object.confirm_all(&ids.iter().map(|id| (*id, DeliveryResult::Delivered)).collect::<Vec<_>>());
}

#[test]
fn an_event_older_than_its_months_is_gone_after_the_alarm_and_younger_ones_stay() {
    let mut object = Object::new();
    object.record(vec![on("m1", "2026-11-24"), on("m2", "2026-11-23")]);
    deliver(&mut object, &["m1", "m2"]);
    object.now = "2027-08-01T00:00:00Z".parse().unwrap();
    object.record(vec![on("m3", "2027-08-01")]);
    deliver(&mut object, &["m3"]);
    object.live_until("2027-12-22T00:00:00Z");
    assert_eq!(object.events(), ["m3", "m1", "m2"], "thirteen months are not over");
    let fired = object.live_until("2028-01-08T00:00:00Z");
    assert_eq!((object.events(), fired), (vec!["m3".to_owned()], 1));
    assert_eq!(object.ask::<Summary>(&ProfileCall::Summary).events, 1);
}

#[test]
fn events_stay_where_a_newer_version_has_folded_what_was_removed() {
    let mut object = Object::new();
    object.record(vec![on("m1", "2026-11-24")]);
    deliver(&mut object, &["m1"]);
    let newer =
        json!({"version": hilo_core::profile::VERSION + 1, "profile": {"shape": "unknown"}});
    let stored = "INSERT INTO meta (key, value) VALUES ('remainder', ?)";
    object.sql.run(stored, &[SqlValue::Text(newer.to_string())]).unwrap();
    object.live_until("2028-01-08T00:00:00Z");
    assert_eq!(object.events(), ["m1"]);
    let rows = object.sql.exec("SELECT value FROM meta WHERE key = 'remainder'", &[]).unwrap();
    assert_eq!(rows[0].text("value").unwrap(), newer.to_string());
    // The newer version is back.
    let own = newer.to_string().replace("shape", "events").replace("\"unknown\"", "{}");
    let own = own.replace(
        &(hilo_core::profile::VERSION + 1).to_string(),
        &hilo_core::profile::VERSION.to_string(),
    );
    object
        .sql
        .run("UPDATE meta SET value = ? WHERE key = 'remainder'", &[SqlValue::Text(own)])
        .unwrap();
    object.live_until("2028-01-15T00:00:00Z");
    assert_eq!(object.events(), [""; 0]);
}

#[test]
fn a_profile_remembers_what_removed_events_told_also_when_it_is_folded_again() {
    let mut object = Object::new();
    object.record(vec![on("m1", "2026-11-24")]);
    deliver(&mut object, &["m1"]);
    object.now = "2027-08-01T00:00:00Z".parse().unwrap();
    object.record(vec![on("m2", "2027-08-01")]);
    deliver(&mut object, &["m2"]);
    let before = object.profile();
    object.live_until("2028-02-01T00:00:00Z");
    assert_eq!((object.events(), object.profile()), (vec!["m2".to_owned()], before.clone()));
    for stored in
        [json!({"version": 0, "folded": 2, "profile": {"events": {"page": 9}}}), json!({})]
    {
        let store = "UPDATE meta SET value = ? WHERE key = 'profile'";
        object.sql.run(store, &[SqlValue::Text(stored.to_string())]).unwrap();
        object.volatile = Volatile::default();
        assert_eq!(object.profile(), before);
    }
    object.record(vec![on("m3", "2028-02-01")]);
    assert_eq!(object.profile()["events"], json!({"identify": 3}));
}

#[test]
fn nothing_is_left_of_a_person_who_did_not_come_back() {
    let mut object = Object::new();
    object.decide(0, "analytics", "granted");
    object.say(OptInChannel::Email, OptInState::Subscribed);
    object.record(vec![on("m1", "2026-11-24")]);
    deliver(&mut object, &["m1"]);
    object.live_until("2028-02-01T00:00:00Z");
    assert_eq!(object.events(), Vec::<String>::new());
    assert_eq!(object.profile()["events"], json!({"identify": 1, "track": 1}));
    object.live_until("2029-02-01T00:00:00Z");
    assert_eq!(object.profile()["events"], json!({}), "the counts have gone after 25 months");
    assert_eq!(
        object.ask::<ConsentCopy>(&ProfileCall::ConsentCopy { cursor: None }).receipts.len(),
        1
    );
    object.now = "2029-12-22T00:00:00Z".parse().unwrap();
    assert_eq!(object.keep_up(), Upkeep::Forget);
}

#[test]
fn receipts_older_than_their_months_go_and_the_one_in_force_stays() {
    let mut object = Object::new();
    object.decide(0, "analytics", "granted");
    object.decide(1, "analytics", "denied");
    object.say(OptInChannel::Email, OptInState::Subscribed);
    object.now += SignedDuration::from_secs(1);
    object.say(OptInChannel::Email, OptInState::Unsubscribed);
    object.now = "2029-11-01T00:00:00Z".parse().unwrap();
    object.decide(2, "advertising", "granted");
    object.live_until("2029-12-22T00:00:00Z");
    let copy: ConsentCopy = object.ask(&ProfileCall::ConsentCopy { cursor: None });
    let receipts: Vec<Receipt> =
        copy.receipts.iter().map(|row| decode(row.get()).unwrap()).collect();
    assert_eq!(receipts.iter().map(|one| one.revision).collect::<Vec<_>>(), [3]);
    assert_eq!((copy.revision, copy.state["analytics"].as_str()), (3, "denied"));
    let optins: Page = object.ask(&ProfileCall::OptIns { cursor: None, limit: 10 });
    assert_eq!(optins.rows.len(), 1);
    // The chain goes on from the receipt that stayed.
    let next = object.decide(3, "analytics", "granted").receipt.unwrap();
    assert_eq!(next.prev_hash, receipts[0].hash);
}

#[test]
fn an_old_event_stays_until_its_delivery_has_ended_and_takes_dead_letters_along() {
    let mut object = Object::new();
    object.record(vec![on("m1", "2025-01-01"), on("m2", "2025-01-01")]);
    let alarm = object.answer(&call(&[on("m3", "2026-11-24")])).unwrap().alarm.unwrap();
    assert!(alarm <= object.now + SignedDuration::from_secs(20));
    object.deliveries();
    object.keep_up();
    assert_eq!(object.events().len(), 3, "no event is lost before it is delivered");
    object.confirm_all(&[("m1", DeliveryResult::Delivered), ("m2", dead("410"))]);
    object.now += SignedDuration::from_hours(7 * 24 + 1);
    object.keep_up();
    assert_eq!(object.events(), ["m3"]);
    let left = object.outbox();
    assert_eq!(left, [("m3".to_owned(), "pending".to_owned(), 0)]);
    let replay = ProfileCall::Replay { destination: None, message: None };
    assert_eq!(object.ask::<u32>(&replay), 0);
}

#[test]
fn an_imported_event_calls_for_an_upkeep_soon_also_without_a_destination() {
    let mut object = Object::new();
    let alone = |id: &str, day: &str| Sent { to: vec![], ..on(id, day) };
    let first = object.answer(&call(&[alone("m1", "2026-11-24")])).unwrap().alarm;
    assert!(first.is_some(), "a new storage has an alarm");
    object.keep_up();
    assert_eq!(object.answer(&call(&[alone("m2", "2026-11-24")])).unwrap().alarm, None);
    assert!(object.answer(&call(&[alone("m3", "2025-01-01")])).unwrap().alarm.is_some());
    object.keep_up();
    assert_eq!(object.events().len(), 3);
}

#[test]
fn an_event_that_was_too_old_when_it_came_is_known_as_a_duplicate_for_a_week() {
    for is_alone in [false, true] {
        let mut object = Object::new();
        if !is_alone {
            object.record(vec![on("m1", "2026-11-24")]);
            deliver(&mut object, &["m1"]);
        }
        object.record(vec![on("m2", "2020-01-01")]);
        deliver(&mut object, &["m2"]);
        let Upkeep::Next(next) = object.keep_up() else { panic!("an event is left") };
        assert_eq!(next, object.now + SignedDuration::from_hours(7 * 24));
        object.now = next - SignedDuration::from_secs(1);
        object.keep_up();
        assert_eq!(object.record(vec![on("m2", "2020-01-01")]), [Recorded::Duplicate]);
        object.now = next + SignedDuration::from_millis(1);
        object.keep_up();
        assert_eq!(object.events(), if is_alone { vec![] } else { vec!["m1".to_owned()] });
    }
}

#[test]
fn short_rows_are_joined_after_some_hours_and_every_question_has_the_same_answer() {
    let mut object = Object::new();
    let mut ids = Vec::new();
    for n in 0..150 {
        let mut sent = on(&format!("m{n}"), "2026-11-24");
        sent.event.occurred_at += SignedDuration::from_secs(n % 7);
        sent.event.context.hilo.session =
            serde_json::from_value(json!({"id": format!("s{n}")})).unwrap();
        let touch = json!({"channel": "Email", "via": "page"});
        sent.event.context.hilo.touch = serde_json::from_value(touch).unwrap();
        object.record(vec![sent]);
        ids.push(format!("m{n}"));
    }
    object.deliveries();
    let done: Vec<_> =
        ids.iter().skip(5).map(|id| (id.as_str(), DeliveryResult::Delivered)).collect();
    object.confirm_all(&done);
    object.confirm("m0", dead("410"));
    let (events, profile, outbox) = (object.events(), object.profile(), object.outbox());
    assert_eq!((object.rows(), object.keep_up() != Upkeep::Forget), (150, true));
    assert_eq!(object.rows(), 150, "fresh rows stay as they are");
    object.now += SignedDuration::from_hours(6);
    object.keep_up();
    assert_eq!(object.rows(), 1);
    object.volatile = Volatile::default();
    assert_eq!((object.events(), object.profile(), object.outbox()), (events, profile, outbox));
    // Duplicates, pending deliveries and sessions are found in the long row.
    assert_eq!(object.record(vec![on("m149", "2026-11-24")]), [Recorded::Duplicate]);
    assert_eq!(object.due().len(), 4);
    let mut later = kept("m150", 1);
    later.event.context.hilo.session = serde_json::from_value(json!({"id": "s0"})).unwrap();
    let channel = Some(hilo_core::journey::Channel::Email);
    assert_eq!(object.record(vec![later]), [Recorded::Stored { channel, destinations: vec![] }]);
}

#[test]
fn joined_rows_stay_within_the_bound_of_a_value() {
    let mut object = Object::new();
    for n in 0..130 {
        let mut sent = kept(&format!("m{n}"), 1);
        sent.event.context.locale = Some("x".repeat(30 * 1024));
        object.record(vec![sent]);
    }
    object.now += SignedDuration::from_hours(6);
    object.keep_up();
    let longest = object.sql.exec("SELECT max(length(bodies)) AS n FROM batches", &[]).unwrap();
    assert!(longest[0].int("n").unwrap() <= 1024 * 1024);
    assert_eq!((object.rows(), object.events().len()), (4, 130));
}
