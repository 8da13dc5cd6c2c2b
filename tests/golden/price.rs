//! Prices as shops print them → minor units.
//!
//! In: a list of `[price, currency]`, where a text is what a page prints and a number what a script computes. Out: the minor
//! units, with a word for a rounded price; or why there is no amount.

use hilo_core::money::Currency;
use hilo_core::price::{Price, Unclear};
use hilo_core::printed::read as read_printed;
use serde_json::{Value, json};

pub(crate) fn run(input: &Value) -> Value {
    input.as_array().into_iter().flatten().map(row).collect()
}

fn row(row: &Value) -> Value {
    let [price, code] = [row.get(0), row.get(1)].map(|cell| cell.cloned().unwrap_or_default());
    let Some(currency) = code.as_str().and_then(Currency::parse) else {
        return json!("no currency");
    };
    let read = match price.as_str() {
        Some(text) => read_printed(text, currency),
        None => Price::of_number(&price.to_string(), currency),
    };
    match read {
        Ok(Price { amount, is_rounded: false }) => json!([price, code, amount.minor]),
        Ok(Price { amount, is_rounded: true }) => json!([price, code, amount.minor, "rounded"]),
        Err(Unclear::TwoReadings) => json!([price, code, "ambiguous"]),
        Err(Unclear::NoAmount) => json!([price, code, "none"]),
    }
}
