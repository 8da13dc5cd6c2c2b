//! Makes a touchpoint fit into the bytes of an event. A large cart's order must arrive, whatever its lines look like.
//!
//! A touchpoint → its text, and what was left out of it. Only what describes a line is left out, from the last line on. Ids,
//! quantities and prices stay.

use hilo_core::event::EVENT_BYTES_MAX;
use serde_json::Value;

use crate::calls::encode;
use crate::platform::Failure;

/// The fields that describe a product, the least needed first.
const DESCRIPTIVE: [&str; 3] = ["image_url", "url", "name"];
/// What is left out where ids and prices alone are too much: 200 lines whose ids have more than a hundred bytes each.
const PRODUCTS: &str = "products";

/// Writes `touchpoint` with at most the bytes that an event may have. Returns the text, and the names of what was left out.
pub(super) fn fit(touchpoint: &mut Value) -> Result<(String, Vec<&'static str>), Failure> {
    let text = encode(touchpoint)?;
    let mut over = text.len().saturating_sub(EVENT_BYTES_MAX);
    let mut cut = Vec::new();
    let products = touchpoint.pointer_mut("/properties/products").and_then(Value::as_array_mut);
    let Some(products) = products.filter(|_| over > 0) else { return Ok((text, cut)) };
    for field in DESCRIPTIVE {
        for product in products.iter_mut().rev().filter_map(Value::as_object_mut) {
            if over == 0 {
                break;
            }
            let Some(value) = product.remove(field) else { continue };
            // Two quotes, a colon and a comma stand around the name and its value.
            over = over.saturating_sub(field.len() + encode(&value)?.len() + 4);
            if !cut.contains(&field) {
                cut.push(field);
            }
        }
    }
    while over > 0 {
        let Some(product) = products.pop() else { break };
        over = over.saturating_sub(encode(&product)?.len() + 1);
        if !cut.contains(&PRODUCTS) {
            cut.push(PRODUCTS);
        }
    }
    Ok((encode(touchpoint)?, cut))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn touchpoint(lines: usize, id: usize, look: usize) -> Value {
        let product = |n: usize| {
            let text = "x".repeat(look);
            json!({
                "product_id": format!("{n:0>id$}"), "quantity": 9_999, "price": 12_345.67, "currency": "EUR",
                "name": text, "url": text, "image_url": text,
            })
        };
        json!({"properties": {"products": (0..lines).map(product).collect::<Vec<_>>()}})
    }

    fn check(lines: usize, id: usize, look: usize, cut: &[&str]) -> Vec<Value> {
        let (text, found) = fit(&mut touchpoint(lines, id, look)).unwrap();
        assert_eq!(found, cut);
        assert!(text.len() <= EVENT_BYTES_MAX, "{}", text.len());
        let body: Value = serde_json::from_str(&text).unwrap();
        body["properties"]["products"].as_array().unwrap().clone()
    }

    #[test]
    fn what_describes_a_line_is_left_out_and_its_id_quantity_and_price_stay() {
        assert_eq!(check(10, 20, 100, &[]).len(), 10);
        let products = check(50, 20, 512, &["image_url", "url"]);
        assert_eq!(products.len(), 50);
        assert!(products.iter().all(|product| product["price"] == 12_345.67
            && product["quantity"] == 9_999
            && product["product_id"].as_str().is_some_and(|id| id.len() == 20)));
        assert!(
            products[0]["url"].is_string() && products[49]["url"].is_null(),
            "first lines last"
        );
        let products = check(200, 20, 100, &DESCRIPTIVE);
        assert_eq!((products.len(), &products[199]["name"]), (200, &Value::Null));
    }

    #[test]
    fn only_ids_of_absurd_length_cost_lines() {
        assert_eq!(check(200, 90, 1, &DESCRIPTIVE).len(), 200);
        assert!(check(200, 128, 1, &["image_url", "url", "name", "products"]).len() > 150);
    }
}
