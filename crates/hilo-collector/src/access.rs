//! What opens the door of another company's service: names of secrets, an access token, and how tokens are got.
//!
//! Destinations and the services that hilo reads share them; `forward/tokens` makes token requests of them. `access/` has what is the same
//! for one service whether hilo sends there or reads: its address, its door, its codes.

pub mod buffer;
pub mod marketo;

use serde::Deserialize;

use crate::calls::tokens::Token;

/// What opens a service's door.
#[derive(Clone, Copy)]
pub struct Access<'b> {
    /// Looks up secrets.
    pub secrets: Secrets<'b>,
    /// The access token; always there for whoever has an [`OAuth`].
    pub token: Option<&'b Token>,
}

impl Access<'_> {
    /// Looks a secret up.
    ///
    /// # Errors
    /// The secret is not set.
    pub fn secret(&self, name: &SecretName) -> Result<String, MissingSecret> {
        (self.secrets)(&name.secret).ok_or_else(|| MissingSecret(name.secret.clone()))
    }
}

/// How access tokens are got (RFC 6749). Data only: `forward/tokens` makes the requests.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// The address of the token endpoint.
    pub token_url: String,
    /// Where a person grants the first access: the address with the service's own parameters. `client_id`, `redirect_uri`, `state`
    /// and `response_type=code` are added. `None` where no person is asked. With `code_challenge_method=S256` among the parameters
    /// the challenge is added too (PKCE, RFC 7636).
    pub authorize_url: Option<String>,
    /// What is shown for a token.
    pub flow: Flow,
    /// Where the client's id and secret stand in the token request.
    pub client: ClientAuth,
    /// The member of the answer that names the host for calls, such as `instance_url`.
    pub host_member: Option<&'static str>,
    /// The hosts that the answer may name: endings such as `.salesforce.com`, or whole names such as `www.zohoapis.eu`.
    pub hosts: &'static [&'static str],
    /// The life of a token whose answer names none, in seconds.
    pub life_s: u32,
}

/// What is shown for a token.
#[derive(Clone, Debug)]
pub enum Flow {
    /// The client's own id and secret (`client_credentials`).
    Client {
        /// The client's id.
        id: SecretName,
        /// The client's secret.
        secret: SecretName,
    },
    /// A refresh token. The first one comes from `cargo xtask connect`, or is a secret.
    Refresh {
        /// The client's id.
        id: SecretName,
        /// The client's secret.
        secret: SecretName,
        /// A refresh token that the deployer has already.
        first: Option<SecretName>,
        /// Whether each answer brings a new refresh token, and the old one must not be sent again: the service may take that for a
        /// theft, and end the grant. After a request without an answer the old one is sent again only when no access token is good.
        rotates: bool,
    },
    /// A token signed with the client's private key (RFC 7523, RS256).
    Signed {
        /// The private key: PKCS#8 PEM.
        key: SecretName,
        /// `iss`.
        issuer: String,
        /// `sub`.
        subject: Option<String>,
        /// `aud`.
        audience: String,
        /// `scope`.
        scope: Option<String>,
    },
}

/// Where the client's id and secret stand in a token request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// In the form of the body.
    Body,
    /// In `Authorization: Basic`.
    Basic,
    /// In the query with everything else, where the service takes them nowhere else.
    Query,
}

/// What a service's own code of a refusal means, for whoever sends to it and for whoever reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The token or the secret does not open the door.
    Door,
    /// Not now, for so many seconds where the service names a time.
    Later(Option<u32>),
    /// The code says nothing about the door or the time.
    Other,
}

/// The name of a secret that is needed and that is not set or not valid. The deployer can still set the
/// secret, so the request is repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingSecret(pub String);

/// A secret by its name: `{ secret = "NAME" }`. `Debug` shows the name and never the value.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "the name of a secret, { secret = \"NAME\" },")]
pub struct SecretName {
    /// The name under which `wrangler secret put` stored the secret.
    pub secret: String,
}

/// Looks a secret up by its name.
pub type Secrets<'s> = &'s dyn Fn(&str) -> Option<String>;
