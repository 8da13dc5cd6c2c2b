//! What an event says about goods and money, in Segment's words (ecommerce spec v2).
//!
//! Event → order, amounts and products, as they were sent. Amounts stay the numbers that they are: nothing here calculates.

use hilo_core::event::Event;
use serde_json::{Map, Number, Value};

/// The goods and the money of an event.
#[derive(Clone, Debug, Default)]
pub(super) struct Commerce<'e> {
    /// `order_id`.
    pub(super) order_id: Option<&'e str>,
    /// `checkout_id`, or `cart_id`.
    pub(super) cart_id: Option<&'e str>,
    /// What the event is worth: `value`, else `revenue`, else `total`.
    pub(super) value: Option<&'e Number>,
    /// `revenue`: without shipping and tax, as Segment has it.
    pub(super) revenue: Option<&'e Number>,
    /// `total`: with shipping and tax.
    pub(super) total: Option<&'e Number>,
    /// `tax`.
    pub(super) tax: Option<&'e Number>,
    /// `shipping`.
    pub(super) shipping: Option<&'e Number>,
    /// `discount`.
    pub(super) discount: Option<&'e Number>,
    /// `coupon`.
    pub(super) coupon: Option<&'e str>,
    /// `currency`, ISO 4217.
    pub(super) currency: Option<&'e str>,
    /// `products`, or the event itself if it is about one product.
    pub(super) products: Vec<Product<'e>>,
}

/// A product of an event.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Product<'e> {
    /// `product_id`, else `sku`.
    pub(super) id: Option<&'e str>,
    /// `sku`.
    pub(super) sku: Option<&'e str>,
    /// `name`.
    pub(super) name: Option<&'e str>,
    /// `brand`.
    pub(super) brand: Option<&'e str>,
    /// `category`.
    pub(super) category: Option<&'e str>,
    /// `variant`.
    pub(super) variant: Option<&'e str>,
    /// `coupon`.
    pub(super) coupon: Option<&'e str>,
    /// `price` of one.
    pub(super) price: Option<&'e Number>,
    /// `quantity`.
    pub(super) quantity: Option<&'e Number>,
    /// `position`.
    pub(super) position: Option<&'e Number>,
    /// `url`.
    pub(super) url: Option<&'e str>,
    /// `image_url`.
    pub(super) image_url: Option<&'e str>,
}

impl<'e> Commerce<'e> {
    /// Reads an event. Everything is absent where it tells of no goods.
    pub(super) fn of(event: &'e Event) -> Commerce<'e> {
        let Some(details) = event.kind.details() else { return Commerce::default() };
        let number = |name: &str| details.get(name).and_then(Value::as_number);
        let list = details.get("products").and_then(Value::as_array);
        let products = match list {
            Some(list) => list.iter().filter_map(Value::as_object).map(Product::of).collect(),
            None => Some(Product::of(details)).filter(|one| one.id.is_some()).into_iter().collect(),
        };
        let (revenue, total) = (number("revenue"), number("total"));
        Commerce {
            order_id: text(details, "order_id"),
            cart_id: text(details, "checkout_id").or_else(|| text(details, "cart_id")),
            value: number("value").or(revenue).or(total),
            revenue,
            total,
            tax: number("tax"),
            shipping: number("shipping"),
            discount: number("discount"),
            coupon: text(details, "coupon"),
            currency: text(details, "currency"),
            products,
        }
    }
}

impl<'e> Product<'e> {
    fn of(details: &'e Map<String, Value>) -> Product<'e> {
        let number = |name: &str| details.get(name).and_then(Value::as_number);
        let sku = text(details, "sku");
        Product {
            id: text(details, "product_id").or(sku),
            sku,
            name: text(details, "name"),
            brand: text(details, "brand"),
            category: text(details, "category"),
            variant: text(details, "variant"),
            coupon: text(details, "coupon"),
            price: number("price"),
            quantity: number("quantity"),
            position: number("position"),
            url: text(details, "url"),
            image_url: text(details, "image_url"),
        }
    }
}

fn text<'e>(details: &'e Map<String, Value>, name: &str) -> Option<&'e str> {
    details.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}
