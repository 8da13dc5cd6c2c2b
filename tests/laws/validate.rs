//! Laws of validate: one result per item, events inside the limits, and a denial never lets an event pass.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hilo_core::consent::Purpose;
use hilo_core::event::fields::{FIELDS, Field, Shape};
use hilo_core::event::{
    DEPTH_MAX, EVENT_BYTES_MAX, Event, Facts, OBJECT_KEYS_MAX, STRING_BYTES_MAX,
};
use hilo_core::outcome::{Code, Outcome};
use hilo_core::testing::{
    any_json, any_preferences, browser_source, config, config_with, damaged_message, envelope,
    facts, server_source, valid_message,
};
use hilo_core::validate::{
    Judged, NOTICES_MAX, REDACTED_BYTES_MAX, check, inflate, read_batch, read_object, read_single,
};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn item() -> impl Strategy<Value = Value> {
    prop_oneof![2 => valid_message(), 3 => damaged_message(), 1 => any_json()]
}

fn passed(judged: &[Judged]) -> Vec<&Event> {
    judged.iter().filter_map(|judged| judged.result.as_deref().ok()).collect()
}

fn limits_hold(value: &Value, depth: usize) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.len() <= STRING_BYTES_MAX,
        Value::Array(values) => {
            depth < DEPTH_MAX && values.iter().all(|value| limits_hold(value, depth + 1))
        }
        Value::Object(object) => {
            depth < DEPTH_MAX
                && object.len() <= OBJECT_KEYS_MAX
                && !object.contains_key("__proto__")
                && object.values().all(|value| limits_hold(value, depth + 1))
        }
    }
}

/// The message with these preferences.
fn with_preferences(message: &Value, preferences: &Map<String, Value>) -> Value {
    let mut message = message.clone();
    let consent = message.get_mut("context").and_then(|context| context.get_mut("consent"));
    if let Some(Value::Object(consent)) = consent {
        consent.insert("categoryPreferences".to_owned(), json!(preferences));
    }
    message
}

fn passes(message: &Value, gpc: bool) -> bool {
    let facts = Facts { gpc, ..facts() };
    !passed(&check(&envelope(std::slice::from_ref(message)), &browser_source(), &config(), &facts))
        .is_empty()
}

/// Puts `value` at a dotted path, through objects that it creates where there are none.
fn put(message: &mut Value, path: &str, value: &Value) {
    let mut place = message;
    for key in path.split('.') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[key];
    }
    *place = value.clone();
}

/// A session has an id, and a field of a session without one is left out with it.
fn with_session(message: &mut Value) {
    if message.pointer("/context/hilo/session/id").is_none_or(Value::is_null) {
        put(message, "context.hilo.session.id", &json!("1795514400000"));
    }
}

