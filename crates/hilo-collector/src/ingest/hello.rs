//! `POST /v1/hello`: a new page asks for its anonymous id, and reports the visitor's consent. The same hello rides on the first envelope,
//! with the events' own consent.
//!
//! Body → the id that the page wants; the right to an id → the answer, with what is recorded for it. The pipeline claims the id.

use hilo_core::config::IdentityRules;
use hilo_core::event::ConsentClaim;
use hilo_core::identity::{ID_BYTES_MAX, is_reserved};
use hilo_core::outcome::{Code, Rejection};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::reply;
use super::spare::{PROOF_BYTES_MIN, Spare};
use super::welcome::{Own, Settings, settings};
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
    /// The proof that the page has made for that id.
    spare_proof: Option<String>,
    /// The visitor's choices.
    pub consent: ConsentClaim,
}

impl Hello {
    /// Refuses ids that a page must not use.
    ///
    /// # Errors
    /// Those of [`check_id`].
    pub fn check(&self, rules: &IdentityRules) -> Result<(), Rejection> {
        self.own().into_iter().try_for_each(|id| check_id(id, rules))?;
        check_spare(self.spare_id.as_ref(), self.spare_proof.as_ref(), rules)
    }

    /// The id that the page has already.
    pub fn own(&self) -> Option<&str> {
        self.anonymous_id.as_deref()
    }

    /// The id that the page has just made.
    pub fn spare(&self) -> Option<Spare> {
        spare(self.spare_id.as_ref(), self.spare_proof.as_ref())
    }

    /// Reads a hello that rides on an envelope; `None` for one that no page of ours writes. The events are judged all the same.
    pub fn riding(raw: &RawValue, rules: &IdentityRules) -> Option<Hello> {
        let hello: Hello = serde_json::from_str(raw.get()).ok()?;
        hello.check(rules).is_ok().then_some(hello)
    }
}

/// An id that a page has made, with its proof.
pub fn spare(id: Option<&String>, proof: Option<&String>) -> Option<Spare> {
    Some(Spare { id: id?.clone(), proof: proof.cloned() })
}

/// Refuses an id that a page must not use, and a proof of its own making that somebody could guess.
///
/// # Errors
/// Those of [`check_id`].
pub fn check_spare(
    id: Option<&String>,
    proof: Option<&String>,
    rules: &IdentityRules,
) -> Result<(), Rejection> {
    id.into_iter().try_for_each(|id| check_id(id, rules))?;
    let is_bad = |proof: &&String| proof.len() < PROOF_BYTES_MIN || check_form(proof).is_err();
    if proof.as_ref().is_some_and(is_bad) {
        let message = "a page's own proof is random: letters, digits, - and _, 32 to 128 of them";
        return Err(Rejection::at(Code::WrongType, "spareProof", message));
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Welcome<'a> {
    #[serde(flatten)]
    own: Own<'a>,
    settings: Settings<'a>,
    session: Option<()>,
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
pub fn welcome<P: Platform>(own: Option<Own<'_>>, call: &Call<'_, P>) -> Reply {
    let nothing = ConsentStanding::default();
    let own = own.unwrap_or_else(|| Own::of(None, &nothing));
    reply::json(200, &Welcome { own, settings: settings(call.loaded), session: None })
}
