//! `POST /v1/hello`: a new page asks for its anonymous id, and reports the visitor's consent.
//!
//! Body → the id that the page wants; the right to an id → the answer, with what is recorded for it. The pipeline claims the id.

use std::collections::BTreeMap;

use hilo_core::config::IdentityRules;
use hilo_core::event::ConsentClaim;
use hilo_core::identity::{ID_BYTES_MAX, is_reserved};
use hilo_core::outcome::{Code, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::proof::Shown;
use super::reply;
use crate::call::Call;
use crate::calls::ConsentStanding;
use crate::platform::{Platform, Reply};

/// The body: the report of a new page.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Hello {
    /// The page's id. It comes before the cookie's: after a logout the page has a new id, and the cookie must change to it.
    anonymous_id: Option<String>,
    /// An id that the page has just made, for the case that the cookie has none.
    spare_id: Option<String>,
    /// The visitor's choices.
    pub consent: ConsentClaim,
}

impl Hello {
    /// Refuses ids that a page must not use.
    ///
    /// # Errors
    /// Those of [`check_id`].
    pub fn check(&self, rules: &IdentityRules) -> Result<(), Rejection> {
        let mut ids = self.anonymous_id.iter().chain(&self.spare_id);
        ids.try_for_each(|id| check_id(id, rules))
    }

    /// Whether the page has an id already.
    pub const fn has_own_id(&self) -> bool {
        self.anonymous_id.is_some()
    }

    /// The id that the page wants.
    pub fn wanted<'a>(&'a self, shown: &'a Shown) -> Option<&'a str> {
        let kept = shown.proof.as_ref().map(|proof| &proof.id);
        self.anonymous_id.as_ref().or(kept).or(self.spare_id.as_ref()).map(String::as_str)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Welcome<'a> {
    anonymous_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    revision: u32,
    state: &'a BTreeMap<String, String>,
    denied: Vec<&'a str>,
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

/// Answers a new page: its id with what is recorded for it, if consent allows an id.
pub fn welcome<P: Platform>(
    own: Option<(&str, &ConsentStanding)>,
    token: Option<&str>,
    call: &Call<'_, P>,
) -> Reply {
    let nothing = ConsentStanding::default();
    let consent = own.map_or(&nothing, |(_, consent)| consent);
    let rules = &call.loaded.config.consent;
    reply::json(
        200,
        &Welcome {
            anonymous_id: own.map(|(id, _)| id),
            token,
            revision: consent.revision,
            state: &consent.state,
            denied: consent.denied(),
            settings: Settings {
                purposes: rules.purposes.iter().map(|p| p.name()).collect(),
                notice_version: &rules.notice_version,
                ask_again_months: rules.ask_again_months,
            },
            session: None,
        },
    )
}
