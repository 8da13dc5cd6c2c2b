//! What every destination keeps, whatever it is: nothing without consent, nothing secret in an address, bounded bodies,
//! the same request for the same event.

use hilo_collector::forward::destinations::{Destination, KINDS};
use hilo_collector::forward::{Configured, plan};
use hilo_core::config::{Config, parse};
use hilo_core::consent::Purpose;
use hilo_core::event::{EVENT_BYTES_MAX, Event};
use hilo_core::testing::{any_event, any_preferences};
use proptest::prelude::*;

/// A configuration with one destination of each kind. Forgetting a kind here fails the first test.
const DESTINATIONS: &str = r#"
[project]
controller = "Shop"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["https://shop.example"]

[[destination]]
name = "hook"
type = "webhook"
purposes = ["analytics", "advertising"]
url = "https://hooks.example/in"
secret = { secret = "HOOK" }
"#;

const SECRET: &str = "whsec_aGlsby1nb2xkZW4td2ViaG9vay1zZWNyZXQtMzI=";

#[expect(clippy::expect_used, reason = "the helper of a test may assert the short way")]
fn config() -> Config {
    parse(DESTINATIONS).expect("the destinations above load")
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

#[test]
fn every_kind_stands_in_this_law() {
    let kinds: Vec<String> = config().destinations.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, KINDS);
}

proptest! {
    #[test]
    fn nothing_goes_anywhere_without_every_purpose(event in any_event(), preferences in any_preferences()) {
        let config = config();
        let event = with_consent(event, &preferences);
        let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
        for entry in plan(&event, &Configured::all(&config.destinations)) {
            prop_assert!(entry.purposes.iter().all(|purpose| said.is_granted(*purpose)));
        }
    }

    #[test]
    fn denying_one_more_purpose_never_lets_more_through(event in any_event(), preferences in any_preferences()) {
        let config = config();
        let configured = Configured::all(&config.destinations);
        let before = plan(&with_consent(event.clone(), &preferences), &configured);
        for purpose in Purpose::ASKED {
            let mut denied = preferences.clone();
            denied.insert(purpose.name().to_owned(), false.into());
            let after = plan(&with_consent(event.clone(), &denied), &configured);
            prop_assert!(after.iter().all(|entry| before.contains(entry)));
        }
    }

    #[test]
    fn requests_are_bounded_repeatable_and_keep_their_secrets(event in any_event()) {
        for entry in &config().destinations {
            let destination = Destination::load(entry).expect("it loads");
            let secrets = |_: &str| Some(SECRET.to_owned());
            let requests = destination.requests(&event, &secrets, 1_795_514_400).expect("it can be mapped");
            prop_assert_eq!(&destination.requests(&event, &secrets, 1_795_514_400).expect("again"), &requests);
            for request in requests {
                let key = SECRET.trim_start_matches("whsec_");
                prop_assert!(!request.url.contains(key) && !request.body.contains(key));
                prop_assert!(request.body.len() <= 2 * EVENT_BYTES_MAX);
            }
        }
    }
}
