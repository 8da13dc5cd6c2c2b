//! Laws of normalize: a second run changes nothing, fields keep their limits, and no address keeps its secrets.

use hilo_core::config::{NormalizeRules, Source};
use hilo_core::event::fields::{FIELDS, Privacy, Shape, URL_BYTES_MAX};
use hilo_core::event::{EVENT_BYTES_MAX, Event, Gist};
use hilo_core::testing::{
    any_event, any_json, any_text, any_url, browser_source, config, envelope, event_of, facts,
    page_message,
};
use hilo_core::validate::check;
use hilo_core::{normalize, profile, redact};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Bytes that normalizing may add: campaign, touch, browser, place and the like, all bounded by the field table.
const ADDED_BYTES_MAX: usize = 8 * 1024;

fn normalized(event: &Event) -> Event {
    let mut event = event.clone();
    let rules = NormalizeRules {
        currency: Some("EUR".to_owned()),
        country: Some("ES".to_owned()),
        own_hosts: vec!["shop.example".to_owned()],
        ..NormalizeRules::default()
    };
    normalize::apply(&mut event, &facts(), &rules);
    event
}

#[test]
fn urls_of_the_field_table_are_redacted_and_reduced_fields_do_not_stay() {
    const SECRET: &str = "ana@example.com";
    for field in FIELDS {
        let value = match (field.privacy, field.shape) {
            (Privacy::Url, _) => json!(format!("https://shop.example/?q={SECRET}")),
            (Privacy::Reduced, Shape::Open) => json!({
                "brand": SECRET, "platform": SECRET, "platformVersion": SECRET,
                "brands": [{ "brand": SECRET, "version": SECRET }],
            }),
            (Privacy::Reduced, _) => json!(SECRET),
            (
                Privacy::Plain
                | Privacy::Identifier
                | Privacy::Personal
                | Privacy::Device
                | Privacy::Unkept,
                _,
            ) => continue,
        };
        let event = event_of(&message_with(field.path, value)).unwrap();
        assert!(json!(event).to_string().contains(SECRET), "{}", field.path);
        assert!(!json!(normalized(&event)).to_string().contains(SECRET), "{}", field.path);
    }
}

#[test]
fn ids_of_devices_pass_only_if_asked_for_and_what_is_never_stored_does_not_pass() {
    for field in FIELDS.iter().filter(|f| matches!(f.privacy, Privacy::Device | Privacy::Unkept)) {
        let value = if field.shape == Shape::Flag { json!(true) } else { json!(40.4) };
        let value = if field.shape == Shape::Text { json!("d1") } else { value };
        let mut message = message_with(field.path, value);
        message["context"]["consent"]["categoryPreferences"]["advertising"] = json!(true);
        let pointer = format!("/{}", field.path.replace('.', "/"));
        let is_kept = |device_ids| {
            let source = Source { device_ids, ..browser_source() };
            let judged =
                check(&envelope(std::slice::from_ref(&message)), &source, &config(), &facts());
            json!(judged[0].result.as_ref().unwrap()).pointer(&pointer).is_some()
        };
        assert!(!is_kept(false), "{}", field.path);
        assert_eq!(is_kept(true), field.privacy == Privacy::Device, "{}", field.path);
    }
}

#[test]
fn an_address_in_any_field_is_redacted_except_in_ids() {
    const SECRET: &str = "ana@example.com";
    for field in FIELDS {
        let address = json!(format!("/?q={SECRET}"));
        let value = if field.shape == Shape::Text && field.bytes_max > 20 {
            address
        } else if field.shape == Shape::Open {
            json!({ "a": [{ "b": address }] })
        } else {
            continue;
        };
        // Validation takes kind and consent from these fields, and gives the other kinds' fields no place.
        if ["type", "event", "traits"].contains(&field.path) {
            continue;
        }
        let Some(event) = event_of(&message_with(field.path, value)) else {
            panic!("{} is refused", field.path)
        };
        assert!(!json!(normalized(&event)).to_string().contains(SECRET), "{}", field.path);
    }
}

/// A page view with this value in a field.
fn message_with(path: &str, value: Value) -> Value {
    let mut message = page_message();
    put(&mut message, "context.hilo.session.id", json!("1"));
    put(&mut message, path, value);
    message
}

fn put(mut place: &mut Value, path: &str, value: Value) {
    for part in path.split('.') {
        if !place.is_object() {
            *place = json!({});
        }
        let Value::Object(object) = place else { return };
        place = object.entry(part).or_insert(Value::Null);
    }
    *place = value;
}

/// Every text of `value`, keys included.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(object) => {
            let below = object
                .iter()
                .flat_map(|(key, value)| std::iter::once(key.as_str()).chain(texts(value)));
            below.collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

proptest! {
    #[test]
    fn normalizing_twice_changes_nothing(event in any_event()) {
        let once = normalized(&event);
        prop_assert_eq!(normalized(&once), once);
    }

    #[test]
    fn an_address_at_any_depth_of_the_properties_is_redacted(url in any_url(), json in any_json(), key in "[a-z_]{1,12}") {
        let mut message = page_message();
        message["type"] = json!("track");
        message["event"] = json!("A");
        message["properties"] = json!({ key: [json, { "in": url }] });
        let Some(event) = event_of(&message) else { return Ok(()) };
        let event = json!(normalized(&event));
        for text in texts(&event["properties"]).into_iter().filter(|text| text.starts_with("http")) {
            prop_assert_eq!(redact::url(text), text);
        }
    }

    #[test]
    fn redacting_keys_loses_no_value(
        keys in proptest::collection::btree_set("(https://([a-z]:[a-z]@)?shop[.]example)?/[?](email|pin|q)=[a-b@.%1-3]{0,3}(&[2-4])?|redacted [2-4]", 0..24),
    ) {
        let mut message = page_message();
        message["properties"] = keys.iter().zip(0..).map(|(key, i)| (key.clone(), json!(i))).collect();
        let event = event_of(&message).ok_or(TestCaseError::fail("refused"))?;
        let once = normalized(&event);
        let values = |event: &Event| {
            let mut values: Vec<_> = event.kind.details()?.values().filter_map(Value::as_u64).collect();
            values.sort_unstable();
            Some(values)
        };
        prop_assert_eq!(values(&once), values(&event));
        prop_assert_eq!(normalized(&once), once);
    }

    #[test]
    fn texts_that_are_no_addresses_stay(text in "[a-zA-Z0-9 ñ?&=.:@-]{0,40}") {
        let mut message = page_message();
        message["type"] = json!("track");
        message["event"] = json!("A");
        message["properties"] = json!({ "comment": [text] });
        let event = event_of(&message).ok_or(TestCaseError::fail("refused"))?;
        prop_assert_eq!(normalized(&event).kind, event.kind);
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
