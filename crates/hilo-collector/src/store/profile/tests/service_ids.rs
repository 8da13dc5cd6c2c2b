//! The ids of other services that a person's pages had: for the events that have none, as far as consent allows.

use super::*;

/// An event of a page with these ids, so many seconds after the first one. All of them are granted.
fn page(id: &str, after_s: i64, ids: &serde_json::Value) -> Sent {
    let mut sent = kept(id, 9);
    sent.event.occurred_at += SignedDuration::from_secs(after_s);
    sent.event.context.ids = serde_json::from_value(ids.clone()).unwrap();
    let said = &mut sent.event.context.consent.as_mut().unwrap().category_preferences;
    said.extend(["advertising", "functional"].map(|name| (name.to_owned(), true)));
    sent
}

/// An event of a server for a destination with these purposes.
fn of_server(id: &str, purposes: &[Purpose]) -> Sent {
    let mut sent = bound(id);
    sent.event.context.hilo.session = None;
    sent.to[0].purposes = purposes.to_vec();
    sent.to[0].wants_person = true;
    sent
}

/// The ids that a destination with these purposes gets.
fn told(object: &mut Object, id: &str, purposes: &[Purpose]) -> Vec<String> {
    object.record(vec![of_server(id, purposes)]);
    let deliveries = object.deliveries();
    let one = deliveries.iter().find(|one| one.message_id == id).expect("it is sent");
    let ids = &one.person.as_ref().expect("the destination wants a person").ids;
    let ids = ids.iter().map(|(name, one)| format!("{name}={}", one.value.as_str().unwrap()));
    ids.collect()
}

const ADS: [Purpose; 2] = [Purpose::Analytics, Purpose::Advertising];

fn decide_at(object: &mut Object, after_s: i64, base: u32, purpose: &str, state: &str) {
    let mut change = change(base, purpose, state);
    change.chosen_at += SignedDuration::from_secs(after_s);
    object.now = object.now.max(change.chosen_at);
    object.ask::<ConsentRecorded>(&ProfileCall::Consent(change));
}

#[test]
fn an_event_of_a_server_gets_the_newest_ids_that_are_for_its_destination() {
    let mut object = Object::new();
    object.record(vec![
        page("m2", 2, &json!({"ga": "2.2", "fbp": "fb.2"})),
        page("m1", 1, &json!({"ga": "1.1", "fbp": "fb.1", "hubspotutk": "h", "gclid": "c"})),
    ]);
    assert_eq!(told(&mut object, "s1", &ADS), ["fbp=fb.2", "ga=2.2"]);
    assert_eq!(told(&mut object, "s2", &[Purpose::Analytics]), ["ga=2.2"]);
    assert_eq!(
        told(&mut object, "s3", &[Purpose::Analytics, Purpose::Functional]),
        ["ga=2.2", "hubspotutk=h"]
    );
    object.volatile = Volatile::default();
    assert_eq!(told(&mut object, "s4", &ADS), ["fbp=fb.2", "ga=2.2"]);
}

#[test]
fn an_id_whose_event_did_not_grant_the_destinations_purposes_is_not_told() {
    let mut object = Object::new();
    let mut silent = page("m1", 1, &json!({"ga": "1.1"}));
    let said = &mut silent.event.context.consent.as_mut().unwrap().category_preferences;
    said.remove("advertising");
    object.record(vec![silent]);
    assert_eq!(told(&mut object, "s1", &ADS), [""; 0]);
    assert_eq!(told(&mut object, "s2", &[Purpose::Analytics]), ["ga=1.1"]);
}

#[test]
fn a_denial_removes_the_ids_of_its_purpose_and_a_later_grant_does_not_bring_them_back() {
    let mut object = Object::new();
    object.record(vec![page("m1", 1, &json!({"ga": "1.1", "fbp": "fb.1"}))]);
    decide_at(&mut object, 10, 1, "advertising", "denied");
    assert_eq!(told(&mut object, "s1", &[Purpose::Analytics]), ["ga=1.1"]);
    decide_at(&mut object, 20, 2, "advertising", "granted");
    // An event that happened before the denial may arrive after it.
    object.record(vec![page("late", 5, &json!({"fbp": "fb.late"}))]);
    for id in ["s2", "s3"] {
        assert_eq!(told(&mut object, id, &ADS), ["ga=1.1"]);
        object.volatile = Volatile::default();
    }
    // Nor does a profile that is folded again.
    object.sql.run("UPDATE meta SET value = '{}' WHERE key = 'profile'", &[]).unwrap();
    assert_eq!(told(&mut object, "s4", &ADS), ["ga=1.1"]);
    object.record(vec![page("m2", 30, &json!({"fbp": "fb.2"}))]);
    assert_eq!(told(&mut object, "s5", &ADS), ["fbp=fb.2", "ga=1.1"]);
}

/// What the stored profile has of ids.
fn stored_ids(object: &Object, key: &str) -> serde_json::Value {
    let query = "SELECT value FROM meta WHERE key = ?";
    let rows = object.sql.exec(query, &[SqlValue::from(key)]).unwrap();
    let stored: serde_json::Value = decode(rows[0].text("value").unwrap()).unwrap();
    let sealed = stored["profile"].as_str().expect("it is sealed");
    assert!(!sealed.contains("fb.1"), "{sealed}");
    let opened = crate::store::at_rest::open_text(&object.sql, key, sealed).unwrap();
    decode::<serde_json::Value>(&opened).unwrap()["ids"].clone()
}

#[test]
fn a_denial_removes_the_ids_from_the_stored_profile_too() {
    let mut object = Object::new();
    object.record(vec![page("m1", 1, &json!({"fbp": "fb.1"}))]);
    let stored = known::Known::read(&object.sql).unwrap().profile;
    stored_profile::write(&object.sql, &stored, 1).unwrap();
    stored_profile::write_remainder(&object.sql, stored).unwrap();
    for key in ["profile", "remainder"] {
        assert_eq!(stored_ids(&object, key)["fbp"]["value"], "fb.1", "{key}");
    }
    decide_at(&mut object, 10, 1, "advertising", "denied");
    for key in ["profile", "remainder"] {
        assert_eq!(stored_ids(&object, key), json!(null), "{key}");
    }
}

#[test]
fn a_denial_of_analytics_removes_every_id() {
    let mut object = Object::new();
    object.record(vec![page("m1", 1, &json!({"ga": "1.1", "fbp": "fb.1"}))]);
    decide_at(&mut object, 10, 1, "analytics", "denied");
    decide_at(&mut object, 20, 2, "analytics", "granted");
    assert_eq!(told(&mut object, "s1", &ADS), [""; 0]);
}

#[test]
fn a_denial_that_an_earlier_version_recorded_counts_from_its_choice_on() {
    let mut object = Object::new();
    object.record(vec![page("m1", 1, &json!({"fbp": "fb.1"}))]);
    decide_at(&mut object, 10, 1, "advertising", "denied");
    object.sql.run("UPDATE consent SET denied_ms = 0", &[]).unwrap();
    object.volatile = Volatile::default();
    decide_at(&mut object, 20, 2, "advertising", "granted");
    assert_eq!(told(&mut object, "s1", &ADS), [""; 0]);
}
