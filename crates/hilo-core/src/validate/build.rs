//! Builds the typed event from a message that fits the field table: kind, ids, times, context.
//!
//! `(message, facts) → Event`. The trust in the sender decides whether a user id is verified or claimed. An id that stands for
//! everybody is taken away. Times stay as the sender sent them: `normalize` corrects clocks.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::notes::Notes;
use super::posted::PostedEvent;
use super::time::read_time;
use crate::event::{Clock, Context, Event, EventKind, Properties, Trust};
use crate::identity::uuid_v7;
use crate::outcome::{Code, Rejection};

/// Fields of some kinds only. A field that is left after the kind was built belongs to another kind.
const KIND_FIELDS: [&str; 6] = ["event", "name", "category", "properties", "traits", "previousId"];

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
    let kind = kind(&mut message, posted, notes)?;
    share_group(&mut message);
    let ids = Ids::take(&mut message, posted, notes)?;
    let times = Times::take(&mut message, posted, notes);
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
    let mut context = context(message.remove("context"), posted, notes)?;
    context.hilo.clock = times.clock;
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

fn kind(
    message: &mut Map<String, Value>,
    posted: &PostedEvent<'_>,
    notes: &mut Notes,
) -> Result<EventKind, Rejection> {
    let of_message = take_text(message, "type");
    let name =
        posted.envelope.kind.as_deref().map(str::to_owned).or(of_message).ok_or_else(|| {
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
        "identify" => Ok(EventKind::Identify { traits: persons_traits(message) }),
        "group" => {
            let group_id =
                subject(message, "groupId", "a group event names the group", posted, notes)?;
            Ok(EventKind::Group { group_id, traits: take_object(message, "traits") })
        }
        "alias" => {
            let why = "an alias event names the earlier id";
            let previous_id = subject(message, "previousId", why, posted, notes)?;
            Ok(EventKind::Alias { previous_id })
        }
        _ => Err(Rejection::at(
            Code::UnknownType,
            "type",
            "send one of track, page, screen, identify, group, alias, in lower case",
        )),
    }
}

/// The traits that an identify event tells. RudderStack's client for pages sends them in the context only.
fn persons_traits(message: &mut Map<String, Value>) -> Properties {
    let own = take_object(message, "traits");
    let shared = message.get("context").and_then(|context| context.get("traits"));
    match shared.and_then(Value::as_object) {
        Some(shared) if own.is_empty() => shared.clone(),
        _ => own,
    }
}

/// Jitsu's client names the person's group beside an event, where Segment's specification has it in the context.
fn share_group(message: &mut Map<String, Value>) {
    let Some(group) = message.remove("groupId") else { return };
    let context = message.entry("context").or_insert_with(|| Value::Object(Map::new()));
    if let Some(context) = context.as_object_mut() {
        context.entry("groupId").or_insert(group);
    }
}

/// The id that the event is about. Without it the event says nothing.
fn subject(
    message: &mut Map<String, Value>,
    field: &str,
    why: &str,
    posted: &PostedEvent<'_>,
    notes: &mut Notes,
) -> Result<String, Rejection> {
    match take_text(message, field) {
        Some(id) if stands_for_everybody(&id, posted) => Err(reserved(field)),
        Some(id) => Ok(id),
        None => Err(notes.take(field).unwrap_or_else(|| missing(field, why))),
    }
}

fn stands_for_everybody(id: &str, posted: &PostedEvent<'_>) -> bool {
    posted.config.identity.is_reserved(id)
}

fn reserved(field: &str) -> Rejection {
    let message = "this id stands for nobody in particular and would merge strangers: leave it out";
    Rejection::at(Code::ReservedId, field, message)
}

/// The ids of an event, verified or claimed.
struct Ids {
    anonymous: Option<String>,
    user: Option<String>,
    claimed: Option<String>,
}

impl Ids {
    /// Takes the ids. An id that stands for everybody is taken away, and the event lives on with its other id.
    fn take(
        message: &mut Map<String, Value>,
        posted: &PostedEvent<'_>,
        notes: &mut Notes,
    ) -> Result<Ids, Rejection> {
        let mut take = |field| {
            take_text(message, field).filter(|id| {
                let is_somebody = !stands_for_everybody(id, posted);
                if !is_somebody {
                    notes.taken_away(reserved(field));
                }
                is_somebody
            })
        };
        let (anonymous, user) = (take("anonymousId"), take("userId"));
        let (needed, message) = match posted.facts.trust {
            // Anyone can copy a public key out of a page, so a user id under such a key is a claim and owns no profile.
            Trust::Public if anonymous.is_none() => (
                "anonymousId",
                "events from a page carry the anonymousId: a userId alone counts only from a server key",
            ),
            Trust::Server if anonymous.is_none() && user.is_none() => {
                ("userId", "say whom the event is about: userId, anonymousId or both")
            }
            Trust::Public => return Ok(Ids { anonymous, user: None, claimed: user }),
            Trust::Server => return Ok(Ids { anonymous, user, claimed: None }),
        };
        // An id that was taken away is the better reason.
        let taken = notes.take(needed).or_else(|| match posted.facts.trust {
            Trust::Public => None,
            Trust::Server => notes.take("anonymousId"),
        });
        Err(taken.unwrap_or_else(|| Rejection::at(Code::MissingId, needed, message)))
    }
}

/// The sender's times, as the sender sent them.
struct Times {
    original_at: Option<Timestamp>,
    sent_at: Option<Timestamp>,
    clock: Option<Clock>,
}

impl Times {
    /// Takes the times. A time that cannot be read is noted and counts as absent.
    fn take(
        message: &mut Map<String, Value>,
        posted: &PostedEvent<'_>,
        notes: &mut Notes,
    ) -> Times {
        let is_told =
            message.contains_key("originalTimestamp") || message.contains_key("timestamp");
        let mut take = |field: &str| {
            let time = read_time(&message.remove(field)?);
            if time.is_none() {
                let message = "this is no time, such as 2026-11-24T10:00:00.000Z; it was left out";
                notes.remark(Code::BadTimestamp, field, message);
            }
            time
        };
        let (original, said) = (take("originalTimestamp"), take("timestamp"));
        // Where both are sent, another system has corrected `timestamp` already. That counts from a server. A page's clock is
        // corrected here, and the correction starts from the page's own time.
        let original_at = match posted.facts.trust {
            Trust::Server => said.or(original),
            Trust::Public => original.or(said),
        };
        Times {
            original_at,
            sent_at: take("sentAt").or(posted.envelope.sent_at),
            clock: (is_told && original_at.is_none()).then_some(Clock::Unreadable),
        }
    }
}

/// The typed context. Its fields fit the table. A session without an id and a group that stands for everybody are left out.
fn context(
    value: Option<Value>,
    posted: &PostedEvent<'_>,
    notes: &mut Notes,
) -> Result<Context, Rejection> {
    let Some(mut value) = value else { return Ok(Context::default()) };
    if let Some(Value::Object(hilo)) = value.get_mut("hilo")
        && hilo.get("session").is_some_and(|session| session.get("id").is_none())
    {
        hilo.remove("session");
        let field = "context.hilo.session.id";
        notes.remark(Code::MissingField, field, "a session has an id; the session was left out");
    }
    let mut context: Context = serde_json::from_value(value).map_err(|_| {
        Rejection::at(
            Code::WrongType,
            "context",
            "a field of the context has another type than the specification's",
        )
    })?;
    if context.group_id.as_deref().is_some_and(|id| stands_for_everybody(id, posted)) {
        context.group_id = None;
        notes.taken_away(reserved("context.groupId"));
    }
    Ok(context)
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
    use crate::event::Facts;
    use crate::testing::{browser_source, config, envelope};
    use serde_json::json;

    #[test]
    fn a_server_may_name_a_user_and_a_page_may_claim_one() {
        let take = |trust| {
            let Value::Object(mut message) = json!({"anonymousId": "a", "userId": "u"}) else {
                panic!("not an object")
            };
            let (envelope, source, config) = (&envelope(&[]), &browser_source(), &config());
            let facts = &Facts { trust, ..Facts::default() };
            let posted = PostedEvent { index: 0, raw: "", envelope, source, config, facts };
            let ids = Ids::take(&mut message, &posted, &mut Notes::default()).unwrap();
            (ids.user.is_some(), ids.claimed.is_some())
        };
        assert_eq!(take(Trust::Server), (true, false));
        assert_eq!(take(Trust::Public), (false, true));
    }
}