/// Whether the event holds `sent` as the field table reads it: text of scalars, flags and counts from text, no `null`.
fn holds(kept: &Value, sent: &Value, shape: Shape) -> bool {
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (kept, sent) {
        (_, Value::Null) => true,
        (Value::Null, Value::Array(values)) => values.is_empty(),
        (Value::Null, Value::Object(object)) => object.is_empty(),
        (Value::Null, Value::String(text)) => matches!(shape, Shape::Id) && text.trim().is_empty(),
        (Value::Bool(flag), sent) => {
            [flag.to_string(), u8::from(*flag).to_string()].contains(&words(sent).trim().to_owned())
        }
        (Value::String(_) | Value::Number(_), _) => {
            words(kept) == words(sent).trim() || kept == sent
        }
        (Value::Object(_), Value::Array(values)) => values.is_empty(),
        (Value::Object(kept), Value::Object(sent)) if !matches!(shape, Shape::Open) => sent
            .iter()
            .all(|(key, sent)| sent.is_null() || kept.get(key).is_some_and(|kept| kept == sent)),
        (kept, sent) => kept == sent,
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null()
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(Map::is_empty)
}

fn fields(wanted: impl Fn(&Field) -> bool) -> impl Strategy<Value = &'static Field> {
    proptest::sample::select(FIELDS.iter().filter(|field| wanted(field)).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn an_odd_value_of_a_field_that_describes_never_costs_the_event(
        message in valid_message(),
        field in fields(|field| !field.decides()),
        value in any_json(),
    ) {
        let mut message = message;
        with_session(&mut message);
        put(&mut message, field.path, &value);
        prop_assume!(message.to_string().len() <= EVENT_BYTES_MAX);
        // The basis stands for the consent that leaves with a context.
        let source = server_source(&[Purpose::Analytics]);
        let facts = Facts { trust: source.trust(), ..facts() };
        let [judged] = check(&envelope(&[message.clone()]), &source, &config(), &facts).try_into().expect("one");
        let event = match &judged.result {
            Ok(event) => json!(event),
            // An act without a name is no act, so this one field may cost the event.
            Err(Outcome::Rejected(why)) if field.path == "event" && message["type"] == "track" => {
                prop_assert_eq!(why.code, Code::MissingField);
                return Ok(());
            }
            Err(outcome) => return Err(TestCaseError::fail(format!("{}: {outcome:?}", field.path))),
        };
        let kept = field.path.split('.').fold(&event, |place, key| &place[key]);
        let is_time = matches!(field.shape, Shape::Time);
        let is_read = if is_time { event["context"]["hilo"]["clock"].is_null() } else { holds(kept, &value, field.shape) };
        prop_assert!(is_read || !judged.notices.is_empty(), "{}: {value} became {kept}", field.path);
    }

    #[test]
    fn an_odd_value_of_a_field_that_decides_never_counts(
        message in valid_message(),
        field in fields(Field::decides),
        value in any_json(),
    ) {
        let mut message = message;
        put(&mut message, field.path, &value);
        prop_assume!(message.to_string().len() <= EVENT_BYTES_MAX);
        let judged = check(&envelope(&[message]), &browser_source(), &config(), &facts());
        for event in passed(&judged) {
            let event = json!(event);
            let name = if field.path == "userId" { "claimedId" } else { field.path };
            let kept = name.split('.').fold(&event, |place, key| &place[key]);
            let is_id = matches!(field.shape, Shape::Id);
            let digits = value.as_number().map(ToString::to_string);
            let is_exact = kept == &value || is_id && kept.as_str() == digits.as_deref();
            // What has no value is silence, and silence never grants.
            prop_assert!(kept.is_null() || is_exact || is_empty(kept) && is_empty(&value) || kept == 0,
                "{}: {value} became {kept}", field.path);
            prop_assert_eq!(&event["context"]["consent"]["categoryPreferences"]["analytics"], &json!(true));
        }
    }

    #[test]
    fn every_item_is_judged_once_and_in_order(items in vec(item(), 0..12), server in any::<bool>()) {
        let source = if server { server_source(&[Purpose::Analytics]) } else { browser_source() };
        let judged = check(&envelope(&items), &source, &config(), &Facts { trust: source.trust(), ..facts() });
        prop_assert_eq!(judged.len(), items.len());
        for (index, judged) in judged.iter().enumerate() {
            prop_assert_eq!(judged.index, index);
            prop_assert!(judged.notices.len() <= NOTICES_MAX + 1);
            prop_assert!(judged.redacted.as_ref().is_none_or(|text| text.len() <= REDACTED_BYTES_MAX));
        }
        let mut ids: Vec<_> = passed(&judged).iter().map(|event| event.message_id.clone()).collect();
        let count = ids.len();
        ids.sort();
        ids.dedup();
        prop_assert_eq!(ids.len(), count);
    }

    #[test]
    fn a_valid_message_passes_inside_every_limit(message in valid_message()) {
        let judged = check(&envelope(&[message]), &browser_source(), &config(), &facts());
        let events = passed(&judged);
        prop_assert_eq!(events.len(), 1, "{:?}", judged);
        prop_assert!(events.iter().all(|event| limits_hold(&json!(event), 0)));
    }

    #[test]
    fn an_event_that_passes_keeps_the_limits(message in damaged_message()) {
        let judged = check(&envelope(&[message]), &browser_source(), &config(), &facts());
        prop_assert!(passed(&judged).iter().all(|event| limits_hold(&json!(event), 0)));
    }

    #[test]
    fn a_stored_event_reads_back_as_itself(message in valid_message()) {
        let judged = check(&envelope(&[message]), &browser_source(), &config(), &facts());
        for event in passed(&judged) {
            let text = json!(event).to_string();
            prop_assert_eq!(&serde_json::from_str::<Event>(&text).map_err(|e| e.to_string()), &Ok(event.clone()));
        }
    }

    #[test]
    fn a_bad_item_changes_nothing_for_its_neighbor(good in valid_message(), bad in any_json()) {
        prop_assert!(passes(&good, false));
        let judged = check(&envelope(&[bad.clone(), good.clone(), bad]), &browser_source(), &config(), &facts());
        prop_assert!(judged[1].result.is_ok());
    }

    #[test]
    fn a_denial_never_lets_an_event_pass(
        message in valid_message(),
        said in any_preferences(),
        denied in proptest::sample::select(Purpose::ASKED.to_vec()),
    ) {
        let mut less = said.clone();
        less.insert(denied.name().to_owned(), Value::Bool(false));
        let (before, after) = (with_preferences(&message, &said), with_preferences(&message, &less));
        for gpc in [false, true] {
            prop_assert!(passes(&before, gpc) || !passes(&after, gpc));
            prop_assert!(passes(&before, false) || !passes(&before, gpc));
        }
        let analytics = Purpose::Analytics.name();
        prop_assert!(said.get(analytics) == Some(&Value::Bool(true)) || !passes(&before, false));
    }

    #[test]
    fn categories_let_an_event_in_only_if_all_that_mean_analytics_are_granted(
        message in valid_message(),
        said in btree_map(
            proptest::sample::select(vec!["analytics", "Analytics", "C0002", "Perf", "C0003", "DataSharing"]),
            any::<bool>(),
            0..5,
        ),
    ) {
        let config = config_with("[consent.categories]\nC0002 = 'analytics'\nPerf = 'analytics'\nC0003 = 'functional'");
        let preferences = said.iter().map(|(name, granted)| ((*name).to_owned(), json!(granted))).collect();
        let message = with_preferences(&message, &preferences);
        let judged = check(&envelope(&[message]), &browser_source(), &config, &facts());
        let mut analytics = said.iter().filter(|(name, _)| !["C0003", "DataSharing"].contains(name)).peekable();
        let is_allowed = analytics.peek().is_some() && analytics.all(|(_, granted)| *granted);
        prop_assert_eq!(!passed(&judged).is_empty(), is_allowed);
    }

    #[test]
    fn an_item_without_consent_leaves_no_trace(message in damaged_message(), said in any_preferences()) {
        prop_assume!(said.get(Purpose::Analytics.name()) != Some(&Value::Bool(true)));
        prop_assume!(message["context"]["consent"].is_object());
        let judged = check(&envelope(&[with_preferences(&message, &said)]), &browser_source(), &config(), &facts());
        prop_assert!(judged.iter().all(|judged| judged.redacted.is_none()));
    }

    #[test]
    fn any_bytes_are_judged_without_a_panic(bytes in vec(any::<u8>(), 0..400), gzip in any::<bool>()) {
        read_every_way(&bytes, gzip);
    }

    #[test]
    fn an_envelope_with_flipped_bytes_is_judged_without_a_panic(
        items in vec(item(), 0..3),
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        gzip in any::<bool>(),
    ) {
        let mut bytes = json!({"writeKey": "wk_shop", "context": {}, "batch": items}).to_string().into_bytes();
        if gzip {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&bytes)?;
            bytes = encoder.finish()?;
        }
        for (place, byte) in flips {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        read_every_way(&bytes, gzip);
    }
}

/// Reads the bytes in every way; no way may panic.
fn read_every_way(bytes: &[u8], gzip: bool) {
    let Ok(body) = inflate(bytes, gzip.then_some("gzip")) else { return };
    let _ = read_object(&body);
    for envelope in [read_batch(&body), read_single(&body, "track")].into_iter().flatten() {
        let judged = check(&envelope, &browser_source(), &config(), &facts());
        assert_eq!(judged.len(), envelope.items.len());
    }
}
