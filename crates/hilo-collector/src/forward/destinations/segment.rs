//! Segment: batches of its HTTP API, which RudderStack and others speak too
//! (<https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/>).
//!
//! Events → one `POST <url>/batch`. The service knows a repeat by `messageId`, for a day at least. Its 200 tells nothing about an
//! event. Claimed ids are left out: only a vouched one is a `userId` there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::{Context, Event, EventKind, Properties};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::answer::{by_status, retry};
use super::{target, whole};
use crate::forward::destination::{
    Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest, Mapping, MissingSecret,
    OptIns, Reception, SecretName,
};
use crate::forward::reason;
use crate::platform::{Headers, Outgoing, Response};

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "segment",
    title: "Segment",
    is_silent: true,
    optins: OptIns::Kept,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        // 2,500 messages and 500 KB. More messages are dropped without a word.
        events: 2_500,
        bytes: 480_000,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: false,
        pace: None,
    },
};

/// Segment's own limit of one message.
const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// The settings of a destination.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Segment {
    /// The address in front of `/batch`: of another region, of RudderStack or of another service that speaks this protocol.
    #[serde(default = "united_states")]
    url: String,
    /// The write key of the source.
    write_key: SecretName,
}

fn united_states() -> String {
    "https://api.segment.io/v1".to_owned()
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let segment: Segment = entry.read_settings()?;
    target::check(&segment.url, false)
        .map_err(|why| entry.problem("url", ProblemCode::BadValue, why))?;
    if segment.url.contains(['?', '#']) || segment.url.ends_with("/batch") {
        let why = "write the address in front of /batch, such as \"https://api.segment.io/v1\"";
        return Err(entry.problem("url", ProblemCode::BadValue, why));
    }
    Ok(Box::new(segment))
}

impl Destination for Segment {
    /// The links of a request to confirm a subscription are for its carrier only.
    fn wants(&self, event: &Event) -> bool {
        !event.is_optin_request()
    }

    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let key = batch.access.secret(&self.write_key)?;
        let mut mapping = Mapping::default();
        let (mut body, mut events) = (String::from("{\"batch\":["), Vec::new());
        for (at, one) in batch.events.iter().enumerate() {
            match message(one) {
                Ok(message) => {
                    body.push_str(if events.is_empty() { "" } else { "," });
                    body.push_str(&message);
                    events.push(at);
                }
                Err(why) => mapping.left_out.push((at, why)),
            }
        }
        if events.is_empty() {
            return Ok(mapping);
        }
        body.push_str(&format!("],\"sentAt\":\"{}\"}}", batch.now));
        let mut headers = Headers::default();
        headers.push("content-type", "application/json");
        headers.push("authorization", format!("Basic {}", STANDARD.encode(format!("{key}:"))));
        let url = format!("{}/batch", self.url.trim_end_matches('/'));
        let outgoing = Outgoing { method: "POST".to_owned(), url, headers, body };
        mapping.requests.push(MappedRequest { outgoing, events, step: 0 });
        Ok(mapping)
    }

    /// RudderStack answers with the text `OK`, so the body of a success tells nothing. A page is the answer of somebody in between. 404
    /// is a source that is switched off there, and the deployer can switch it on.
    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        let is_page =
            response.headers.get("content-type").is_some_and(|kind| kind.contains("html"));
        match response.status {
            200..=299 if is_page => Reception::All(retry(response)),
            404 => Reception::All(retry(response)),
            _ => by_status(response),
        }
    }
}

/// A message, in Segment's words.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message<'e> {
    r#type: &'static str,
    message_id: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    anonymous_id: Option<&'e str>,
    timestamp: Timestamp,
    context: &'e Context,
    #[serde(skip_serializing_if = "Properties::is_empty")]
    integrations: &'e Properties,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_id: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<&'e Properties>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traits: Option<&'e Properties>,
}

/// Writes the message of an event.
fn message(one: &BatchEvent<'_>) -> Result<String, LeftOut> {
    let event = one.event;
    let id = whole::unique_id(event);
    let details = with_fields(event, one);
    let details = details.as_ref().or(event.kind.details());
    let mut message = Message {
        r#type: event.kind.name(),
        message_id: &id,
        user_id: event.user_id.as_deref(),
        anonymous_id: event.anonymous_id.as_deref(),
        timestamp: event.occurred_at,
        context: &event.context,
        integrations: &event.integrations,
        event: None,
        name: None,
        category: None,
        group_id: None,
        previous_id: None,
        properties: details,
        traits: None,
    };
    match &event.kind {
        EventKind::Track { event: name, .. } => {
            message.event = Some(one.mapped.name.as_deref().unwrap_or(name));
        }
        EventKind::Page { name, category, .. } | EventKind::Screen { name, category, .. } => {
            message.name = one.mapped.name.as_deref().or(name.as_deref());
            message.category = category.as_deref();
        }
        EventKind::Identify { .. } => message.traits = message.properties.take(),
        EventKind::Group { group_id, .. } => {
            message.group_id = Some(group_id);
            message.traits = message.properties.take();
        }
        EventKind::Alias { previous_id } => {
            message.previous_id = Some(previous_id);
            message.properties = None;
        }
    }
    let is_alias = matches!(event.kind, EventKind::Alias { .. });
    if message.user_id.is_none() && (is_alias || message.anonymous_id.is_none()) {
        let what = if is_alias { "a user id" } else { "a user id or a device's id" };
        return Err(LeftOut::Skipped(reason::missing_identifier(what)));
    }
    let text = serde_json::to_string(&message)
        .map_err(|error| LeftOut::Refused(reason::invalid(&error.to_string())))?;
    match text.len() {
        0..=MESSAGE_BYTES_MAX => Ok(text),
        _ => Err(LeftOut::Refused(reason::too_large(KIND.name, MESSAGE_BYTES_MAX))),
    }
}

/// The event's properties or traits with the fields of the deployer's rules, where there are such fields.
fn with_fields(event: &Event, one: &BatchEvent<'_>) -> Option<Properties> {
    if one.mapped.fields.is_empty() {
        return None;
    }
    let mut all = event.kind.details()?.clone();
    all.extend(one.mapped.fields.clone());
    Some(all)
}

#[cfg(test)]
mod tests {
    use crate::forward::destinations::testing::problem;

    #[test]
    fn an_address_that_is_none_is_refused() {
        for (url, expected) in [
            ("https://api.segment.io/v1/batch", "in front of /batch"),
            ("https://api.segment.io/v1?key=1", "in front of /batch"),
            ("https://10.0.0.7/v1", "a host name"),
            ("http://api.segment.io/v1", "only https"),
        ] {
            let problem =
                problem("segment", &format!("write_key = {{ secret = 'KEY' }}\nurl = '{url}'"));
            assert!(problem.contains(expected), "{problem}");
        }
    }
}
