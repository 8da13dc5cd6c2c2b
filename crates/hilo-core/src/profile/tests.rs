//! What the fold promises.

use serde_json::{Value, json};

mod life;

use super::*;
use crate::consent::{OptInChannel, OptInState, Purpose};
use crate::event::Event;

fn event(kind: &str, at: &str, more: &Value) -> Event {
    let mut event = json!({
        "messageId": "m1", "type": kind, "anonymousId": "a1", "timestamp": at, "receivedAt": at,
        "context": {"consent": {"categoryPreferences": {"analytics": true, "advertising": false}, "revision": 3}},
    });
    if let (Value::Object(event), Value::Object(more)) = (&mut event, more) {
        event.extend(more.clone());
    }
    serde_json::from_value(event).unwrap()
}

fn identify(at: &str, traits: &Value) -> Event {
    event("identify", at, &json!({"traits": traits}))
}

fn folded(events: &[Event]) -> Profile {
    let take = |profile, event| fold(profile, &Gist::of(event), Some("shop"));
    events.iter().fold(Profile::default(), take)
}

/// Events in no order of time, the later ones with fewer languages and touches.
fn events(seed: usize) -> Vec<Event> {
    let event = |n: usize| {
        let at = format!("2026-11-24T10:{:02}:00Z", (n * 37 + seed * 11) % 60);
        let channel = ["Email", "Direct", "Referral"][(n + seed) % 3];
        let touch = json!({"channel": channel, "via": "page"});
        let ids = json!({"anonymousId": format!("a{}", n % 20), "claimedId": format!("c{}", (n + seed) % 3)});
        let mut more = json!({"traits": {format!("t{}", n % 4): n}, "context": {"locale": format!("l{n}"), "hilo": {"touch": touch}, "ids": {["ga", "fbp"][n % 2]: format!("{n}.1")}}});
        if let (Value::Object(more), Value::Object(ids)) = (&mut more, ids) {
            more.extend(ids);
        }
        event("identify", &at, &more)
    };
    (seed..seed + 30).map(event).collect()
}

#[test]
fn two_profiles_join_into_the_fold_of_the_events_of_both() {
    for seed in 0..20 {
        let (mine, theirs) = (events(seed), events(seed + 30));
        let both = folded(&[mine.clone(), theirs.clone()].concat());
        assert_eq!(join(folded(&mine), folded(&theirs)), both, "{seed}");
        assert_eq!(join(both.clone(), Profile::default()), both, "{seed}");
        assert_eq!(join(Profile::default(), both.clone()), both, "{seed}");
    }
}

fn values(profile: &Profile) -> Value {
    profile.traits.iter().map(|(name, one)| (name.clone(), one.value.clone())).collect()
}

/// An act at a minute of the day of these tests.
fn act(name: &str, minute: u32, properties: &Value) -> Event {
    let at = format!("2026-11-24T10:{minute:02}:00Z");
    let mut act = event("track", &at, &json!({"event": name, "properties": properties}));
    act.message_id = format!("{name} {minute}");
    act
}

/// Events that fill everything that a fold can fill.
fn everything() -> Vec<Event> {
    let ids = json!({"ga": "1.2", "gclid": "of a click"});
    let touch = json!({
        "locale": "es", "ids": ids, "os": {"name": "Linux"}, "device": {"type": "desktop"},
        "hilo": {
            "touch": {"channel": "Email", "via": "page"}, "session": {"id": "1"},
            "browser": {"name": "Firefox", "major": "145"},
        },
    });
    let mut optin = act("Opt-In Confirmed", 9, &json!({"channel": "email"}));
    optin.context.hilo.ledger = true;
    let euro = |total: Value| json!({"order_id": "A-1", "total": total, "currency": "EUR"});
    vec![
        event("page", "2026-11-24T10:00:00Z", &json!({"properties": {}, "context": touch})),
        identify("2026-11-24T10:01:00Z", &json!({"plan": "pro"})),
        event("track", "2026-11-24T10:02:00Z", &json!({"event": "x", "userId": "ana"})),
        event("track", "2026-11-24T10:03:00Z", &json!({"event": "x", "claimedId": "bob"})),
        act("Order Completed", 4, &euro(json!(199.9))),
        act(
            "Order Refunded",
            5,
            &json!({"order_id": "A-1", "refund_id": "R-1", "total": "9.90", "currency": "EUR"}),
        ),
        act("Email Opened", 6, &json!({"message_id": "mail-1"})),
        act(
            "Email Link Clicked",
            6,
            &json!({"message_id": "mail-1", "link_url": "https://shop.example/a"}),
        ),
        act("Ticket Created", 7, &json!({"ticket_id": "T-1", "channel": "email"})),
        act("Loyalty Enrolled", 8, &json!({"loyalty_id": "77"})),
        optin,
    ]
}

