//! The steps of a webhook: source → body → proof → inbox → answer. The work comes behind the answer (`work.rs`).
//!
//! Whoever calls gets an answer as soon as the call is durable, because vendors wait for seconds only. A genuine call is answered with
//! 200, whatever it says: vendors switch a webhook off after too many other answers.

mod proof;
mod work;

pub use work::work;

use std::collections::BTreeMap;

use hilo_core::config::{Source, Webhook};
use hilo_core::inbound::verify::Spot;
use serde_json::json;

use self::proof::Shown;
use super::limits;
use crate::call::{Call, Trouble};
use crate::calls::inbox::{self, Arrival};
use crate::ingest::hooks::{self, Post, handshake};
use crate::ingest::reply;
use crate::platform::{Incoming, Platform, Reply};
use crate::signature::sha256;

/// Answers GET and HEAD: the vendor tries the webhook out.
pub(super) fn probe<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (_, webhook) = hooks::source(&call.loaded.config, name)?;
    Ok(handshake::probe(webhook, call.incoming, call.platform)?)
}

/// Takes a call of the source called `name`.
pub(super) async fn take<P: Platform>(name: &str, call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (source, webhook) = hooks::source(&call.loaded.config, name)?;
    let secrets = hooks::secrets(webhook, call.platform)?;
    let post = Post::of(call.incoming, hooks::body(call.incoming, webhook)?);
    if let Some(reply) = handshake::unsigned(webhook, &post) {
        return Ok(reply);
    }
    match proof::of(webhook, &secrets, &post, call).await? {
        Shown::Test => return Ok(handshake::ignored("test")),
        Shown::Genuine => {}
    }
    hooks::check_time(webhook, &post, call.platform.now())?;
    if handshake::is_ping(webhook, &post) {
        return Ok(handshake::ignored("ping"));
    }
    limits::check_key(source, call).await?;
    let topic = webhook.verify.topic.as_ref().and_then(|place| post.value(place));
    let arrival = Arrival {
        source: source.name.clone(),
        at: call.platform.now(),
        headers: kept_headers(source, webhook, call.incoming),
        body: String::from_utf8_lossy(post.body).into_owned(),
    };
    let key = key(webhook, &post, topic.as_deref());
    let is_repeat = inbox::keep(call.platform, key, arrival).await?;
    Ok(reply::json(200, &json!({ "duplicate": is_repeat })))
}

/// The header fields that the reading of a call needs behind the inbox: the type of the body, the topic, and what the rules read.
fn kept_headers(
    source: &Source,
    webhook: &Webhook,
    incoming: &Incoming,
) -> BTreeMap<String, String> {
    let topic = webhook.verify.topic.as_ref().and_then(|place| match &place.spot {
        Spot::Header(name) => Some(name.as_str()),
        Spot::Query(_) | Spot::Body(_) => None,
    });
    let mut kept = BTreeMap::new();
    let read = source.inbound.iter().flat_map(|inbound| inbound.rules.headers());
    for name in topic.into_iter().chain(["content-type"]).chain(read) {
        if let Some(value) = incoming.headers.get(name) {
            kept.insert(name.to_owned(), value.to_owned());
        }
    }
    kept
}

/// The hash that tells a repeat: of the vendor's id, or of topic and body.
fn key(webhook: &Webhook, post: &Post<'_>, topic: Option<&str>) -> [u8; 32] {
    let id: Option<Vec<String>> =
        webhook.verify.delivery.iter().map(|place| post.value(place)).collect();
    match id.filter(|id| !id.is_empty()) {
        Some(id) => sha256(format!("id\n{}", id.join("\n")).as_bytes()),
        None => {
            let topic = topic.unwrap_or_default().as_bytes();
            sha256(&[b"body\n", topic, b"\n", post.body].concat())
        }
    }
}
