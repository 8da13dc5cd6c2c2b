//! Consent in hilo's purposes: what Segment's and RudderStack's clients say under the names of a site's consent tool.
//!
//! `(message, [consent.categories]) → message`: `context.consent.categoryPreferences` holds purposes afterwards, and
//! `context.consentManagement` (RudderStack) has become a part of it. Names that nobody mapped are listed and grant or deny
//! nothing. Values of a wrong type stay, so that the field table refuses them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::Categories;
use crate::consent::Purpose;
use crate::outcome::{Code, Rejection};

/// RudderStack's lists of consent ids, each with what it says.
const LISTS: [(&str, bool); 2] = [("allowedConsentIds", true), ("deniedConsentIds", false)];

/// Categories that a message names and that `hilo.toml` does not map.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UnknownCategories {
    /// Their names, without repeats.
    pub(super) names: Vec<String>,
    /// Whether one of them is said to be denied: it may be a denial of any purpose.
    pub(super) has_denial: bool,
}

/// Replaces the categories of `message` by purposes. Of two statements about one purpose the denial wins.
///
/// # Errors
/// `wrong_type` for lists of consent ids that are no lists of texts.
pub(super) fn translate(
    message: &mut Map<String, Value>,
    categories: &Categories,
) -> Result<UnknownCategories, Rejection> {
    let mut said = Said { categories, purposes: BTreeMap::new(), unknown: Default::default() };
    let Some(Value::Object(context)) = message.get_mut("context") else { return Ok(said.unknown) };
    let management = context.remove("consentManagement");
    let consent = context.get_mut("consent").and_then(Value::as_object_mut);
    let preferences = consent.and_then(|consent| consent.get_mut("categoryPreferences"));
    let is_plain = |preferences: &Map<String, Value>| {
        preferences.keys().all(|name| Purpose::from_name(name).is_some())
    };
    match preferences {
        // Our own tracker sends purposes: nothing to translate.
        Some(Value::Object(own)) if management.is_none() && is_plain(own) => {
            return Ok(said.unknown);
        }
        Some(Value::Object(own)) => own.retain(|name, value| match value {
            Value::Bool(granted) => {
                said.hear(name, *granted);
                false
            }
            Value::Null => false,
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => true,
        }),
        _ => {}
    }
    said.hear_lists(management.as_ref())?;
    let Said { purposes, unknown, .. } = said;
    if !purposes.is_empty() {
        let consent = object_at(context, "consent");
        if let Some(own) = consent.and_then(|consent| object_at(consent, "categoryPreferences")) {
            let named = purposes.into_iter().map(|(purpose, granted)| (purpose.name(), granted));
            // What is left is odd, and it refuses the event: a grant under another name must not hide it.
            for (name, granted) in named {
                own.entry(name).or_insert(Value::Bool(granted));
            }
        }
    }
    Ok(unknown)
}

/// The object under `key`, made where it is missing or PHP's empty list; `None` if something else stands there.
pub(super) fn object_at<'m>(
    parent: &'m mut Map<String, Value>,
    key: &str,
) -> Option<&'m mut Map<String, Value>> {
    let value = parent.entry(key).or_insert(Value::Null);
    if value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

/// Unmapped names that a refusal lists. More would help nobody.
const NAMES_MAX: usize = 8;

/// The statements of one message.
struct Said<'c> {
    categories: &'c Categories,
    purposes: BTreeMap<Purpose, bool>,
    unknown: UnknownCategories,
}