/// Everything a fold can fill. A change of this text is a change of [`VERSION`].
#[test]
fn a_profile_that_folds_differently_has_another_version() {
    let touched = json!({"at": "2026-11-24T10:00:00Z", "channel": "Email", "via": "page"});
    let once = |minute: u32| {
        let at = format!("2026-11-24T10:{minute:02}:00Z");
        json!({"count": 1, "first": at, "last": at})
    };
    let worth = |minor: &str| json!({"minor": minor, "currency": "EUR"});
    let expected = json!({
        "firstSeen": "2026-11-24T10:00:00Z",
        "lastSeen": "2026-11-24T10:09:00Z",
        "firstTouch": touched,
        "lastTouch": touched,
        "events": {"page": 1, "identify": 1, "track": 9},
        "anonymousIds": ["a1"],
        "userId": "ana",
        "claimedIds": ["bob"],
        "traits": {"plan": {
            "value": "pro", "at": "2026-11-24T10:01:00Z", "source": "shop", "vouched": false,
            "purposes": ["analytics"], "granted": ["essential", "analytics"], "revision": 3,
        }},
        "ids": {"ga": {
            "value": "1.2", "at": "2026-11-24T10:00:00Z", "source": "shop", "vouched": false,
            "purposes": ["analytics"], "granted": ["essential"], "revision": 0,
        }},
        "locale": "es",
        "localeAt": "2026-11-24T10:00:00Z",
        "visits": [{"at": "2026-11-24T10:00:00Z", "id": "1"}],
        "met": "2026-11-24T10:01:00Z",
        "channels": {"Email": {"count": 3, "first": "2026-11-24T10:00:00Z", "last": "2026-11-24T10:07:00Z"}},
        "contacts": {"Email Link Clicked": once(6), "Ticket Created": once(7)},
        "devices": {"listed": {"Firefox, Linux, desktop": once(0)}},
        "orders": {"listed": {"A-1": {
            "placed": "2026-11-24T10:04:00Z",
            "total": {"at": "2026-11-24T10:04:00Z", "worth": worth("19990")},
            "refunds": {"R-1": {"at": "2026-11-24T10:05:00Z", "worth": worth("990")}},
            "last": "2026-11-24T10:05:00Z",
        }}},
        "messages": {"listed": {"mail-1": {
            "way": "email", "opened": "2026-11-24T10:06:00Z", "clicked": "2026-11-24T10:06:00Z",
            "clicks": [{"at": "2026-11-24T10:06:00Z", "link": 3_018_125_802_u32}], "last": "2026-11-24T10:06:00Z",
        }}},
        "talks": {"listed": {"T-1": {"asked": "2026-11-24T10:07:00Z"}}},
        "optins": {"email": {
            "at": "2026-11-24T10:09:00Z", "state": "subscribed", "first": "2026-11-24T10:09:00Z",
        }},
        "belongs": "2026-11-24T10:08:00Z",
        "loyalty": ["77"],
    });
    let profile = folded(&everything());
    assert_eq!((VERSION, serde_json::to_value(&profile).unwrap()), (4, expected.clone()));
    assert_eq!(serde_json::from_value::<Profile>(expected).unwrap(), profile);
}

#[test]
fn the_trait_of_the_latest_event_counts_in_whatever_order_events_arrive() {
    let early = identify("2026-11-24T10:00:00Z", &json!({"plan": "free", "city": "Madrid"}));
    let late = identify("2026-11-24T11:00:00Z", &json!({"plan": "pro"}));
    let expected = json!({"plan": "pro", "city": "Madrid"});
    assert_eq!(values(&folded(&[early.clone(), late.clone()])), expected);
    assert_eq!(values(&folded(&[late, early])), expected);
}

