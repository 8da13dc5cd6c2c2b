//! What analytics and ad platforms read of an event beside its goods: the person's contact details, the worth, the ids that they gave
//! to the browser, and the consent.
//!
//! Event and person → the values as they are. Normalizing and hashing are in `hashing.rs`, and each kind has its own names.

use hilo_core::consent::{Choice, Purpose};
use hilo_core::event::{Event, EventKind};
use hilo_core::money::{Amount, Currency};
use hilo_core::profile::{Person, Trait};
use serde_json::{Map, Number, Value};

use super::commerce::{Commerce, Product};
use super::contact;
use super::hashing::{Normal, hashed, phone_digits};
use crate::forward::destination::BatchEvent;
use crate::platform::Response;

/// Where an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On a page, whose address is known.
    Web,
    /// In a shop.
    Store,
    /// On the phone.
    Phone,
    /// Elsewhere, or nobody knows.
    Other,
}

impl Place {
    /// The event's own word first: `channel` in its properties. A till and a telephone system send it.
    pub(super) fn of(event: &Event) -> Place {
        let said = event.kind.details().and_then(|details| details.get("channel"));
        match (said.and_then(Value::as_str), event.kind.label()) {
            (Some("store"), _) | (_, Some("Store Visited")) => Place::Store,
            (Some("phone"), _) | (_, Some("Call Received" | "Call Made")) => Place::Phone,
            _ if page_url(event).is_some() => Place::Web,
            _ => Place::Other,
        }
    }
}

/// The details of an event's person that services recognize people by. A form or a choice may name somebody else than the person who
/// is signed in: then nothing of that person goes along, because the service would join the two.
pub(super) struct Contact<'e> {
    event: &'e Event,
    own: contact::Contact<'e>,
    /// `None` too where the event is about somebody else.
    person: Option<&'e Person>,
    is_allowed: fn(&Trait) -> bool,
}

impl<'e> Contact<'e> {
    /// The event's own words count first, then the traits of the person that `is_allowed` lets through.
    pub(super) fn of(one: &BatchEvent<'e>, is_allowed: fn(&Trait) -> bool) -> Contact<'e> {
        let mut own = contact::Contact::of(one);
        own.is_other |= is_number_of_other(one);
        let person = one.person.filter(|_| !own.is_other);
        Contact { event: one.event, own, person, is_allowed }
    }

    /// The verified id of the user. An e-mail address is none.
    pub(super) fn user_id(&self) -> Option<&'e str> {
        let id = self.event.user_id.as_deref().filter(|_| !self.own.is_other);
        id.or_else(|| self.person?.user_id.as_deref()).filter(|id| !id.contains('@'))
    }

    /// An id of another service: the event's own, by a cookie or a click, or else the newest that the person's events had.
    pub(super) fn service_id(&self, name: &str) -> Option<&'e str> {
        let kept = || self.kept_id(name)?.value.as_str();
        service_id(self.event, name).or_else(kept)
    }

    /// The newest id of another service that the person's events had.
    pub(super) fn kept_id(&self, name: &str) -> Option<&'e Trait> {
        self.own.kept_id(name)
    }

    /// A trait by its name in Segment's specification.
    pub(super) fn value(&self, name: &str) -> Option<&'e Value> {
        // A field of a form that was left empty tells nothing.
        let own = self.own.told(name).filter(|told| told.as_str() != Some(""));
        own.or_else(|| {
            let known = self.person?.traits.get(name)?;
            (self.is_allowed)(known).then_some(&known.value)
        })
    }

    /// A trait that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&'e str> {
        self.value(name)?.as_str()
    }

    /// A part of the trait `address`.
    pub(super) fn address(&self, part: &str) -> Option<&'e str> {
        self.value("address")?.get(part)?.as_str()
    }

    /// The hash of a trait.
    pub(super) fn hash(&self, name: &str, normal: Normal) -> Option<Value> {
        hashed(self.text(name)?, normal).map(Value::from)
    }

    /// The hash of a part of the trait `address`.
    pub(super) fn address_hash(&self, part: &str, normal: Normal) -> Option<Value> {
        hashed(self.address(part)?, normal).map(Value::from)
    }
}

