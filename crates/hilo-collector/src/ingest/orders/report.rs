//! The touchpoint of an order that no cart of a customer took: a guest's, or one at a till.
//!
//! An order → a report with the person's addresses. The products have no names here: the cart's own event has those.

use hilo_core::inbound::{Report, Told, Who};
use hilo_core::money::{Amount, Currency};
use serde_json::{Map, Number, Value};

use super::{Order, OrderLine};

/// The name of the touchpoint, as the cart reports it.
pub const ORDER_COMPLETED: &str = "Order Completed";
/// The contact channel of a till.
const STORE: &str = "Store";

/// Makes the report of an order.
pub fn report(order: Order) -> Report {
    let mut properties = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        properties.extend(value.map(|value| (name.to_owned(), value)));
    };
    put("order_id", Some(order.id.as_str().into()));
    put("total", order.total.and_then(number));
    put("currency", order.total.map(|total| total.currency.code().into()));
    put("paid", order.is_unpaid.then(|| false.into()));
    put("products", Some(order.lines.iter().map(product).collect()));
    put("store_id", order.store_id.map(Value::from));
    let channel = order.is_in_store.then(|| ("channel".to_owned(), STORE.into()));
    Report {
        id: Some(format!("order-{}", order.id)),
        told: Told::Act { event: ORDER_COMPLETED.to_owned(), properties },
        occurred_at: order.placed_at,
        // No customer: a shop system's ids of guests name nobody.
        who: Who {
            email: order.email,
            phone: order.phone,
            order_id: Some(order.id),
            ..Who::default()
        },
        context: channel.into_iter().collect(),
    }
}

/// An amount as a JSON number, from its digits.
fn number(amount: Amount) -> Option<Value> {
    amount.text().parse::<Number>().ok().map(Value::Number)
}

fn product(OrderLine { line, quantity }: &OrderLine) -> Value {
    let mut product = Map::new();
    product.insert("product_id".to_owned(), line.variant.as_str().into());
    if let Ok(quantity) = serde_json::to_value(quantity) {
        product.insert("quantity".to_owned(), quantity);
    }
    let is_known = |currency: &Currency| !currency.is_none();
    if let Some(currency) = Some(line.currency).filter(is_known) {
        product.insert("currency".to_owned(), currency.code().into());
    }
    Value::Object(product)
}
