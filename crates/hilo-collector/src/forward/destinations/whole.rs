//! An event as logs, warehouses and archives get it: all that is stored of the event, and nothing of its person's profile.
//!
//! One event of a batch → JSON text, or a flat row of columns. The deployer's own name and fields win over the event's.

use hilo_core::event::{Event, EventKind};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::forward::destination::{BatchEvent, LeftOut, Mapped};
use crate::forward::reason;
use crate::signature::sha256_hex;

/// The event as JSON, as it is stored.
///
/// # Errors
/// Why it is left out: it cannot be written as JSON.
pub(super) fn document(one: &BatchEvent<'_>) -> Result<String, LeftOut> {
    let text = text(one.event)?;
    let Mapped { name, fields } = one.mapped;
    if name.is_none() && fields.is_empty() {
        return Ok(text);
    }
    let mut whole: Map<String, Value> =
        serde_json::from_str(&text).map_err(|error| left_out(&error))?;
    if let Some(name) = name {
        let member = match one.event.kind {
            EventKind::Track { .. } => "event",
            EventKind::Page { .. }
            | EventKind::Screen { .. }
            | EventKind::Identify { .. }
            | EventKind::Group { .. }
            | EventKind::Alias { .. } => "name",
        };
        whole.insert(member.to_owned(), name.as_str().into());
    }
    whole.extend(fields.clone());
    self::text(&whole)
}

/// The event as a row: ids, times and names as text, everything else as JSON in a text. What is unknown has no column.
///
/// # Errors
/// Why it is left out: it cannot be written as JSON.
pub(super) fn row(one: &BatchEvent<'_>) -> Result<Map<String, Value>, LeftOut> {
    let event = one.event;
    let consent = event.context.consent.as_ref();
    let said = consent.map(|claim| text(&claim.category_preferences)).transpose()?;
    let details = match &event.kind {
        EventKind::Alias { previous_id } => {
            text(&Map::from_iter([("previousId".to_owned(), previous_id.as_str().into())]))?
        }
        EventKind::Track { .. }
        | EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Identify { .. }
        | EventKind::Group { .. } => {
            event.kind.details().map_or_else(|| Ok(String::new()), text)?
        }
    };
    let name = one.mapped.name.as_deref().or_else(|| event.kind.label());
    let columns = [
        ("event_id", Some(event.message_id.clone())),
        ("type", Some(event.kind.name().to_owned())),
        ("name", name.map(str::to_owned)),
        ("event_time", Some(event.occurred_at.to_string())),
        ("received_at", Some(event.received_at.to_string())),
        ("anonymous_id", event.anonymous_id.clone()),
        ("user_id", event.user_id.clone()),
        ("claimed_id", event.claimed_id.clone()),
        ("consent", said),
        ("properties", Some(details)),
        ("context", Some(text(&event.context)?)),
    ];
    let mut row = Map::new();
    for (column, value) in columns {
        if let Some(value) = value {
            row.insert(column.to_owned(), value.into());
        }
    }
    row.extend(one.mapped.fields.clone());
    Ok(row)
}

/// What stands for the person of an event where its id shall not stand: a hash of the verified id, or else of the device's. The
/// hash is not keyed, so it only keeps ids out of sight.
pub(super) fn person_hash(event: &Event) -> Option<String> {
    let user = event.user_id.as_ref().map(|id| format!("u:{id}"));
    let device = || event.anonymous_id.as_ref().map(|id| format!("a:{id}"));
    user.or_else(device).map(|id| sha256_hex(id.as_bytes()))
}

/// The event's id, where a service compares it with those of other people: a UUID as it is. Any other id is unique for its sender or
/// its person only, so a hash of both takes its place.
pub(super) fn unique_id(event: &Event) -> String {
    if is_uuid(&event.message_id) {
        return event.message_id.clone();
    }
    let Event { user_id, anonymous_id, claimed_id, message_id, .. } = event;
    sha256_hex(json!([user_id, anonymous_id, claimed_id, message_id]).to_string().as_bytes())
}

/// Whether a text is a UUID (RFC 9562, 4).
pub(super) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A name for exactly these events in this order: the same batch gets it again when it is repeated.
pub(super) fn batch_hash<'e>(events: impl Iterator<Item = &'e Event>) -> String {
    let mut all = String::new();
    for event in events {
        all.push_str(&unique_id(event));
        all.push('\n');
    }
    sha256_hex(all.as_bytes())
}

fn text(value: &impl Serialize) -> Result<String, LeftOut> {
    serde_json::to_string(value).map_err(|error| left_out(&error))
}

fn left_out(error: &serde_json::Error) -> LeftOut {
    LeftOut::Refused(reason::invalid(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, device: &str) -> Event {
        serde_json::from_value(json!({
            "messageId": id, "type": "page", "anonymousId": device, "context": {},
            "timestamp": "2026-11-24T10:00:00Z", "receivedAt": "2026-11-24T10:00:00Z",
        }))
        .unwrap()
    }

    #[test]
    fn an_id_that_two_people_share_is_told_apart_and_a_uuid_stays() {
        let (ana, ben) = (event("1001", "a1"), event("1001", "b1"));
        assert_ne!(unique_id(&ana), unique_id(&ben));
        assert_eq!(unique_id(&ana), unique_id(&ana.clone()));
        assert_ne!(unique_id(&ana), unique_id(&event("1002", "a1")));
        // It stands in headers, and before a dot in what a webhook signs.
        assert!(unique_id(&event("a.b c", "a1")).bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(batch_hash([&ana].into_iter()), batch_hash([&ben].into_iter()));
        let uuid = "5f0c1d52-8f3e-4a3b-9a57-3f2f6f0c9a11";
        assert_eq!(unique_id(&event(uuid, "a1")), uuid);
    }
}
