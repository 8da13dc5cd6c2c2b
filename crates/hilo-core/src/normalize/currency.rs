//! The currency of amounts without one: the shop's own, as `normalize.currency` of `hilo.toml` names it.
//!
//! `(event, rules) → event`: `properties.currency` is filled, and `context.hilo.assumed` says so. A currency that the event or one
//! of its products names stays the only one. Converts nothing.

use serde_json::Value;

use crate::config::NormalizeRules;
use crate::event::{Event, EventKind, Properties};

/// Properties that hold an amount (Segment's e-commerce spec). `value` is not among them: it may be any number.
const AMOUNTS: [&str; 7] = ["price", "total", "revenue", "subtotal", "shipping", "tax", "discount"];

/// Fills the currency.
pub fn apply(event: &mut Event, rules: &NormalizeRules) {
    let Some(currency) = &rules.currency else { return };
    let properties = match &mut event.kind {
        EventKind::Track { properties, .. }
        | EventKind::Page { properties, .. }
        | EventKind::Screen { properties, .. } => properties,
        EventKind::Identify { .. } | EventKind::Group { .. } | EventKind::Alias { .. } => return,
    };
    let lists =
        ["products", "items"].into_iter().filter_map(|name| properties.get(name)?.as_array());
    let products = lists.flatten().filter_map(Value::as_object);
    let (mut has_amount, mut has_currency) = (has_amount(properties), has_currency(properties));
    for product in products {
        has_amount |= self::has_amount(product);
        has_currency |= self::has_currency(product);
    }
    if has_amount && !has_currency {
        properties.insert("currency".to_owned(), Value::String(currency.clone()));
        event.context.hilo.assumed.push("properties.currency".to_owned());
    }
}

fn has_amount(properties: &Properties) -> bool {
    AMOUNTS.iter().filter_map(|name| properties.get(*name)).any(|value| match value {
        Value::Number(_) => true,
        Value::String(text) => text.bytes().any(|byte| byte.is_ascii_digit()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
    })
}

fn has_currency(properties: &Properties) -> bool {
    let said = properties.get("currency");
    said.is_some_and(|value| {
        !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty())
    })
}
