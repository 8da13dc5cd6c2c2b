//! Whether a call of `POST /v1/in/:source` is the service's own: proof and request → yes, or the refusal.
//!
//! Comparisons take the same time for every text. A call that is not the service's own leaves nothing behind.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;

use super::shape::Proof;
use crate::platform::{Incoming, Platform};
use crate::signature;

/// The fewest bytes of a secret: a shorter one could be guessed.
const SECRET_BYTES_MIN: usize = 16;
/// How old a signed call may be, and how far ahead its clock.
const TOLERANCE_MS: i64 = 300_000;
/// What HubSpot decodes in an address before it signs.
const DECODED: [(&str, &str); 12] = [
    ("%3A", ":"),
    ("%2F", "/"),
    ("%3F", "?"),
    ("%40", "@"),
    ("%21", "!"),
    ("%24", "$"),
    ("%27", "'"),
    ("%28", "("),
    ("%29", ")"),
    ("%2A", "*"),
    ("%2C", ","),
    ("%3B", ";"),
];

/// Checks the proof of a call.
///
/// # Errors
/// `secret_missing`, `secret_short`, `bad_signature`.
pub fn check<P: Platform>(
    proof: &Proof<'_>,
    incoming: &Incoming,
    body: &[u8],
    platform: &P,
) -> Result<(), Rejection> {
    let secret = platform.secret(&proof.secret().secret).unwrap_or_default();
    if secret.len() < SECRET_BYTES_MIN {
        let code = if secret.is_empty() { Code::SecretMissing } else { Code::SecretShort };
        let message = "the secret of this source is not set or has fewer than 16 bytes: GET /_h/health with the admin token names it";
        return Err(Rejection::new(code, message));
    }
    if is_proved(proof, &secret, incoming, body, platform.now()) {
        return Ok(());
    }
    let message = "the call does not prove that it is the service's own: the token, the key or the signature is not the one of the source's secret, or the call is too old";
    Err(Rejection::new(Code::BadSignature, message))
}

fn is_proved(
    proof: &Proof<'_>,
    secret: &str,
    incoming: &Incoming,
    body: &[u8],
    now: Timestamp,
) -> bool {
    let header = |name| incoming.headers.get(name).unwrap_or_default();
    match proof {
        Proof::Bearer(_) => {
            let shown = header("authorization").strip_prefix("Bearer ").unwrap_or_default();
            signature::equal(shown, secret)
        }
        Proof::Query(_) => {
            signature::equal(&incoming.query_value("key").unwrap_or_default(), secret)
        }
        Proof::HubSpot(_) => {
            let stamp = header("x-hubspot-request-timestamp");
            let sent_ms: Option<i64> = stamp.parse().ok();
            let is_fresh =
                sent_ms.is_some_and(|ms| (now.as_millisecond() - ms).abs() <= TOLERANCE_MS);
            let mut text = format!("{}{}", incoming.method, address(incoming)).into_bytes();
            text.extend_from_slice(body);
            text.extend_from_slice(stamp.as_bytes());
            let tag = STANDARD.decode(header("x-hubspot-signature-v3")).unwrap_or_default();
            signature::verify(secret.as_bytes(), &text, &tag) && is_fresh
        }
    }
}

/// The address as HubSpot signs it.
fn address(incoming: &Incoming) -> String {
    let Incoming { scheme, host, path, query, .. } = incoming;
    let mark = if query.is_empty() { "" } else { "?" };
    let written = format!("{scheme}://{host}{path}{mark}{query}");
    DECODED.iter().fold(written, |text, (encoded, plain)| {
        text.replace(encoded, plain).replace(&encoded.to_ascii_lowercase(), plain)
    })
}
