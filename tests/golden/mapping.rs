//! Rules and documents → names, fields, or drops.
//!
//! In: `{rules, documents}`, the rules as lines of TOML. Out: what the rules make of each document; or every problem of the rules.

use hilo_tests::mapping::{applied, rules};
use serde_json::{Value, json};

pub(crate) fn run(input: &Value) -> Value {
    let lines = input.get("rules").and_then(Value::as_array).into_iter().flatten();
    let lines: Vec<_> = lines.filter_map(Value::as_str).collect();
    match rules(&lines.join("\n")) {
        Ok(rules) => {
            let documents = input.get("documents").and_then(Value::as_array).into_iter().flatten();
            documents.map(|document| applied(&rules, document)).collect()
        }
        Err(problems) => json!({ "problems": problems }),
    }
}
