//! `hilo.toml` → the configuration as people see it, or every problem with its place.

use hilo_core::config::parse;
use serde_json::{Value, json};

pub(crate) fn run(input: &Value) -> Value {
    match parse(input.as_str().unwrap_or_default()) {
        Ok(config) => json!({ "config": config }),
        Err(problems) => json!({ "problems": problems }),
    }
}
