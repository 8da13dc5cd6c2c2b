//! Builds the typed event from a message that fits the field table: kind, ids, times, context.
//!
//! `(message, facts) → Event`. The trust in the sender decides whether a user id is verified or claimed. Times stay as the page
//! sent them: `normalize` corrects the page's clock.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::notes::Notes;
use super::posted::PostedEvent;
use super::time::read_time;
use crate::event::{Context, Event, EventKind, Properties, Trust};
use crate::identity::{is_reserved, uuid_v7};
use crate::outcome::{Code, Rejection};

/// Fields of some kinds only. A field that is left after the kind was built belongs to another kind.
const KIND_FIELDS: [&str; 7] =
    ["event", "name", "category", "properties", "traits", "groupId", "previousId"];

/// Reads `action`, which old libraries for PHP and Python send in place of `type`.
pub(super) fn read_action(message: &mut Map<String, Value>) {
    let is_alone = message.get("type").is_none_or(Value::is_null);
    if is_alone && let Some(action) = message.get("action").filter(|action| action.is_string()) {
        let action = action.clone();
        message.remove("action");
        message.insert("type".to_owned(), action);
    }
}

/// Builds the event.
pub(super) fn build(
    mut message: Map<String, Value>,
    posted: &PostedEvent<'_>,
    notes: &mut Notes,
) -> Result<Event, Rejection> {
    let kind = kind(&mut message, posted.envelope.kind.as_deref())?;
    let ids = Ids::take(&mut message, posted.facts.trust)?;
    let times = Times::take(&mut message, posted.envelope.sent_at)?;
    for name in KIND_FIELDS {
        let left = message.get(name);
        if left.is_some_and(|value| value.as_object().is_none_or(|object| !object.is_empty())) {
            notes.remark(
                Code::UnknownField,
                name,
                "events of this type have no such field; it was left out",
            );
        }
    }
    let message_id = take_text(&mut message, "messageId").unwrap_or_else(|| mint(posted));
    let context = context(message.remove("context"))?;
    let integrations = take_object(&mut message, "integrations");
    Ok(Event {
        message_id,
        kind,
        anonymous_id: ids.anonymous,
        user_id: ids.user,
        claimed_id: ids.claimed,
        occurred_at: times.original_at.unwrap_or(posted.facts.received_at),
        original_at: times.original_at,
        sent_at: times.sent_at,
        received_at: posted.facts.received_at,
        context,
        integrations,
    })
}

