//! The calls of the object that keeps a destination's access tokens, and what passes between its storage and the token requests.
//!
//! Each destination with tokens has one such object, and only that object asks the service for tokens. `store/tokens` keeps them,
//! `forward/tokens` writes the requests and reads the answers. No `Debug` of this file shows a secret.

use serde::{Deserialize, Serialize};

use super::{decode, encode};
use crate::platform::{Failure, Object, Platform};
use crate::signature::sha256_hex;

/// A call of the object.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokensCall {
    /// Asks for an access token. Answers [`TokenAnswer`].
    Token {
        /// The hash of a token that the service has refused. Such a token is renewed once, before its time.
        stale: Option<String>,
    },
    /// Begins to connect the destination with an account. Answers [`ConnectAnswer`].
    Connect {
        /// Where the service sends the person back to.
        redirect_uri: String,
    },
    /// Exchanges the code that the service gave to the person. Answers [`CodeAnswer`].
    Code {
        /// The nonce of the beginning.
        nonce: String,
        /// The code.
        code: String,
    },
    /// Asks how things stand. Answers [`TokensStanding`].
    Standing,
}

/// An access token.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The token.
    pub access: String,
    /// The host of the service's calls, if the answer with the token named it. It is one of those that the destination allows.
    pub host: Option<String>,
}

impl Token {
    /// The hash by which a caller names a token that the service has refused.
    pub fn hash(&self) -> String {
        sha256_hex(self.access.as_bytes())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Token").field("host", &self.host).finish_non_exhaustive()
    }
}

/// Why there is no token now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoToken {
    /// The seconds after which another call is worth it.
    pub after_s: u32,
    /// The reason, for people, with the remedy where the deployer has to act.
    pub reason: String,
}

/// The answer to a call for a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenAnswer {
    /// The token.
    Token(Token),
    /// There is none.
    No(NoToken),
}

/// The answer to a call that begins to connect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectAnswer {
    /// A person opens this address.
    Open {
        /// The address at the service.
        authorize_url: String,
        /// The end of its life, milliseconds since the epoch.
        until_ms: i64,
    },
    /// The destination cannot be connected in this way; the reason, for people.
    Refused(String),
}

/// What became of a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeAnswer {
    /// The destination is connected now.
    Connected,
    /// The code belongs to no beginning that is still open: it is too old, was used, or a later beginning has replaced its own.
    Over,
    /// The service gave no token for it; the reason, for people.
    Refused(String),
}

/// How the access to a destination stands, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensStanding {
    /// Whether tokens can be had without a person.
    pub is_connected: bool,
    /// Since when, milliseconds since the epoch: the first token under this grant or client.
    pub since_ms: Option<i64>,
    /// When the token in use is renewed, by the first delivery from then on.
    pub refresh_ms: Option<i64>,
    /// When the token in use ends.
    pub expires_ms: Option<i64>,
    /// The last failure, if no token came since.
    pub failed: Option<Failed>,
    /// Whether nothing gets better before the deployer acts.
    pub must_mend: bool,
}

/// A failure to get a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// The reason, for people.
    pub reason: String,
}

/// What is shown to the service for a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown {
    /// The client's own secret, or a signature.
    Client,
    /// A refresh token.
    Refresh(String),
    /// A code that a person brought.
    Code {
        /// The code.
        code: String,
        /// The verifier of the challenge that the person's browser showed (PKCE, RFC 7636).
        verifier: String,
        /// The address that the code was sent to.
        redirect_uri: String,
    },
}

/// A token as the service gave it.
#[derive(Clone, PartialEq, Eq)]
pub struct Granted {
    /// The token.
    pub token: Token,
    /// The refresh token for the next time, if the answer has one.
    pub refresh: Option<String>,
    /// The seconds of the token's life that are left.
    pub life_s: u32,
}

/// Why a service gave no token. The reason is for people, and has no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not now. What was shown stays good.
    Later {
        /// The seconds that the service asks to wait.
        after_s: u32,
        /// The reason.
        reason: String,
    },
    /// Nobody knows what became of the request: no answer came, or one that cannot be read.
    Unclear(String),
    /// The service no longer honors the grant, and a person must connect again.
    Lost(String),
    /// The service refuses the client, and the deployer has to mend it.
    Wrong(String),
}

/// A destination of `hilo.toml`, with what its access needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// The name.
    pub name: String,
    /// The kind.
    pub kind: String,
    /// The service's own name.
    pub title: String,
    /// How it opens the service's door.
    pub door: Door,
}

/// How a destination opens the service's door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// By secrets that stay, or not at all.
    Secrets,
    /// By tokens that the client gets for itself.
    Client,
    /// By tokens under a person's grant.
    Grant,
}

/// Sends a call to the object of the destination called `name`.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_tokens<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    name: &str,
    call: &TokensCall,
) -> Result<A, Failure> {
    decode(&platform.ask(&Object::Tokens(name.to_owned()), encode(call)?).await?)
}

/// Asks for an access token of the destination called `name`. A failure to reach the object is told like one of the service.
///
/// # Errors
/// Why there is none now.
pub async fn ask_token<P: Platform>(
    platform: &P,
    name: &str,
    stale: Option<&Token>,
) -> Result<Token, NoToken> {
    let call = TokensCall::Token { stale: stale.map(Token::hash) };
    match ask_tokens(platform, name, &call).await {
        Ok(TokenAnswer::Token(token)) => Ok(token),
        Ok(TokenAnswer::No(why)) => Err(why),
        Err(failure) => {
            let reason = format!("waits: the token's object failed: {}", failure.message());
            Err(NoToken { after_s: 0, reason })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tokens_debug_does_not_show_it() {
        let token = Token { access: "a-secret".to_owned(), host: Some("x.example".to_owned()) };
        let shown = format!("{token:?} {:?}", TokenAnswer::Token(token.clone()));
        assert!(!shown.contains("a-secret") && shown.contains("x.example"), "{shown}");
        assert_ne!(token.hash(), Token::default().hash());
    }
}
