//! Gives each item the fields that its envelope carries once.
//!
//! `(item, envelope) → item`: the envelope's `context` and `integrations` add fields that the item lacks. The item's own fields
//! win. The envelope's ids are for items that name nobody. Objects are merged one level deep, as in `context.hilo`. Deeper objects are taken whole. An own field that is no object
//! counts as absent, and is noted.

use serde_json::{Map, Value};

use super::envelope::Envelope;
use super::notes::Notes;
use crate::outcome::Code;

/// The fields of a context that hold consent: Segment's and RudderStack's.
const CONSENT: [&str; 2] = ["consent", "consentManagement"];

/// The fields that name a person.
const IDS: [&str; 3] = ["anonymousId", "userId", "previousId"];

/// Gives item number `index` the envelope's `context`, `integrations` and ids.
pub(super) fn share(
    message: &mut Map<String, Value>,
    envelope: &Envelope,
    index: usize,
    notes: &mut Notes,
) {
    fill(message, "context", envelope.context.as_ref(), notes);
    fill(message, "integrations", envelope.integrations.as_ref(), notes);
    // Ids belong together: one id of the item's beside one of the envelope's could be two persons.
    let names = |field: &str| message.get(field).is_some_and(|id| !id.is_null());
    if !IDS.into_iter().any(names) {
        let ids = envelope.ids.iter();
        message.extend(ids.map(|(field, id)| ((*field).to_owned(), Value::String(id.clone()))));
    }
    // The page's count of dropped events stands once per envelope. On every item it would count once per item.
    if index > 0 && envelope.context.is_some() {
        let hilo = message.get_mut("context").and_then(|context| context.get_mut("hilo"));
        if let Some(Value::Object(hilo)) = hilo {
            hilo.remove("dropped");
        }
    }
}

fn fill(message: &mut Map<String, Value>, key: &str, shared: Option<&Value>, notes: &mut Notes) {
    if let Some(own) = message.get(key)
        && !own.is_object()
    {
        if !is_absent(own) {
            notes.remark(Code::WrongType, key, "send an object here; it was left out");
        }
        message.remove(key);
    }
    let Some(Value::Object(shared)) = shared else { return };
    match message.get_mut(key) {
        Some(Value::Object(own)) => merge(own, shared, 1),
        _ => {
            message.insert(key.to_owned(), Value::Object(shared.clone()));
        }
    }
}

/// Whether the value says nothing: PHP writes an empty object as an empty list.
fn is_absent(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn merge(own: &mut Map<String, Value>, shared: &Map<String, Value>, levels: usize) {
    // Consent and its revision belong together, in each of its two dialects: a mix of two consents would be a choice that no
    // visitor made.
    let speaks = |key: &str| own.get(key).is_some_and(|said| !is_absent(said));
    let has_consent = CONSENT.into_iter().any(speaks);
    for (key, theirs) in shared {
        if has_consent && CONSENT.contains(&key.as_str()) {
            continue;
        }
        match (own.get_mut(key), theirs) {
            (None, theirs) => {
                own.insert(key.clone(), theirs.clone());
            }
            (Some(mine), theirs) if is_absent(mine) => *mine = theirs.clone(),
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
        share(&mut message, &envelope, index, &mut Notes::default());
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
        for absent in [json!(null), json!([]), json!(7)] {
            check(json!({"locale": "es"}), absent, 0, json!({"locale": "es"}));
        }
        check(json!({"page": {"url": "a"}}), json!({"page": []}), 0, json!({"page": {"url": "a"}}));
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
    fn an_items_consent_in_one_dialect_is_never_mixed_with_the_envelopes_in_the_other() {
        let consent = |granted: bool| json!({"consent": {"categoryPreferences": {"analytics": granted}, "revision": 3}});
        let ids = |list: &str| json!({"consentManagement": {list: ["C0002"]}});
        for (shared, own) in [
            (ids("allowedConsentIds"), consent(false)),
            (ids("deniedConsentIds"), consent(true)),
            (consent(true), ids("deniedConsentIds")),
            (consent(false), ids("allowedConsentIds")),
            (ids("allowedConsentIds"), ids("deniedConsentIds")),
        ] {
            check(shared, own.clone(), 0, own);
        }
        // An item that says nothing in either dialect has the envelope's consent, in both.
        let mut both = consent(true);
        both["consentManagement"] = ids("deniedConsentIds")["consentManagement"].clone();
        for silent in [json!({}), json!({"consent": null}), json!({"consentManagement": []})] {
            check(both.clone(), silent, 0, both.clone());
        }
    }

    #[test]
    fn the_envelopes_ids_are_for_items_that_name_nobody() {
        let ids = vec![("anonymousId", "a".to_owned()), ("userId", "u".to_owned())];
        let envelope = Envelope { ids, ..Envelope::default() };
        let both = json!({"anonymousId": "a", "userId": "u"});
        for (item, expected) in [
            (json!({}), both.clone()),
            (json!({"anonymousId": null, "userId": null}), both),
            (json!({"anonymousId": "b"}), json!({"anonymousId": "b"})),
            (json!({"userId": "v"}), json!({"userId": "v"})),
            (json!({"previousId": "p"}), json!({"previousId": "p"})),
            // An odd id is refused, and never replaced.
            (json!({"anonymousId": ["b"]}), json!({"anonymousId": ["b"]})),
            (json!({"userId": ""}), json!({"userId": ""})),
        ] {
            let Value::Object(mut message) = item else { panic!("not an object") };
            share(&mut message, &envelope, 0, &mut Notes::default());
            assert_eq!(Value::Object(message), expected);
        }
    }

    #[test]
    fn the_count_of_dropped_events_reaches_the_first_item_only() {
        let shared = json!({"hilo": {"dropped": {"queue_full": 2}, "persistence": "local"}});
        check(shared.clone(), json!({}), 0, shared.clone());
        check(shared, json!({}), 1, json!({"hilo": {"persistence": "local"}}));
    }
}
