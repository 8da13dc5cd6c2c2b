//! Builders and generators for tests: small valid inputs to change, and large strange inputs to survive.
//! Behind the feature `testing`. No part of it is in the product.

use std::sync::OnceLock;

use jiff::Timestamp;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::config::{
    Basis, Config, ConsentBasis, Key, KeyState, KeyText, Origin, Source, SourceKind, parse,
};
use crate::consent::Purpose;
use crate::event::{ClientHints, EVENT_BYTES_MAX, Event, Facts, Geo, KEY_BYTES_MAX, Trust};
use crate::validate::{Envelope, check, read_batch};

/// The edge clock in tests: the time of the documentation's examples.
pub const NOW: &str = "2026-11-24T10:00:00Z";

/// Facts of an ordinary request from a page.
pub fn facts() -> Facts {
    Facts {
        received_at: NOW.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        random: [7; 16],
        trust: Trust::Public,
        ip: Some("203.0.113.77".into()),
        user_agent: Some(
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0".into(),
        ),
        hints: ClientHints::default(),
        gpc: false,
        geo: Geo {
            country: Some("ES".into()),
            region: Some("Madrid".into()),
            city: Some("Madrid".into()),
            timezone: Some("Europe/Madrid".into()),
        },
    }
}

/// A page's source: `wk_shop`, from `https://shop.example`.
pub fn browser_source() -> Source {
    Source {
        name: "shop".into(),
        kind: SourceKind::Browser,
        keys: vec![Key { text: KeyText::Public("wk_shop".into()), state: KeyState::Active }],
        origins: Origin::parse("https://shop.example").into_iter().collect(),
        cookie_domain: None,
        consent_basis: None,
        device_ids: false,
        debug: false,
        is_trusted: false,
        webhook: None,
        feed: None,
        inbound: None,
    }
}

/// A backend's source. It has a basis for its events where `purposes` is not empty.
pub fn server_source(purposes: &[Purpose]) -> Source {
    let basis = ConsentBasis { basis: Basis::Contract, purposes: purposes.to_vec() };
    Source {
        name: "backend".into(),
        kind: SourceKind::Server,
        keys: vec![Key { text: KeyText::Secret([0; 32]), state: KeyState::Active }],
        origins: Vec::new(),
        cookie_domain: None,
        consent_basis: (!purposes.is_empty()).then_some(basis),
        device_ids: false,
        debug: false,
        is_trusted: true,
        webhook: None,
        feed: None,
        inbound: None,
    }
}

/// A configuration with nothing but what every configuration needs.
pub fn config() -> Config {
    // Laws ask for it with every case.
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| config_with("")).clone()
}

/// A configuration with these tables.
///
/// # Panics
/// If `tables` has problems.
#[expect(clippy::panic, reason = "a mistake of the test itself")]
pub fn config_with(tables: &str) -> Config {
    let source = "[[source]]\nname = 'shop'\nkind = 'browser'\nkeys = ['wk_shop']\norigins = ['https://shop.example']";
    let text = format!("[project]\ncontroller = 'Example Shop'\n{source}\n{tables}");
    parse(&text).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// A page view that passes.
pub fn page_message() -> Value {
    json!({
        "type": "page",
        "messageId": "5f0c1d52-8f3e-4a3b-9a57-3f2f6f0c9a11",
        "anonymousId": "0b0f1f5e-6a1c-4d51-8c8e-0d5c7c1f4e21",
        "timestamp": "2026-11-24T09:59:59.500Z",
        "properties": {},
        "context": {
            "page": {"url": "https://shop.example/", "path": "/", "title": "Shop"},
            "consent": {"categoryPreferences": {"analytics": true}, "revision": 1},
        },
    })
}

/// An envelope with `items`, read from the wire's form.
pub fn envelope(items: &[Value]) -> Envelope {
    let body = json!({"writeKey": "wk_shop", "sentAt": NOW, "batch": items}).to_string();
    read_batch(body.as_bytes()).unwrap_or_default()
}

/// The event that `message` becomes, if it passes.
pub fn event_of(message: &Value) -> Option<Event> {
    let judged =
        check(&envelope(std::slice::from_ref(message)), &browser_source(), &config(), &facts());
    judged.into_iter().find_map(|judged| judged.result.ok().map(|event| *event))
}

/// The event that `message` of a backend becomes, if it passes: its user id is vouched for.
pub fn server_event_of(message: &Value) -> Option<Event> {
    let source = server_source(&[Purpose::Analytics]);
    let facts = Facts { trust: Trust::Server, ..facts() };
    let judged = check(&envelope(std::slice::from_ref(message)), &source, &config(), &facts);
    judged.into_iter().find_map(|judged| judged.result.ok().map(|event| *event))
}

/// Text as people and attackers write it.
pub fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-zA-Z0-9 ñü/?&=.:@-]{0,40}",
        1 => any::<String>(),
        1 => Just("<script>alert(1)</script>".to_owned()),
        1 => Just("=cmd|' /C calc'!A0\r\nX: y\u{202e}\u{0}".to_owned()),
        1 => "[é]{0,9000}",
    ]
}

/// JSON of any shape, some levels deep.
pub fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|cents| Value::from(f64::from(cents) / 100.0)),
        any_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(any_key(), inner, 0..6).prop_map(Value::from_iter),
        ]
    })
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z_]{1,12}",
        1 => any::<String>().prop_map(|key| key.chars().take(KEY_BYTES_MAX / 4).collect()),
        1 => prop_oneof![Just("__proto__"), Just("context.ip"), Just("type"), Just("…")].prop_map(str::to_owned),
    ]
}

