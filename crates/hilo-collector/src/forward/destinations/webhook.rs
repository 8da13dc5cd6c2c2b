//! Webhook: signed JSON to any URL, as the Standard Webhooks specification says
//! (<https://www.standardwebhooks.com>, v1.0.0). One event a request.
//!
//! The receiver drops repeats by `webhook-id`, which is the same at every attempt; the timestamp is the attempt's own.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::config::{DestinationEntry, Problem, ProblemCode};
use hilo_core::consent::Purpose;
use hilo_core::event::Event;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{SecretName, Secrets, Unmapped, Verdict, target};
use crate::platform::{Headers, Outgoing, Response};
use crate::signature;

/// What the service itself needs: nothing beyond what `hilo.toml` declares for it.
pub const PURPOSES: &[Purpose] = &[Purpose::Analytics];

/// Bytes of a secret (Standard Webhooks: 24 to 64).
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A webhook's settings.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where to.
    url: String,
    /// What signs.
    secret: SecretName,
    /// The secret before it, while receivers change over: both sign.
    previous_secret: Option<SecretName>,
}

/// Reads the settings.
///
/// # Errors
/// A setting that does not fit, or a URL that may not be called.
pub fn load(entry: &DestinationEntry) -> Result<Settings, Problem> {
    let settings: Settings = entry.read_settings()?;
    // Whether this machine may be called is known where it is called; here a developer's file must pass.
    target::check(&settings.url, true)
        .map_err(|why| entry.problem("url", ProblemCode::BadValue, why))?;
    Ok(settings)
}

/// The one request for `event`.
///
/// # Errors
/// A secret that is not set or is none.
pub fn requests(
    settings: &Settings,
    event: &Event,
    secrets: Secrets<'_>,
    now_s: i64,
) -> Result<Vec<Outgoing>, Unmapped> {
    #[derive(Serialize)]
    struct Body<'e> {
        r#type: String,
        timestamp: Timestamp,
        data: &'e Event,
    }
    let body = Body { r#type: kind(event), timestamp: event.occurred_at, data: event };
    let body =
        serde_json::to_string(&body).map_err(|error| Unmapped::NotForUs(error.to_string()))?;
    let id = id(&event.message_id);
    let mut signatures = Vec::new();
    for name in std::iter::once(&settings.secret).chain(&settings.previous_secret) {
        let key = key(name, secrets)?;
        let tag = signature::sign(&key, format!("{id}.{now_s}.{body}").as_bytes());
        signatures.push(format!("v1,{}", STANDARD.encode(tag)));
    }
    let mut headers = Headers::default();
    headers.push("content-type", "application/json");
    headers.push("webhook-id", id);
    headers.push("webhook-timestamp", now_s.to_string());
    headers.push("webhook-signature", signatures.join(" "));
    Ok(vec![Outgoing { method: "POST".to_owned(), url: settings.url.clone(), headers, body }])
}

fn key(name: &SecretName, secrets: Secrets<'_>) -> Result<Vec<u8>, Unmapped> {
    let named = || Unmapped::NoSecret(name.secret.clone());
    let text = secrets(&name.secret).ok_or_else(named)?;
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(&text)).map_err(|_| named())?;
    if SECRET_BYTES.contains(&key.len()) { Ok(key) } else { Err(named()) }
}

/// The event's own id where it can stand in a header and before a dot; else its hash.
fn id(message_id: &str) -> String {
    let is_plain = !message_id.is_empty()
        && message_id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if is_plain { message_id.to_owned() } else { signature::sha256_hex(message_id.as_bytes()) }
}

/// `hilo.track.product_added`: dot-separated words of letters, digits and `_`.
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

/// 2xx is success, 410 the end; everything else is tried again. Redirects are not followed.
pub fn classify(response: &Response) -> Verdict {
    let reason = format!("status {}", response.status);
    match response.status {
        200..=299 => Verdict::Delivered,
        410 => Verdict::Rejected { reason: "status 410: the endpoint is gone for good".to_owned() },
        _ => {
            Verdict::Retry { after: response.headers.get("retry-after").map(str::to_owned), reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Response {
        Response { status, ..Response::default() }
    }

    #[test]
    fn answers_mean_what_the_specification_says() {
        assert_eq!(classify(&answer(204)), Verdict::Delivered);
        assert!(matches!(classify(&answer(410)), Verdict::Rejected { .. }));
        for status in [301, 400, 401, 404, 429, 500, 502, 504] {
            assert!(matches!(classify(&answer(status)), Verdict::Retry { .. }), "{status}");
        }
    }

    #[test]
    fn an_id_never_holds_a_dot() {
        assert_eq!(id("5f0c-1"), "5f0c-1");
        assert_eq!(id("a.b").len(), 64);
        assert_ne!(id("a.b"), id("a_b"));
    }
}
