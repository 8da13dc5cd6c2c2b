//! One event as Meta has it: a standard name, where it happened, whom it is about, and the goods.
//!
//! Event, person and time → the event, or why Meta would refuse it.

use hilo_core::consent::{Choice, Purpose};
use hilo_core::event::{Event, EventKind};
use hilo_core::service_cookies::is_of_meta;
use jiff::Timestamp;
use serde_json::{Map, Number, Value, json};

use crate::forward::destination::{BatchEvent, LeftOut};
use crate::forward::destinations::commerce::{Commerce, Product};
use crate::forward::destinations::conversion::{
    Contact, Place, choice, goods, has_address, is_granted, page_referrer, page_url, put, query,
    remove_addresses, service_id, standard_name, units, user_agent, worth,
};
use crate::forward::destinations::hashing;
use crate::forward::reason;

/// The kind's name.
pub(super) const KIND: &str = "meta";

/// Seconds after which Meta takes no event of a page: seven days.
const AGE_S_MAX: u32 = 7 * 86_400;
/// Seconds after which Meta takes no event of a shop: 62 days.
pub(super) const STORE_AGE_S_MAX: u32 = 62 * 86_400;

/// Meta's name for an act.
pub(super) fn name(label: &str) -> Option<&'static str> {
    match label {
        "Subscription Started" => Some("Subscribe"),
        _ => standard_name(label),
    }
}

/// The event as Meta has it.
///
/// # Errors
/// Why it is left out.
pub(super) fn of(
    one: &BatchEvent<'_>,
    opt_out_state: u32,
    now: Timestamp,
) -> Result<Value, LeftOut> {
    let event = one.event;
    let user = user(one).ok_or_else(|| {
        let what = "an e-mail address, a phone number, a user's id or a cookie of Meta";
        LeftOut::Skipped(reason::missing_identifier(what))
    })?;
    let source = source(event, user.contains_key("client_user_agent"));
    let age_s = now.duration_since(event.occurred_at).as_secs();
    if source != "physical_store" && age_s > i64::from(AGE_S_MAX) {
        return Err(LeftOut::Refused(reason::too_old(KIND, AGE_S_MAX)));
    }
    let (own, custom) = (own_name(one), custom(one));
    if own == "Purchase" && !(custom.contains_key("value") && custom.contains_key("currency")) {
        return Err(LeftOut::Refused(reason::invalid("a purchase needs a value and its currency")));
    }
    let mut out = Map::new();
    out.insert("event_name".to_owned(), own.into());
    out.insert("event_time".to_owned(), event.occurred_at.as_second().into());
    out.insert("event_id".to_owned(), event.message_id.as_str().into());
    out.insert("action_source".to_owned(), source.into());
    if source == "website" {
        put(&mut out, "event_source_url", page_url(event));
        put(&mut out, "referrer_url", page_referrer(event));
    }
    out.insert("user_data".to_owned(), Value::Object(user));
    put(&mut out, "custom_data", (!custom.is_empty()).then_some(custom));
    privacy(&mut out, event, opt_out_state);
    let mut out = Value::Object(out);
    remove_addresses(&mut out);
    let is_whole = |name: &str| out.get(name).is_some();
    match is_whole("event_name") && (source != "website" || is_whole("event_source_url")) {
        true => Ok(out),
        false => Err(LeftOut::Refused(reason::invalid(
            "an e-mail address stands in its name or its page's address",
        ))),
    }
}

/// The name that Meta gets: the rule's, the standard one, else the event's own.
fn own_name(one: &BatchEvent<'_>) -> String {
    match (&one.mapped.name, &one.event.kind) {
        (Some(name), _) => name.clone(),
        (None, EventKind::Track { event: label, .. }) => name(label).unwrap_or(label).to_owned(),
        (None, _) => "PageView".to_owned(),
    }
}

/// Where the event happened. Meta takes an event as the website's only with page and browser.
fn source(event: &Event, has_agent: bool) -> &'static str {
    match Place::of(event) {
        Place::Web if has_agent => "website",
        Place::Store => "physical_store",
        Place::Phone => "phone_call",
        Place::Web | Place::Other => "other",
    }
}

