//! `POST /v1/optin`: a person allows or forbids the shop to write by one channel.
//!
//! Body → an entry for the ledger. The call is essential: it works whatever the visitor's
//! consent is. The profile object stores the ledger.

use hilo_core::config::IdentityRules;
use hilo_core::consent::{OptInChannel, OptInState};
use hilo_core::outcome::{Code, Rejection};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{hello, reply};
use crate::calls::optin::OptIn;
use crate::platform::Reply;

/// The most bytes of the text that the person saw (a string of the wire).
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// The most bytes of the text's version.
const VERSION_BYTES_MAX: usize = 128;
/// The most bytes of an address: an e-mail address has 254 (RFC 5321, 4.5.3.1.3), the lines of a letter are longer.
const ADDRESS_BYTES_MAX: usize = 512;
/// The most bytes of the page's address.
const URL_BYTES_MAX: usize = 2_048;

/// The body.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// The page's id.
    #[serde(default)]
    pub anonymous_id: Option<String>,
    channel: String,
    state: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    address: Option<String>,
    #[serde(default)]
    url: Option<String>,
}

impl Body {
    /// Whether the person forbids to write.
    pub fn is_opt_out(&self) -> bool {
        self.state == OptInState::Unsubscribed.name()
    }

    /// Refuses an id that a page must not use.
    ///
    /// # Errors
    /// Those of [`hello::check_id`].
    pub fn check_id(&self, rules: &IdentityRules) -> Result<(), Rejection> {
        self.anonymous_id.iter().try_for_each(|id| hello::check_id(id, rules))
    }
}

/// Checks a choice.
///
/// # Errors
/// A rejection of an unknown channel or state, of a subscription without the text that the person saw, and of a value
/// over its bound.
pub fn accept(
    body: Body,
    source: &str,
    is_verified: bool,
    now: Timestamp,
) -> Result<OptIn, Rejection> {
    let channel = OptInChannel::from_name(&body.channel).ok_or_else(|| {
        Rejection::at(Code::WrongType, "channel", "email, sms, push, phone or post")
    })?;
    let state = OptInState::from_name(&body.state)
        .ok_or_else(|| Rejection::at(Code::WrongType, "state", "`subscribed` or `unsubscribed`"))?;
    for (field, value, max) in [
        ("text", &body.text, TEXT_BYTES_MAX),
        ("version", &body.version, VERSION_BYTES_MAX),
        ("address", &body.address, ADDRESS_BYTES_MAX),
        ("url", &body.url, URL_BYTES_MAX),
    ] {
        if value.as_ref().is_some_and(|value| value.len() > max) {
            return Err(Rejection::at(Code::WrongType, field, format!("at most {max} bytes")));
        }
        // Only a subscription needs proof: the text that the person agreed to.
        let is_needed = state == OptInState::Subscribed && matches!(field, "text" | "version");
        if is_needed && value.as_ref().is_none_or(|value| value.trim().is_empty()) {
            let message = "say which text was shown, and its version";
            return Err(Rejection::at(Code::MissingField, field, message));
        }
    }
    Ok(OptIn {
        channel,
        state,
        at: now.to_string(),
        text: body.text,
        version: body.version,
        address: body.address,
        url: body.url.map(|url| hilo_core::redact::url(&url)),
        source: source.to_owned(),
        is_verified,
    })
}

/// Answers the opt-in that is now in force.
pub fn stands(stands: &OptIn) -> Reply {
    #[derive(Serialize)]
    struct Answer<'a> {
        channel: OptInChannel,
        state: OptInState,
        at: &'a str,
    }
    reply::json(200, &Answer { channel: stands.channel, state: stands.state, at: &stands.at })
}
