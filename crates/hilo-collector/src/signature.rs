//! HMAC and hashes over bytes. They sign cookies, object names, receipts and webhooks.
//! Pure. Other files have the formats.

use hilo_core::identity::ProfileKey;
use hilo_core::inbound::verify::Hash;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// The hex digits of [`record_hash`]: 128 bits.
const RECORD_HASH_CHARS: usize = 32;

/// SHA-256's block: HMAC pads shorter keys to it with zeros and hashes longer ones (RFC 2104).
const BLOCK_BYTES: usize = 64;

fn mac(key: &[u8], bytes: &[u8]) -> Hmac<Sha256> {
    // The padded key has a fixed size, so that no key can be refused at run time.
    let mut block = [0; BLOCK_BYTES];
    let hashed: [u8; 32];
    let key = if key.len() > BLOCK_BYTES {
        hashed = Sha256::digest(key).into();
        &hashed
    } else {
        key
    };
    for (slot, byte) in block.iter_mut().zip(key) {
        *slot = *byte;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(bytes);
    mac
}

/// The length of a cart's label in hex digits: 128 bits.
pub const LABEL_CHARS: usize = 32;

/// The length of the name of a person's object in hex digits.
pub const OBJECT_NAME_CHARS: usize = 64;
/// The length of the hash of an event's id in hex digits: 64 bits.
const MESSAGE_HASH_CHARS: usize = 16;

/// The owner of a cart, by the id that its label is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CartOwner<'a> {
    /// The random id in a guest's capability.
    Guest(&'a str),
    /// The person's id.
    Customer(&'a str),
}

/// HMAC-SHA-256 of `bytes`.
pub fn sign(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    mac(key, bytes).finalize().into_bytes().into()
}

/// Whether `tag` is the HMAC-SHA-256 of `bytes`, in constant time.
pub fn verify(key: &[u8], bytes: &[u8], tag: &[u8]) -> bool {
    mac(key, bytes).verify_slice(tag).is_ok()
}

/// Whether `tag` is the HMAC of `bytes` with this hash, in constant time: vendors of webhooks have hashes of their own.
pub fn verify_with(hash: Hash, key: &[u8], bytes: &[u8], tag: &[u8]) -> bool {
    // No key is refused: HMAC takes every length.
    match hash {
        Hash::Sha1 => <Hmac<Sha1> as Mac>::new_from_slice(key)
            .is_ok_and(|mac| mac.chain_update(bytes).verify_slice(tag).is_ok()),
        Hash::Sha256 => verify(key, bytes, tag),
        Hash::Sha512 => <Hmac<Sha512> as Mac>::new_from_slice(key)
            .is_ok_and(|mac| mac.chain_update(bytes).verify_slice(tag).is_ok()),
    }
}

/// SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-256 in lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// The hash of an event's id: 64 bits of SHA-256 in hex, as the profile's timeline has them. The journal has it in the place of
/// the id, see [`crate::calls::journal`].
pub fn message_hash(message_id: &str) -> String {
    hex(&sha256(message_id.as_bytes())).chars().take(MESSAGE_HASH_CHARS).collect()
}

/// Whether two secrets are equal. Digests are compared, so neither length nor prefix shows in the time it takes.
pub fn equal(left: &str, right: &str) -> bool {
    let key = b"compare";
    verify(key, left.as_bytes(), &sign(key, right.as_bytes()))
}

/// The name of a person's object: HMAC-SHA-256 of the key in lower-case hex. Without the secret nobody can compute the
/// name of an id.
pub fn object_name(secret: &str, key: &ProfileKey) -> String {
    hex(&sign(secret.as_bytes(), key.to_string().as_bytes()))
}

/// A keyed hash of a record of another service, in [`RECORD_HASH_CHARS`]: what an object that forgets nobody may keep of it.
pub(crate) fn record_hash(secret: &str, parts: &[&str]) -> String {
    let tag = sign(secret.as_bytes(), parts.join("\n").as_bytes());
    hex(&tag).chars().take(RECORD_HASH_CHARS).collect()
}

/// The label of a cart: the name of its object and its public name on the wire. Nobody can guess a label, and a label
/// grants no access.
pub fn cart_label(secret: &str, owner: &CartOwner<'_>) -> String {
    let key = match owner {
        CartOwner::Guest(id) => format!("cart:g:{id}"),
        CartOwner::Customer(id) => format!("cart:u:{id}"),
    };
    hex(&sign(secret.as_bytes(), key.as_bytes())).chars().take(LABEL_CHARS).collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS.get(usize::from(n)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_keys_sign_as_rfc_4231_requires() {
        // Test cases 2 and 6 of RFC 4231.
        let tag = hex(&sign(b"Jefe", b"what do ya want for nothing?"));
        assert_eq!(tag, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let tag = hex(&sign(&[0xaa; 131], text));
        assert_eq!(tag, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    }

    #[test]
    fn a_text_with_a_changed_byte_does_not_verify() {
        let tag = sign(b"k", b"text");
        assert!(verify(b"k", b"text", &tag) && !verify(b"k", b"texT", &tag));
        assert!(equal("same", "same") && !equal("same", "other"));
    }
}