/// A web address with campaign keys and with keys that must be redacted.
pub fn any_url() -> impl Strategy<Value = String> {
    let query = "((utm_source|utm_medium|utm_campaign|gclid|fbclid|email|token|q)=[a-zA-Z0-9@.%+-]{0,20}&?){0,4}";
    ("(https?://[a-z]{1,12}[.](example|com)(:8080)?)?/[a-z/]{0,20}", query)
        .prop_map(|(page, query)| format!("{page}?{query}"))
}

/// A message that passes: every kind, with the fields that pages and servers send.
pub fn valid_message() -> impl Strategy<Value = Value> {
    let properties = btree_map("[a-z_]{1,12}", any_json(), 0..4).boxed();
    let kinds = prop_oneof![
        (any_name(), properties.clone())
            .prop_map(|(event, p)| json!({"type": "track", "event": event, "properties": p})),
        (any_name(), properties.clone())
            .prop_map(|(name, p)| json!({"type": "page", "name": name, "properties": p})),
        (any_name(), properties.clone())
            .prop_map(|(name, p)| json!({"type": "screen", "name": name, "properties": p})),
        properties.clone().prop_map(|traits| json!({"type": "identify", "traits": traits})),
        (any_id(), properties)
            .prop_map(|(id, traits)| json!({"type": "group", "groupId": id, "traits": traits})),
        any_id().prop_map(|id| json!({"type": "alias", "previousId": id})),
    ];
    let times = proptest::option::of(any_time());
    let message =
        (kinds, any_id(), any_id(), proptest::option::of(any_id()), times, valid_context())
            .prop_map(|(mut message, message_id, anonymous_id, user_id, timestamp, context)| {
                let rest = json!({
                    "messageId": message_id, "anonymousId": anonymous_id, "userId": user_id,
                    "timestamp": timestamp, "context": context,
                });
                if let (Value::Object(message), Value::Object(rest)) = (&mut message, rest) {
                    message.extend(rest);
                }
                message
            });
    message.prop_filter("larger than an event may be", |message| {
        message.to_string().len() <= EVENT_BYTES_MAX
    })
}

fn any_name() -> impl Strategy<Value = String> {
    "[A-Za-zñ][A-Za-zñ ]{0,30}"
}

fn any_id() -> impl Strategy<Value = String> {
    "id-[a-z0-9-]{1,30}"
}

/// Times around now, and times of broken clocks.
fn any_time() -> impl Strategy<Value = Value> {
    prop_oneof![
        (1_700_000_000_000_i64..1_800_000_000_000).prop_map(Value::from),
        (-62_000_000_000_000_i64..250_000_000_000_000).prop_map(Value::from),
        Just(json!("2026-11-24T10:59:59.123+01:00")),
    ]
}

fn valid_context() -> impl Strategy<Value = Value> {
    (any_url(), any_url(), any_text(), proptest::option::of("[0-9]{13}"), any_text()).prop_map(
        |(url, referrer, title, session, user_agent)| {
            let session = session.map(|id| json!({"id": id, "landing": {"url": url, "referrer": referrer, "via": "page"}}));
            json!({
                "page": {"url": url, "referrer": referrer, "title": title},
                "consent": {"categoryPreferences": {"analytics": true, "advertising": false}, "revision": 2},
                "userAgent": user_agent,
                "hilo": {"session": session},
            })
        },
    )
}

/// An event that passed validation, as every later stage gets it.
pub fn any_event() -> impl Strategy<Value = Event> {
    valid_message().prop_filter_map("refused", |message| event_of(&message))
}

/// A damaged message: fields of a valid message are removed, replaced or added.
pub fn damaged_message() -> impl Strategy<Value = Value> {
    (
        valid_message(),
        vec((any::<prop::sample::Index>(), any_key(), proptest::option::of(any_json())), 1..4),
    )
        .prop_map(|(mut message, damages)| {
            for (place, key, value) in damages {
                damage(&mut message, place.index(8), &key, value);
            }
            message
        })
}

fn damage(message: &mut Value, place: usize, key: &str, value: Option<Value>) {
    let mut target = message;
    // Walks down one known path, so that damage also reaches fields of the field table.
    for step in ["context", "hilo", "session", "landing"].iter().take(place / 2) {
        if target.get(step).is_none_or(|inner| !inner.is_object()) {
            break;
        }
        match target.get_mut(step) {
            Some(inner) => target = inner,
            None => return,
        }
    }
    let Value::Object(object) = target else { return };
    let existing = object.keys().nth(place % object.len().max(1)).cloned();
    let key = if place.is_multiple_of(2) {
        existing.unwrap_or_else(|| key.to_owned())
    } else {
        key.to_owned()
    };
    match value {
        Some(value) => object.insert(key, value),
        None => object.remove(&key),
    };
}

/// An object of some purposes, each granted, denied or unset.
pub fn any_preferences() -> impl Strategy<Value = Map<String, Value>> {
    let choice = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from)];
    let name =
        proptest::sample::select(Purpose::ALL.map(Purpose::name).to_vec()).prop_map(str::to_owned);
    btree_map(name, choice, 0..6).prop_map(Map::from_iter)
}
