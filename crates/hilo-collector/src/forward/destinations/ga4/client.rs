//! Whom an event is about, as Google has it: the browser, the user, the session, the consent, and the user's hashed contact details.
//!
//! Event and person → what stands once in a request. Contact details go only where the person has allowed advertising.

use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use hilo_core::profile::Trait;
use hilo_core::service_cookies;
use serde_json::{Map, Value, json};

use super::text::{cut, put_text};
use crate::forward::destination::BatchEvent;
use crate::forward::destinations::conversion::{Contact, has_address, is_granted, put};
use crate::forward::destinations::hashing;
use crate::signature::sha256;

/// The most characters of a user's id, and of a user property's value.
const USER_ID_CHARS_MAX: usize = 256;
const USER_PROPERTY_CHARS_MAX: usize = 36;
/// The most characters of a part of an address.
const PLACE_CHARS_MAX: usize = 100;
/// Google ends a session after so many seconds without an event.
const SESSION_SECONDS: i64 = 30 * 60;
/// Google joins an event with a session that began at most so many seconds before.
const SESSION_SECONDS_MAX: i64 = 24 * 3_600;

/// What stands once in a request. `None` if nobody knows the browser: an id made up for this would be a new user in every report.
pub(super) fn head(one: &BatchEvent<'_>, user_properties: &[String]) -> Option<Map<String, Value>> {
    let event = one.event;
    let contact = Contact::of(one, was_for_ads);
    let known = one.person.and_then(|person| person.anonymous_ids.first());
    let mut head = Map::new();
    head.insert("client_id".to_owned(), client_id(event, &contact, known)?.into());
    let user_id = contact.user_id().filter(|id| id.chars().count() <= USER_ID_CHARS_MAX);
    put(&mut head, "user_id", user_id);
    head.insert("consent".to_owned(), consent(event));
    if is_granted(event, Purpose::Advertising) {
        put(&mut head, "user_data", user_data(&contact));
    }
    put(&mut head, "user_properties", properties(one, user_properties));
    put(&mut head, "user_location", location(event));
    put(&mut head, "device", device(event));
    Some(head)
}

/// The traits that may become an advertiser's data. The destination itself needs analytics only, so a trait must have been told under
/// a consent that allowed advertising.
fn was_for_ads(one: &Trait) -> bool {
    one.granted.contains(&Purpose::Advertising)
}

/// The browser's id at Google: the event's own, else the person's newest. Without Google's cookie it is made from the device's own id, which cannot be read from it: a hash in
/// the form of the cookie's two numbers.
fn client_id(event: &Event, contact: &Contact<'_>, known: Option<&String>) -> Option<String> {
    let kept =
        || contact.kept_id("ga").and_then(|kept| read(&kept.value, service_cookies::client_id));
    if let Some(id) = own_client_id(event).or_else(kept) {
        return Some(id);
    }
    let device = event.anonymous_id.as_ref().or(known)?;
    let hash = sha256(format!("ga4:{device}").as_bytes());
    let number = |skip: usize| {
        let bytes = hash.iter().skip(skip).take(4);
        bytes.fold(0_u32, |sum, byte| (sum << 8) | u32::from(*byte))
    };
    Some(format!("{}.{}", number(0), number(4)))
}

fn own_client_id(event: &Event) -> Option<String> {
    event.context.ids.get("ga").and_then(|text| service_cookies::client_id(text))
}

fn read(kept: &Value, by: fn(&str) -> Option<String>) -> Option<String> {
    kept.as_str().and_then(by)
}

/// The session's id at Google, the second in which it began: that of its cookie, else the one of hilo's session. An event that waited for
/// its page's successor may be older than the session of the cookie. An event of a server gets the person's newest session while that
/// lasts.
pub(super) fn session_id(one: &BatchEvent<'_>) -> Option<String> {
    let event = one.event;
    let own = event.context.ids.get("gaSession").and_then(|text| service_cookies::session_id(text));
    let is_late = |began: &i64| *began > event.occurred_at.as_second() + SESSION_SECONDS;
    let own = own.filter(|began| !began.parse().as_ref().is_ok_and(is_late));
    let own = own.or_else(|| {
        let started = &event.context.hilo.session.as_ref()?.id;
        service_cookies::seconds(started.get(..started.len().checked_sub(3)?)?)
    });
    own.or_else(|| kept_session_id(one))
}

