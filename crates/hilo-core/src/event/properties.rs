//! JSON with the sender's own keys. Shape only.

use serde_json::{Map, Value};

/// Properties or traits: JSON with the sender's own keys.
pub type Properties = Map<String, Value>;
