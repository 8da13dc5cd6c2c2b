//! What other systems report about people → events, through the same stages as all others.
//!
//! One outcome for each report, in order. This version knows people by the ids that a report names; who is known by an address only is
//! somebody for the join.

use hilo_core::config::Source;
use hilo_core::event::{BATCH_EVENTS_MAX, Facts, Trust};
use hilo_core::inbound::{Report, Told};
use hilo_core::outcome::{Code, Outcome, Rejection};
use hilo_core::validate::Envelope;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::loaded::Loaded;
use crate::platform::{Failure, Platform};

/// Takes reports through the stages, with the legal basis of their source.
///
/// # Errors
/// A failure if any part is not known to be durable. A report that is stored gets `duplicate` at the next attempt.
pub(crate) async fn take<P: Platform>(
    reports: Vec<Report>,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::with_capacity(reports.len());
    for group in reports.chunks(BATCH_EVENTS_MAX) {
        let mut items = Vec::with_capacity(group.len());
        let mut places = Vec::with_capacity(group.len());
        for report in group {
            let item =
                item(report, source).and_then(|item| RawValue::from_string(item.to_string()).ok());
            places.push(item.is_some());
            items.extend(item);
        }
        let now = platform.now();
        let facts = Facts {
            received_at: now,
            random: platform.random16(),
            trust: Trust::Server,
            ..Facts::default()
        };
        let envelope = Envelope { sent_at: Some(now), items, ..Envelope::default() };
        let (entries, _) = super::run(&envelope, None, source, &facts, loaded, platform).await?;
        let mut entries = entries.into_iter();
        for is_item in places {
            let entry = if is_item { entries.next() } else { None };
            outcomes.push(entry.map_or_else(nobody, |entry| entry.outcome));
        }
    }
    Ok(outcomes)
}

fn nobody() -> Outcome {
    let message = "the report names nobody by an id of the company";
    Outcome::Rejected(Rejection::new(Code::MissingId, message))
}

/// The item of the protocol that a report is; `None` if it names nobody by an id.
fn item(report: &Report, source: &Source) -> Option<Value> {
    let who = &report.who;
    who.user_id.as_ref().or(who.anonymous_id.as_ref())?;
    let mut item = match &report.told {
        Told::Act { event, properties } => {
            json!({ "type": "track", "event": event, "properties": properties })
        }
        Told::Traits(traits) => json!({ "type": "identify", "traits": traits }),
        Told::OptIn { channel, is_subscribed, .. } => {
            let state = if *is_subscribed { "subscribed" } else { "unsubscribed" };
            let properties = json!({ "channel": channel, "state": state });
            json!({ "type": "track", "event": "Opt-In Reported", "properties": properties })
        }
    };
    let members: &mut Map<String, Value> = item.as_object_mut()?;
    let mut set = |name: &str, value: Option<Value>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    set("userId", who.user_id.clone().map(Value::from));
    set("anonymousId", who.anonymous_id.clone().map(Value::from));
    set("messageId", report.id.as_ref().map(|id| format!("{}:{id}", source.name).into()));
    set("timestamp", report.occurred_at.map(|at| at.to_string().into()));
    set("context", Some(Value::Object(report.context.clone())));
    Some(item)
}
