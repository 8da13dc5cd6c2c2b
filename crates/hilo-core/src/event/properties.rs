//! Free-form JSON of a sender. Shape only.

use serde_json::{Map, Value};

/// Free-form JSON that the sender chose: properties, traits.
pub type Properties = Map<String, Value>;
