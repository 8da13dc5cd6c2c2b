//! The settings that other libraries ask for before they send: `GET /v1/projects/:key/settings` (Segment's) and
//! `GET /sourceConfig` (RudderStack's).
//!
//! A write key → a document that leads the library back here. The documents contain nothing secret, so every page may read
//! them. The key of a server gets none: it must not stand in an address.

use hilo_core::config::{KeyState, Source};
use hilo_core::outcome::{Code, Rejection};
use serde_json::Value;

use super::files;
use super::key::presented_key;
use crate::call::Call;
use crate::platform::{Body, Incoming, Platform, Reply};

/// The seconds that a library may keep its settings.
const CACHE: &str = "public, max-age=300";

/// Answers the settings of Segment's libraries. A revoked key gets them too: without settings a library for phones sends
/// to Segment itself.
///
/// # Errors
/// `not_found`.
pub fn segment<P: Platform>(key: &str, call: &Call<'_, P>) -> Result<Reply, Rejection> {
    let incoming = call.incoming;
    let source = find(key, call)
        .ok_or_else(|| Rejection::new(Code::NotFound, "no source of pages or apps has this key"))?;
    // The library calls the paths below `apiHost`, so it uses the prefix with which it came here.
    let prefix = incoming.path.split("/v1/projects/").next().unwrap_or_default();
    let host = format!("{}{prefix}/v1", incoming.host);
    // Other libraries ignore `currency` and `debug`. hilo's own page asks for the one where neither a push nor the page names a currency,
    // and for the other where an address asks for the debugger.
    let currency = call.loaded.config.normalize.currency.clone();
    let values = [
        ("$key", Value::from(key)),
        ("$host", host.into()),
        ("$protocol", incoming.scheme.as_str().into()),
        ("$currency", currency.into()),
        ("$debug", source.debug.into()),
    ];
    Ok(document(include_str!("settings/segment.json"), &values, incoming))
}

/// Answers the settings of RudderStack's libraries.
///
/// # Errors
/// `missing_key`, `unknown_key`.
pub fn rudderstack<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Rejection> {
    let incoming = call.incoming;
    let key = incoming.query_value("writeKey").or_else(|| presented_key(&incoming.headers));
    let key = key.filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| {
        Rejection::new(Code::MissingKey, "send the key as `writeKey` in the address")
    })?;
    let source = find(&key, call).ok_or_else(|| {
        Rejection::new(Code::UnknownKey, "no source of pages or apps has this key")
    })?;
    let values = [("$key", Value::from(key)), ("$name", source.name.as_str().into())];
    Ok(document(include_str!("settings/rudderstack.json"), &values, incoming))
}

/// Finds the source of a public key.
fn find<'l, P: Platform>(key: &str, call: &Call<'l, P>) -> Option<&'l Source> {
    let (source, state) = call.loaded.config.find_key(key)?;
    let is_usable = state != KeyState::Development || call.platform.is_dev();
    (is_usable && !source.is_server()).then_some(source)
}

/// Puts the values into a document.
fn document(text: &str, values: &[(&str, Value)], incoming: &Incoming) -> Reply {
    let mut text = text.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("\"{name}\""), &value.to_string());
    }
    let (etag, is_known) = files::etag(incoming, text.as_bytes());
    let mut reply = Reply::empty(if is_known { 304 } else { 200 });
    reply.headers.push("etag", etag);
    reply.headers.push("cache-control", CACHE);
    reply.headers.push("x-content-type-options", "nosniff");
    if !is_known {
        reply.headers.push("content-type", "application/json; charset=utf-8");
        reply.body = Body::Text(text);
    }
    reply
}
