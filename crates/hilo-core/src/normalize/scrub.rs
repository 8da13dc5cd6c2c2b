//! Redacts secrets and personal data in every address of an event, and shortens addresses to their limit.
//!
//! Fields and keys that hold addresses are known by name (the field table). Elsewhere an address is known by its shape, at any
//! depth and in keys as well. Two keys of an object that are alike after redaction are numbered, and a remark tells it. Ids stay
//! unchanged, because two ids that are alike after redaction would be one person. Our tracker redacts its pages too. This step
//! covers properties, other libraries, servers and old trackers.

use serde_json::{Map, Value};

use crate::event::fields::{NAME_BYTES_MAX, URL_BYTES_MAX, URL_KEYS};
use crate::event::{Context, Event, EventKind, Facts, KEY_BYTES_MAX};
use crate::outcome::{Code, Rejection};
use crate::redact;
use crate::text::shortened;

/// One round redacts, and a second finds no change. Further rounds redact values that shortening created.
const ROUNDS_MAX: usize = 4;

/// Redacts and shortens every address. Returns a remark for each field in which keys were numbered.
pub fn apply(event: &mut Event, _facts: &Facts) -> Vec<Rejection> {
    addresses(&mut event.context);
    texts(&mut event.context);
    match &mut event.kind {
        EventKind::Track { event, .. } => text(event),
        EventKind::Page { name, category, .. } | EventKind::Screen { name, category, .. } => {
            [name, category].into_iter().flatten().for_each(text);
        }
        EventKind::Identify { .. } | EventKind::Group { .. } | EventKind::Alias { .. } => {}
    }
    let is_about_traits =
        matches!(event.kind, EventKind::Identify { .. } | EventKind::Group { .. });
    let details = if is_about_traits { "traits" } else { "properties" };
    let Context { app, network, screen, traits, .. } = &mut event.context;
    let named = [
        ("context.app", app),
        ("context.network", network),
        ("context.screen", screen),
        ("context.traits", traits),
        ("integrations", &mut event.integrations),
    ];
    let details = event.kind.details_mut().map(|object| (details, object));
    let numbered = |(field, place): (&str, &mut Map<String, Value>)| {
        let message = "keys that are alike after redaction were numbered";
        (object(place) > 0).then(|| Rejection::at(Code::DuplicateKey, field, message))
    };
    details.into_iter().chain(named).filter_map(numbered).collect()
}

/// The context's fields of the class `Url`.
fn addresses(context: &mut Context) {
    if let Some(page) = &mut context.page {
        for slot in [&mut page.url, &mut page.path, &mut page.search, &mut page.referrer] {
            slot.iter_mut().for_each(|text| scrub(text, URL_BYTES_MAX));
        }
    }
    if let Some(referrer) = &mut context.referrer {
        for slot in [&mut referrer.url, &mut referrer.link] {
            slot.iter_mut().for_each(|text| scrub(text, URL_BYTES_MAX));
        }
    }
    let landing = context.hilo.session.as_mut().and_then(|session| session.landing.as_mut());
    if let Some(landing) = landing {
        for slot in [&mut landing.url, &mut landing.referrer] {
            slot.iter_mut().for_each(|text| scrub(text, URL_BYTES_MAX));
        }
    }
}

/// The context's other texts that people and programs write: a page without a title has its address as title.
fn texts(context: &mut Context) {
    let Context {
        campaign, channel, device, library, locale, location, os, page, referrer, ..
    } = context;
    let mut slots = vec![channel, locale, &mut context.timezone, &mut context.hilo.persistence];
    slots.extend(campaign.iter_mut().flat_map(|campaign| campaign.texts_mut()));
    if let Some(device) = device {
        slots.extend([&mut device.class, &mut device.manufacturer, &mut device.model]);
        slots.extend([&mut device.name, &mut device.version]);
    }
    if let Some(library) = library {
        slots.extend([&mut library.name, &mut library.version]);
    }
    if let Some(location) = location {
        slots.extend([&mut location.country, &mut location.region, &mut location.city]);
    }
    if let Some(os) = os {
        slots.extend([&mut os.name, &mut os.version]);
    }
    if let Some(page) = page {
        slots.push(&mut page.title);
    }
    if let Some(referrer) = referrer {
        slots.extend([&mut referrer.id, &mut referrer.kind, &mut referrer.name]);
    }
    slots.into_iter().flatten().for_each(text);
}

/// An object with the sender's own keys. Returns how many keys were numbered, at any depth.
fn object(object: &mut Map<String, Value>) -> usize {
    let mut count = 0;
    if object.keys().any(|key| is_address(key)) {
        count += rename(object);
    }
    for (key, inner) in object {
        count += value(inner, URL_KEYS.contains(&key.as_str()));
    }
    count
}

/// Redacts keys that are addresses. A key that is another's then gets a number. Returns how many did.
fn rename(object: &mut Map<String, Value>) -> usize {
    let (mut renamed, mut count, mut last) = (Vec::new(), 0, 1);
    let before = std::mem::take(object);
    for (key, value) in before {
        let scrubbed = scrubbed(&key);
        // A key that redaction leaves as it is keeps its name, so a second run changes nothing.
        if scrubbed == key {
            object.insert(key, value);
        } else {
            renamed.push((scrubbed, value));
        }
    }
    for (mut key, value) in renamed {
        if object.contains_key(&key) {
            key = numbered(&key, object, &mut last);
            count += 1;
        }
        object.insert(key, value);
    }
    count
}

