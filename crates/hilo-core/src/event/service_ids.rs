//! The ids that other services give to a browser, and what each is for.
//!
//! `(context, which purposes are allowed) → the ids that may stay`. Does not decide what a person allowed, and reads no cookie.

use alloc::string::String;

use serde_json::Value;

use super::{Context, Device, Event, EventKind, Properties};
use crate::consent::Purpose;
use crate::query_keys::CLICK_IDS;
use crate::text::{cut, percent_decode};

/// The ids that other services give to a browser by cookies and click ids, and the purposes of each, all of which it needs. The names are
/// the rows `context.ids.*` of the field table.
///
/// `ga` is the cookie `_ga` or the client id in it, `gaSession` the cookie `_ga_<stream>` or the session id in it. The other names are
/// those of the cookies without the `_` in front, and of the query keys.
pub const SERVICE_IDS: [(&str, &[Purpose]); 11] = [
    ("fbc", &[Purpose::Advertising]),
    ("fbp", &[Purpose::Advertising]),
    ("ga", &[Purpose::Analytics]),
    ("gaSession", &[Purpose::Analytics]),
    ("gbraid", &[Purpose::Advertising]),
    ("gclid", &[Purpose::Advertising]),
    ("hubspotutk", &[Purpose::Analytics, Purpose::Functional]),
    ("mkto_trk", &[Purpose::Analytics, Purpose::Personalization]),
    ("ttclid", &[Purpose::Advertising]),
    ("ttp", &[Purpose::Advertising]),
    ("wbraid", &[Purpose::Advertising]),
];

/// The purposes of the id with this name. `None` for a name that is not in the table.
pub fn purposes_of_service_id(name: &str) -> Option<&'static [Purpose]> {
    SERVICE_IDS.iter().find(|(known, _)| *known == name).map(|(_, purposes)| *purposes)
}

/// Whether the id with this name comes from a cookie, so that it stands for a browser beyond one visit.
pub(super) fn is_of_browser(name: &str) -> bool {
    let is_of_click = || CLICK_IDS.iter().any(|(key, ..)| *key == name);
    purposes_of_service_id(name).is_some() && !is_of_click()
}

impl Context {
    /// Removes what names the person's device or reaches it (the field table's class `Device`).
    pub fn remove_device_ids(&mut self) {
        self.network.remove("carrier");
        let without_ids = |Device { class, manufacturer, model, version, .. }| Device {
            class,
            manufacturer,
            model,
            version,
            ..Device::default()
        };
        let device = self.device.take().map(without_ids);
        self.device = device.filter(|device| *device != Device::default());
    }

    /// Keeps the ids of other services whose purposes are allowed. Returns whether all are kept.
    pub fn keep_ids_for(&mut self, are_allowed: impl Fn(&[Purpose]) -> bool) -> bool {
        let before = self.ids.len();
        self.ids.retain(|name, _| purposes_of_service_id(name).is_some_and(&are_allowed));
        self.ids.len() == before
    }
}

impl Event {
    /// Removes click ids, all of which are for advertising: the list of them, and the parameters of addresses, where the same value
    /// stands again. The channel that they stand for stays.
    pub fn remove_click_ids(&mut self) {
        let hilo = &mut self.context.hilo;
        hilo.click_ids.clear();
        let landing = hilo.session.as_mut().and_then(|session| session.landing.as_mut());
        let landing = landing.into_iter().flat_map(|page| [&mut page.url, &mut page.referrer]);
        let page = self.context.page.iter_mut();
        let page = page.flat_map(|page| [&mut page.url, &mut page.search, &mut page.referrer]);
        let referrer = self.context.referrer.iter_mut();
        let referrer = referrer.flat_map(|referrer| [&mut referrer.link, &mut referrer.url]);
        landing.chain(page).chain(referrer).flatten().for_each(remove_from);
        remove_from_all(&mut self.context.traits);
        match &mut self.kind {
            EventKind::Track { properties, .. }
            | EventKind::Page { properties, .. }
            | EventKind::Screen { properties, .. } => remove_from_all(properties),
            EventKind::Identify { traits } | EventKind::Group { traits, .. } => {
                remove_from_all(traits);
            }
            EventKind::Alias { .. } => {}
        }
    }
}

