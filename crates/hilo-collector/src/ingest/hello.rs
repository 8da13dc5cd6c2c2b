//! `POST /v1/hello`: a page comes to life, asks who it was, and says what was consented to.
//!
//! Answers the anonymous id that the signed cookie still knows, and sets or takes away the cookie as consent demands.
//! Touches no object: the signature is proof enough.

use hilo_core::event::ConsentClaim;
use hilo_core::identity::{ID_BYTES_MAX, is_reserved};
use hilo_core::outcome::{Code, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cookie::Jar;
use super::reply;
use crate::loaded::Loaded;
use crate::platform::{Incoming, Platform, Reply};

/// What a page says when it comes to life.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hello {
    anonymous_id: Option<String>,
    consent: ConsentClaim,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Welcome<'a> {
    anonymous_id: Option<&'a str>,
    settings: Settings<'a>,
    session: Option<()>,
}

/// What the tracker needs to know of the configuration.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings<'a> {
    purposes: Vec<&'static str>,
    notice_version: &'a str,
    ask_again_months: u32,
}

/// Reads the body of a call that is one small object, and the write key in it.
///
/// # Errors
/// `wrong_type` with the reason; the values themselves are not repeated.
pub fn read<T: serde::de::DeserializeOwned>(body: Map<String, Value>) -> Result<T, Rejection> {
    serde_json::from_value(Value::Object(body)).map_err(|_| {
        Rejection::new(Code::WrongType, "a field has another type than the protocol's")
    })
}

/// An id that a page may carry; anything else is refused.
///
/// # Errors
/// `reserved_id`, `wrong_type`.
pub fn check_id(id: &str) -> Result<(), Rejection> {
    if is_reserved(id) {
        let message = "this id stands for nobody in particular";
        return Err(Rejection::at(Code::ReservedId, "anonymousId", message));
    }
    // What goes into a cookie must not be able to end it.
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_plain || id.len() > ID_BYTES_MAX {
        let message = "an id is made of letters, digits, - and _, at most 128 of them";
        return Err(Rejection::at(Code::WrongType, "anonymousId", message));
    }
    Ok(())
}

/// Answers a page.
///
/// # Errors
/// An id that cannot be one.
pub fn answer<P: Platform>(
    incoming: &Incoming,
    hello: &Hello,
    loaded: &Loaded,
    secret: &str,
    platform: &P,
) -> Result<Reply, Rejection> {
    if let Some(id) = &hello.anonymous_id {
        check_id(id)?;
    }
    let jar = Jar::of(incoming, platform.is_dev());
    let now = platform.now();
    let kept = jar.read(incoming, secret, now);
    // The page's own id goes first: after a logout it has a new one, and the cookie must follow.
    let id = hello.anonymous_id.as_deref().or(kept.as_ref().map(|cookie| cookie.id.as_str()));
    let consent = hello.consent.state();
    let rules = &loaded.config.consent;
    let mut reply = reply::json(
        200,
        &Welcome {
            anonymous_id: id.filter(|_| consent.allows_id()),
            settings: Settings {
                purposes: rules.purposes.iter().map(|p| p.name()).collect(),
                notice_version: &rules.notice_version,
                ask_again_months: rules.ask_again_months,
            },
            session: None,
        },
    );
    if let Some(cookie) = jar.follow(incoming, &consent, id, secret, now) {
        reply.headers.push("set-cookie", cookie);
    }
    Ok(reply)
}
