//! Shopify's order webhooks, topics `orders/create` and `orders/paid`
//! (<https://shopify.dev/docs/api/webhooks>; the order is that of the Admin REST API).
//!
//! Topic and body → an order, or the reason why there is none. The theme passes hilo's checkout on as the cart attribute
//! `hilo_checkout`.

use hilo_core::money::Amount;
use hilo_core::outcome::Rejection;
use serde::Deserialize;
use serde_json::Value;

use super::order::{Id, Note, Order, WebhookContent, currency, id_of, json, lines, note, text};

/// The attribute that contains the id of hilo's checkout.
const CHECKOUT: &str = "hilo_checkout";
/// The financial status of an order whose money is still to come.
const UNPAID: &str = "pending";
/// The source of an order that was placed at a till.
const POINT_OF_SALE: &str = "pos";

#[derive(Deserialize)]
struct Body {
    id: Id,
    currency: String,
    /// The currency that the customer saw, if it is not the shop's own.
    presentment_currency: Option<String>,
    total_price: Option<String>,
    total_price_set: Option<PriceSet>,
    cancelled_at: Option<String>,
    financial_status: Option<String>,
    created_at: Option<Value>,
    email: Option<Value>,
    phone: Option<Value>,
    source_name: Option<Value>,
    location_id: Option<Value>,
    customer: Option<Customer>,
    #[serde(default)]
    note_attributes: Vec<Note>,
    #[serde(default)]
    line_items: Vec<LineItem>,
}

#[derive(Deserialize)]
struct PriceSet {
    presentment_money: Money,
}

#[derive(Deserialize)]
struct Money {
    amount: String,
}

#[derive(Default, Deserialize)]
struct Customer {
    id: Option<Id>,
    email: Option<Value>,
    phone: Option<Value>,
}

#[derive(Deserialize)]
struct LineItem {
    variant_id: Option<Id>,
    product_id: Option<Id>,
    #[serde(default)]
    quantity: Value,
}

/// Reads an order.
///
/// # Errors
/// `malformed_body`.
pub fn read(topic: &str, body: &[u8]) -> Result<WebhookContent, Rejection> {
    if !matches!(topic, "orders/create" | "orders/paid") {
        return Ok(WebhookContent::Other);
    }
    let body: Body = json(body)?;
    if body.cancelled_at.is_some() {
        return Ok(WebhookContent::Nothing("cancelled"));
    }
    // The lines of a cart are in the currency that the customer saw.
    let currency = currency(body.presentment_currency.as_ref().unwrap_or(&body.currency))?;
    let shown = body.total_price_set.map(|set| set.presentment_money.amount);
    let own = body.total_price.filter(|_| currency.code() == body.currency);
    let total = shown.or(own).and_then(|text| Amount::parse(&text, currency));
    let items = body.line_items.into_iter();
    let items = items.map(|item| (item.variant_id.or(item.product_id), item.quantity));
    let Id(id) = body.id;
    let customer = body.customer.unwrap_or_default();
    let is_in_store = text(body.source_name).as_deref() == Some(POINT_OF_SALE);
    Ok(WebhookContent::Order(Box::new(Order {
        id,
        user_id: customer.id.and_then(Id::known),
        email: text(body.email).or_else(|| text(customer.email)),
        phone: text(body.phone).or_else(|| text(customer.phone)),
        placed_at: text(body.created_at).and_then(|at| at.parse().ok()),
        is_in_store,
        store_id: body.location_id.and_then(id_of).filter(|_| is_in_store),
        checkout_id: note(body.note_attributes, CHECKOUT),
        lines: lines(items, currency),
        total,
        is_unpaid: body.financial_status.as_deref() == Some(UNPAID),
    })))
}
