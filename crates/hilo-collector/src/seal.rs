//! Sealing: bytes that a copy of a storage must not show ⇄ bytes that only the holder of a key can open.
//!
//! `(key, context, nonce, bytes) → sealed`, by ChaCha20-Poly1305 (RFC 8439): one byte for the form, 12 for the nonce, the
//! encrypted bytes, 16 for the tag. The context is not stored: it binds sealed bytes to their place, and bytes that were put
//! elsewhere do not open. Pure: this file stores nothing and draws no random bytes.

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{ChaCha20Poly1305, Tag};

use crate::platform::Failure;
use crate::signature;

/// The bytes of a key.
pub const KEY_BYTES: usize = 32;
/// The bytes of a nonce.
pub const NONCE_BYTES: usize = 12;
/// The bytes of a tag.
const TAG_BYTES: usize = 16;
/// The first byte of sealed bytes. JSON never begins with it, so what was stored before sealing is told apart.
const FORM: u8 = 1;
/// By how many bytes sealing makes bytes longer.
pub const SEALED_BYTES_MORE: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// A key. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// Derives a key for one use and one owner of it, such as an object: `HMAC-SHA-256(secret, "seal:<use>:<owner>")`. No name of an
    /// object and no signed text begins so. What is stored needs the secret that never changes ([`crate::keyring::SECRET`]).
    pub fn derived(secret: &str, usage: &str, owner: &str) -> Key {
        Key(signature::sign(secret.as_bytes(), format!("seal:{usage}:{owner}").as_bytes()))
    }

    /// Takes bytes that nobody can guess as a key.
    pub const fn of(bytes: [u8; KEY_BYTES]) -> Key {
        Key(bytes)
    }

    /// The key's bytes, for whoever keeps it.
    pub const fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// The nonce for bytes that are sealed in this context: a keyed hash of both, the idea of RFC 5297.
    ///
    /// No nonce may serve two texts under one key. This one differs where the bytes differ, also after the storage was set back to
    /// an earlier time, and needs no random bytes. Equal bytes in an equal context become equal sealed bytes.
    pub fn nonce(&self, context: &str, bytes: &[u8]) -> [u8; NONCE_BYTES] {
        // A key of its own, so that a nonce tells nothing about the key that encrypts.
        let key = signature::sign(&self.0, format!("nonce:{context}").as_bytes());
        let mut nonce = [0; NONCE_BYTES];
        for (to, from) in nonce.iter_mut().zip(signature::sign(&key, bytes)) {
            *to = from;
        }
        nonce
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&self.0.into())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Key")
    }
}

/// Seals bytes. Pass a nonce that serves no other bytes under this key: [`Key::nonce`], or random bytes.
///
/// # Errors
/// `Fatal` for more bytes than the cipher takes: 256 GB.
pub fn seal(
    key: &Key,
    context: &str,
    nonce: [u8; NONCE_BYTES],
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    let mut sealed = Vec::with_capacity(bytes.len() + SEALED_BYTES_MORE);
    sealed.push(FORM);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(bytes);
    let text = sealed.get_mut(1 + NONCE_BYTES..).unwrap_or_default();
    let tag = key.cipher().encrypt_in_place_detached(&nonce.into(), context.as_bytes(), text);
    let tag = tag.map_err(|_| Failure::Fatal("too much to seal at once".to_owned()))?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// Whether bytes were sealed. What this crate stores plain is JSON, which never begins like sealed bytes.
pub fn is_sealed(bytes: &[u8]) -> bool {
    bytes.first() == Some(&FORM)
}

/// Opens sealed bytes.
///
/// # Errors
/// `Fatal` if another key or another context sealed them, or if a byte has changed.
pub fn open(key: &Key, context: &str, sealed: &[u8]) -> Result<Vec<u8>, Failure> {
    opened(key, context, sealed).ok_or_else(|| {
        let what = context.split(' ').next().unwrap_or(context);
        Failure::Fatal(format!(
            "what is sealed as `{what}` does not open: HILO_SECRET is another one than before, or a byte has changed"
        ))
    })
}

fn opened(key: &Key, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let (form, rest) = sealed.split_first()?;
    let (nonce, rest) = rest.split_first_chunk::<NONCE_BYTES>()?;
    let (text, tag) = rest.split_last_chunk::<TAG_BYTES>()?;
    let mut bytes = text.to_vec();
    let tag: Tag = (*tag).into();
    let nonce = (*nonce).into();
    let opened =
        key.cipher().decrypt_in_place_detached(&nonce, context.as_bytes(), &mut bytes, &tag);
    opened.ok().filter(|()| *form == FORM).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(owner: &str) -> Key {
        Key::derived("a secret of at least thirty-two bytes", "at rest", owner)
    }

    fn sealed(text: &str) -> Vec<u8> {
        seal(&key("p"), "events 1", key("p").nonce("events 1", text.as_bytes()), text.as_bytes())
            .unwrap()
    }

    #[test]
    fn the_cipher_is_that_of_rfc_8439() {
        // The key, nonce and first words of RFC 8439, 2.8.2. Its additional data are no text, so the context here is empty; the tag
        // is that of OpenSSL.
        let key: [u8; KEY_BYTES] = std::array::from_fn(|at| 0x80 + u8::try_from(at).unwrap());
        let nonce = [7, 0, 0, 0, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47];
        let text = b"Ladies and Gentlemen of the class of '99";
        let made = seal(&Key::of(key), "", nonce, text).unwrap();
        assert_eq!(
            signature::hex(&made[1 + NONCE_BYTES..]),
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca96712\
             2eb838bb957e60b8f30a8bc490057bad"
        );
    }

    #[test]
    fn sealed_bytes_open_for_their_key_and_their_context_only() {
        let made = sealed("ana@shop.example");
        assert_eq!(made.len(), 16 + SEALED_BYTES_MORE);
        assert!(is_sealed(&made) && !is_sealed(b"{}"));
        assert!(!made.windows(3).any(|three| three == b"ana"));
        assert_eq!(open(&key("p"), "events 1", &made).unwrap(), b"ana@shop.example");
        for (owner, context) in [("q", "events 1"), ("p", "events 2")] {
            let why = open(&key(owner), context, &made).unwrap_err();
            assert!(why.message().contains("HILO_SECRET"), "{why:?}");
        }
    }

    #[test]
    fn no_changed_or_cut_byte_opens() {
        let made = sealed("{}");
        for at in 0..made.len() {
            let mut changed = made.clone();
            changed[at] ^= 1;
            assert!(open(&key("p"), "events 1", &changed).is_err(), "byte {at}");
            assert!(open(&key("p"), "events 1", &made[..at]).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn a_nonce_differs_where_bytes_or_context_differ() {
        let nonce = key("p").nonce("events 1", b"{}");
        assert_eq!(nonce, key("p").nonce("events 1", b"{}"));
        assert_ne!(nonce, key("p").nonce("events 2", b"{}"));
        assert_ne!(nonce, key("p").nonce("events 1", b"[]"));
        assert_ne!(nonce, key("q").nonce("events 1", b"{}"));
    }

    #[test]
    fn the_debug_text_of_a_key_does_not_show_it() {
        assert_eq!(format!("{:?}", key("p")), "Key");
    }
}