impl Said<'_> {
    fn hear(&mut self, name: &str, granted: bool) {
        let Some(purposes) = self.categories.purposes(name) else {
            self.unknown.has_denial |= !granted;
            let names = &self.unknown.names;
            if names.len() < NAMES_MAX && !names.iter().any(|known| known == name) {
                self.unknown.names.push(name.to_owned());
            }
            return;
        };
        for purpose in purposes {
            *self.purposes.entry(*purpose).or_insert(true) &= granted;
        }
    }

    /// RudderStack's `context.consentManagement`: ids in lists, or as the keys of an object.
    fn hear_lists(&mut self, management: Option<&Value>) -> Result<(), Rejection> {
        let wrong = |field: &str, message: &str| {
            let field = format!("context.consentManagement{field}");
            Err(Rejection::at(Code::WrongType, field, message))
        };
        let management = match management {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Array(list)) if list.is_empty() => return Ok(()),
            Some(Value::Object(management)) => management,
            Some(_) => return wrong("", "send an object here"),
        };
        for (field, granted) in LISTS {
            match management.get(field) {
                None | Some(Value::Null) => {}
                Some(Value::Array(ids)) if ids.iter().all(Value::is_string) => {
                    ids.iter().filter_map(Value::as_str).for_each(|id| self.hear(id, granted));
                }
                Some(Value::Object(ids)) => ids.keys().for_each(|id| self.hear(id, granted)),
                Some(_) => return wrong(&format!(".{field}"), "send a list of texts here"),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::parse;

    const FILE: &str = r#"
        project = { controller = "Shop" }
        source = [{ name = "shop", kind = "browser", keys = ["wk_shop"], origins = ["https://shop.example"] }]
        [consent.categories]
        C0002 = "analytics"
        C0003 = "functional"
        C0004 = ["advertising", "sale_share"]
        Perf = "analytics"
    "#;

    #[track_caller]
    fn check(context: Value, preferences: Value, unknown: &[&str], has_denial: bool) {
        let config = parse(FILE).unwrap();
        let mut message = Map::from_iter([("context".to_owned(), context)]);
        let found = translate(&mut message, &config.consent.categories).unwrap();
        let translated = message["context"].pointer("/consent/categoryPreferences");
        assert_eq!(translated.unwrap_or(&Value::Null), &preferences);
        assert_eq!(
            (found.names, found.has_denial),
            (unknown.iter().map(|&n| n.to_owned()).collect(), has_denial)
        );
        assert_eq!(message["context"].get("consentManagement"), None);
    }

    fn preferences(said: Value) -> Value {
        json!({"consent": {"categoryPreferences": said, "revision": 2}})
    }

    #[test]
    fn a_grant_under_another_name_hides_no_odd_value() {
        check(
            preferences(json!({"analytics": "false", "C0002": true})),
            json!({"analytics": "false"}),
            &[],
            false,
        );
    }

    #[test]
    fn a_mapped_category_says_its_purposes() {
        check(
            preferences(json!({"C0002": true, "C0004": false})),
            json!({"analytics": true, "advertising": false, "sale_share": false}),
            &[],
            false,
        );
        check(preferences(json!({"Analytics": true})), json!({"analytics": true}), &[], false);
    }

    #[test]
    fn of_several_categories_of_a_purpose_a_denial_wins() {
        for said in [json!({"C0002": true, "Perf": false}), json!({"C0002": false, "Perf": true})] {
            check(preferences(said), json!({"analytics": false}), &[], false);
        }
        check(
            preferences(json!({"C0002": true, "Perf": true})),
            json!({"analytics": true}),
            &[],
            false,
        );
    }

    #[test]
    fn an_unmapped_category_says_nothing_and_is_listed() {
        check(preferences(json!({"DataSharing": true})), json!({}), &["DataSharing"], false);
        check(
            preferences(json!({"DataSharing": false, "C0003": true})),
            json!({"functional": true}),
            &["DataSharing"],
            true,
        );
    }

    #[test]
    fn at_most_eight_unmapped_categories_are_listed_and_none_is_forgotten_as_a_denial() {
        let names: Vec<_> = (1..=9).map(|n| format!("X{n}")).collect();
        let said = |last: bool| {
            let all = names.iter().map(|name| (name.clone(), Value::Bool(name != "X9" || last)));
            preferences(Value::Object(all.collect()))
        };
        let listed: Vec<_> = names.iter().take(8).map(String::as_str).collect();
        check(said(true), json!({}), &listed, false);
        check(said(false), json!({}), &listed, true);
    }

    #[test]
    fn the_consent_ids_of_rudderstack_are_categories() {
        let ids = json!({"allowedConsentIds": ["C0002", "Analytics"], "deniedConsentIds": ["C0003", "X"]});
        let expected = json!({"analytics": true, "functional": false});
        check(json!({"consentManagement": ids}), expected.clone(), &["X"], true);
        let ids = json!({"allowedConsentIds": {"C0002": "Performance"}, "deniedConsentIds": {"C0003": "x"}});
        check(json!({"consentManagement": ids}), expected, &[], false);
        let both = json!({"consent": {"categoryPreferences": {"analytics": true}}, "consentManagement": {"deniedConsentIds": ["C0002"]}});
        check(both, json!({"analytics": false}), &[], false);
        for nothing in [Value::Null, json!([]), json!({}), json!({"deniedConsentIds": []})] {
            check(json!({"consentManagement": nothing}), Value::Null, &[], false);
        }
    }

    #[test]
    fn a_value_of_a_wrong_type_stays_for_the_field_table() {
        check(preferences(json!({"C0002": "yes"})), json!({"C0002": "yes"}), &[], false);
        check(preferences(json!("all")), json!("all"), &[], false);
        let lists = json!({"consentManagement": {"allowedConsentIds": "C0002"}});
        let mut message = Map::from_iter([("context".to_owned(), lists)]);
        let refused = translate(&mut message, &Categories::default()).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("context.consentManagement.allowedConsentIds"));
    }
}
