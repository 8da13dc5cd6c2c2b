//! A vendor's webhook → the order that carts understand, why there is none, or why it is refused.
//!
//! In: `{topic, body}`.

use hilo_collector::ingest::orders::{WebhookContent, shopify, woocommerce};
use hilo_core::outcome::Rejection;
use serde_json::{Value, json};

type Read = fn(&str, &[u8]) -> Result<WebhookContent, Rejection>;

pub(crate) fn shopify_orders(input: &Value) -> Value {
    run(shopify::read, input)
}

pub(crate) fn woocommerce_orders(input: &Value) -> Value {
    run(woocommerce::read, input)
}

fn run(read: Read, input: &Value) -> Value {
    let topic = input.get("topic").and_then(Value::as_str).unwrap_or_default();
    let body = input.get("body").map(Value::to_string).unwrap_or_default();
    match read(topic, body.as_bytes()) {
        Ok(WebhookContent::Order(order)) => json!({ "order": order }),
        Ok(WebhookContent::Nothing(why)) => json!({ "ignored": why }),
        Ok(WebhookContent::Other) => json!({ "ignored": "topic" }),
        Err(why) => json!({ "refused": why, "status": why.code.status() }),
    }
}