fn take_text(message: &mut Map<String, Value>, key: &str) -> Option<String> {
    match message.remove(key)? {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

fn take_object(message: &mut Map<String, Value>, key: &str) -> Properties {
    match message.remove(key) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn missing(field: &str, message: &str) -> Rejection {
    Rejection::at(Code::MissingField, field, message)
}

fn kind(message: &mut Map<String, Value>, of_path: Option<&str>) -> Result<EventKind, Rejection> {
    let of_message = take_text(message, "type");
    let name = of_path.map(str::to_owned).or(of_message).ok_or_else(|| {
        missing(
            "type",
            "say what kind of event it is: track, page, screen, identify, group or alias",
        )
    })?;
    match name.as_str() {
        "track" => {
            let event = take_text(message, "event").filter(|event| !event.trim().is_empty());
            let event = event.ok_or_else(|| {
                missing("event", "a track event has a name, such as Product Added")
            })?;
            Ok(EventKind::Track { event, properties: take_object(message, "properties") })
        }
        "page" => Ok(EventKind::Page {
            name: take_text(message, "name"),
            category: take_text(message, "category"),
            properties: take_object(message, "properties"),
        }),
        "screen" => Ok(EventKind::Screen {
            name: take_text(message, "name"),
            category: take_text(message, "category"),
            properties: take_object(message, "properties"),
        }),
        "identify" => Ok(EventKind::Identify { traits: take_object(message, "traits") }),
        "group" => {
            let group_id = take_text(message, "groupId")
                .ok_or_else(|| missing("groupId", "a group event names the group"))?;
            let group_id = not_reserved("groupId", group_id)?;
            Ok(EventKind::Group { group_id, traits: take_object(message, "traits") })
        }
        "alias" => {
            let previous_id = take_text(message, "previousId")
                .ok_or_else(|| missing("previousId", "an alias event names the earlier id"))?;
            Ok(EventKind::Alias { previous_id: not_reserved("previousId", previous_id)? })
        }
        _ => Err(Rejection::at(
            Code::UnknownType,
            "type",
            "send one of track, page, screen, identify, group, alias, in lower case",
        )),
    }
}

fn not_reserved(field: &str, id: String) -> Result<String, Rejection> {
    if is_reserved(&id) {
        let message =
            "this id stands for nobody in particular and would merge strangers: leave it out";
        return Err(Rejection::at(Code::ReservedId, field, message));
    }
    Ok(id)
}

/// The ids of an event, verified or claimed.
struct Ids {
    anonymous: Option<String>,
    user: Option<String>,
    claimed: Option<String>,
}

impl Ids {
    fn take(message: &mut Map<String, Value>, trust: Trust) -> Result<Ids, Rejection> {
        let mut take =
            |field| take_text(message, field).map(|id| not_reserved(field, id)).transpose();
        let (anonymous, user) = (take("anonymousId")?, take("userId")?);
        match trust {
            // Anyone can copy a public key out of a page, so a user id under such a key is a claim and owns no profile.
            Trust::Public if anonymous.is_none() => Err(Rejection::at(
                Code::MissingId,
                "anonymousId",
                "events from a page carry the anonymousId: a userId alone counts only from a server key",
            )),
            Trust::Public => Ok(Ids { anonymous, user: None, claimed: user }),
            Trust::Server if anonymous.is_none() && user.is_none() => Err(Rejection::at(
                Code::MissingId,
                "userId",
                "say whom the event is about: userId, anonymousId or both",
            )),
            Trust::Server => Ok(Ids { anonymous, user, claimed: None }),
        }
    }
}

/// The page's times, as the page sent them.
struct Times {
    original_at: Option<Timestamp>,
    sent_at: Option<Timestamp>,
}

impl Times {
    fn take(
        message: &mut Map<String, Value>,
        envelope_sent_at: Option<Timestamp>,
    ) -> Result<Times, Rejection> {
        let mut take = |field: &str| {
            match message.remove(field) {
            None => Ok(None),
            Some(value) => read_time(&value).map(Some).ok_or_else(|| {
                let message = "send a time with its offset, such as 2026-11-24T10:00:00.000Z, or milliseconds since 1970";
                Rejection::at(Code::WrongType, field, message)
            }),
        }
        };
        let (original, said, sent_at) =
            (take("originalTimestamp")?, take("timestamp")?, take("sentAt")?);
        // Where both are sent, another system has corrected `timestamp` already. Our correction starts from the page's own
        // clock.
        Ok(Times { original_at: original.or(said), sent_at: sent_at.or(envelope_sent_at) })
    }
}

/// The typed context. Its fields fit the table, so the only possible mistake is a session without an id.
fn context(value: Option<Value>) -> Result<Context, Rejection> {
    let Some(value) = value else { return Ok(Context::default()) };
    let session = value.get("hilo").and_then(|hilo| hilo.get("session"));
    if session.is_some_and(|session| session.get("id").is_none()) {
        return Err(missing("context.hilo.session.id", "a session has an id"));
    }
    serde_json::from_value(value).map_err(|_| {
        Rejection::at(
            Code::WrongType,
            "context",
            "a field of the context has another type than the specification's",
        )
    })
}

/// An id for a message without an id. Items of one envelope differ by their index, and envelopes by the random bytes. A message
/// that is sent again gets another id, so senders should make their own ids.
fn mint(posted: &PostedEvent<'_>) -> String {
    let mut bytes = posted.facts.random;
    let index = u32::try_from(posted.index).unwrap_or(u32::MAX).to_be_bytes();
    // The last four bytes, because version and variant overwrite bytes 6 and 8.
    for (byte, salt) in bytes.iter_mut().rev().zip(index.iter().rev()) {
        *byte ^= salt;
    }
    uuid_v7(posted.facts.received_at.as_millisecond(), bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_server_may_name_a_user_and_a_page_may_claim_one() {
        let take = |trust| {
            let Value::Object(mut message) = json!({"anonymousId": "a", "userId": "u"}) else {
                panic!("not an object")
            };
            let ids = Ids::take(&mut message, trust).unwrap();
            (ids.user.is_some(), ids.claimed.is_some())
        };
        assert_eq!(take(Trust::Server), (true, false));
        assert_eq!(take(Trust::Public), (false, true));
    }
}
