//! The settings of the kind: `hilo.toml` → settings, or the problem with its remedy.

use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::money::Currency;
use serde::Deserialize;
use serde_json::Number;

use super::names;
use crate::forward::destination::{Destination, SecretName};

/// The most user properties of a request.
const USER_PROPERTIES_MAX: usize = 25;
/// The most characters of a user property's name.
const USER_PROPERTY_NAME_CHARS_MAX: usize = 24;

/// The settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ga4 {
    /// The web stream's id, `G-…`.
    pub(super) measurement_id: String,
    /// The stream's secret for the Measurement Protocol.
    pub(super) api_secret: SecretName,
    /// Where Google reads the events first.
    #[serde(default)]
    pub(super) region: Region,
    /// Traits that become user properties.
    #[serde(default)]
    pub(super) user_properties: Vec<String>,
    /// Properties of events that become parameters, beside those of goods and forms.
    #[serde(default)]
    pub(super) parameters: Vec<String>,
    /// What a lead is worth that tells no worth itself.
    pub(super) lead: Option<Lead>,
}

/// Where Google reads the events first.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Region {
    /// Anywhere.
    #[default]
    Any,
    /// In the European Union.
    Eu,
}

/// What a lead is worth.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lead {
    /// The amount.
    pub(super) value: Number,
    /// Its currency, ISO 4217.
    pub(super) currency: String,
}

pub(super) fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let settings: Ga4 = entry.read_settings()?;
    let bad = |field, why| Err(entry.problem(field, ProblemCode::BadValue, why));
    let id = settings.measurement_id.strip_prefix("G-").unwrap_or_default();
    let is_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if id.is_empty() || !id.bytes().all(is_id) {
        return bad(
            "measurement_id",
            "write the id of a web stream, such as \"G-ABC123\"".to_owned(),
        );
    }
    let currency = settings.lead.as_ref().map_or("EUR", |lead| lead.currency.as_str());
    if Currency::parse(currency).is_none() {
        return bad(
            "lead",
            "write the currency as three capital letters, such as \"EUR\"".to_owned(),
        );
    }
    if settings.user_properties.len() > USER_PROPERTIES_MAX {
        return bad("user_properties", format!("at most {USER_PROPERTIES_MAX}"));
    }
    for name in &settings.user_properties {
        let is_short = name.len() <= USER_PROPERTY_NAME_CHARS_MAX;
        if !is_short
            || !names::is_name(name)
            || names::RESERVED_USER_PROPERTIES.contains(&name.as_str())
        {
            return bad(
                "user_properties",
                format!("{name:?} is no name of a user property: {}", names::RULE),
            );
        }
    }
    for name in &settings.parameters {
        if !names::is_name(name) {
            return bad(
                "parameters",
                format!("{name:?} is no name of a parameter: {}", names::RULE),
            );
        }
    }
    Ok(Box::new(settings))
}
