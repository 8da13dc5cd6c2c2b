//! Laws of normalize: a second run changes nothing, fields keep their limits, and redacted values stay redacted.

use hilo_core::config::NormalizeRules;
use hilo_core::event::fields::{FIELDS, Privacy, Shape, URL_BYTES_MAX};
use hilo_core::event::{EVENT_BYTES_MAX, Event, Gist};
use hilo_core::testing::{any_event, any_text, any_url, event_of, facts, page_message};
use hilo_core::{normalize, profile, redact};
use proptest::prelude::*;
use serde_json::json;

/// Bytes that normalizing may add: campaign, touch, browser, place and the like, all bounded by the field table.
const ADDED_BYTES_MAX: usize = 8 * 1024;

fn normalized(event: &Event) -> Event {
    let mut event = event.clone();
    normalize::apply(&mut event, &facts(), &NormalizeRules::default());
    event
}

#[test]
fn urls_of_the_field_table_are_redacted_and_reduced_fields_do_not_stay() {
    const SECRET: &str = "ana@example.com";
    for field in FIELDS {
        let value = match (field.privacy, field.shape) {
            (Privacy::Url, _) => json!(format!("https://shop.example/?q={SECRET}")),
            (Privacy::Reduced, Shape::Open) => json!({ "brand": SECRET }),
            (Privacy::Reduced, _) => json!(SECRET),
            (Privacy::Plain | Privacy::Identifier | Privacy::Personal, _) => continue,
        };
        let mut message = page_message();
        message["context"]["hilo"]["session"]["id"] = json!("1");
        let mut place = &mut message;
        for part in field.path.split('.') {
            place = &mut place[part];
        }
        *place = value;
        let event = event_of(&message).unwrap();
        assert!(json!(event).to_string().contains(SECRET), "{}", field.path);
        assert!(!json!(normalized(&event)).to_string().contains(SECRET), "{}", field.path);
    }
}

proptest! {
    #[test]
    fn normalizing_twice_changes_nothing(event in any_event()) {
        let once = normalized(&event);
        prop_assert_eq!(normalized(&once), once);
    }

    #[test]
    fn a_stored_event_has_the_gist_that_was_sent_with_it(event in any_event()) {
        let event = normalized(&event);
        let json = serde_json::to_string(&event).unwrap_or_default();
        let stored: Event = serde_json::from_str(&json).map_err(|why| TestCaseError::fail(why.to_string()))?;
        prop_assert_eq!(Gist::of(&stored), Gist::of(&event));
    }

    #[test]
    fn addresses_and_events_keep_their_limits(event in any_event()) {
        let event = normalized(&event);
        let page = event.context.page.clone().unwrap_or_default();
        for text in [page.url, page.path, page.search, page.referrer].into_iter().flatten() {
            prop_assert!(text.len() <= URL_BYTES_MAX, "{}", text.len());
        }
        let bytes = serde_json::to_vec(&event).map_or(0, |json| json.len());
        prop_assert!(bytes <= EVENT_BYTES_MAX + ADDED_BYTES_MAX, "{bytes}");
    }

    #[test]
    fn a_raw_address_or_user_agent_never_stays(event in any_event()) {
        let event = normalized(&event);
        prop_assert_eq!(&event.context.user_agent, &None);
        prop_assert_eq!(event.context.ip.as_deref(), Some("203.0.113.0"));
    }

    #[test]
    fn redacting_twice_changes_nothing(url in any_url(), text in any_text()) {
        for text in [url, text] {
            let once = redact::url(&text);
            prop_assert_eq!(redact::url(&once), once);
        }
    }

    #[test]
    fn the_order_of_events_does_not_matter_for_first_and_last(one in any_event(), other in any_event()) {
        let fold = |a: &Gist, b: &Gist| {
            profile::fold(profile::fold(profile::Profile::default(), a, None), b, None)
        };
        let (one, other) = (Gist::of(&one), Gist::of(&other));
        let (there, back) = (fold(&one, &other), fold(&other, &one));
        prop_assert_eq!((there.first_seen, there.last_seen), (back.first_seen, back.last_seen));
        prop_assert_eq!(there.events, back.events);
    }
}
