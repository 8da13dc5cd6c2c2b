//! What the rules about calls keep, whatever a system sends: no panic, the same result twice, bounded reports.

use std::sync::LazyLock;

use hilo_core::inbound::Told;
use hilo_core::inbound::presets::ALL;
use hilo_core::mapping::inbound::{Call, FORM_FIELDS_MAX, REPORT_BYTES_MAX, Rules, decode, map};
use hilo_core::testing::{any_json, any_text};
use hilo_tests::mapping::inbound;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// The rules of every preset, read once.
#[expect(clippy::unwrap_used, reason = "the helper of a test may assert the short way")]
static RULES: LazyLock<Vec<Rules>> = LazyLock::new(|| {
    let with_rules = ALL.iter().filter(|(_, text)| text.contains("[[map]]"));
    let settings = "timezone = \"Europe/Madrid\"\ncurrency = \"EUR\"\n";
    with_rules.map(|(name, _)| inbound(&format!("{settings}map = \"{name}\"\n")).unwrap()).collect()
});

/// Bodies of the presets' golden cases.
#[expect(clippy::unwrap_used, reason = "the helper of a test may assert the short way")]
fn bodies() -> Vec<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/inbound");
    let folders = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let files = files.map(|entry| entry.unwrap().path());
    let inputs = files.filter(|path| path.to_string_lossy().ends_with(".in.json"));
    let read =
        |path| serde_json::from_str::<Value>(&std::fs::read_to_string(path).unwrap()).unwrap();
    inputs.filter_map(|path| read(path).get("body").cloned()).collect()
}

/// Puts another value in the place of one of the document's values.
fn spoil(value: &mut Value, way: &[Index], other: &Value) {
    let Some((step, rest)) = way.split_first() else {
        *value = other.clone();
        return;
    };
    let mut inner: Vec<&mut Value> = match value {
        Value::Array(list) => list.iter_mut().collect(),
        Value::Object(object) => object.values_mut().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    if inner.is_empty() {
        *value = other.clone();
    } else {
        let at = step.index(inner.len());
        spoil(inner.remove(at), rest, other);
    }
}

fn check(rules: &Rules, body: &Value, headers: &Value) -> Result<(), TestCaseError> {
    let call = Call { body, headers };
    let mapped = map(rules, call);
    prop_assert_eq!(&map(rules, call), &mapped);
    for report in mapped.into_iter().flatten() {
        if let Told::Act { event, properties } = report.told {
            prop_assert!(!event.is_empty());
            // JSON escapes a character by six at most.
            prop_assert!(Value::Object(properties).to_string().len() <= 6 * REPORT_BYTES_MAX);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_rules_of_every_preset_end_over_any_body(body in any_json(), topic in any_text()) {
        let headers = json!({ "x-shopify-topic": topic, "x-wc-webhook-topic": topic });
        for rules in RULES.iter() {
            check(rules, &body, &headers)?;
        }
    }

    #[test]
    fn the_rules_of_every_preset_end_over_a_body_with_a_value_of_another_kind(
        body in select(bodies()), way in prop::collection::vec(any::<Index>(), 1..8), other in any_json()
    ) {
        let mut body = body;
        spoil(&mut body, &way, &other);
        for topic in ["orders/create", "order.created", "refunds/create"] {
            let headers = json!({ "x-shopify-topic": topic, "x-wc-webhook-topic": topic });
            for rules in RULES.iter() {
                check(rules, &body, &headers)?;
            }
        }
    }

    #[test]
    fn any_bytes_are_a_document_or_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200), form in "[a-c=&\\[\\]%+0-9]{0,60}", field in any_text()
    ) {
        for body in [bytes.as_slice(), form.as_bytes()] {
            for kind in ["application/x-www-form-urlencoded", "application/json"] {
                let read = decode(kind, body, Some(&field));
                prop_assert_eq!(&decode(kind, body, Some(&field)), &read);
                if let Ok(Value::Object(fields)) = read {
                    prop_assert!(fields.len() <= FORM_FIELDS_MAX);
                }
            }
        }
    }
}
