//! The `state` with which a service sends a person back who connects a destination: the destination's name and the nonce of the
//! beginning, signed.
//!
//! Without it anybody could connect the shop's destination with an account of their own. The object of the destination has the nonce,
//! and takes it once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::keyring::{Keyring, Signed};

/// Makes a `state`.
pub fn sign(destination: &str, nonce: &str, secret: &Keyring) -> String {
    secret.sign(Signed::Connect, &format!("{}.{nonce}", URL_SAFE_NO_PAD.encode(destination)))
}

/// Reads a `state`: the destination's name and the nonce. `None` if the collector did not make it.
pub fn read(state: &str, secret: &Keyring) -> Option<(String, String)> {
    let (name, nonce) = secret.open(Signed::Connect, state)?.split_once('.')?;
    let name = String::from_utf8(URL_SAFE_NO_PAD.decode(name).ok()?).ok()?;
    Some((name, nonce.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_only_as_it_was_signed() {
        let secret = Keyring::only("secret");
        let state = sign("crm.es", "n", &secret);
        assert_eq!(read(&state, &secret), Some(("crm.es".to_owned(), "n".to_owned())));
        assert_eq!(read(&state, &Keyring::only("another")), None);
        assert_eq!(read(&state.replace(".n.", ".m."), &secret), None);
        assert_eq!(read(&secret.sign(Signed::Ticket, "Y3Jt.n"), &secret), None);
    }
}
