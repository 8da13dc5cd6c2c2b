//! Webhook: signed JSON to any URL, according to the Standard Webhooks specification
//! (<https://www.standardwebhooks.com>, v1.0.0). Each request contains one event.
//!
//! The receiver detects repeats by `webhook-id`, which is the same at every attempt, and no other person's event has it. The timestamp is the attempt's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::{EVENT_BYTES_MAX, Event};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::answer::redirected;
use super::{target, whole};
use crate::forward::destination::{
    Acceptance, Batch, BatchEvent, Destination, Kind, LeftOut, Limits, MappedRequest, Mapping,
    MissingSecret, OptIns, Reception, SecretName, Secrets,
};
use crate::forward::reason;
use crate::platform::{Headers, Outgoing, Response};
use crate::signature;

/// The row of the catalogue.
pub(super) const KIND: Kind = Kind {
    name: "webhook",
    title: "Webhook",
    is_silent: false,
    optins: OptIns::Carried,
    load,
    purposes: &[Purpose::Analytics],
    limits: Limits {
        events: 1,
        bytes: EVENT_BYTES_MAX,
        age_s_max: None,
        is_ordered: false,
        mixes_people: true,
        wants_person: false,
        pace: None,
    },
};

/// The allowed number of bytes of a secret (Standard Webhooks: 24 to 64).
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A webhook's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Webhook {
    /// The URL of the receiver.
    url: String,
    /// The secret that signs requests.
    secret: SecretName,
    /// The previous secret. Both secrets sign while receivers change to the new one.
    previous_secret: Option<SecretName>,
}

fn load(entry: &DestinationEntry) -> Result<Box<dyn Destination>, Problem> {
    let webhook: Webhook = entry.read_settings()?;
    // A developer's file may contain this machine's address. Whether requests may go there is checked before each
    // request.
    target::check(&webhook.url, true)
        .map_err(|why| entry.problem("url", ProblemCode::BadValue, why))?;
    Ok(Box::new(webhook))
}

impl Destination for Webhook {
    fn requests(&self, batch: &Batch<'_>) -> Result<Mapping, MissingSecret> {
        let mut mapping = Mapping::default();
        for (at, one) in batch.events.iter().enumerate() {
            match request(self, one, batch.access.secrets, batch.now.as_second())? {
                Ok(outgoing) => {
                    mapping.requests.push(MappedRequest { outgoing, events: vec![at], step: 0 });
                }
                Err(error) => {
                    let why = LeftOut::Refused(reason::invalid(&error.to_string()));
                    mapping.left_out.push((at, why));
                }
            }
        }
        Ok(mapping)
    }

    /// 2xx is a success, and 410 means that the event is given up. After any other status the delivery is repeated.
    /// Redirects are not followed.
    fn classify(&self, _: &MappedRequest, response: &Response) -> Reception {
        let reason = format!("status {}", response.status);
        Reception::All(match response.status {
            200..=299 => Acceptance::Delivered,
            410 => {
                Acceptance::Rejected { reason: format!("{reason}: the endpoint is gone for good") }
            }
            301..=399 => redirected(response),
            _ => {
                let after = response.headers.get("retry-after").map(str::to_owned);
                Acceptance::Retry { after, reason }
            }
        })
    }
}

