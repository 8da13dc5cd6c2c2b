//! Certificates and public keys of vendors: text → a key that WebCrypto imports.
//!
//! The certificate's chain is not looked at: it comes over https from a host of the vendor's, which is what vouches for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::identity::public_key::{PublicKey, Scheme};

use super::der::{self, SEQUENCE};

/// The tag of a certificate's version, which the first version leaves out (RFC 5280, 4.1).
const VERSION: u8 = 0xa0;
/// The elements of a certificate before the key: number, signature's algorithm, issuer, validity, subject (RFC 5280, 4.1).
const BEFORE_KEY: usize = 5;

/// The RSA key of a certificate in PEM; `None` for anything else, and for a key of fewer than 2,048 bits.
pub fn rsa_key(pem: &str) -> Option<PublicKey> {
    let (_, body) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = body.split_once("-----END CERTIFICATE-----")?;
    let body: String = body.split_whitespace().collect();
    let bytes = STANDARD.decode(body).ok()?;
    let certificate = der::expect(&bytes, SEQUENCE)?;
    let signed = der::expect(certificate.content, SEQUENCE)?;
    let mut rest = signed.content;
    let first = der::read(rest)?;
    if first.tag == VERSION {
        rest = first.rest;
    }
    for _ in 0..BEFORE_KEY {
        rest = der::read(rest)?.rest;
    }
    key_of(Scheme::Rs256, &STANDARD.encode(der::expect(rest, SEQUENCE)?.whole))
}

/// The EC key on P-256 that a vendor shows in base64, with or without the lines of PEM.
pub fn ec_key(text: &str) -> Option<PublicKey> {
    let text = text.trim();
    if text.starts_with('-') {
        return PublicKey::read(Scheme::Es256, text).ok();
    }
    key_of(Scheme::Es256, text)
}

/// The key in this base64 of a `SubjectPublicKeyInfo`.
fn key_of(scheme: Scheme, spki: &str) -> Option<PublicKey> {
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{spki}\n-----END PUBLIC KEY-----");
    PublicKey::read(scheme, &pem).ok()
}
