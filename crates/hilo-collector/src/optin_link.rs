//! The links of opt-ins: the right to confirm or to end one subscription, signed.
//!
//! Whoever opens a link shows that they read what was sent to the address. The token names the profile's object, the channel, the
//! hash of the address and the request, so it contains nothing personal and suits no other address. It opens nothing else.
//! The collector stores no tokens; the ledger has the request's nonce, and so a link confirms once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hilo_core::consent::OptInChannel;
use hilo_core::identity::ProfileKey;
use hilo_core::strict::read_bytes;
use serde::{Deserialize, Serialize};

use crate::calls::optin::OptInLink;
use crate::keyring::{Keyring, Signed};
use crate::platform::Failure;
use crate::seal::{self, Key};
use crate::signature;

/// How long a subscription can be confirmed: a week's holiday, and not so long that the person has forgotten the request.
pub const CONFIRM_S: i64 = 7 * 86_400;
/// The hex digits of an address's hash: 128 bits.
const HASH_CHARS: usize = 32;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The name of the profile's object.
    #[serde(rename = "p")]
    pub profile: String,
    /// What the profile judges.
    #[serde(rename = "k")]
    pub link: OptInLink,
    /// The end of its life; `None` for a link that ends a subscription, because old letters must stay good for that.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub until_s: Option<i64>,
    /// Whose the address is once the link was opened, sealed: see [`Claims::owner`].
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The language of the page on which the person subscribed.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
}

impl Claims {
    /// Writes the claims as text, not signed yet.
    ///
    /// # Errors
    /// The claims cannot be written as JSON, which is a bug.
    pub fn write(&self) -> Result<String, serde_json::Error> {
        Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(self)?))
    }

    /// Reads a token; `None` if the collector did not sign it.
    pub fn read(token: &str, secret: &Keyring) -> Option<Claims> {
        let claims = secret.open(Signed::OptIn, token)?;
        read_bytes(&URL_SAFE_NO_PAD.decode(claims).ok()?)
    }

    /// Seals whose the address is: a link must not show a person's id.
    ///
    /// # Errors
    /// Those of [`seal::seal`].
    pub fn sealed_owner(
        profile: &str,
        person: &ProfileKey,
        index_key: &str,
        secret: &Keyring,
    ) -> Result<String, Failure> {
        let (key, text) = (owner_key(secret), format!("{index_key} {person}"));
        let nonce = key.nonce(profile, text.as_bytes());
        seal::seal(&key, profile, nonce, text.as_bytes())
            .map(|sealed| URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The person, and the index's key of the address that opening the link proves.
    pub fn owner(&self, secret: &Keyring) -> Option<(ProfileKey, String)> {
        let sealed = URL_SAFE_NO_PAD.decode(self.owner.as_ref()?).ok()?;
        let text = seal::open(&owner_key(secret), &self.profile, &sealed).ok()?;
        let text = String::from_utf8(text).ok()?;
        let (key, label) = text.split_once(' ')?;
        Some((ProfileKey::parse(label)?, key.to_owned()))
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now_s: i64) -> bool {
        self.until_s.is_some_and(|until_s| now_s >= until_s)
    }
}

fn owner_key(secret: &Keyring) -> Key {
    Key::derived(secret.naming(), "optin", "owner")
}

/// Makes a token of written claims.
pub fn sign(claims: &str, secret: &Keyring) -> String {
    secret.sign(Signed::OptIn, claims)
}

/// The hash of an address. Only the collector can make it, so that nobody finds the address by trying addresses.
pub fn address_hash(channel: OptInChannel, address: &str, secret: &Keyring) -> String {
    let text = format!("optin:{}:{}", channel.name(), address.trim());
    let mut hash = signature::hex(&signature::sign(secret.naming().as_bytes(), text.as_bytes()));
    hash.truncate(HASH_CHARS);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::optin::LinkAct;

    #[test]
    fn a_token_reads_back_only_as_it_was_signed() {
        let secret = Keyring::only("secret");
        let address_hash = address_hash(OptInChannel::Email, "ana@shop.example", &secret);
        let (act, nonce) = (LinkAct::Confirm, "n".to_owned());
        let link = OptInLink { act, channel: OptInChannel::Email, address_hash, nonce };
        let claims =
            Claims { profile: "p".to_owned(), link, until_s: Some(10), owner: None, lang: None };
        let person = ProfileKey::User("ana".to_owned());
        let sealed = Claims::sealed_owner("p", &person, "key", &secret).unwrap();
        let claims = Claims { owner: Some(sealed), ..claims };
        assert_eq!(claims.owner(&secret), Some((person, "key".to_owned())));
        let elsewhere = Claims { profile: "q".to_owned(), ..claims.clone() };
        assert_eq!(elsewhere.owner(&secret), None);
        let written = claims.write().unwrap();
        let token = sign(&written, &secret);
        assert_eq!(Claims::read(&token, &secret), Some(claims.clone()));
        assert!(!claims.is_expired(9) && claims.is_expired(10));
        assert_eq!(Claims::read(&token, &Keyring::only("another")), None);
        assert_eq!(Claims::read(&secret.sign(Signed::Ticket, &written), &secret), None);
        for at in [0, written.len() / 2, token.len() - 2] {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Claims::read(&String::from_utf8(forged).unwrap(), &secret), None, "{at}");
        }
    }

    #[test]
    fn the_hash_of_an_address_depends_on_channel_and_secret() {
        let secret = Keyring::only("secret");
        let one = address_hash(OptInChannel::Email, " ana@shop.example ", &secret);
        assert_eq!(one, address_hash(OptInChannel::Email, "ana@shop.example", &secret));
        assert_ne!(one, address_hash(OptInChannel::Sms, "ana@shop.example", &secret));
        assert_ne!(one, address_hash(OptInChannel::Email, "ana@shop.example", &Keyring::only("x")));
    }
}
