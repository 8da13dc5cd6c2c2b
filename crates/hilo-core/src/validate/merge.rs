//! Gives each item the fields that its envelope carries once.
//!
//! `(item, envelope) → item`: the envelope's `context` and `integrations` add fields that the item lacks. The item's own fields
//! win. Objects are merged one level deep, as in `context.hilo`. Deeper objects are taken whole.

use serde_json::{Map, Value};

use super::envelope::Envelope;

/// Gives item number `index` the envelope's `context` and `integrations`.
pub(super) fn share(message: &mut Map<String, Value>, envelope: &Envelope, index: usize) {
    fill(message, "context", envelope.context.as_ref());
    fill(message, "integrations", envelope.integrations.as_ref());
    // The page's count of dropped events stands once per envelope. On every item it would count once per item.
    if index > 0 && envelope.context.is_some() {
        let hilo = message.get_mut("context").and_then(|context| context.get_mut("hilo"));
        if let Some(Value::Object(hilo)) = hilo {
            hilo.remove("dropped");
        }
    }
}

fn fill(message: &mut Map<String, Value>, key: &str, shared: Option<&Value>) {
    let Some(Value::Object(shared)) = shared else { return };
    match message.get_mut(key) {
        None | Some(Value::Null) => {
            message.insert(key.to_owned(), Value::Object(shared.clone()));
        }
        Some(Value::Object(own)) => merge(own, shared, 1),
        // Not an object: the field table refuses it.
        Some(Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {}
    }
}

fn merge(own: &mut Map<String, Value>, shared: &Map<String, Value>, levels: usize) {
    for (key, theirs) in shared {
        match (own.get_mut(key), theirs) {
            (None | Some(Value::Null), theirs) => {
                own.insert(key.clone(), theirs.clone());
            }
            // A consent and its revision belong together: a mix of two consents would be a choice that no visitor made.
            (Some(_), _) if key == "consent" => {}
            (Some(Value::Object(own)), Value::Object(theirs)) if levels > 0 => {
                merge(own, theirs, levels - 1)
            }
            (Some(_), _) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(shared: Value, item: Value, index: usize, expected: Value) {
        let envelope = Envelope { context: Some(shared), ..Envelope::default() };
        let mut message = Map::from_iter([("context".to_owned(), item)]);
        share(&mut message, &envelope, index);
        assert_eq!(message["context"], expected);
    }

    #[test]
    fn fields_of_the_item_win_one_level_deep() {
        check(
            json!({"locale": "es", "page": {"url": "a", "title": "t"}}),
            json!({"locale": "en", "page": {"url": "b"}}),
            0,
            json!({"locale": "en", "page": {"url": "b", "title": "t"}}),
        );
        check(
            json!({"app": {"a": {"x": 1}}}),
            json!({"app": {"a": {"y": 1}}}),
            0,
            json!({"app": {"a": {"y": 1}}}),
        );
        check(json!({"locale": "es"}), Value::Null, 0, json!({"locale": "es"}));
    }

    #[test]
    fn an_items_consent_is_never_mixed_with_the_envelopes() {
        let own = json!({"consent": {"categoryPreferences": {"analytics": false}}});
        check(
            json!({"consent": {"categoryPreferences": {"analytics": true}, "revision": 9}}),
            own.clone(),
            0,
            own,
        );
    }

    #[test]
    fn the_count_of_dropped_events_reaches_the_first_item_only() {
        let shared = json!({"hilo": {"dropped": {"queue_full": 2}, "persistence": "local"}});
        check(shared.clone(), json!({}), 0, shared.clone());
        check(shared, json!({}), 1, json!({"hilo": {"persistence": "local"}}));
    }
}