/// Whether a name is that of a click id, or of a cookie that is made of one.
fn is_click_id(name: &str) -> bool {
    CLICK_IDS.iter().any(|(key, ..)| key.eq_ignore_ascii_case(name)) || name == "fbc"
}

fn remove_from_all(properties: &mut Properties) {
    properties.retain(|name, value| !is_click_id(name) || !value.is_string());
    properties.values_mut().for_each(remove_from_value);
}

fn remove_from_value(value: &mut Value) {
    match value {
        Value::String(text) => remove_from(text),
        Value::Array(values) => values.iter_mut().for_each(remove_from_value),
        Value::Object(object) => remove_from_all(object),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Removes the parameters that are click ids from query and fragment of an address. Another text stays as it is.
fn remove_from(text: &mut String) {
    let is_marked = |pair: &str| {
        let (name, value) = cut(pair, b'=');
        value.is_some() && is_click_id(&String::from_utf8_lossy(&percent_decode(name)))
    };
    let has_any = text.split(['?', '#', '&']).skip(1).any(is_marked);
    if !has_any {
        return;
    }
    let mut out = String::with_capacity(text.len());
    // The mark that begins the part at hand, until the first parameter of it is kept.
    let mut mark = None;
    let mut rest = text.as_str();
    loop {
        let end = rest.find(['?', '#', '&']).unwrap_or(rest.len());
        let (pair, behind) = rest.split_at(end);
        if mark.is_none() || !is_marked(pair) {
            out.extend(mark.take());
            out.push_str(pair);
        }
        let mut chars = behind.chars();
        let Some(next) = chars.next() else { break };
        // A parameter that follows a removed first one gets its `?`.
        mark = match (mark, next) {
            (Some(first), '&') => Some(first),
            (_, next) => Some(next),
        };
        rest = chars.as_str();
    }
    *text = out;
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;
    use crate::consent::{Choice, ConsentState, Decision, decide};
    use crate::service_cookies::{readable, service_id_of};

    #[test]
    fn click_ids_leave_an_address_and_everything_else_stays() {
        for (before, after) in [
            ("https://a.example/p?gclid=C1", "https://a.example/p"),
            ("https://a.example/p?gclid=C1&q=wool#top", "https://a.example/p?q=wool#top"),
            ("?utm_source=x&fbclid=F1&q=wool", "?utm_source=x&q=wool"),
            ("/p?q=1&msclkid=M1&ttclid=T1", "/p?q=1"),
            ("/#/p?q=1&GCLID=C1", "/#/p?q=1"),
            ("/p#gclid=C1&top", "/p#top"),
            ("/p?gclid=C1&wbraid=W1#top", "/p#top"),
            ("/p?gcl%69d=C1", "/p"),
            ("gclid=C1 is a text & no address", "gclid=C1 is a text & no address"),
            ("/p?gclid&a=?b#?&&=", "/p?gclid&a=?b#?&&="),
        ] {
            let mut text = before.to_string();
            remove_from(&mut text);
            assert_eq!(text, after);
        }
    }

    #[test]
    fn a_cookie_is_read_for_the_purposes_of_its_id_alone() {
        for (name, value) in [
            ("_ga", "1.2"),
            ("_ga_ABC123", "1747323152"),
            ("_fbp", "fb.1.1795513800000.1"),
            ("_fbc", "fb.1.1795513800000.1"),
            ("_ttp", "2kXbWnYhJ0pQf8RzLmT1cVd3sA"),
            ("hubspotutk", "0123456789abcdef0123456789abcdef"),
            ("_mkto_trk", "id:123-ABC-456&token:_mch-shop.example-1764792191000-12345"),
        ] {
            let (id, _) = service_id_of(name, value).unwrap();
            let (_, purposes) = SERVICE_IDS.iter().find(|(known, _)| *known == id).unwrap();
            for granted in 0..1_u32 << Purpose::ALL.len() {
                let mut said = ConsentState::from_bits(granted, 1);
                // Without it no event leaves the page.
                said.set(Purpose::Analytics, Choice::Granted);
                let is_allowed = decide(&said, purposes) == Decision::Pass;
                let is_read = readable(&said).split(' ').any(|one| name.starts_with(one));
                assert_eq!(is_read, is_allowed, "{name}: {said:?}");
            }
        }
    }
}
