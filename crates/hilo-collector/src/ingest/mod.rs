//! HTTP in and out: finds a request's call, its source and the facts that the edge adds, and writes the answer.
//!
//! Request → [`Route`], source and facts; outcomes → [`Reply`]. This folder judges no event and stores none.

pub mod capability;
pub mod cart;
pub mod consent;
pub mod cookie;
mod cors;
pub mod feeds;
pub mod files;
pub mod handoff;
pub mod hello;
pub mod hooks;
mod key;
pub mod lang;
pub mod me;
pub mod oauth;
pub mod optin;
pub mod orders;
pub mod page;
pub mod proof;
pub mod reply;
pub mod reports;
mod route;
pub mod settings;
mod signals;
pub mod spare;
pub mod status;
pub mod user;
pub mod welcome;

pub use cors::{Door, check_socket, open_to_all, preflight};
pub use key::presented_key;
pub use route::{CartAct, MeAct, Route, WEBHOOKS, route};

use hilo_core::config::Source;
use hilo_core::event::{ClientHints, Facts};
use hilo_core::outcome::{Code, Rejection};
use hilo_core::validate;
use serde_json::{Map, Value};

use crate::call::Call;
use crate::platform::{Incoming, Platform, Upload};

/// Returns the body, decompressed.
///
/// # Errors
/// A rejection of a body that is too large, cut short, or in an encoding that is not gzip.
pub fn open(incoming: &Incoming) -> Result<Vec<u8>, Rejection> {
    validate::inflate(raw(incoming)?, incoming.headers.get("content-encoding"))
}

/// Returns the body as it came over the wire. Signatures cover these bytes.
///
/// # Errors
/// A rejection of a body that is too large or cut short.
pub fn raw(incoming: &Incoming) -> Result<&[u8], Rejection> {
    match &incoming.body {
        Upload::Bytes(body) => Ok(body),
        Upload::Absent => Ok(&[]),
        Upload::TooLarge => {
            Err(Rejection::new(Code::BodyTooLarge, "send at most 512 KB in one request"))
        }
        Upload::Broken => {
            Err(Rejection::new(Code::MalformedBody, "the body ended before it was complete"))
        }
    }
}

/// Reads the body of a call whose body is one small object, and finds the source of the call.
///
/// # Errors
/// The rejections of [`open`] and [`admit`]; `malformed_body` for a body that is no object.
pub fn open_object<'l, P: Platform>(
    call: &Call<'l, P>,
) -> Result<(Map<String, Value>, &'l Source), Rejection> {
    let body = validate::read_object(&open(call.incoming)?)?;
    let source = admit(call, body.get("writeKey").and_then(Value::as_str))?;
    Ok((body, source))
}

/// Finds the source of a request by its key, in a header or in the body.
///
/// # Errors
/// A rejection if the key is missing, unknown or revoked, if a page sends a secret key, or if the source does not list
/// the origin.
pub fn admit<'l, P: Platform>(
    call: &Call<'l, P>,
    body_key: Option<&str>,
) -> Result<&'l Source, Rejection> {
    let Call { incoming, loaded, platform } = *call;
    let find = |key: &str| loaded.config.source_by_key(key, platform.is_dev());
    let source = match (presented_key(&incoming.headers), body_key) {
        // A header may be about something else: a browser repeats the password of a protected test shop, and OAuth has a
        // token beside the key.
        (Some(in_header), Some(in_body)) => find(&in_header).or_else(|_| find(in_body)),
        (in_header, in_body) => find(in_header.as_deref().or(in_body).unwrap_or_default()),
    };
    let source = source.map_err(|code| Rejection::new(code, key_message(code)))?;
    if source.is_server() && cors::is_from_page(incoming) {
        let message = "a page has sent this secret key, and whoever opens the page can read it: make a new key, and give the page the key of a browser source";
        return Err(Rejection::new(Code::KeyExposed, message));
    }
    cors::check_origin(incoming, source, platform.is_dev())?;
    Ok(source)
}

/// Finds the source of a request whose key stands in the address, as `sendBeacon` needs it.
///
/// # Errors
/// Those of [`admit`]. A secret key is refused, because addresses are written into logs.
pub fn admit_by_address<'l, P: Platform>(call: &Call<'l, P>) -> Result<&'l Source, Rejection> {
    let Call { incoming, loaded, platform } = *call;
    let key = incoming.query_value("writeKey").unwrap_or_default();
    let source = loaded.config.source_by_key(&key, platform.is_dev());
    let source = source.map_err(|code| Rejection::new(code, key_message(code)))?;
    if source.is_server() {
        let message = "this secret key stood in an address, and addresses are logged: make a new key, and send it in the Authorization header";
        return Err(Rejection::new(Code::KeyExposed, message));
    }
    cors::check_origin(incoming, source, platform.is_dev())?;
    Ok(source)
}

/// Whether hilo's own tracker sent the request.
pub fn is_tracker(incoming: &Incoming) -> bool {
    let names_tracker = || {
        let envelope = validate::read_batch(&open(incoming).ok()?).ok()?;
        let name = envelope.context?.get("library")?.get("name")?.as_str()? == "hilo";
        Some(name)
    };
    require_header(incoming).is_ok() || names_tracker().unwrap_or(false)
}

fn key_message(code: Code) -> &'static str {
    if code == Code::MissingKey {
        "send the key as `writeKey` in the body, or in the Authorization header"
    } else if code == Code::KeyRevoked {
        "this key was switched off for good"
    } else {
        "no source has this key"
    }
}

/// Collects the facts of the request.
pub fn facts<P: Platform>(call: &Call<'_, P>, source: &Source) -> Facts {
    let incoming = call.incoming;
    let field = |name: &str| incoming.headers.get(name).map(str::to_owned);
    Facts {
        received_at: call.platform.now(),
        random: call.platform.random16(),
        trust: source.trust(),
        ip: field("cf-connecting-ip"),
        user_agent: field("user-agent"),
        hints: ClientHints {
            brands: field("sec-ch-ua"),
            mobile: field("sec-ch-ua-mobile"),
            platform: field("sec-ch-ua-platform"),
            platform_version: field("sec-ch-ua-platform-version"),
        },
        gpc: incoming.headers.get("sec-gpc") == Some("1"),
        geo: incoming.geo.clone(),
    }
}

/// Refuses a call without `X-Hilo: 1`. No simple cross-site request can carry that header.
///
/// # Errors
/// `missing_header`.
pub fn require_header(incoming: &Incoming) -> Result<(), Rejection> {
    if incoming.headers.get("x-hilo") == Some("1") {
        return Ok(());
    }
    Err(Rejection::new(Code::MissingHeader, "send the header X-Hilo: 1 with this call"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_with_secrets_have_names_that_cloudflares_log_redacts() {
        // The words of workerd's own source, src/workerd/api/trace.c++, `shouldRedact`.
        let is_redacted = |name: &str| {
            let words = ["auth", "jwt", "key", "secret", "token"];
            name == "cookie" || words.iter().any(|word| name.contains(word))
        };
        for name in ["authorization", "x-write-key", user::HEADER, capability::HEADER] {
            assert!(is_redacted(name), "{name}");
        }
    }
}
