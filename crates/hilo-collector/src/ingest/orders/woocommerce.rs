//! `WooCommerce`'s order webhooks, topics `order.created` and `order.updated`
//! (<https://woocommerce.github.io/woocommerce-rest-api-docs/>; the order is that of its REST API, version 3).
//!
//! Topic and body → an order, or the reason why there is none. An order counts once it is placed, also if its money is still
//! to come: whoever pays by bank transfer has left no cart behind. Each later update contains the order again, which is
//! harmless because an order with the same id counts once. The theme passes hilo's checkout on as the order's meta data
//! `_hilo_checkout`.

use hilo_core::money::Amount;
use hilo_core::outcome::Rejection;
use serde::Deserialize;
use serde_json::Value;

use super::order::{Id, Note, Order, WebhookContent, currency, json, lines, note, text};

/// The meta data that contains the id of hilo's checkout.
const CHECKOUT: &str = "_hilo_checkout";
/// The state of an order that waits for its money: bank transfer, cheque, invoice.
const UNPAID: &str = "on-hold";
/// The states of a placed order. In `pending`, `failed` and `checkout-draft` the customer is still trying to pay.
const PLACED: [&str; 3] = [UNPAID, "processing", "completed"];

#[derive(Deserialize)]
struct Body {
    id: Id,
    status: String,
    currency: String,
    total: Option<String>,
    customer_id: Option<Id>,
    date_created_gmt: Option<Value>,
    billing: Option<Billing>,
    #[serde(default)]
    meta_data: Vec<Note>,
    #[serde(default)]
    line_items: Vec<LineItem>,
}

#[derive(Default, Deserialize)]
struct Billing {
    email: Option<Value>,
    phone: Option<Value>,
}

#[derive(Deserialize)]
struct LineItem {
    /// The variation's id; 0 for an article without variations.
    variation_id: Option<Id>,
    product_id: Option<Id>,
    #[serde(default)]
    quantity: Value,
}

/// Reads an order.
///
/// # Errors
/// `malformed_body`.
pub fn read(topic: &str, body: &[u8]) -> Result<WebhookContent, Rejection> {
    if !matches!(topic, "order.created" | "order.updated") {
        return Ok(WebhookContent::Other);
    }
    let body: Body = json(body)?;
    if !PLACED.contains(&body.status.as_str()) {
        return Ok(WebhookContent::Nothing("not_placed"));
    }
    let currency = currency(&body.currency)?;
    let items = body.line_items.into_iter().map(|item| {
        let variation = item.variation_id.filter(|Id(id)| id != "0");
        (variation.or(item.product_id), item.quantity)
    });
    let Id(id) = body.id;
    let billing = body.billing.unwrap_or_default();
    // The time has no offset: it is that of Greenwich.
    let placed_at = text(body.date_created_gmt).and_then(|at| format!("{at}Z").parse().ok());
    Ok(WebhookContent::Order(Box::new(Order {
        id,
        user_id: body.customer_id.and_then(Id::known),
        checkout_id: note(body.meta_data, CHECKOUT),
        lines: lines(items, currency),
        total: body.total.and_then(|text| Amount::parse(&text, currency)),
        is_unpaid: body.status == UNPAID,
        placed_at,
        email: text(billing.email),
        phone: text(billing.phone),
        is_in_store: false,
        store_id: None,
    })))
}
