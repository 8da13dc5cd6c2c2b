//! What every kind of destination keeps: nothing without consent, no secret in an address, bounded bodies, the same requests for
//! the same batch, no event forgotten. The kinds come from the catalogue, their settings from their golden folders.

use std::collections::{BTreeMap, BTreeSet};

use hilo_collector::forward::destination::{
    Access, Batch, BatchEvent, LeftOut, Mapped, Mapping, OAuth, STEPS_MAX, Token,
};
use hilo_collector::forward::destinations::CATALOGUE;
use hilo_collector::forward::{Configured, Loaded, plan, reason};
use hilo_core::config::{Config, parse};
use hilo_core::consent::Purpose;
use hilo_core::event::{EVENT_BYTES_MAX, Event};
use hilo_core::profile::Person;
use hilo_core::testing::{any_event, any_json, any_preferences};
use hilo_tests::forward::{secrets, settings};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Bytes of a request's body for each event that it carries: escaping and a service's own names may double the event.
const BODY_BYTES_MAX: usize = 2 * EVENT_BYTES_MAX;

/// The configuration of each kind, as its golden cases have it.
#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn configs() -> Vec<Config> {
    let read = |kind| parse(&settings(kind).expect("the kind has settings.toml"));
    CATALOGUE.iter().map(|kind| read(kind.name).expect("its settings load")).collect()
}

#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn loaded(config: &Config) -> Loaded {
    Loaded::of(config.destinations.first().expect("one destination")).expect("it loads")
}

fn with_consent(
    mut event: Event,
    preferences: &serde_json::Map<String, serde_json::Value>,
) -> Event {
    let consent = event.context.consent.get_or_insert_default();
    consent.category_preferences = preferences
        .iter()
        .filter_map(|(name, granted)| Some((name.clone(), granted.as_bool()?)))
        .collect();
    event
}

/// A person with every field, and one trait of any value.
#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn person(value: &Value) -> Person {
    let at = "2026-11-24T09:00:00Z";
    let plan = json!({"value": value, "at": at, "source": "shop", "vouched": true});
    let email = json!({"value": "ana@shop.example", "at": at});
    serde_json::from_value(json!({
        "anonymousIds": ["a1"], "userId": "ana", "claimedIds": ["bob"],
        "traits": {"plan": plan, "email": email}, "optins": {"email": "subscribed"},
        "firstTouch": {"at": at, "channel": "Email", "via": "page"},
        "archiveKey": {"subject": "an object", "key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="},
    }))
    .expect("a person")
}

/// A host that the answer with the token may name.
fn host(oauth: OAuth) -> Option<String> {
    oauth.host_member.and(oauth.hosts.first()).map(|ending| format!("law{ending}"))
}

/// What the kind makes of as many of the events as it takes.
#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn mapped(
    loaded: &Loaded,
    events: &[Event],
    person: &Person,
    known: &BTreeMap<String, String>,
) -> Mapping {
    let is_wanted = loaded.kind.limits.wants_person || loaded.destination.wants_key();
    let person = is_wanted.then_some(person);
    let token =
        Token { access: "at_law".to_owned(), host: loaded.destination.oauth().and_then(host) };
    let mapped = &Mapped::default();
    let batch = Batch {
        events: events
            .iter()
            .map(|event| BatchEvent { event, source: None, person, mapped })
            .collect(),
        access: Access { secrets: &|name| known.get(name).cloned(), token: Some(&token) },
        found: &[],
        now: "2026-11-24T10:00:00Z".parse().expect("a time"),
    };
    loaded.destination.requests(&batch).expect("its secrets are set")
}

#[test]
fn kinds_have_different_names_and_limits_that_let_something_through() {
    let names: BTreeSet<_> = CATALOGUE.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), CATALOGUE.len());
    for kind in CATALOGUE {
        let limits = kind.limits;
        assert!(limits.events > 0 && limits.bytes > 0, "{}", kind.name);
        assert!(limits.age_s_max.is_none_or(|age| age > 0), "{}", kind.name);
        assert!(!kind.purposes.is_empty(), "{} needs a purpose", kind.name);
    }
}

proptest! {
    #[test]
    fn nothing_goes_anywhere_without_every_purpose(event in any_event(), preferences in any_preferences()) {
        for config in configs() {
            let event = with_consent(event.clone(), &preferences);
            let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
            let own = loaded(&config).kind.purposes;
            for planned in plan(&event, &Configured::all(&config.destinations)) {
                prop_assert!(planned.purposes.iter().chain(own).all(|purpose| said.is_granted(*purpose)));
            }
        }
    }

    #[test]
    fn denying_one_more_purpose_never_lets_more_through(event in any_event(), preferences in any_preferences()) {
        for config in configs() {
            let configured = Configured::all(&config.destinations);
            let before = plan(&with_consent(event.clone(), &preferences), &configured);
            for purpose in Purpose::ASKED {
                let mut denied = preferences.clone();
                denied.insert(purpose.name().to_owned(), false.into());
                let after = plan(&with_consent(event.clone(), &denied), &configured);
                prop_assert!(after.iter().all(|entry| before.contains(entry)));
            }
        }
    }

    #[test]
    fn requests_are_bounded_repeatable_and_keep_their_secrets(events in vec(any_event(), 1..4), value in any_json()) {
        let person = person(&value);
        for config in configs() {
            let loaded = loaded(&config);
            let events: Vec<_> = events.iter().take(loaded.kind.limits.events).cloned().collect();
            let known = secrets(loaded.kind.name).expect("the kind has secrets.json");
            let mapping = mapped(&loaded, &events, &person, &known);
            prop_assert_eq!(&mapped(&loaded, &events, &person, &known), &mapping);
            for request in mapping.requests {
                let shown = format!("{:?}", request.outgoing);
                for secret in known.values() {
                    let key = secret.trim_start_matches("whsec_");
                    // Google Analytics takes its secret nowhere else.
                    let in_address = loaded.kind.name != "ga4" && request.outgoing.url.contains(key);
                    prop_assert!(!in_address && !request.outgoing.body.contains(key));
                    prop_assert!(!shown.contains(key));
                }
                prop_assert!(request.outgoing.body.len() <= BODY_BYTES_MAX * request.events.len());
            }
        }
    }

    #[test]
    fn every_event_of_a_batch_has_a_request_of_each_step_at_most_once_or_a_reason(events in vec(any_event(), 1..4), value in any_json()) {
        let person = person(&value);
        for config in configs() {
            let loaded = loaded(&config);
            let events: Vec<_> = events.iter().take(loaded.kind.limits.events).cloned().collect();
            let known = secrets(loaded.kind.name).expect("the kind has secrets.json");
            let Mapping { requests, left_out } = mapped(&loaded, &events, &person, &known);
            let mut seen = BTreeSet::new();
            for request in &requests {
                prop_assert!(request.step < STEPS_MAX && !request.events.is_empty());
                for place in &request.events {
                    prop_assert!(*place < events.len());
                    prop_assert!(seen.insert((*place, request.step)), "named twice in a step");
                }
            }
            for place in 0..events.len() {
                let has_request = seen.iter().any(|(named, _)| *named == place);
                let has_reason = left_out.iter().any(|(left, why)| {
                    let (LeftOut::Skipped(why) | LeftOut::Refused(why)) = why;
                    *left == place && reason::code(why) != "other"
                });
                prop_assert!(has_request != has_reason, "event {place}");
            }
        }
    }
}
