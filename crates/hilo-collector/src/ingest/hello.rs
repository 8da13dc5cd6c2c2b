//! `POST /v1/hello`: a new page asks for its anonymous id, and reports the visitor's consent.
//!
//! The answer contains the anonymous id of the signed cookie, and sets or removes the cookie as consent demands. No
//! object is called: the cookie's signature is enough proof.

use hilo_core::config::IdentityRules;
use hilo_core::event::ConsentClaim;
use hilo_core::identity::{ID_BYTES_MAX, is_reserved};
use hilo_core::outcome::{Code, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::cookie::Jar;
use super::reply;
use crate::call::Call;
use crate::keyring::Keyring;
use crate::platform::{Platform, Reply};

/// The body: the report of a new page.
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

/// The settings that the tracker needs from the configuration.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings<'a> {
    purposes: Vec<&'static str>,
    notice_version: &'a str,
    ask_again_months: u32,
}

/// Reads the body of a call whose body is one small object.
///
/// # Errors
/// `wrong_type` with the reason, but without the values.
pub fn read<T: serde::de::DeserializeOwned>(body: Map<String, Value>) -> Result<T, Rejection> {
    // The value is read from text. Otherwise the script would contain serde_json's reader of values a second time for
    // each type.
    serde_json::from_str(&Value::Object(body).to_string()).map_err(|_| {
        Rejection::new(Code::WrongType, "a field has another type than the protocol's")
    })
}

/// Refuses an id that a page must not use, by the rules of `hilo.toml` too.
///
/// # Errors
/// `reserved_id`, `wrong_type`.
pub fn check_id(id: &str, rules: &IdentityRules) -> Result<(), Rejection> {
    if rules.is_reserved(id) {
        return Err(reserved());
    }
    check_form(id)
}

fn reserved() -> Rejection {
    let message = "this id stands for nobody in particular";
    Rejection::at(Code::ReservedId, "anonymousId", message)
}

/// Refuses an id that no page may use.
///
/// # Errors
/// `reserved_id`, `wrong_type`.
pub fn check_form(id: &str) -> Result<(), Rejection> {
    if is_reserved(id) {
        return Err(reserved());
    }
    // The id becomes part of a cookie, so it must not contain a character that ends the cookie.
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if !is_plain || id.len() > ID_BYTES_MAX {
        let message = "an id is made of letters, digits, - and _, at most 128 of them";
        return Err(Rejection::at(Code::WrongType, "anonymousId", message));
    }
    Ok(())
}

/// The id of the request's signed cookie. A cookie from before `hilo.toml` reserved its id names nobody.
pub fn kept_id<P: Platform>(secret: &Keyring, call: &Call<'_, P>) -> Option<String> {
    let jar = Jar::of(call.incoming, call.platform.is_dev());
    let kept = jar.read(call.incoming, secret, call.platform.now()).map(|cookie| cookie.id);
    kept.filter(|id| !call.loaded.config.identity.is_reserved(id))
}

/// Answers a new page.
///
/// # Errors
/// A rejection of an id that [`check_id`] refuses.
pub fn welcome<P: Platform>(
    hello: &Hello,
    secret: &Keyring,
    call: &Call<'_, P>,
) -> Result<Reply, Rejection> {
    if let Some(id) = &hello.anonymous_id {
        check_id(id, &call.loaded.config.identity)?;
    }
    let jar = Jar::of(call.incoming, call.platform.is_dev());
    let now = call.platform.now();
    let kept = kept_id(secret, call);
    // The page's own id comes first: after a logout the page has a new id, and the cookie must change to it.
    let id = hello.anonymous_id.as_deref().or(kept.as_deref());
    let consent = hello.consent.state();
    let rules = &call.loaded.config.consent;
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
    if let Some(cookie) = jar.follow(call.incoming, &consent, id, secret, now) {
        reply.headers.push("set-cookie", cookie);
    }
    Ok(reply)
}
