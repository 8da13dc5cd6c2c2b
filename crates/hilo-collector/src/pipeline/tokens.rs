//! Access tokens, where configuration, secrets and requests come together: a destination's name → its client; what is shown → the
//! service's answer. And the beginning of a person's way who connects a destination.
//!
//! Only the object that keeps the tokens calls [`Vendor::ask`], so one request is under way at a time. Nothing is kept here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::access::{Access, MissingSecret, OAuth};
use crate::call::secret;
use crate::calls::tokens::{Granted, Refusal, Shown};
use crate::connect_link;
use crate::forward;
use crate::forward::destinations::target;
use crate::forward::tokens::{self, Client, Draft};
use crate::ingest::feeds;
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform};
use crate::seal::Key;
use crate::signature::hex;
use crate::store::tokens::Terms;

/// A service at which a destination has a client.
pub struct Vendor {
    /// What the storage needs to know of the client.
    pub terms: Terms,
    /// Seals what is kept.
    pub key: Key,
    oauth: OAuth,
    keyring: Keyring,
}

/// Finds the client of the destination called `name`.
///
/// # Errors
/// Why there is none, for people: the configuration, or a secret.
pub async fn vendor<P: Platform>(name: &str, platform: &P) -> Result<Vendor, String> {
    let standing = platform.config().await;
    let loaded = standing.map_err(|fault| fault.code.name().to_owned())?;
    let oauth = feeds::oauth_of(name, &loaded.config)
        .unwrap_or_else(|| forward::oauth_of(name, &loaded.config))?;
    let keyring = secret(platform).map_err(|failure| failure.message().to_owned())?;
    let look_up = |name: &str| platform.secret(name).filter(|secret| !secret.is_empty());
    let access = Access { secrets: &look_up, token: None };
    let Client { identity: client, proof, first } =
        Client::of(&oauth, &access).map_err(|missing| not_set(&missing))?;
    let (needs_grant, rotates) = (oauth.needs_grant(), oauth.rotates());
    let terms = Terms { name: name.to_owned(), client, proof, first, needs_grant, rotates };
    let key = Key::derived(keyring.naming(), "tokens", name);
    Ok(Vendor { terms, key, oauth, keyring })
}

fn not_set(MissingSecret(name): &MissingSecret) -> String {
    format!("the secret {name} is not set or is none: cargo xtask wrangler secret put {name}")
}

impl Vendor {
    /// Makes the token request that shows `shown`.
    ///
    /// # Errors
    /// Why there is no token.
    pub async fn ask<P: Platform>(&self, shown: &Shown, platform: &P) -> Result<Granted, Refusal> {
        let look_up = |name: &str| platform.secret(name);
        let access = Access { secrets: &look_up, token: None };
        let asking = tokens::request(&self.oauth, shown, &access, platform.now())
            .map_err(|missing| Refusal::Wrong(not_set(&missing)))?;
        let outgoing = match asking.draft {
            Draft::Ready(outgoing) => outgoing,
            Draft::Unsigned(unsigned) => {
                let signature = platform.sign(&unsigned.key, unsigned.text.as_bytes()).await;
                let signature =
                    signature.map_err(|failure| Refusal::Wrong(failure.message().to_owned()))?;
                unsigned.signed(&signature)
            }
        };
        target::check(&outgoing.url, platform.is_dev()).map_err(|why| {
            Refusal::Wrong(format!("the address of the token endpoint may not be called: {why}"))
        })?;
        let response = platform.send(&outgoing).await.map_err(unanswered)?;
        tokens::read(&self.oauth, shown, &response, &asking.hidden)
    }
}

/// A request that surely did not arrive has used nothing up.
fn unanswered(failure: Failure) -> Refusal {
    match failure {
        Failure::Unreached(_) => {
            let reason = "the token endpoint could not be reached".to_owned();
            Refusal::Later { after_s: 0, reason }
        }
        Failure::Retriable(_) | Failure::Fatal(_) | Failure::SchemaNewer | Failure::Busy { .. } => {
            Refusal::Unclear("no answer to the token request".to_owned())
        }
    }
}

/// What a beginning needs: nonce, verifier, and the address that the person opens.
pub struct Beginning {
    /// Names the beginning.
    pub nonce: String,
    /// Ties the code to the collector.
    pub verifier: String,
    /// The address at the service.
    pub authorize_url: String,
}

/// Makes a beginning for a person who connects the destination.
///
/// # Errors
/// Why a person cannot, for people.
pub fn begin<P: Platform>(
    vendor: &Vendor,
    redirect_uri: &str,
    platform: &P,
) -> Result<Beginning, String> {
    let nonce = hex(&platform.random16());
    let verifier = [platform.random16(), platform.random16()].concat();
    let verifier = URL_SAFE_NO_PAD.encode(verifier);
    let state = connect_link::sign(&vendor.terms.name, &nonce, &vendor.keyring);
    let look_up = |name: &str| platform.secret(name);
    let access = Access { secrets: &look_up, token: None };
    let address = tokens::authorize_url(&vendor.oauth, &access, redirect_uri, &state, &verifier);
    match address {
        Ok(Some(authorize_url)) => Ok(Beginning { nonce, verifier, authorize_url }),
        Ok(None) => Err(forward::NEEDS_NOBODY.to_owned()),
        Err(missing) => Err(not_set(&missing)),
    }
}