/// Makes the one request for an event, unless the event cannot be written as JSON. The deployer's rules name the type, and their fields
/// stand beside the event, which stays as it is stored.
fn request(
    settings: &Webhook,
    &BatchEvent { event, mapped, .. }: &BatchEvent<'_>,
    secrets: Secrets<'_>,
    now_s: i64,
) -> Result<Result<Outgoing, serde_json::Error>, MissingSecret> {
    #[derive(Serialize)]
    struct Body<'e> {
        r#type: String,
        timestamp: Timestamp,
        data: &'e Event,
        #[serde(skip_serializing_if = "Map::is_empty")]
        fields: &'e Map<String, Value>,
    }
    let r#type = mapped.name.clone().unwrap_or_else(|| kind(event));
    let (timestamp, fields) = (event.occurred_at, &mapped.fields);
    let body = Body { r#type, timestamp, data: event, fields };
    let body = match serde_json::to_string(&body) {
        Ok(body) => body,
        Err(error) => return Ok(Err(error)),
    };
    let id = whole::unique_id(event);
    let names = std::iter::once(&settings.secret).chain(&settings.previous_secret);
    let keys = names.map(|name| key(name, secrets)).collect::<Result<Vec<_>, _>>()?;
    let headers = signed(&id, now_s, &body, &keys);
    Ok(Ok(Outgoing { method: "POST".to_owned(), url: settings.url.clone(), headers, body }))
}

fn key(name: &SecretName, secrets: Secrets<'_>) -> Result<Vec<u8>, MissingSecret> {
    let named = || MissingSecret(name.secret.clone());
    let text = secrets(&name.secret).ok_or_else(named)?;
    signing_key(&text).ok_or_else(named)
}

/// Reads a secret of the specification, `whsec_…`; `None` where it is none, or of a length that the specification does not allow.
pub fn signing_key(text: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
    SECRET_BYTES.contains(&key.len()).then_some(key)
}

/// The header fields of a request with this body, signed with each key.
pub fn signed(id: &str, now_s: i64, body: &str, keys: &[Vec<u8>]) -> Headers {
    let text = format!("{id}.{now_s}.{body}");
    let tag = |key: &Vec<u8>| STANDARD.encode(signature::sign(key, text.as_bytes()));
    let signatures: Vec<_> = keys.iter().map(|key| format!("v1,{}", tag(key))).collect();
    let mut headers = Headers::default();
    headers.push("content-type", "application/json");
    headers.push("webhook-id", id);
    headers.push("webhook-timestamp", now_s.to_string());
    if !signatures.is_empty() {
        headers.push("webhook-signature", signatures.join(" "));
    }
    headers
}

/// Returns the event's type, such as `hilo.track.product_added`: dot-separated words of letters, digits and `_`.
fn kind(event: &Event) -> String {
    let mut kind = format!("hilo.{}", event.kind.name());
    if let hilo_core::event::EventKind::Track { event: name, .. } = &event.kind {
        let word: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
            .collect();
        kind.push('.');
        kind.push_str(&word);
    }
    kind
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::destinations::testing::problem;

    #[test]
    fn each_status_has_the_meaning_of_the_specification() {
        let secret = SecretName { secret: "HOOK".to_owned() };
        let webhook = Webhook { url: String::new(), secret, previous_secret: None };
        let (method, url, body) = Default::default();
        let outgoing = Outgoing { method, url, headers: Headers::default(), body };
        let request = MappedRequest { outgoing, events: vec![0], step: 0 };
        let received = |status| match webhook
            .classify(&request, &Response { status, ..Response::default() })
        {
            Reception::All(acceptance) => acceptance,
            other @ (Reception::Each(_) | Reception::Poison { .. }) => panic!("{other:?}"),
        };
        assert_eq!(received(204), Acceptance::Delivered);
        assert!(matches!(received(410), Acceptance::Rejected { .. }));
        for status in [301, 400, 401, 404, 429, 500, 502, 504] {
            assert!(matches!(received(status), Acceptance::Retry { .. }), "{status}");
        }
    }

    #[test]
    fn a_secret_in_clear_is_refused_with_its_remedy_and_not_repeated() {
        let clear =
            "url = 'https://hooks.example/in'\nsecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'";
        let problem = problem("webhook", clear);
        assert!(problem.starts_with("13:1: destination.secret: the secret itself"), "{problem}");
        assert!(problem.contains("wrangler secret put NAME"), "{problem}");
        assert!(!problem.contains("whsec_"), "{problem}");
    }
}
