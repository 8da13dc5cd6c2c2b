//! Redacts secrets and personal data in every address of an event, and shortens addresses to their limit.
//!
//! Fields and keys that hold addresses are known by name (the field table). Elsewhere an address is known by its shape, at any
//! depth and in keys as well. Ids stay unchanged, because two ids that are alike after redaction would be one person. Our tracker
//! redacts its pages too. This step covers properties, other libraries, servers and old trackers.

use serde_json::{Map, Value};

use crate::event::fields::{NAME_BYTES_MAX, URL_BYTES_MAX, URL_KEYS};
use crate::event::{Context, Event, EventKind, Facts, KEY_BYTES_MAX};
use crate::redact;
use crate::text::shortened;

/// One round redacts, and a second finds no change. Further rounds redact values that shortening created.
const ROUNDS_MAX: usize = 4;

/// Redacts and shortens every address.
pub fn apply(event: &mut Event, _facts: &Facts) {
    addresses(&mut event.context);
    texts(&mut event.context);
    match &mut event.kind {
        EventKind::Track { event, .. } => text(event),
        EventKind::Page { name, category, .. } | EventKind::Screen { name, category, .. } => {
            [name, category].into_iter().flatten().for_each(text);
        }
        EventKind::Identify { .. } | EventKind::Group { .. } | EventKind::Alias { .. } => {}
    }
    event.kind.details_mut().into_iter().for_each(object);
    let Context { app, network, screen, traits, .. } = &mut event.context;
    [app, network, screen, traits, &mut event.integrations].into_iter().for_each(object);
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

/// An object with the sender's own keys.
fn object(object: &mut Map<String, Value>) {
    if object.keys().any(|key| is_address(key)) {
        *object =
            std::mem::take(object).into_iter().map(|(key, value)| (renamed(key), value)).collect();
    }
    for (key, inner) in object {
        value(inner, URL_KEYS.contains(&key.as_str()));
    }
}

fn renamed(mut key: String) -> String {
    if is_address(&key) {
        scrub(&mut key, KEY_BYTES_MAX);
    }
    key
}

fn value(value: &mut Value, is_named: bool) {
    match value {
        Value::String(text) if is_named || is_address(text) => {
            let bytes_max = text.len().max(URL_BYTES_MAX);
            scrub(text, bytes_max);
        }
        Value::Array(values) => values.iter_mut().for_each(|value| self::value(value, is_named)),
        Value::Object(object) => self::object(object),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
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
