//! The fault catalogue over every kind that has golden cases: each event has an end, and nobody learns a secret or a person.

use std::fs;
use std::path::{Path, PathBuf};

use super::script::{EMAIL, PHONE, catalogue, live_through, word};
use super::*;
use crate::forward::destinations::CATALOGUE;
use crate::forward::destinations::testing::HEAD;

/// The kinds of the catalogue that have golden cases, with their settings and secrets.
pub(super) fn kinds() -> Vec<(Config, BTreeMap<String, String>)> {
    let read = |kind: &Kind| {
        let secrets = fs::read_to_string(folder(kind.name).join("secrets.json")).ok()?;
        Some((configured(kind.name, "")?, serde_json::from_str(&secrets).unwrap()))
    };
    CATALOGUE.iter().filter_map(read).collect()
}

/// The destination of a kind's golden cases, with further lines of settings.
pub(super) fn configured(kind: &str, more: &str) -> Option<Config> {
    let settings = fs::read_to_string(folder(kind).join("settings.toml")).ok()?;
    Some(parse(&format!("{HEAD}{settings}\n{more}\n")).unwrap())
}

fn folder(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/forward").join(kind)
}

/// Events of one person that most kinds want.
pub(super) fn events() -> Vec<Delivery> {
    let traits = json!({"email": EMAIL, "phone": PHONE, "firstName": "Ana", "lastName": "García"});
    let at = json!({"at": NOW, "source": "shop", "vouched": true});
    let known = traits.as_object().unwrap().iter().map(|(name, value)| {
        let mut known = at.clone();
        known["value"] = value.clone();
        (name.clone(), known)
    });
    let known: serde_json::Map<_, _> = known.collect();
    let person: Person = serde_json::from_value(json!({
        "anonymousIds": ["a1"], "userId": "customer-77", "traits": known, "optins": {"email": "subscribed"},
    }))
    .unwrap();
    let person = Rc::new(person);
    let granted = json!({"analytics": true, "advertising": true, "functional": true, "marketing": true, "personalization": true});
    let goods = json!({"order_id": "o-1", "currency": "EUR", "total": 12.5, "value": 12.5, "email": EMAIL,
        "products": [{"product_id": "p1", "name": "Mug", "price": 12.5, "quantity": 1}]});
    let one = |(kind, name): &(&str, &str)| {
        let id = format!("{kind}-{}", name.replace(' ', "-"));
        let event = json!({
            "messageId": id, "type": kind, "event": name, "anonymousId": "a1", "userId": "customer-77",
            "properties": goods, "traits": traits, "timestamp": NOW, "receivedAt": NOW,
            "context": {"consent": {"categoryPreferences": granted, "revision": 1}, "traits": traits, "page": {"url": "https://shop.example/p"}, "ip": "203.0.113.77"},
        });
        Delivery {
            event: event.to_string(),
            person: Some(Rc::clone(&person)),
            ..delivery(&id, kind)
        }
    };
    [
        ("identify", ""),
        ("page", ""),
        ("track", "Product Added"),
        ("track", "Order Completed"),
        ("track", "Lead Submitted"),
    ]
    .iter()
    .map(one)
    .collect()
}

/// Lines of the catalogue that are no event's fault.
const REDIRECTS: [&str; 3] = ["moved", "moved for good", "redirect to a private host"];

#[test]
fn every_kind_survives_the_catalogue() {
    let kinds = kinds();
    assert!(!kinds.is_empty(), "no kind has golden cases");
    for (config, secrets) in &kinds {
        for (name, script) in catalogue() {
            let loaded = || Loaded::of(&config.destinations[0]).unwrap();
            let kind = loaded().kind;
            let assumed = loaded();
            let mut wanted = events();
            wanted.retain(|one| assumed.destination.wants(&one.read_event().unwrap()));
            if !kind.limits.wants_person {
                wanted.iter_mut().for_each(|one| one.person = None);
            }
            let outcome = live_through(loaded(), wanted.clone(), secrets, &script);
            let about = format!("{} at {name}", kind.name);
            assert_eq!(outcome.ends.len(), wanted.len(), "{about}: an event has no end");
            let values = secrets.values().map(String::as_str);
            for hidden in values.chain([
                EMAIL,
                PHONE,
                "600111222",
                "García",
                "customer-77",
                "203.0.113.77",
                "at_secret",
            ]) {
                assert!(
                    !outcome.texts.contains(hidden),
                    "{about} tells {hidden}: {}",
                    outcome.texts
                );
            }
            if REDIRECTS.contains(&name) {
                let end =
                    |end: &DeliveryResult| word(end) != "dead refused" && word(end) != "delivered";
                assert!(outcome.ends.values().all(end), "{about}: {:?}", outcome.ends);
            }
            if name == "no answer for ever" {
                for one in &wanted {
                    let (event, mapped) = (one.read_event().unwrap(), Mapped::default());
                    let event =
                        BatchEvent { event: &event, source: None, person: None, mapped: &mapped };
                    let is_assumed = assumed.destination.assumes_sent(&event, 0);
                    let end = word(&outcome.ends[&one.message_id]);
                    assert!(
                        !is_assumed || end != "dead given_up",
                        "{about}: {} was repeated",
                        one.message_id
                    );
                }
            }
        }
    }
}
