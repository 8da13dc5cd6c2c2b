//! `hilo.toml` → the configuration as people see it, or every problem with its place; and its warnings.

use hilo_core::config::{parse, warnings};
use serde_json::{Value, json};

pub(crate) fn run(input: &Value) -> Value {
    match parse(input.as_str().unwrap_or_default()) {
        Ok(config) => json!({ "config": config }),
        Err(problems) => json!({ "problems": problems }),
    }
}

pub(crate) fn warn(input: &Value) -> Value {
    let found = warnings(input.as_str().unwrap_or_default());
    found.iter().map(|warning| Value::from(warning.to_string())).collect()
}