/// `base` with the next number, as a name that `object` has not. `last` grows with each try, so a whole object costs one try for
/// each of its keys.
fn numbered(base: &str, object: &Map<String, Value>, last: &mut usize) -> String {
    loop {
        *last += 1;
        // Behind `&` the number is a parameter of its own, which redaction leaves. A key without room for it loses its address.
        let mut name = format!("{base}&{last}");
        if name.len() > KEY_BYTES_MAX || scrubbed(&name) != name {
            name = format!("redacted {last}");
        }
        if !object.contains_key(&name) {
            return name;
        }
    }
}

fn scrubbed(key: &str) -> String {
    let mut key = key.to_owned();
    if is_address(&key) {
        scrub(&mut key, KEY_BYTES_MAX);
    }
    key
}

/// Returns how many keys were numbered.
fn value(value: &mut Value, is_named: bool) -> usize {
    match value {
        Value::String(text) if is_named || is_address(text) => {
            let bytes_max = text.len().max(URL_BYTES_MAX);
            scrub(text, bytes_max);
            0
        }
        Value::Array(values) => values.iter_mut().map(|value| self::value(value, is_named)).sum(),
        Value::Object(object) => self::object(object),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// Redacts a short text if it is an address by its shape.
pub(super) fn text(text: &mut String) {
    if is_address(text) {
        let bytes_max = text.len().max(NAME_BYTES_MAX);
        scrub(text, bytes_max);
    }
}

/// Whether a text has the shape of an address: `scheme://…`, `//host/…`, or `/path` with parameters.
fn is_address(text: &str) -> bool {
    let text = text.trim_start();
    let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let scheme = text.bytes().take_while(is_of_scheme).count();
    let (scheme, rest) = text.split_at(scheme);
    // A blank before the path belongs to a sentence: `https://shop.example is great`.
    let host = |text: &str| {
        let end = text.find(['/', '?', '#']).unwrap_or(text.len());
        text.get(..end).is_some_and(|host| !host.contains(char::is_whitespace)).then_some(end)
    };
    if let Some(rest) = rest.strip_prefix("://") {
        return !scheme.is_empty() && host(rest).is_some();
    }
    if !scheme.is_empty() || !rest.starts_with('/') {
        return false;
    }
    if let Some(rest) = rest.strip_prefix("//") {
        return host(rest).is_some_and(|end| end > 0 && end < rest.len());
    }
    let path = rest.find(['?', '#']).map(|end| rest.split_at(end));
    path.is_some_and(|(path, query)| !path.contains(char::is_whitespace) && query.contains('='))
}

/// Redacts and shortens until nothing changes: digits that were cut in the middle may look like a card number.
fn scrub(text: &mut String, bytes_max: usize) {
    for _ in 0..ROUNDS_MAX {
        let mut scrubbed = redact::url(text);
        scrubbed.truncate(shortened(&scrubbed, bytes_max).len());
        if scrubbed == *text {
            return;
        }
        *text = scrubbed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_shortening_created_is_redacted_too() {
        let mut address = "https://shop.example/".to_owned();
        address.push_str(&"-".repeat(URL_BYTES_MAX - address.len() - 15));
        address.push('/');
        let kept = address.clone();
        address.push_str(&"0".repeat(40));
        scrub(&mut address, URL_BYTES_MAX);
        assert_eq!(address, kept + "redacted");
    }

    #[test]
    fn keys_that_are_alike_after_redaction_keep_their_values_under_numbers() {
        let long = "x".repeat(KEY_BYTES_MAX - 10);
        let mut keys = vec![
            "/?email=ana%40example.com".to_owned(),
            "/?email=bob%40example.com".to_owned(),
            "/?email=redacted".to_owned(),
            "/?email=redacted&2".to_owned(),
            "https://ana:pw@shop.example/a".to_owned(),
            "https://bob:pw@shop.example/a".to_owned(),
            format!("/?{long}&pin=1"),
            format!("/?{long}&pin=2"),
        ];
        keys.sort();
        let given: Map<_, _> =
            keys.into_iter().zip(1..).map(|(k, i)| (k, Value::from(i))).collect();
        let mut found = given.clone();
        assert_eq!(object(&mut found), 4);
        let values = |object: &Map<String, Value>| -> std::collections::BTreeSet<_> {
            object.values().filter_map(Value::as_u64).collect()
        };
        assert_eq!(values(&found), values(&given));
        let named: Vec<_> = found.keys().filter(|key| key.len() < 40).map(String::as_str).collect();
        let expected = [
            "/?email=redacted",
            "/?email=redacted&2",
            "/?email=redacted&3",
            "/?email=redacted&4",
            "https://shop.example/a",
            "https://shop.example/a&6",
            "redacted 5",
        ];
        assert_eq!(named, expected);
        let once = found.clone();
        assert_eq!((object(&mut found), &found), (0, &once));
    }

    #[test]
    fn an_address_is_known_by_its_shape() {
        for text in [
            "https://shop.example",
            "HTTP://SHOP.EXAMPLE/?a=b",
            " https://ana:pw@shop.example/blue mug",
            "shop://reset?token=1",
            "file:///home/ana",
            "//cdn.example/i.png",
            "//cdn.example?a=b",
            "/reset?token=1",
            "/#/reset?token=1",
            "/#token=1",
        ] {
            assert!(is_address(text), "{text}");
        }
    }

    #[test]
    fn a_text_that_only_resembles_an_address_is_none() {
        for text in [
            "",
            "/",
            "//",
            "https",
            "https:",
            "://shop.example",
            "https://shop.example is great, ana@example.com says",
            "See https://shop.example/?token=1",
            "// token=1",
            "///",
            "//cdn.example",
            "/p/mug",
            "/help?",
            "Is /help?topic=x right?",
            "/ or ?a=b",
            "ana@example.com",
            "a/b?c=d",
            "10:30",
        ] {
            assert!(!is_address(text), "{text}");
        }
    }
}
