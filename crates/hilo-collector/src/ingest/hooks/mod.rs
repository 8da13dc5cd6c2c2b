//! `/v1/in/:source`: another system calls by itself. Its call → whether it is genuine, by the source's table.
//!
//! Pure: a signature of a public key and a certificate are asked for by the pipeline, with the question that this folder makes.
//! What the call means is read later, behind the inbox.

pub mod certificate;
mod der;
pub mod handshake;
mod post;
mod proof;
#[cfg(test)]
mod tests;

use hilo_core::config::{Config, Source, Webhook};
use hilo_core::inbound::verify::{Proof, Scheme};
use hilo_core::outcome::{Code, Rejection};

use crate::platform::{Incoming, Platform};

pub use post::Post;
pub use proof::{Evidence, Question, Signer, check_time, judge};

/// The fewest bytes of a secret: a shorter one could be guessed. Vendors make longer ones.
const SECRET_BYTES_MIN: usize = 16;

/// Finds the webhook source by its name in the path.
///
/// # Errors
/// `not_found`.
pub fn source<'c>(config: &'c Config, name: &str) -> Result<(&'c Source, &'c Webhook), Rejection> {
    let named = config.sources.iter().find(|source| source.name == name);
    named
        .and_then(|source| Some((source, source.webhook.as_ref()?)))
        .ok_or_else(|| Rejection::new(Code::NotFound, "no webhook source has this name"))
}

/// Returns the secrets that prove a call. One that is not set is left out while another is: it is being replaced.
///
/// # Errors
/// `secret_missing`, `secret_short`: anybody could make the proofs of such a secret. The vendor sends the call again.
pub fn secrets<P: Platform>(webhook: &Webhook, platform: &P) -> Result<Vec<String>, Rejection> {
    let set: Vec<String> = webhook
        .secrets
        .iter()
        .filter_map(|name| platform.secret(name).filter(|secret| !secret.is_empty()))
        .collect();
    let message = "a secret of this source is not set or has fewer than 16 bytes: GET /_h/health with the admin token names it";
    if set.iter().any(|secret| secret.len() < SECRET_BYTES_MIN) {
        return Err(Rejection::new(Code::SecretShort, message));
    }
    if set.is_empty() && !webhook.secrets.is_empty() {
        return Err(Rejection::new(Code::SecretMissing, message));
    }
    if is_by_key(webhook) && set.iter().any(|key| certificate::ec_key(key).is_none()) {
        let message = "the secret of this source is the vendor's public key, as the vendor shows it: base64 of an EC key on P-256";
        return Err(Rejection::new(Code::SecretMissing, message));
    }
    Ok(set)
}

/// Whether the source's secrets are public keys.
fn is_by_key(webhook: &Webhook) -> bool {
    match &webhook.verify.proof {
        Proof::Token(_) => false,
        Proof::Signed(signed) => signed.scheme == Scheme::EcdsaP256,
    }
}

/// The names of the webhook sources' secrets that are missing or too short.
pub fn unusable_secrets<'c, P: Platform>(config: &'c Config, platform: &P) -> Vec<&'c str> {
    let webhooks = config.sources.iter().filter_map(|source| source.webhook.as_ref());
    let is_set = |name: &&String| platform.secret(name).is_some_and(|secret| !secret.is_empty());
    let unusable = webhooks.flat_map(|webhook| {
        let proofs = webhook.secrets.iter().filter(|_| secrets(webhook, platform).is_err());
        proofs.chain(webhook.challenge.iter().filter(|name| !is_set(name)))
    });
    unusable.map(String::as_str).collect()
}

/// Returns the body as it came over the wire.
///
/// # Errors
/// A rejection of a body that is larger than the source's table allows, or cut short.
pub fn body<'i>(incoming: &'i Incoming, webhook: &Webhook) -> Result<&'i [u8], Rejection> {
    let body = super::raw(incoming)?;
    let most = webhook.verify.body_bytes_max;
    if body.len() > most {
        let message =
            format!("this source takes at most {most} bytes: body_bytes_max of its table");
        return Err(Rejection::new(Code::BodyTooLarge, message));
    }
    Ok(body)
}