/// The person's newest session at Google, if the event belongs to its browser and happened while it lasted. Google would count the event
/// to a session that is over.
fn kept_session_id(one: &BatchEvent<'_>) -> Option<String> {
    let contact = Contact::of(one, |_| true);
    let (client, session) = (contact.kept_id("ga")?, contact.kept_id("gaSession")?);
    let is_of_client = client.at == session.at && own_client_id(one.event).is_none();
    let id = read(&session.value, service_cookies::session_id).filter(|_| is_of_client)?;
    let (began, last) = (id.parse::<i64>().ok()?, session.at.as_second());
    let end = (last + SESSION_SECONDS).min(began + SESSION_SECONDS_MAX);
    (began..=end).contains(&one.event.occurred_at.as_second()).then_some(id)
}

/// Consent Mode. What was not granted is denied.
fn consent(event: &Event) -> Value {
    let may_use = is_granted(event, Purpose::Advertising);
    let may_personalize = may_use && is_granted(event, Purpose::Personalization);
    let word = |is_granted: bool| if is_granted { "GRANTED" } else { "DENIED" };
    json!({ "ad_user_data": word(may_use), "ad_personalization": word(may_personalize) })
}

/// The user's contact details: hashes, and the place in clear, as Google asks.
fn user_data(contact: &Contact<'_>) -> Option<Value> {
    let list = |hash: Option<Value>| hash.map(|hash| Value::Array(vec![hash]));
    let mut data = Map::new();
    put(&mut data, "sha256_email_address", list(contact.hash("email", hashing::email_ga4)));
    put(&mut data, "sha256_phone_number", list(contact.hash("phone", hashing::phone)));
    let mut address = Map::new();
    put(&mut address, "sha256_first_name", contact.hash("firstName", hashing::letters));
    put(&mut address, "sha256_last_name", contact.hash("lastName", hashing::letters));
    put(&mut address, "sha256_street", contact.address_hash("street", hashing::street));
    // A place alone is nobody's.
    if !address.is_empty() {
        put(&mut address, "city", contact.address("city").and_then(hashing::letters));
        put(&mut address, "region", contact.address("state").and_then(hashing::letters));
        let code = contact.address("postalCode").filter(|code| !has_address(code));
        put_text(&mut address, "postal_code", code, PLACE_CHARS_MAX);
        put(&mut address, "country", contact.address("country").and_then(hashing::country_code));
        put(&mut data, "address", Some(vec![Value::Object(address)]));
    }
    (!data.is_empty()).then_some(Value::Object(data))
}

/// The traits that the deployer chose.
fn properties(one: &BatchEvent<'_>, names: &[String]) -> Option<Value> {
    let contact = Contact::of(one, |_| true);
    let mut properties = Map::new();
    for name in names {
        let value = match contact.value(name) {
            Some(Value::String(text)) if !has_address(text) => {
                cut(text, USER_PROPERTY_CHARS_MAX).map(Value::from)
            }
            Some(value @ (Value::Bool(_) | Value::Number(_))) => Some(value.clone()),
            Some(Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_)) | None => {
                None
            }
        };
        put(&mut properties, name, value.map(|value| json!({ "value": value })));
    }
    (!properties.is_empty()).then_some(Value::Object(properties))
}

/// Country and city, which the edge knows, because Google would read the edge's own address.
fn location(event: &Event) -> Option<Value> {
    let location = event.context.location.as_ref()?;
    let country = hashing::country_code(location.country.as_deref()?)?;
    let mut out = Map::new();
    out.insert("country_id".to_owned(), country.into());
    let city = location.city.as_deref().filter(|city| !has_address(city));
    put_text(&mut out, "city", city, PLACE_CHARS_MAX);
    Some(Value::Object(out))
}

/// Browser, system and class of device, as far as hilo keeps them.
fn device(event: &Event) -> Option<Value> {
    let context = &event.context;
    let mut device = Map::new();
    let os = context.os.as_ref();
    let browser = context.hilo.browser.as_ref();
    let own = context.device.as_ref();
    let texts = [
        ("browser", browser.map(|browser| browser.name.as_str())),
        ("browser_version", browser.and_then(|browser| browser.major.as_deref())),
        ("brand", own.and_then(|device| device.manufacturer.as_deref())),
        ("category", own.and_then(|device| device.class.as_deref())),
        ("language", context.locale.as_deref()),
        ("model", own.and_then(|device| device.model.as_deref())),
        ("operating_system", os.and_then(|os| os.name.as_deref())),
        ("operating_system_version", os.and_then(|os| os.version.as_deref())),
    ];
    for (name, text) in texts {
        put_text(&mut device, name, text.filter(|text| !has_address(text)), PLACE_CHARS_MAX);
    }
    let side = |name: &str| context.screen.get(name).and_then(Value::as_u64);
    let size = side("width").zip(side("height")).map(|(wide, high)| format!("{wide}x{high}"));
    put(&mut device, "screen_resolution", size);
    (!device.is_empty()).then_some(Value::Object(device))
}
