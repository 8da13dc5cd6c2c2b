//! The parameters of an event: the page, the session, the goods, and what the deployer asked for.
//!
//! Event → parameters within Google's limits: 25 of them, single values of at most 100 characters, at most 200 items. An amount goes
//! with its currency or not at all.

use serde_json::{Map, Number, Value};

use super::client::session_id;
use super::names;
use super::settings::Ga4;
use super::text::put_text;
use crate::forward::destination::BatchEvent;
use crate::forward::destinations::commerce::{Commerce, Product};
use crate::forward::destinations::conversion::{goods, page_referrer, page_url, put, worth};

/// The most parameters of an event.
const PARAMS_MAX: usize = 25;
/// The most characters of a value.
const VALUE_CHARS_MAX: usize = 100;
/// The most characters of a page's address, its referrer and its title.
const PAGE_CHARS_MAX: (usize, usize, usize) = (1_000, 420, 300);
/// The most items of an event: Google drops what is beyond.
const ITEMS_MAX: usize = 200;

/// Properties with Google's own words for them, whose values are texts.
const WORDS: [(&str, &str); 9] = [
    ("affiliation", "affiliation"),
    ("channel", "channel"),
    ("coupon", "coupon"),
    ("list_id", "item_list_id"),
    ("method", "method"),
    ("payment_method", "payment_type"),
    ("promotion_id", "promotion_id"),
    ("query", "search_term"),
    ("shipping_method", "shipping_tier"),
];

/// What hilo tells of a form, under its own names.
const FORM: [&str; 4] = ["form_id", "last_field", "ms_open", "ms_to_submit"];

/// The parameters of an event, in the order in which they count if there are too many.
pub(super) fn of(settings: &Ga4, one: &BatchEvent<'_>, name: &str) -> Map<String, Value> {
    let mut params = Map::new();
    page(&mut params, one);
    let goods = goods(one.event);
    money(&mut params, settings, &goods, name);
    let items: Vec<Value> = goods.products.iter().filter_map(item).take(ITEMS_MAX).collect();
    put(&mut params, "items", (!items.is_empty()).then_some(items));
    for (theirs, value) in &one.mapped.fields {
        add(&mut params, theirs, value);
    }
    let details = one.event.kind.details();
    for (ours, theirs) in WORDS {
        put_new(&mut params, theirs, details.and_then(|details| details.get(ours)));
    }
    if name == "generate_lead" {
        put_new(&mut params, "lead_source", details.and_then(|details| details.get("source")));
    }
    for key in FORM.into_iter().chain(settings.parameters.iter().map(String::as_str)) {
        put_new(&mut params, key, details.and_then(|details| details.get(key)));
    }
    // An amount without its currency, or a currency alone, which a rule or a setting may have brought.
    if params.contains_key("value") != params.contains_key("currency") {
        params.remove("value");
        params.remove("currency");
    }
    params
}

/// Page and session. Google shows activity only of events with an engagement time; where nobody measured it, 1 ms is its own example.
fn page(params: &mut Map<String, Value>, one: &BatchEvent<'_>) {
    let event = one.event;
    let (url_max, referrer_max, title_max) = PAGE_CHARS_MAX;
    put_text(params, "page_location", page_url(event), url_max);
    put_text(params, "page_referrer", page_referrer(event), referrer_max);
    let title = event.context.page.as_ref().and_then(|page| page.title.as_deref());
    put_text(params, "page_title", title, title_max);
    put(params, "session_id", session_id(one));
    params.insert("engagement_time_msec".to_owned(), Value::from(1));
}

/// The worth, its parts and the order. Segment's `revenue` is without shipping and tax, as Google's `value` is.
fn money(params: &mut Map<String, Value>, settings: &Ga4, goods: &Commerce<'_>, name: &str) {
    let lead = settings.lead.as_ref().filter(|_| name == "generate_lead");
    let lead = lead.map(|lead| (lead.value.clone(), lead.currency.clone()));
    // Two long ids that are alike after a cut would be one purchase.
    let order = goods.order_id.filter(|id| id.chars().count() <= VALUE_CHARS_MAX);
    put(params, "transaction_id", order);
    let Some((value, currency)) = worth(goods).or(lead) else { return };
    params.insert("value".to_owned(), Value::Number(value));
    params.insert("currency".to_owned(), Value::String(currency));
    put(params, "tax", goods.tax.cloned().map(Value::Number));
    put(params, "shipping", goods.shipping.cloned().map(Value::Number));
}

/// A product as Google has it. Nothing without an id and a name.
fn item(product: &Product<'_>) -> Option<Value> {
    if product.id.is_none() && product.name.is_none() {
        return None;
    }
    let mut item = Map::new();
    let texts = [
        ("item_id", product.id),
        ("item_name", product.name),
        ("item_brand", product.brand),
        ("item_category", product.category),
        ("item_variant", product.variant),
        ("coupon", product.coupon),
    ];
    for (name, text) in texts {
        put_text(&mut item, name, text, VALUE_CHARS_MAX);
    }
    let number = |number: Option<&Number>| number.cloned().map(Value::Number);
    put(&mut item, "price", number(product.price));
    put(&mut item, "quantity", number(product.quantity));
    put(&mut item, "index", number(product.position));
    (item.contains_key("item_id") || item.contains_key("item_name")).then_some(Value::Object(item))
}

fn put_new(params: &mut Map<String, Value>, name: &str, value: Option<&Value>) {
    if let Some(value) = value.filter(|_| !params.contains_key(name)) {
        add(params, name, value);
    }
}

/// Adds a single value under a name that Google takes, as long as there is room.
fn add(params: &mut Map<String, Value>, name: &str, value: &Value) {
    if !names::is_name(name) || (params.len() >= PARAMS_MAX && !params.contains_key(name)) {
        return;
    }
    match value {
        Value::String(text) => put_text(params, name, Some(text), VALUE_CHARS_MAX),
        Value::Bool(_) | Value::Number(_) => put(params, name, Some(value.clone())),
        Value::Null | Value::Array(_) | Value::Object(_) => {}
    }
}
