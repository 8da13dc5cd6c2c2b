//! What shop systems push to their `dataLayer` (`shops/pushes.json`, values invented) and which events with which amounts they must become
//! (`shops/events.json`). Amounts are compared in minor units. `tests/browser/tag_manager/shops.spec.ts` reads the same two files.

#![allow(clippy::indexing_slicing, reason = "JSON answers a missing field with null")]

use hilo_core::plain::Plain;
use hilo_core::tag_manager::Moment;
use hilo_tests::marked;
use hilo_tracker::tag_manager::TagManager;
use serde_json::{Map, Value, json};

/// An event of the cart, or a named act.
#[derive(Debug)]
struct Told {
    name: String,
    properties: Value,
}

fn file(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The events that a push becomes, and what the developer is told.
fn told(push: &Value) -> (Vec<Told>, String) {
    let mut reader = TagManager::default();
    let entry: Plain = serde_json::from_value(marked(Some(push))).unwrap_or_default();
    let notes = reader.read(&entry, &Moment::default());
    let (mut told, mut lines) = (Vec::new(), Vec::new());
    loop {
        let calls = reader.next(Some(&[]), false);
        if calls.is_empty() {
            return (told, notes);
        }
        for line in calls.lines() {
            if let Some((name, properties)) = line.split_once('\t') {
                let properties = serde_json::from_str(properties).unwrap_or_default();
                told.push(Told { name: name.to_owned(), properties });
                continue;
            }
            let call: Value = serde_json::from_str(line).unwrap_or_default();
            told.extend(by_cart(&call, &mut lines));
        }
    }
}

/// The event that the cart reports after a call. What is corrected is in the cart when the checkout begins.
fn by_cart(call: &Value, lines: &mut Vec<Value>) -> Option<Told> {
    let (line, args) = (call["args"][0].clone(), &call["args"]);
    let (name, properties) = match call["call"].as_str().unwrap_or_default() {
        "cart.add" => ("Product Added", line),
        "cart.set" if args[2] == true => {
            lines.push(line);
            return None;
        }
        "cart.set" | "cart.dec" => ("Product Removed", line),
        "cart.checkout" => {
            let currency = lines.first().map(|line| line["currency"].clone());
            ("Checkout Started", json!({"currency": currency, "products": lines}))
        }
        "cart.ordered" => {
            let mut order = args[2].clone();
            order["order_id"] = line;
            ("Order Completed", order)
        }
        _ => return None,
    };
    Some(Told { name: name.to_owned(), properties })
}

fn minor(value: &Value) -> Option<i64> {
    let amount = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    Some((amount * 100.0).round() as i64)
}

/// FNV-1a of the options, as the cart names a line.
fn options_hash(variant: &str) -> String {
    let pairs = format!("variant={variant}");
    let hash = pairs.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    hash.to_string()
}

fn check(name: &str, found: &Value, expected: &Map<String, Value>, notes: &str) {
    for (key, value) in expected {
        match key.as_str() {
            "event" => {}
            // A push from before the reader gets the time of the reader: hilo writes no flag.
            "flags" => assert!(
                value[0] == "late" || notes.contains("no currency"),
                "{name}: {value} {notes}"
            ),
            "products" => {
                let products = value.as_array().into_iter().flatten().filter_map(Value::as_object);
                for (place, product) in products.enumerate() {
                    check(name, &found["products"][place], product, notes);
                }
            }
            "variant" => {
                let hash = options_hash(value.as_str().unwrap_or_default());
                assert_eq!(found["options_hash"], hash.as_str(), "{name}: {key}");
            }
            key => match key.strip_suffix("_minor") {
                Some(amount) => {
                    assert_eq!(minor(&found[amount]), value.as_i64(), "{name}: {amount} {found}");
                }
                None => assert_eq!(&found[key], value, "{name}: {key}"),
            },
        }
    }
}

#[test]
fn what_shop_systems_push_becomes_their_events_with_exact_amounts() {
    let pushes = file(include_str!("shops/pushes.json"));
    let events = file(include_str!("shops/events.json"));
    assert_eq!((pushes.len(), events.len()), (10, 10));
    for (name, expected) in &events {
        let (told, notes) = told(&pushes[name]);
        let names: Vec<&str> = told.iter().map(|one| one.name.as_str()).collect();
        if expected.is_array() {
            assert_eq!(json!(names), *expected, "{name}");
            continue;
        }
        assert_eq!(names, [expected["event"].as_str().unwrap_or_default()], "{name}");
        let expected = expected.as_object().cloned().unwrap_or_default();
        assert!(expected.len() > 1, "{name}");
        check(name, &told[0].properties, &expected, &notes);
    }
}

#[test]
fn a_product_view_of_magefan_has_one_category_of_all_levels() {
    let pushes = file(include_str!("shops/pushes.json"));
    let (told, _) = told(&pushes["magefan_view"]);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].name.as_str(), &told[0].properties),
        (
            "Product Viewed",
            &json!({
                "currency": "EUR", "product_id": "MUG-BLU", "name": "Mug", "category": "Kitchen > Mugs",
                "brand": "Acme", "price": 20.0, "quantity": 1
            })
        )
    );
}

#[test]
fn nothing_but_the_listed_fields_is_told() {
    let pushes = file(include_str!("shops/pushes.json"));
    for (name, push) in &pushes {
        let (told, notes) = told(push);
        assert!(!format!("{told:?}{notes}").contains("never-read"), "{name}");
    }
}