/// Whether a form without an address of e-mail names another number than the person's.
fn is_number_of_other(one: &BatchEvent<'_>) -> bool {
    let form = contact::track(one.event).filter(|(name, _)| contact::is_form(name));
    let Some((_, told)) = form.filter(|_| contact::named(one.event).is_none()) else {
        return false;
    };
    let number = |value: &Value| value.as_str().and_then(phone_digits);
    let known = one.person.and_then(|person| person.traits.get("phone")).map(|known| &known.value);
    let mut known =
        [known, one.event.context.traits.get("phone")].into_iter().flatten().filter_map(number);
    let told = told.get("phone").and_then(number);
    told.is_some_and(|told| known.any(|known| known != told))
}

/// What the visitor chose for a purpose, as the event says it.
pub(super) fn choice(event: &Event, purpose: Purpose) -> Choice {
    let claim = event.context.consent.as_ref();
    claim.map_or(Choice::Unset, |claim| claim.state().choice(purpose))
}

/// Whether the event says that a purpose was granted.
pub(super) fn is_granted(event: &Event, purpose: Purpose) -> bool {
    choice(event, purpose) == Choice::Granted
}

/// An id that a service gave to the browser: by a cookie or a click (`context.ids`), or in the address on which the visit began.
pub(super) fn service_id<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    let context = &event.context;
    let found = context.ids.get(name).or_else(|| context.hilo.click_ids.get(name))?;
    (!found.is_empty() && !found.contains(['@', ' '])).then_some(found.as_str())
}

/// The address of the event's page.
pub(super) fn page_url(event: &Event) -> Option<&str> {
    let url = event.context.page.as_ref()?.url.as_deref()?;
    (url.starts_with("https://") || url.starts_with("http://")).then_some(url)
}

/// The page before the event's page.
pub(super) fn page_referrer(event: &Event) -> Option<&str> {
    event.context.page.as_ref()?.referrer.as_deref().filter(|text| !text.is_empty())
}

/// The reduced user agent: browser and system with their major versions, such as `Firefox/145 (Linux)` (RFC 9110, section 10.1.5).
/// hilo does not keep the text that the browser sent.
pub(super) fn user_agent(event: &Event) -> Option<String> {
    let browser = event.context.hilo.browser.as_ref()?;
    let mut text = browser.name.replace(' ', "");
    if let Some(major) = &browser.major {
        text = format!("{text}/{major}");
    }
    let os = event.context.os.as_ref();
    let os = os.and_then(|os| Some((os.name.as_deref()?, os.version.as_deref())));
    Some(match os {
        Some((name, Some(version))) => format!("{text} ({name} {version})"),
        Some((name, None)) => format!("{text} ({name})"),
        None => text,
    })
}

/// Segment's names and the standard events that Meta and TikTok have under the same names.
const STANDARD: [(&str, &str); 10] = [
    ("Call Received", "Contact"),
    ("Checkout Started", "InitiateCheckout"),
    ("Lead Submitted", "Lead"),
    ("Order Completed", "Purchase"),
    ("Payment Info Entered", "AddPaymentInfo"),
    ("Product Added", "AddToCart"),
    ("Product Added to Wishlist", "AddToWishlist"),
    ("Product Viewed", "ViewContent"),
    ("Products Searched", "Search"),
    ("Signed Up", "CompleteRegistration"),
];

/// The standard event of Meta and TikTok for an act.
pub(super) fn standard_name(label: &str) -> Option<&'static str> {
    STANDARD.iter().find(|(ours, _)| *ours == label).map(|(_, theirs)| *theirs)
}

/// The goods of an act. A page view tells of none, whatever its properties are.
pub(super) fn goods(event: &Event) -> Commerce<'_> {
    match &event.kind {
        EventKind::Track { .. } => Commerce::of(event),
        EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Identify { .. }
        | EventKind::Group { .. }
        | EventKind::Alias { .. } => Commerce::default(),
    }
}

/// What an event is worth, with its currency: the sender's amount, else the sum of its goods. `None` without a currency, because an
/// amount without one is no money. A sum counts in minor units.
pub(super) fn worth(goods: &Commerce<'_>) -> Option<(Number, String)> {
    let code = goods.currency?.to_ascii_uppercase();
    let currency = Currency::parse(&code).filter(|currency| !currency.is_none())?;
    if let Some(value) = goods.value {
        return Some((value.clone(), code));
    }
    let mut sum: Option<Amount> = None;
    for product in &goods.products {
        let price = Amount::parse(&product.price?.to_string(), currency)?;
        let line = price.times(u32::try_from(count(product)?).ok()?)?;
        sum = Some(match sum {
            Some(sum) => sum.plus(line)?,
            None => line,
        });
    }
    Some((serde_json::from_str(&sum?.text()).ok()?, code))
}

