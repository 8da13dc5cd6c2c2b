//! Identities: keys of profiles, reserved ids, and the user tokens that vouch for a person.
//! In: ids as text. Out: a `ProfileKey`. Has no randomness: random bytes arrive as arguments.

use alloc::borrow::ToOwned;
use alloc::string::String;

#[cfg(feature = "edge")]
pub mod access;
#[cfg(feature = "edge")]
pub mod address;
#[cfg(feature = "edge")]
pub mod public_key;
#[cfg(feature = "edge")]
mod reserved;
#[cfg(feature = "edge")]
pub mod rules;
#[cfg(feature = "edge")]
pub mod token;

use core::fmt;

#[cfg(not(feature = "edge"))]
use crate::text::parts;
use crate::text::{put, put_digit};

#[cfg(feature = "edge")]
use reserved::is_listed;
#[cfg(feature = "edge")]
pub use reserved::is_reserved;
#[cfg(feature = "edge")]
pub(crate) use reserved::is_template;

/// Bytes of an id.
pub const ID_BYTES_MAX: usize = 128;

/// Characters of the id of a contact whom nobody knows: 32 of the address's hash, a hyphen, 8 random ones.
pub const CONTACT_CHARS: usize = 41;

/// Whether `id` names no particular person or device: the ids that a page's own scripts write by mistake.
///
/// The page pays for every word, so it has the short list. The collector has the whole one and the last word.
#[cfg(not(feature = "edge"))]
pub fn is_reserved(id: &str) -> bool {
    // Bars part the ids. The first one is empty.
    const RESERVED: &str = "|null|undefined|none|nil|nan|guest|anonymous|0|[object object]";
    // Blanks beyond ASCII would bring a table of all characters.
    let id = id.trim_ascii();
    parts(RESERVED, b'|').any(|reserved| id.eq_ignore_ascii_case(reserved))
}

/// The key of a profile: a device's, a verified person's, or that of a contact whom nobody knows yet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileKey {
    /// A device by its random id.
    Anonymous(String),
    /// A person by an id for which the shop's backend vouched.
    User(String),
    /// Somebody who called, wrote or bought, and whose address is no known person's yet: the address's hash.
    Contact(String),
}

impl ProfileKey {
    /// Reads `a:<anonymousId>`, `u:<userId>` or `c:<hash>`; `None` for anything else.
    pub fn parse(text: &str) -> Option<ProfileKey> {
        match text.split_once(':') {
            Some(("a", id)) if !is_reserved(id) => Some(ProfileKey::Anonymous(id.to_owned())),
            Some(("u", id)) if !is_reserved(id) => Some(ProfileKey::User(id.to_owned())),
            Some(("c", id)) if is_contact(id) => Some(ProfileKey::Contact(id.to_owned())),
            _ => None,
        }
    }
}

/// Whether an id has the form of a contact's: the hash of an address, and a random end.
fn is_contact(id: &str) -> bool {
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-');
    id.len() == CONTACT_CHARS && id.bytes().all(is_hex)
}

impl fmt::Display for ProfileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProfileKey::Anonymous(id) => write!(f, "a:{id}"),
            ProfileKey::User(id) => write!(f, "u:{id}"),
            ProfileKey::Contact(id) => write!(f, "c:{id}"),
        }
    }
}

/// A random id in UUID v4 form (RFC 9562, section 5.4) from 16 random bytes.
pub fn uuid_v4(random: [u8; 16]) -> String {
    uuid(0x40, random)
}

/// An id in UUID v7 form (RFC 9562, section 5.7): the time in milliseconds since 1970, then random bits.
///
/// Ids of one time stand together in an index. So ten stored events write one page of the index and not ten.
pub fn uuid_v7(at_ms: i64, mut random: [u8; 16]) -> String {
    let [_, _, time @ ..] = at_ms.to_be_bytes();
    for (byte, of_time) in random.iter_mut().zip(time) {
        *byte = of_time;
    }
    uuid(0x70, random)
}

fn uuid(version: u8, mut bytes: [u8; 16]) -> String {
    bytes[6] = (bytes[6] & 0x0f) | version;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            put(&mut text, "-");
        }
        put_digit(&mut text, byte >> 4);
        put_digit(&mut text, byte & 0x0f);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_key_reads_back() {
        let key = ProfileKey::parse("a:5f0").unwrap();
        assert_eq!(key.to_string(), "a:5f0");
        assert_eq!(ProfileKey::parse("x:1"), None);
        assert_eq!(ProfileKey::parse("u:null"), None);
        let contact = "c:00112233445566778899aabbccddeeff-0badcafe";
        assert_eq!(ProfileKey::parse(contact).unwrap().to_string(), contact);
        assert_eq!(ProfileKey::parse("c:0badcafe"), None);
    }

    #[test]
    fn ids_have_the_version_and_variant_of_their_form() {
        assert_eq!(uuid_v4([0xff; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        // RFC 9562, appendix A.6.
        assert_eq!(uuid_v7(0x017f_22e2_79b0, [0xff; 16]), "017f22e2-79b0-7fff-bfff-ffffffffffff");
    }
}
