//! `POST /v1/handoff` and `POST /v1/adopt`: the id of a page goes to a page of another origin, in a token in the fragment of a link.
//!
//! An id with its proof ⇄ a token, sealed by the collector for one source of one environment. Whoever reads the token learns nothing of the
//! id. It ends after a minute and opens at one origin, and the object of the id lets it open once. This file calls no object.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hilo_core::config::{IdentityRules, Origin, Source};
use hilo_core::event::ConsentClaim;
use hilo_core::outcome::{Code, Rejection};
use hilo_core::strict::read_bytes;
use serde::{Deserialize, Serialize};

use super::cors;
use super::hello::check_id;
use super::proof::IdProof;
use super::reply;
use crate::call::Call;
use crate::calls::{Adopt, encode};
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform, Reply};
use crate::seal;
use crate::signature::hex;

/// The seconds that a token is valid (identity.md): a page that loads slowly, and no more.
const LIFE_S: i64 = 60;
/// The use of the keys that seal tokens.
const USAGE: &str = "handoff";
/// What seals a server's token in the place of a source: it opens for every source. No source has an empty name.
const ANY_SOURCE: &str = "";
/// The most characters of a token: an id and an origin of the longest kind need 1,200.
const TOKEN_CHARS_MAX: usize = 2_000;

/// The body of a page that hands its id over.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Asked {
    /// The page's id.
    pub anonymous_id: Option<String>,
    /// The origin of the page that gets it.
    to: Option<String>,
}

impl Asked {
    /// Refuses an id that a page must not use.
    ///
    /// # Errors
    /// Those of [`check_id`].
    pub fn check(&self, rules: &IdentityRules) -> Result<(), Rejection> {
        self.anonymous_id.iter().try_for_each(|id| check_id(id, rules))
    }

    /// The origin at which the token opens; `None` where a server leaves that open.
    ///
    /// # Errors
    /// `missing_field`, and `origin_refused` for an origin that the source does not list, or none where a server asks.
    pub fn to<P: Platform>(
        &self,
        source: &Source,
        call: &Call<'_, P>,
    ) -> Result<Option<String>, Rejection> {
        let Call { loaded, platform, .. } = *call;
        let Some(to) = &self.to else {
            let message =
                "name the origin of the page that gets the id, such as https://blog.example";
            let missing = || Rejection::at(Code::MissingField, "to", message);
            return if source.is_server() { Ok(None) } else { Err(missing()) };
        };
        let allows = |source: &Source, to: &Origin| source.allows_origin(to, platform.is_dev());
        let is_listed = |to: &Origin| match source.is_server() {
            true => loaded.config.sources.iter().any(|one| allows(one, to)),
            false => allows(source, to),
        };
        let origin = Origin::parse(to).filter(is_listed);
        let refusal = || cors::refusal(to, Some(source).filter(|source| !source.is_server()));
        origin.map(|origin| Some(origin.to_string())).ok_or_else(refusal)
    }
}

/// The body of a page that shows a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Brought {
    /// The token.
    pub token: String,
    /// The visitor's choices.
    pub consent: ConsentClaim,
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The id and its proof.
    #[serde(rename = "p")]
    pub proof: IdProof,
    /// Whether a server vouches for the proof.
    #[serde(rename = "v", default, skip_serializing_if = "std::ops::Not::not")]
    is_vouched: bool,
    /// The origin at which it opens.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    /// When it ends, milliseconds since the epoch.
    #[serde(rename = "u")]
    until_ms: i64,
    /// A random number, by which the object knows it again.
    #[serde(rename = "n")]
    number: String,
}

impl Token {
    /// Makes a token for the id of `proof`. Without one a server vouches for `id`.
    pub fn of<P: Platform>(
        id: &str,
        proof: Option<IdProof>,
        to: Option<String>,
        secret: &Keyring,
        call: &Call<'_, P>,
    ) -> Token {
        let now = call.platform.now();
        Token {
            is_vouched: proof.is_none(),
            proof: proof.unwrap_or_else(|| IdProof::vouched(id, secret, now)),
            to,
            until_ms: now.as_millisecond() + LIFE_S * 1_000,
            number: hex(&call.platform.random16()),
        }
    }

    /// Writes the token for the pages of `source`, or where a server asks, for those of every source.
    ///
    /// # Errors
    /// `Fatal` if it cannot be written, which is a bug.
    pub fn write<P: Platform>(
        &self,
        source: &Source,
        secret: &Keyring,
        call: &Call<'_, P>,
    ) -> Result<String, Failure> {
        let context = if source.is_server() { ANY_SOURCE } else { &source.name };
        let key = secret.sealing(USAGE, &call.loaded.config.environment).next();
        let key = key.ok_or_else(|| Failure::Fatal("there is no signing secret".to_owned()))?;
        let text = encode(self)?;
        let nonce = key.nonce(context, text.as_bytes());
        Ok(URL_SAFE_NO_PAD.encode(seal::seal(&key, context, nonce, text.as_bytes())?))
    }

    /// Reads a token that a page of `source` shows.
    ///
    /// # Errors
    /// `handoff_refused` for a token that does not open here, or not any more. The object of the id judges whether it was used.
    pub fn read<P: Platform>(
        text: &str,
        source: &Source,
        secret: &Keyring,
        call: &Call<'_, P>,
    ) -> Result<Token, Rejection> {
        let Call { incoming, loaded, platform } = *call;
        let text = Some(text).filter(|text| text.len() <= TOKEN_CHARS_MAX).unwrap_or_default();
        let sealed = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        let opened = secret.sealing(USAGE, &loaded.config.environment).find_map(|key| {
            let open = |context: &str| seal::open(&key, context, &sealed).ok();
            open(&source.name).or_else(|| open(ANY_SOURCE))
        });
        let token: Token = opened.and_then(|text| read_bytes(&text)).ok_or_else(refused)?;
        let origin = incoming.headers.get("origin").and_then(Origin::parse);
        let is_there = match &token.to {
            Some(to) => origin.is_some_and(|origin| origin.to_string() == *to),
            None => true,
        };
        // A token from before `hilo.toml` reserved its id is nobody's.
        let is_used = !loaded.config.identity.is_reserved(&token.proof.id);
        let is_alive = platform.now().as_millisecond() < token.until_ms;
        if is_there && is_used && is_alive { Ok(token) } else { Err(refused()) }
    }

    /// What the object of the id has to judge.
    pub fn question(&self) -> Adopt {
        Adopt {
            proof: self.proof.hash(),
            is_vouched: self.is_vouched,
            number: self.number.clone(),
            until_ms: self.until_ms,
        }
    }
}

/// The refusal of a token. One for every reason: whoever found a token learns nothing by trying it.
pub fn refused() -> Rejection {
    let message = "this token opens nothing here: it opens once, within 60 seconds, at the origin and under the source that it was made for; go on with the page's own id, and ask /v1/handoff for another token at the next link";
    Rejection::at(Code::HandoffRefused, "token", message)
}

/// Answers a page with a token.
pub fn handed(token: &str) -> Reply {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Handed<'a> {
        token: &'a str,
        expires_in: i64,
    }
    reply::json(200, &Handed { token, expires_in: LIFE_S })
}