/// How many units all goods are. `None` if a part of a unit is among them.
pub(super) fn units(goods: &Commerce<'_>) -> Option<u64> {
    goods.products.iter().try_fold(0_u64, |sum, product| sum.checked_add(count(product)?))
}

/// What the visitor searched for (Segment's `query`).
pub(super) fn query(event: &Event) -> Option<&str> {
    match &event.kind {
        EventKind::Track { properties, .. } => properties.get("query")?.as_str(),
        EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Identify { .. }
        | EventKind::Group { .. }
        | EventKind::Alias { .. } => None,
    }
}

/// How many of a product: 1 if the event does not say it, `None` for a part of a unit.
fn count(product: &Product<'_>) -> Option<u64> {
    product.quantity.map_or(Some(1), Number::as_u64)
}

/// Removes every text with an e-mail address in it, at any depth: a page's title or a product's name may contain one. No service of
/// this sort takes an address in clear.
pub(super) fn remove_addresses(value: &mut Value) {
    let is_clean = |value: &Value| !value.as_str().is_some_and(has_address);
    match value {
        Value::Object(object) => {
            object.retain(|_, inner| is_clean(inner));
            object.values_mut().for_each(remove_addresses);
        }
        Value::Array(list) => {
            list.retain(is_clean);
            list.iter_mut().for_each(remove_addresses);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a text contains an e-mail address.
pub(super) fn has_address(text: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "._%+-".contains(c);
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
    let mut parts = text.split('@');
    let mut before = parts.next().unwrap_or_default();
    for after in parts {
        let end = after.find(|c| !is_of_host(c)).unwrap_or(after.len());
        let host = after.get(..end).unwrap_or_default();
        // Some label after the first one begins with two letters, as the ending of a public name does.
        let has_ending = host.split('.').skip(1).any(|label| {
            label.len() >= 2 && label.bytes().take(2).all(|byte| byte.is_ascii_alphabetic())
        });
        if before.ends_with(is_of_name) && has_ending {
            return true;
        }
        before = after;
    }
    false
}

/// Puts a value in where there is one.
pub(super) fn put(object: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        object.insert(name.to_owned(), value.into());
    }
}

/// Whether an answer is a page for people: a proxy sends one with any status, and then the service has not read the request.
pub(super) fn is_page(response: &Response) -> bool {
    response.body.trim_start().starts_with('<')
}

/// An order that a rule has mapped, for the tests of the kinds.
#[cfg(test)]
pub(super) fn mapped_order() -> (Event, crate::forward::destination::Mapped) {
    let event = serde_json::json!({
        "messageId": "m1", "type": "track", "event": "Order Completed", "anonymousId": "a1",
        "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        "properties": {
            "order_id": "P-1", "value": 5, "currency": "EUR", "products": [{"product_id": "H-101", "price": 5}],
        },
        "context": {"ids": {"fbp": "fb.1.1795513800000.1", "gclid": "Cj0-1", "ttp": "2aBc"}},
    });
    let fields =
        serde_json::json!({"tier": "gold", "value": 7.5, "list": [1], "note": "ana@shop.example"});
    let mapped = serde_json::from_value(fields).unwrap();
    let name = Some("big_order".to_owned());
    (
        serde_json::from_value(event).unwrap(),
        crate::forward::destination::Mapped { name, fields: mapped },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_wherever_it_stands() {
        for text in ["ana@shop.example", "to:ana@shop.example!", "x@y ana.b@c.co", "a@b.co.uk"] {
            assert!(has_address(text), "{text}");
        }
        for text in ["", "@", "ana@", "@shop.example", "ana@shop", "3 @ 2.50", "a@b.c"] {
            assert!(!has_address(text), "{text}");
        }
    }

    #[test]
    fn texts_with_an_address_are_removed_at_any_depth() {
        let mut value = serde_json::json!({
            "title": "for ana@shop.example", "items": [{"name": "a@b.co", "id": "p1"}], "list": ["a@b.co", "x"],
        });
        remove_addresses(&mut value);
        assert_eq!(value, serde_json::json!({"items": [{"id": "p1"}], "list": ["x"]}));
    }
}
