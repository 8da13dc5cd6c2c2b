//! `POST /v1/optin`: a person allows or forbids the shop to write by one channel.
//!
//! Body → an entry for the ledger. The call is essential: it works whatever the visitor's consent is. A subscription that has to be
//! confirmed becomes `pending`; `request.rs` makes the event that asks for it, `page.rs` shows the link's page. The profile
//! object stores the ledger.

pub mod page;
mod request;
mod words;

pub use request::request;
pub use words::Say;

use hilo_core::config::{IdentityRules, Source};
use hilo_core::consent::{OptInChannel, OptInState};
use hilo_core::outcome::{Code, Rejection};
use serde::{Deserialize, Serialize};

use super::lang::Lang;
use super::{hello, reply};
use crate::call::Call;
use crate::calls::optin::{Confirmed, ConfirmedBy, OptIn};
use crate::keyring::Keyring;
use crate::optin_link::address_hash;
use crate::platform::{Platform, Reply};
use crate::signature::hex;

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
    /// The language of the page, such as `es` or `es-MX`.
    #[serde(default)]
    lang: Option<String>,
    /// Whether the company has had the address confirmed itself.
    #[serde(default)]
    confirmed: bool,
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

    /// The language in which to ask the person: that of the page, else that of the browser.
    pub fn lang<P: Platform>(&self, call: &Call<'_, P>) -> Option<Lang> {
        self.lang.as_deref().and_then(Lang::of).or_else(|| Lang::accepted(call.incoming))
    }
}

/// Checks a choice. A subscription that has to be confirmed becomes pending.
///
/// # Errors
/// A rejection of an unknown channel or state, of a subscription without the text that the person saw or without the address to
/// confirm, of a value over its bound, and of a subscription that nobody could confirm.
pub fn accept<P: Platform>(
    body: Body,
    source: &Source,
    is_verified: bool,
    secret: &Keyring,
    call: &Call<'_, P>,
) -> Result<OptIn, Rejection> {
    let channel = OptInChannel::from_name(&body.channel).ok_or_else(|| {
        Rejection::at(Code::WrongType, "channel", "email, sms, push, phone or post")
    })?;
    let mut state = OptInState::from_name(&body.state)
        .filter(|state| *state != OptInState::Pending)
        .ok_or_else(|| Rejection::at(Code::WrongType, "state", "`subscribed` or `unsubscribed`"))?;
    check_texts(&body, state)?;
    let at = call.platform.now().to_string();
    let confirmed = match (body.confirmed && state == OptInState::Subscribed, source.is_server()) {
        (true, true) => {
            Some(Confirmed { at: at.clone(), by: ConfirmedBy::Server, requested_at: None })
        }
        (true, false) => {
            let message = "a page proves no address: only a server's key may confirm it";
            return Err(Rejection::at(Code::WrongType, "confirmed", message));
        }
        (false, _) => None,
    };
    let rules = &call.loaded.config.consent.optin;
    let address = body.address.filter(|address| !address.trim().is_empty());
    let mut nonce = None;
    if state == OptInState::Subscribed && rules.is_double(channel) && confirmed.is_none() {
        if address.is_none() {
            let message =
                "this channel's subscriptions have to be confirmed: say which address is meant";
            return Err(Rejection::at(Code::MissingField, "address", message));
        }
        if rules.confirm_by.is_none() {
            let message = "nothing carries the link that confirms a subscription: name a destination in hilo.toml, [consent.optin] confirm_by";
            return Err(Rejection::at(Code::OptInUnconfirmable, "channel", message));
        }
        state = OptInState::Pending;
        nonce = Some(hex(&call.platform.random16()));
    }
    let address_hash = address.as_ref().map(|address| address_hash(channel, address, secret));
    Ok(OptIn {
        channel,
        state,
        at,
        text: body.text,
        version: body.version,
        address,
        address_hash,
        url: body.url.map(|url| hilo_core::redact::url(&url)),
        source: source.name.clone(),
        is_verified,
        nonce,
        confirmed,
        by_link: false,
    })
}

fn check_texts(body: &Body, state: OptInState) -> Result<(), Rejection> {
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
    Ok(())
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
