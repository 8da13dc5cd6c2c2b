//! The beginning of an erasure: a person's key → the call of the profile's object, with the carts that are the person's.
//!
//! The person's own call and an admin's begin in the same way. `store/profile/erasure` has what follows.

use hilo_core::identity::ProfileKey;

use super::erasure::{Erase, Erased};
use super::{ProfileCall, ask_profile};
use crate::keyring::Keyring;
use crate::platform::{Failure, Platform};
use crate::signature::{CartOwner, cart_label, object_name, sha256_hex};

/// Begins the erasure of the person with this key, whose carts are `carts` and, for a user, the user's own. While an erasure is under
/// way, a further call adds its carts, and whatever was stored since.
///
/// # Errors
/// The object's own failure, or a failure to reach it.
pub async fn begin<P: Platform>(
    key: &ProfileKey,
    mut carts: Vec<String>,
    destinations: &[String],
    secret: &Keyring,
    platform: &P,
) -> Result<Erased, Failure> {
    let name = object_name(secret.naming(), key);
    let device = match key {
        ProfileKey::Anonymous(id) => Some(sha256_hex(id.as_bytes())),
        ProfileKey::User(id) => {
            carts.push(cart_label(secret.naming(), &CartOwner::Customer(id)));
            None
        }
        // Nobody has a cart under an address alone.
        ProfileKey::Contact(_) => None,
    };
    let destinations = destinations.to_vec();
    let erase = Erase { is_device: device.is_some(), by_link: false, device, carts, destinations };
    let call = ProfileCall::Erase(Box::new(erase));
    ask_profile(platform, name, &call).await
}