/// Whom the event is about. `None` if nothing of it can lead Meta to a person: Meta refuses what many people share.
fn user(one: &BatchEvent<'_>) -> Option<Map<String, Value>> {
    let event = one.event;
    let contact = Contact::of(one, |_| true);
    let list = |hash: Option<Value>| hash.map(|hash| vec![hash]);
    let mut user = Map::new();
    put(&mut user, "em", list(contact.hash("email", hashing::email)));
    put(&mut user, "ph", list(contact.hash("phone", hashing::phone_digits)));
    let id = contact.user_id().and_then(|id| hashing::hashed(id, hashing::id));
    put(&mut user, "external_id", list(id.map(Value::from)));
    put(&mut user, "fbp", contact.service_id("fbp").filter(|text| is_of_meta(text)));
    put(&mut user, "fbc", click(event, &contact));
    if user.is_empty() {
        return None;
    }
    put(&mut user, "fn", contact.hash("firstName", hashing::name));
    put(&mut user, "ln", contact.hash("lastName", hashing::name));
    put(&mut user, "ct", contact.address_hash("city", hashing::city));
    put(&mut user, "st", contact.address_hash("state", hashing::city));
    put(&mut user, "zp", contact.address_hash("postalCode", hashing::postal_code));
    put(&mut user, "country", contact.address_hash("country", hashing::country));
    put(&mut user, "ge", contact.hash("gender", hashing::gender));
    put(&mut user, "db", contact.hash("birthday", hashing::birthday));
    put(&mut user, "client_user_agent", user_agent(event));
    Some(user)
}

/// Meta's cookie of the click; without it, what the cookie would be for the click in the visit's first address; without a click, the
/// person's newest cookie.
fn click(event: &Event, contact: &Contact<'_>) -> Option<String> {
    if let Some(cookie) = service_id(event, "fbc").filter(|text| is_of_meta(text)) {
        return Some(cookie.to_owned());
    }
    if let Some(click) = service_id(event, "fbclid") {
        return Some(format!("fb.1.{}.{click}", event.occurred_at.as_millisecond()));
    }
    contact.service_id("fbc").filter(|text| is_of_meta(text)).map(str::to_owned)
}

/// The goods and the money, and what the deployer's rules add.
fn custom(one: &BatchEvent<'_>) -> Map<String, Value> {
    let goods = goods(one.event);
    let mut custom = Map::new();
    if let Some((value, currency)) = worth(&goods) {
        custom.insert("value".to_owned(), Value::Number(value));
        custom.insert("currency".to_owned(), Value::String(currency));
    }
    put(&mut custom, "order_id", goods.order_id);
    put(&mut custom, "search_string", query(one.event));
    products(&mut custom, &goods);
    for (name, value) in one.mapped.fields.iter().filter(|(_, value)| !value.is_null()) {
        custom.insert(name.clone(), value.clone());
    }
    custom
}

fn products(custom: &mut Map<String, Value>, goods: &Commerce<'_>) {
    let contents: Vec<Value> = goods.products.iter().filter_map(content).collect();
    if contents.is_empty() {
        return;
    }
    let ids: Vec<Value> =
        contents.iter().filter_map(|content| content.get("id").cloned()).collect();
    if let [only] = goods.products.as_slice() {
        put(custom, "content_name", only.name);
        put(custom, "content_category", only.category);
    }
    custom.insert("content_ids".to_owned(), Value::Array(ids));
    custom.insert("contents".to_owned(), Value::Array(contents));
    custom.insert("content_type".to_owned(), "product".into());
    put(custom, "num_items", units(goods));
}

fn content(product: &Product<'_>) -> Option<Value> {
    // An id with an e-mail address would be taken out later, and leave an entry without an id.
    let id = product.id.filter(|id| !has_address(id))?;
    let mut content = Map::new();
    content.insert("id".to_owned(), id.into());
    put(&mut content, "quantity", product.quantity.and_then(Number::as_u64));
    put(&mut content, "item_price", product.price.cloned().map(Value::Number));
    Some(Value::Object(content))
}

/// What Meta may do with the event. A person who opted out of the sale of their data is under Meta's Limited Data Use. hilo sends no
/// network address by which Meta could find the state, so the settings name one. Without granted personalization Meta may use the event
/// for attribution only.
fn privacy(out: &mut Map<String, Value>, event: &Event, opt_out_state: u32) {
    if choice(event, Purpose::SaleShare) == Choice::Denied {
        out.insert("data_processing_options".to_owned(), json!(["LDU"]));
        out.insert("data_processing_options_country".to_owned(), 1.into());
        out.insert("data_processing_options_state".to_owned(), opt_out_state.into());
    } else {
        out.insert("data_processing_options".to_owned(), json!([]));
    }
    if !is_granted(event, Purpose::Personalization) {
        out.insert("opt_out".to_owned(), true.into());
    }
}
