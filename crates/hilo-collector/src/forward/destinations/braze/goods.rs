//! Braze's recommended events about goods
//! (<https://www.braze.com/docs/user_guide/data/activation/events/recommended_events/ecommerce_events>).
//!
//! Event → name and properties of an `ecommerce.*` event. Their members are closed, and each requires some. A view or a cart that lacks
//! one stays a custom event of its own name. An order, refund or cancellation that lacks one is refused, because money decides.

use hilo_core::event::{Event, Properties};
use hilo_core::text::shortened;
use serde_json::{Map, Number, Value};

use crate::forward::destinations::commerce::{Commerce, Product};
use crate::forward::destinations::contact::track;
use crate::forward::reason;

/// The longest text that Braze keeps, in bytes.
const TEXT_BYTES_MAX: usize = 255;

/// An event about goods.
pub(super) struct Goods {
    /// Braze's name of the event.
    pub(super) name: &'static str,
    /// Its members.
    pub(super) properties: Properties,
}

/// Which event about goods an event is, and whether money decides there.
fn meant(name: &str) -> Option<(&'static str, bool)> {
    Some(match name {
        "Product Viewed" => ("ecommerce.product_viewed", false),
        "Product Added" | "Product Removed" | "Cart Viewed" => ("ecommerce.cart_updated", false),
        "Checkout Started" => ("ecommerce.checkout_started", false),
        "Order Completed" => ("ecommerce.order_placed", true),
        "Order Refunded" => ("ecommerce.order_refunded", true),
        "Order Cancelled" => ("ecommerce.order_cancelled", true),
        _ => return None,
    })
}

impl Goods {
    /// The event about goods, if it is one for Braze.
    ///
    /// # Errors
    /// The reason to refuse an order, refund or cancellation.
    pub(super) fn of(event: &Event, source: &str) -> Result<Option<Goods>, String> {
        let Some((name, details)) = track(event) else { return Ok(None) };
        let Some((name, decides)) = meant(name) else { return Ok(None) };
        // One product of a cart is not the cart: Braze wants the whole cart.
        if name == "ecommerce.cart_updated" && !details.contains_key("products") {
            return Ok(None);
        }
        let commerce = Commerce::of(event);
        match properties(name, details, &commerce, source) {
            Ok(properties) => Ok(Some(Goods { name, properties })),
            Err(missing) if decides => {
                Err(reason::invalid(&format!("Braze needs {missing} for {name}")))
            }
            Err(_) => Ok(None),
        }
    }
}

/// The members of an event about goods, or the name of one that is missing.
fn properties(
    name: &str,
    details: &Properties,
    commerce: &Commerce<'_>,
    source: &str,
) -> Result<Properties, &'static str> {
    let mut all = Map::new();
    let currency = commerce.currency.filter(|code| is_currency(code)).ok_or("currency")?;
    all.insert("currency".to_owned(), currency.into());
    all.insert("source".to_owned(), source.into());
    if name == "ecommerce.product_viewed" {
        let first = commerce.products.first().ok_or("product_id")?;
        all.extend(about(first)?);
        all.remove("quantity");
        return Ok(all);
    }
    let cart = details.get("cart_id").and_then(Value::as_str);
    let (member, id) = match name {
        "ecommerce.cart_updated" => ("cart_id", cart),
        "ecommerce.checkout_started" => ("checkout_id", commerce.cart_id),
        _ => ("order_id", commerce.order_id),
    };
    put_text(&mut all, member, Some(id.ok_or(member)?));
    let total =
        if member == "order_id" { commerce.total.or(commerce.value) } else { commerce.value };
    all.insert("total_value".to_owned(), Value::Number(total.ok_or("total_value")?.clone()));
    let mut products = Vec::new();
    for product in &commerce.products {
        products.push(Value::Object(about(product)?));
    }
    if products.is_empty() {
        return Err("products");
    }
    all.insert("products".to_owned(), products.into());
    match name {
        "ecommerce.order_placed" => {
            put_text(&mut all, "cart_id", cart);
            put_number(&mut all, "total_discounts", commerce.discount);
        }
        "ecommerce.checkout_started" => put_text(&mut all, "cart_id", cart),
        "ecommerce.order_cancelled" => {
            let why = details.get("cancel_reason").or_else(|| details.get("reason"));
            put_text(&mut all, "cancel_reason", why.and_then(Value::as_str).or(Some("not given")));
        }
        _ => {}
    }
    put_metadata(&mut all, commerce);
    Ok(all)
}

/// What Braze's tables have no member for.
fn put_metadata(all: &mut Properties, commerce: &Commerce<'_>) {
    let mut metadata = Map::new();
    put_number(&mut metadata, "revenue", commerce.revenue);
    put_number(&mut metadata, "tax", commerce.tax);
    put_number(&mut metadata, "shipping", commerce.shipping);
    put_text(&mut metadata, "coupon", commerce.coupon);
    if !metadata.is_empty() {
        all.insert("metadata".to_owned(), Value::Object(metadata));
    }
}

fn about(product: &Product<'_>) -> Result<Properties, &'static str> {
    let id = product.id.ok_or("product_id")?;
    let mut all = Map::new();
    put_text(&mut all, "product_id", Some(id));
    put_text(&mut all, "product_name", product.name.or(Some(id)));
    put_text(&mut all, "variant_id", product.sku.or(product.variant).or(Some(id)));
    put_text(&mut all, "sku", product.sku);
    // Half an address leads nowhere.
    let is_short = |url: &&str| url.len() <= TEXT_BYTES_MAX;
    put_text(&mut all, "image_url", product.image_url.filter(is_short));
    put_text(&mut all, "product_url", product.url.filter(is_short));
    all.insert("price".to_owned(), Value::Number(product.price.ok_or("price")?.clone()));
    let whole = product.quantity.and_then(Number::as_u64);
    all.insert("quantity".to_owned(), whole.unwrap_or(1).into());
    let mut metadata = Map::new();
    // Braze counts whole units. What is sold by weight is one unit, and its weight stands beside.
    put_number(&mut metadata, "quantity", product.quantity.filter(|_| whole.is_none()));
    put_text(&mut metadata, "brand", product.brand);
    put_text(&mut metadata, "category", product.category);
    if !metadata.is_empty() {
        all.insert("metadata".to_owned(), Value::Object(metadata));
    }
    Ok(all)
}

fn put_text(all: &mut Properties, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        all.insert(name.to_owned(), shortened(text, TEXT_BYTES_MAX).into());
    }
}

fn put_number(all: &mut Properties, name: &str, number: Option<&Number>) {
    if let Some(number) = number {
        all.insert(name.to_owned(), Value::Number(number.clone()));
    }
}

fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}
