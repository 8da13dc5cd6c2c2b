//! The person that is sent with an event: the profile's values, as far as consent allows.

use super::*;

/// An event for a destination that wants a person, and needs `advertising`.
fn wanted(sent: Sent) -> Sent {
    let to = vec![Planned {
        name: "ads".to_owned(),
        purposes: vec![Purpose::Analytics, Purpose::Advertising],
        channel: None,
        wants_person: true,
        wants_key: false,
        is_owed: false,
    }];
    Sent { to, ..sent }
}

/// An identify event with this consent for advertising.
fn identify(id: &str, revision: u32, traits: serde_json::Value, advertising: Option<bool>) -> Sent {
    let mut sent = kept(id, revision);
    let traits = traits.as_object().cloned().unwrap();
    sent.event.kind = hilo_core::event::EventKind::Identify { traits };
    let said = &mut sent.event.context.consent.as_mut().unwrap().category_preferences;
    said.extend(advertising.map(|said| ("advertising".to_owned(), said)));
    sent
}

/// Returns the names of the traits in the first delivery.
fn traits(object: &mut Object) -> Vec<String> {
    let deliveries = object.deliveries();
    let person = deliveries[0].person.as_ref().expect("the destination wants a person");
    person.traits.keys().cloned().collect()
}

#[test]
fn a_person_has_ids_traits_with_their_provenance_opt_ins_and_first_touch() {
    let mut object = Object::new();
    object.say(OptInChannel::Email, OptInState::Subscribed);
    object.decide(1, "advertising", "granted");
    let mut sent = wanted(identify("m1", 1, json!({"plan": "pro"}), Some(true)));
    let touch = json!({"channel": "Email", "via": "page"});
    sent.event.context.hilo.touch = serde_json::from_value(touch).unwrap();
    sent.event.claimed_id = Some("ana".to_owned());
    object.record(vec![sent]);
    let deliveries = object.deliveries();
    let person = deliveries[0].person.as_deref().unwrap();
    let expected = json!({
        "anonymousIds": ["a1"],
        "claimedIds": ["ana"],
        "traits": {"plan": {
            "value": "pro", "at": "2026-11-24T10:00:00Z", "source": "shop", "vouched": false,
            "purposes": ["analytics"], "granted": ["essential", "analytics", "advertising"], "revision": 1,
        }},
        "optins": {"email": "subscribed"},
        "firstTouch": {"at": "2026-11-24T10:00:00Z", "channel": "Email", "via": "page"},
    });
    assert_eq!(serde_json::to_value(person).unwrap(), expected);
    // A restarted object returns the same person.
    object.volatile = Volatile::default();
    assert_eq!(object.deliveries()[0].person.as_deref(), Some(person));
}

#[test]
fn without_a_recorded_grant_an_advertising_destination_gets_no_ids_of_other_events() {
    let mut object = Object::new();
    let mut refused = identify("m1", 1, json!({"refused": 1}), Some(false));
    refused.event.claimed_id = Some("ana".to_owned());
    object.record(vec![refused, wanted(identify("m2", 1, json!({"plan": "pro"}), Some(true)))]);
    let deliveries = object.deliveries();
    let person = serde_json::to_value(deliveries[0].person.as_deref().unwrap()).unwrap();
    let names: Vec<&String> = person.as_object().unwrap().keys().collect();
    assert_eq!(names, ["traits"]);
    assert_eq!(person["traits"].as_object().unwrap().len(), 1);
}

#[test]
fn a_destination_that_wants_no_person_gets_none() {
    let mut object = Object::new();
    object.record(vec![identify("m1", 1, json!({"plan": "pro"}), None), bound("m2")]);
    assert_eq!(object.deliveries()[0].person, None);
    object.volatile = Volatile::default();
    assert_eq!(object.deliveries()[0].person, None);
}

#[test]
fn a_destination_gets_no_trait_whose_event_did_not_grant_its_purposes() {
    let mut object = Object::new();
    object.record(vec![
        identify("m1", 1, json!({"asked": 1}), Some(true)),
        identify("m2", 1, json!({"silent": 1}), None),
        identify("m3", 1, json!({"refused": 1}), Some(false)),
        wanted(kept("m4", 1)),
    ]);
    assert_eq!(traits(&mut object), ["asked"]);
}

