//! What every answer about a contact of HubSpot has: whom it is about, and when it was changed.

use hilo_core::inbound::Who;
use jiff::Timestamp;
use serde_json::Value;

use super::super::words::{is_somebody, millis, text, time};

/// The person of a contact; `None` where it names nobody.
pub(super) fn person(properties: &Value, user_id: Option<&str>) -> Option<Who> {
    let user_id = user_id.and_then(|name| text(properties, name));
    let who = Who { user_id, email: text(properties, "email"), ..Who::default() };
    is_somebody(&who).then_some(who)
}

/// When a contact was changed. HubSpot writes the time as ISO 8601 or in milliseconds, by the version.
pub(super) fn changed_at(properties: &Value) -> Option<Timestamp> {
    time(properties, "lastmodifieddate").or_else(|| millis(properties, "lastmodifieddate"))
}
