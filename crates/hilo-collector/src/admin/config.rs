//! `GET /admin/v1/config`: the configuration in force, without secrets.

use hilo_core::redact;
use serde_json::{Value, json};

use super::http::ok;
use crate::loaded::Loaded;
use crate::platform::Reply;

/// Answers the configuration in force, and the problems of a newer one that could not be loaded.
pub(super) fn show(loaded: &Loaded) -> Reply {
    let mut shown = serde_json::to_value(&loaded.config).unwrap_or_default();
    if let Some(entries) = shown.get_mut("destinations").and_then(Value::as_array_mut) {
        for settings in entries.iter_mut().filter_map(|entry| entry.get_mut("settings")) {
            hide_secrets(settings);
        }
    }
    let problems = loaded.fault.as_ref().map(|fault| fault.details.as_slice()).unwrap_or_default();
    ok(&json!({ "config": shown, "problems": problems }))
}

/// Removes secrets from the settings. Settings should only name a secret, and a secret that somebody wrote into them is
/// not shown.
fn hide_secrets(settings: &mut Value) {
    const SUSPICIOUS: [&str; 5] = ["secret", "token", "key", "password", "authorization"];
    let Some(table) = settings.as_object_mut() else { return };
    for (name, value) in table.iter_mut() {
        let is_suspicious = SUSPICIOUS.iter().any(|word| name.to_lowercase().contains(word));
        if let Some(text) = value.as_str() {
            if is_suspicious {
                *value = Value::from("redacted");
            } else if text.contains("://") {
                *value = Value::from(redact::url(text));
            }
        } else if !is_suspicious || value.get("secret").is_none() {
            hide_secrets(value);
        }
    }
}