#[test]
fn the_newest_id_of_each_service_counts_and_keeps_what_it_is_for() {
    let with = |at: &str, ids: Value| {
        event("page", at, &json!({"properties": {}, "context": {"ids": ids}}))
    };
    let early = with("2026-11-24T10:00:00Z", json!({"ga": "1.1", "fbp": "old"}));
    let late = with("2026-11-24T11:00:00Z", json!({"ga": "2.2", "ttclid": "click", "other": "x"}));
    for events in [[early.clone(), late.clone()], [late, early]] {
        let ids = folded(&events).ids;
        let told: Vec<_> = ids.iter().map(|(name, one)| (name.as_str(), &one.value)).collect();
        assert_eq!(told, [("fbp", &json!("old")), ("ga", &json!("2.2"))]);
        assert_eq!(ids["fbp"].purposes, [Purpose::Analytics, Purpose::Advertising]);
        assert_eq!(ids["ga"].purposes, [Purpose::Analytics]);
    }
}

#[test]
fn a_destination_gets_only_ids_that_are_for_its_purposes() {
    let ids = json!({"ga": "1.1", "fbp": "f", "hubspotutk": "h"});
    let at = "2026-11-24T10:00:00Z";
    let page = event("page", at, &json!({"properties": {}, "context": {"ids": ids}}));
    let names = |own: &[Purpose]| {
        let mut person =
            Person::of(&folded(std::slice::from_ref(&page)), BTreeMap::new(), |_| true);
        person.keep_ids_for(own);
        person.ids.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(names(&[Purpose::Analytics]), ["ga"]);
    assert_eq!(names(&[Purpose::Advertising]), ["fbp"]);
    assert_eq!(names(&[Purpose::Functional]), [""; 0]);
    assert_eq!(names(&[Purpose::Analytics, Purpose::Functional]), ["ga", "hubspotutk"]);
}

#[test]
fn traits_of_groups_and_of_other_events_are_not_the_persons() {
    let at = "2026-11-24T10:00:00Z";
    let group = event("group", at, &json!({"groupId": "g", "traits": {"plan": "pro"}}));
    let page =
        event("page", at, &json!({"properties": {}, "context": {"traits": {"plan": "pro"}}}));
    assert_eq!(values(&folded(&[group, page])), json!({}));
}

#[test]
fn traits_are_bounded_in_number_and_in_bytes() {
    let at = "2026-11-24T10:00:00Z";
    let many: Value = (0..TRAITS_MAX + 9).map(|n| (format!("t{n}"), json!(n))).collect();
    assert_eq!(folded(&[identify(at, &many)]).traits.len(), TRAITS_MAX);
    let large = "x".repeat(TRAITS_BYTES_MAX / 2);
    let large = identify(at, &json!({"a": large, "b": large, "c": 1}));
    assert_eq!(folded(&[large]).traits.keys().collect::<Vec<_>>(), ["a", "c"]);
}

#[test]
fn a_newer_value_that_does_not_fit_leaves_no_older_one_behind() {
    let old = identify("2026-11-24T10:00:00Z", &json!({"bio": "short"}));
    let new = identify("2026-11-24T11:00:00Z", &json!({"bio": "x".repeat(TRAITS_BYTES_MAX)}));
    assert_eq!(values(&folded(&[old, new])), json!({}));
}

#[test]
fn only_an_event_that_names_a_user_vouches_for_its_traits() {
    let at = "2026-11-24T10:00:00Z";
    let vouched = event("identify", at, &json!({"traits": {"plan": "pro"}, "userId": "ana"}));
    assert!(folded(&[vouched]).traits["plan"].is_vouched);
}

#[test]
fn a_person_has_the_traits_that_are_allowed() {
    let at = "2026-11-24T10:00:00Z";
    let profile = folded(&[identify(at, &json!({"plan": "pro", "secret": 1}))]);
    let optins = BTreeMap::from([(OptInChannel::Email, OptInState::Subscribed)]);
    let allows = |one: &Trait| one.value != json!(1) && one.granted.contains(&Purpose::Analytics);
    let person = Person::of(&profile, optins.clone(), allows);
    assert_eq!(person.traits.keys().collect::<Vec<_>>(), ["plan"]);
    assert_eq!((person.anonymous_ids, person.optins), (vec!["a1".to_owned()], optins));
}
