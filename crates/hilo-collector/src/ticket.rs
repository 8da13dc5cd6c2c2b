//! Tickets for a cart's socket: the right to open it, signed and valid for a minute.
//!
//! A browser cannot send headers when it opens a socket, and no secret belongs into a URL. So each view of a cart
//! contains a ticket, and the page sends the ticket in the socket's first frame. The collector stores no tickets: the
//! signature is enough proof.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hilo_core::strict::read_bytes;
use serde::{Deserialize, Serialize};

use crate::calls::cart::Speaker;
use crate::keyring::{Keyring, Signed};

/// The seconds that a ticket is valid.
const LIFE_S: i64 = 60;

#[derive(Serialize, Deserialize)]
struct Claims {
    cart: String,
    until_s: i64,
    speaker: Speaker,
}

/// Makes a ticket for the cart with this label.
pub fn make(label: &str, speaker: &Speaker, secret: &Keyring, now_s: i64) -> Option<String> {
    let claims =
        Claims { cart: label.to_owned(), until_s: now_s + LIFE_S, speaker: speaker.clone() };
    let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims).ok()?);
    Some(secret.sign(Signed::Ticket, &claims))
}

/// The sender that a ticket was made for; `None` if the ticket is not ours, for another cart, or too old.
pub fn read(ticket: &str, label: &str, secret: &Keyring, now_s: i64) -> Option<Speaker> {
    let claims = secret.open(Signed::Ticket, ticket)?;
    let claims: Claims = read_bytes(&URL_SAFE_NO_PAD.decode(claims).ok()?)?;
    (claims.cart == label && now_s < claims.until_s).then_some(claims.speaker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::cart::{Owner, Terms};

    #[test]
    fn a_ticket_opens_one_cart_for_one_minute() {
        let speaker = Speaker {
            owner: Owner::Customer("u".to_owned()),
            source: "shop".to_owned(),
            is_server: false,
            terms: Terms { abandoned_s: 3_600, keep_days: 90 },
        };
        let secret = Keyring::only("secret");
        let ticket = make("label", &speaker, &secret, 1_000).unwrap();
        assert_eq!(read(&ticket, "label", &secret, 1_059), Some(speaker));
        assert_eq!(read(&ticket, "label", &secret, 1_060), None);
        assert_eq!(read(&ticket, "other", &secret, 1_000), None);
        assert_eq!(read(&ticket, "label", &Keyring::only("another"), 1_000), None);
        let forged = format!("A{}", &ticket[1..]);
        assert_eq!(read(&forged, "label", &secret, 1_000), None);
    }
}
