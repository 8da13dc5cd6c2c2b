//! The calls with which vendors try a webhook out. Call → an answer, or nothing where it is no such call.
//!
//! Only [`subscription`] is asked for genuine calls. The others prove nothing, and give nothing away.

use hilo_core::config::Webhook;
use hilo_core::inbound::verify::Handshake;
use hilo_core::outcome::{Code, Rejection};
use serde_json::json;

use super::Post;
use super::proof::is_at;
use crate::ingest::reply;
use crate::platform::{Body, Incoming, Platform, Reply};
use crate::signature;

/// Characters of a text that a vendor wants back.
const ECHO_CHARS_MAX: usize = 256;

/// Answers GET and HEAD.
///
/// # Errors
/// `method_not_allowed` where the vendor makes no such calls, `bad_signature` for a challenge without the source's own secret.
pub fn probe<P: Platform>(
    webhook: &Webhook,
    incoming: &Incoming,
    platform: &P,
) -> Result<Reply, Rejection> {
    let has = |handshake| webhook.verify.handshakes.contains(&handshake);
    if has(Handshake::Challenge) {
        return challenge(webhook, incoming, platform);
    }
    if has(Handshake::Get) {
        return Ok(reply::json(200, &json!({ "ready": true })));
    }
    if let Some(reply) = echo(webhook, incoming) {
        return Ok(reply);
    }
    Err(Rejection::new(Code::MethodNotAllowed, "this webhook is called with POST"))
}

/// Meta's challenge: its text comes back to whoever shows the source's secret
/// (<https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests>).
fn challenge<P: Platform>(
    webhook: &Webhook,
    incoming: &Incoming,
    platform: &P,
) -> Result<Reply, Rejection> {
    let secret = webhook.challenge.as_ref().and_then(|name| platform.secret(name));
    let shown = incoming.query_value("hub.verify_token");
    let is_known = secret
        .filter(|secret| !secret.is_empty())
        .zip(shown)
        .is_some_and(|(secret, shown)| signature::equal(&secret, &shown));
    let text = incoming.query_value("hub.challenge").filter(|text| is_plain(text));
    let is_asked = incoming.query_value("hub.mode").as_deref() == Some("subscribe");
    match text {
        Some(text) if is_known && is_asked => Ok(plain(text)),
        Some(_) | None => {
            let message = "the verify token is not the source's `challenge` secret";
            Err(Rejection::new(Code::BadSignature, message))
        }
    }
}

/// Answers a call without a proof: the vendor's try before the first event. `None` for any other call.
pub fn unsigned(webhook: &Webhook, post: &Post<'_>) -> Option<Reply> {
    if post.body.is_empty()
        && let Some(reply) = echo(webhook, post.incoming)
    {
        return Some(reply);
    }
    // WooCommerce sends the form without its type.
    let is_number = |name: &String| {
        let number = post.body.strip_prefix(name.as_bytes()).and_then(|b| b.strip_prefix(b"="));
        number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
    };
    let is_asked = |handshake: &Handshake| match handshake {
        Handshake::Number(name) => is_number(name),
        Handshake::Get
        | Handshake::Challenge
        | Handshake::Echo(_)
        | Handshake::Subscribe { .. } => false,
    };
    webhook.verify.handshakes.iter().any(is_asked).then(|| ignored("ping"))
}

/// The address that a genuine call asks to be called, to subscribe; `None` for any other call, and for another's host.
pub fn subscription(webhook: &Webhook, post: &Post<'_>) -> Option<String> {
    webhook.verify.handshakes.iter().find_map(|handshake| match handshake {
        Handshake::Subscribe { when, url, hosts } => {
            let is_asked = post.value(&when.place).is_some_and(|value| value == when.is);
            let url = post.value(url).filter(|_| is_asked)?;
            is_at(&url, hosts).then_some(url)
        }
        Handshake::Get | Handshake::Challenge | Handshake::Echo(_) | Handshake::Number(_) => None,
    })
}

/// Whether a genuine call says nothing.
pub fn is_ping(webhook: &Webhook, post: &Post<'_>) -> bool {
    let ping = webhook.verify.ping.as_ref();
    ping.is_some_and(|ping| post.value(&ping.place).is_some_and(|value| value == ping.is))
}

/// The answer to a genuine call that brings nothing.
pub fn ignored(why: &str) -> Reply {
    reply::json(200, &json!({ "ignored": why }))
}

/// RingCentral wants its own header field back.
fn echo(webhook: &Webhook, incoming: &Incoming) -> Option<Reply> {
    webhook.verify.handshakes.iter().find_map(|handshake| match handshake {
        Handshake::Echo(name) => {
            let value = incoming.headers.get(name).filter(|value| is_plain(value))?;
            let mut reply = Reply::empty(200);
            reply.headers.push(name, value);
            Some(reply)
        }
        Handshake::Get
        | Handshake::Challenge
        | Handshake::Number(_)
        | Handshake::Subscribe { .. } => None,
    })
}

/// Letters, digits and the like. Nothing else goes back to a stranger.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= ECHO_CHARS_MAX
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'='))
}

/// An answer of text, which no browser takes for a page.
fn plain(text: String) -> Reply {
    let mut reply = Reply::empty(200);
    reply.headers.push("content-type", "text/plain; charset=utf-8");
    reply.headers.push("x-content-type-options", "nosniff");
    reply.body = Body::Text(text);
    reply
}
