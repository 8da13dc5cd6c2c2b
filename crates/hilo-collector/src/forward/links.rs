//! The links of `Opt-In Requested`: they are signed right before the event is sent.
//!
//! An event with the claims of its links → the same event with the links. So a link that works is in no timeline and no outbox.

use hilo_core::event::{Event, OptInLinks};

use crate::keyring::Keyring;
use crate::optin_link::sign as token;

/// Writes the links into the properties of a request that the collector made. Leaves every other event as it is.
///
/// # Errors
/// The reason to wait, where the collector cannot sign.
pub(super) fn sign(event: &mut Event, keyring: Option<&Keyring>) -> Result<(), String> {
    let Some(OptInLinks { base, confirm, unsubscribe }) = event.context.hilo.optin.take() else {
        return Ok(());
    };
    let Some(keyring) = keyring else {
        return Err("waits: a secret of the collector is missing, see /health".to_owned());
    };
    let link = |path: &str, claims: &str| {
        format!("{base}/v1/optin/{path}?token={}", token(claims, keyring)).into()
    };
    if let Some(properties) = event.kind.details_mut() {
        properties.insert("confirm_url".to_owned(), link("confirm", &confirm));
        properties.insert("unsubscribe_url".to_owned(), link("unsubscribe", &unsubscribe));
    }
    Ok(())
}
