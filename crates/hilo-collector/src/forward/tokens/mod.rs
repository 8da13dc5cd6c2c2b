//! Access tokens, the pure part: data of a destination and what is shown for a token → the token request; its answer → the token, or
//! why there is none (RFC 6749, RFC 7523).
//!
//! `store/tokens` decides when a request is made, and `pipeline/tokens` makes it. No secret leaves this folder but in the request
//! itself: reasons have the service's error code and sentence only, without anything that was shown.

mod answer;
mod person;
mod request;
#[cfg(test)]
mod testing;

pub use answer::read;
pub use person::authorize_url;
pub use request::{Asking, Draft, Unsigned, request};

use super::destination::{Access, Flow, MissingSecret, OAuth, SecretName};
use crate::signature::sha256_hex;

/// What a token request depends on, as hashes: the object that keeps the tokens sees by them that something was changed.
pub struct Client {
    /// The client at its service. What was granted to another client is good for nothing.
    pub identity: String,
    /// The client's own proof, such as its secret. What failed with another proof may succeed with this one.
    pub proof: String,
    /// The refresh token that the deployer has set, if there is one.
    pub first: Option<String>,
}

impl Client {
    /// Finds the client of a destination.
    ///
    /// # Errors
    /// The secret that is not set.
    pub fn of(oauth: &OAuth, access: &Access<'_>) -> Result<Client, MissingSecret> {
        let (id, proof, first) = match &oauth.flow {
            Flow::Client { id, secret } => (access.secret(id)?, access.secret(secret)?, None),
            Flow::Refresh { id, secret, first, .. } => {
                let first: Option<&SecretName> = first.as_ref();
                let first = first.map(|first| access.secret(first)).transpose()?;
                (access.secret(id)?, access.secret(secret)?, first)
            }
            Flow::Signed { key, issuer, subject, .. } => {
                let subject = subject.as_deref().unwrap_or_default();
                (format!("{issuer} {subject}"), access.secret(key)?, None)
            }
        };
        // A new version in the endpoint's path changes no client.
        let host = oauth.token_url.split('/').nth(2).unwrap_or_default();
        let identity = sha256_hex(format!("{host}\n{id}").as_bytes());
        Ok(Client { identity, proof: sha256_hex(proof.as_bytes()), first })
    }
}

impl OAuth {
    /// Whether tokens need a person's grant.
    pub fn needs_grant(&self) -> bool {
        match self.flow {
            Flow::Refresh { .. } => true,
            Flow::Client { .. } | Flow::Signed { .. } => false,
        }
    }

    /// Whether a refresh token is good only once.
    pub fn rotates(&self) -> bool {
        match self.flow {
            Flow::Refresh { rotates, .. } => rotates,
            Flow::Client { .. } | Flow::Signed { .. } => false,
        }
    }
}
