//! Tickets for a cart's socket: the right to open it, signed and valid for a minute.
//!
//! A browser cannot send headers of its own when it opens a socket, and no secret belongs into a URL. So each view of a cart
//! contains a ticket, and the page names the ticket among the socket's protocols, which is a header. The Worker checks it before
//! the cart's object is called. The collector stores no tickets: the signature is enough proof. Cloudflare's tail does not redact the
//! field of the protocols, which is one more reason for a minute.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hilo_core::strict::read_bytes;
use serde::{Deserialize, Serialize};

use crate::calls::cart::Pass;
use crate::keyring::{Keyring, Signed};

/// The seconds that a ticket is valid.
const LIFE_S: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Claims {
    cart: String,
    until_s: i64,
    pass: Pass,
}

/// Makes a ticket for the cart with this label; `None` where the proof behind it is over already.
pub fn make(label: &str, pass: &Pass, secret: &Keyring, now_s: i64) -> Option<String> {
    if pass.ends_s <= now_s {
        return None;
    }
    let claims = Claims { cart: label.to_owned(), until_s: now_s + LIFE_S, pass: pass.clone() };
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
    Some(secret.sign(Signed::Ticket, &claims))
}

/// What the ticket gives; `None` if the ticket is not ours, for another cart, or too old.
pub fn read(ticket: &str, label: &str, secret: &Keyring, now_s: i64) -> Option<Pass> {
    let claims = secret.open(Signed::Ticket, ticket)?;
    let claims: Claims = read_bytes(&URL_SAFE_NO_PAD.decode(claims).ok()?)?;
    let is_valid = claims.cart == label && now_s < claims.until_s && now_s < claims.pass.ends_s;
    is_valid.then_some(claims.pass)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::cart::{Owner, Speaker, Terms};

    fn pass(ends_s: i64) -> Pass {
        let speaker = Speaker {
            owner: Owner::Customer("u".to_owned()),
            source: "shop".to_owned(),
            is_server: false,
            terms: Terms { abandoned_s: 3_600, keep_days: 90 },
        };
        Pass { speaker, login: "s1".to_owned(), ends_s }
    }

    #[test]
    fn a_ticket_opens_one_cart_for_one_minute() {
        let secret = Keyring::only("secret");
        let ticket = make("label", &pass(9_000), &secret, 1_000).unwrap();
        assert_eq!(read(&ticket, "label", &secret, 1_059), Some(pass(9_000)));
        assert_eq!(read(&ticket, "label", &secret, 1_060), None);
        assert_eq!(read(&ticket, "other", &secret, 1_000), None);
        assert_eq!(read(&ticket, "label", &Keyring::only("another"), 1_000), None);
        let forged = format!("A{}", &ticket[1..]);
        assert_eq!(read(&forged, "label", &secret, 1_000), None);
    }

    #[test]
    fn a_ticket_is_not_valid_longer_than_the_token_behind_it() {
        let secret = Keyring::only("secret");
        let ticket = make("label", &pass(1_010), &secret, 1_000).unwrap();
        assert!(read(&ticket, "label", &secret, 1_009).is_some());
        assert_eq!(read(&ticket, "label", &secret, 1_010), None);
        assert_eq!(make("label", &pass(1_000), &secret, 1_000), None);
    }
}