#[test]
fn a_recorded_grant_allows_traits_that_are_older_and_no_newer_ones() {
    let mut object = Object::new();
    object.decide(0, "functional", "granted");
    object.decide(1, "advertising", "granted");
    object.record(vec![
        identify("m1", 1, json!({"older": 1}), Some(false)),
        identify("m2", 2, json!({"newer": 1}), Some(false)),
        wanted(kept("m3", 2)),
    ]);
    assert_eq!(traits(&mut object), ["older"]);
}

#[test]
fn a_withdrawal_removes_traits_ids_and_first_touch_from_persons_of_pending_deliveries() {
    let mut object = Object::new();
    let mut sent = wanted(identify("m1", 1, json!({"plan": "pro"}), Some(true)));
    // This destination does not need analytics, so its delivery continues.
    sent.to[0].purposes = vec![Purpose::Advertising];
    object.record(vec![sent]);
    object.decide(2, "analytics", "denied");
    let deliveries = object.deliveries();
    assert_eq!(deliveries[0].person.as_deref(), Some(&hilo_core::profile::Person::default()));
}

#[test]
fn events_that_wait_together_share_the_newest_person() {
    let mut object = Object::new();
    object.record(vec![wanted(kept("m1", 1))]);
    object.record(vec![wanted(identify("m2", 1, json!({"plan": "pro"}), Some(true)))]);
    let deliveries = object.deliveries();
    let [first, second] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    assert_eq!(first.person, second.person);
    assert!(first.person.as_ref().is_some_and(|person| person.traits.contains_key("plan")));
    let messages = messages(&deliveries).unwrap();
    assert_eq!(messages.iter().map(|one| one.text.matches("\"pro\"").count()).sum::<usize>(), 2);
}

/// Returns the denials that come with the first delivery.
fn denied(object: &mut Object) -> Vec<Purpose> {
    object.deliveries().first().map(|one| one.denied.clone()).expect("a delivery is due")
}

#[test]
fn a_delivery_has_the_denials_that_are_recorded_when_it_is_sent() {
    let mut object = Object::new();
    object.decide(0, "sale_share", "denied");
    object.record(vec![bound("m1")]);
    assert_eq!(denied(&mut object), [Purpose::SaleShare]);
    // A restarted object sends the same.
    object.volatile = Volatile::default();
    assert_eq!(denied(&mut object), [Purpose::SaleShare]);
    // A row that waits gets what was recorded since.
    object.confirm("m1", retry(5));
    object.decide(1, "personalization", "denied");
    object.now += SignedDuration::from_secs(5);
    assert_eq!(denied(&mut object), [Purpose::Personalization, Purpose::SaleShare]);
    object.confirm("m1", retry(5));
    object.decide(2, "sale_share", "granted");
    object.now += SignedDuration::from_secs(5);
    assert_eq!(denied(&mut object), [Purpose::Personalization]);
}

#[test]
fn an_event_that_waits_in_memory_gets_a_later_denial() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    object.decide(0, "advertising", "denied");
    assert_eq!(denied(&mut object), [Purpose::Advertising]);
}

#[test]
fn a_delivery_without_a_later_denial_is_not_wanted_and_is_sent_again_with_it() {
    let mut object = Object::new();
    object.record(vec![bound("m1")]);
    let sent = object.deliveries();
    let asked = || sent.iter().map(Delivery::under_way).collect();
    assert_eq!(object.ask::<Vec<bool>>(&ProfileCall::Wanted(asked())), [true]);
    object.decide(0, "advertising", "denied");
    assert_eq!(object.ask::<Vec<bool>>(&ProfileCall::Wanted(asked())), [false]);
    assert_eq!(object.ask::<Vec<Option<i64>>>(&ProfileCall::Sending(asked())), [None]);
    object.now += SignedDuration::from_secs(300);
    object.deliveries();
    object.now += SignedDuration::from_secs(300);
    let again = object.deliveries();
    assert_eq!(again.iter().map(|one| &*one.denied).collect::<Vec<_>>(), [[Purpose::Advertising]]);
    let asked = again.iter().map(Delivery::under_way).collect();
    assert_eq!(object.ask::<Vec<bool>>(&ProfileCall::Wanted(asked)), [true]);
}
