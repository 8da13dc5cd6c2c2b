//! Public keys that verify user tokens: PEM or JWK → SPKI, the form that WebCrypto imports.
//!
//! Reads text and checks that the key fits its algorithm. Verifies no signature. Refuses private keys, which have no place in
//! a configuration.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use crate::strict::read_object;

/// The SPKI bytes before the 32 bytes of an Ed25519 key (RFC 8410, 4).
const ED25519_HEAD: [u8; 12] = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];
const ED25519_BYTES: usize = 32;
/// The SPKI bytes before the two coordinates of a point on P-256 (RFC 5480, 2). The last byte, `4`, means "uncompressed".
const P256_HEAD: [u8; 27] = [
    48, 89, 48, 19, 6, 7, 42, 134, 72, 206, 61, 2, 1, 6, 8, 42, 134, 72, 206, 61, 3, 1, 7, 3, 66,
    0, 4,
];
const P256_BYTES: usize = 64;
/// The algorithm `rsaEncryption` (RFC 3279, 2.3.1).
const RSA_ALGORITHM: [u8; 15] = [48, 13, 6, 9, 42, 134, 72, 134, 247, 13, 1, 1, 1, 5, 0];
/// Bytes of a modulus: at least 2,048 bits (RFC 7518, 3.3). Beyond 4,096 bits a verification costs more than it gains.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;

/// The signature scheme of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518, 3.4).
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518, 3.3).
    Rs256,
}

impl Scheme {
    /// The name in a token's header.
    pub const fn name(self) -> &'static str {
        match self {
            Scheme::EdDsa => "EdDSA",
            Scheme::Es256 => "ES256",
            Scheme::Rs256 => "RS256",
        }
    }
}

/// A public key with its one scheme.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    /// The signature scheme.
    pub scheme: Scheme,
    /// `SubjectPublicKeyInfo` (RFC 5280, 4.1), DER.
    pub spki: Vec<u8>,
}

impl PublicKey {
    /// Reads a PEM (`-----BEGIN PUBLIC KEY-----`) or a JWK.
    ///
    /// # Errors
    /// One sentence about what to write instead.
    pub fn read(scheme: Scheme, text: &str) -> Result<PublicKey, &'static str> {
        let text = text.trim();
        if text.contains("PRIVATE KEY") {
            return Err(PRIVATE);
        }
        let spki = if text.starts_with('{') { from_jwk(scheme, text)? } else { from_pem(text)? };
        let fits = match scheme {
            Scheme::EdDsa => tail(&spki, &ED25519_HEAD).is_some_and(|n| n == ED25519_BYTES),
            Scheme::Es256 => tail(&spki, &P256_HEAD).is_some_and(|n| n == P256_BYTES),
            // The DER lengths around the algorithm differ with the key. Together they have less than 64 bytes.
            Scheme::Rs256 => {
                let is_rsa = spki.windows(RSA_ALGORITHM.len()).any(|part| part == RSA_ALGORITHM);
                is_rsa && (*RSA_BYTES.start()..=*RSA_BYTES.end() + 64).contains(&spki.len())
            }
        };
        if fits { Ok(PublicKey { scheme, spki }) } else { Err(UNFIT) }
    }
}

const PRIVATE: &str = "this is a private key: it stays with the backend that signs, only its public half belongs here";
const UNREADABLE: &str =
    "write the public key as PEM, from `openssl pkey -in key.pem -pubout`, or as one JWK";
const UNFIT: &str = "this key is none for its `alg`: EdDSA takes Ed25519, ES256 takes P-256, RS256 takes RSA of 2,048 to 4,096 bits";

fn tail(spki: &[u8], head: &[u8]) -> Option<usize> {
    spki.strip_prefix(head).map(<[u8]>::len)
}

fn from_pem(text: &str) -> Result<Vec<u8>, &'static str> {
    let body = text.strip_prefix("-----BEGIN PUBLIC KEY-----").ok_or(UNREADABLE)?;
    let body = body.strip_suffix("-----END PUBLIC KEY-----").ok_or(UNREADABLE)?;
    let body: String = body.split_whitespace().collect();
    STANDARD.decode(body).map_err(|_| UNREADABLE)
}

fn from_jwk(scheme: Scheme, text: &str) -> Result<Vec<u8>, &'static str> {
    let jwk = read_object(text.as_bytes()).map_err(|_| UNREADABLE)?;
    if jwk.contains_key("d") {
        return Err(PRIVATE);
    }
    let kind = jwk.get("kty").and_then(Value::as_str);
    let curve = jwk.get("crv").and_then(Value::as_str);
    match (scheme, kind, curve) {
        (Scheme::EdDsa, Some("OKP"), Some("Ed25519")) => {
            Ok([&ED25519_HEAD[..], &number(&jwk, "x")?].concat())
        }
        (Scheme::Es256, Some("EC"), Some("P-256")) => {
            Ok([&P256_HEAD[..], &number(&jwk, "x")?, &number(&jwk, "y")?].concat())
        }
        (Scheme::Rs256, Some("RSA"), _) => Ok(rsa(&number(&jwk, "n")?, &number(&jwk, "e")?)),
        _ => Err(UNFIT),
    }
}

fn number(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, &'static str> {
    let text = jwk.get(name).and_then(Value::as_str).ok_or(UNREADABLE)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| UNREADABLE)
}

/// The SPKI of an RSA key (RFC 3279, 2.3.1; RFC 8017, A.1.1).
fn rsa(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let key = der(48, &[integer(modulus), integer(exponent)].concat());
    let bits = der(3, &[&[0][..], &key].concat());
    der(48, &[&RSA_ALGORITHM[..], &bits].concat())
}

/// A positive INTEGER: a set first bit would make the number negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let is_high = number.first().is_some_and(|first| *first >= 128);
    let sign: &[u8] = if is_high { &[0] } else { &[] };
    der(2, &[sign, number].concat())
}

/// One DER value (X.690, 8.1.3), shorter than 64 KB.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let head: &[u8] = match content.len() {
        0..=127 => &[tag, low],
        128..=255 => &[tag, 0x81, low],
        _ => &[tag, 0x82, high, low],
    };
    [head, content].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.2, and RFC 7515, appendices A.2 and A.3.
    const ED25519: &str =
        r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    const P256: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
    const RSA: &str = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}"#;

    fn pem(spki: &[u8]) -> String {
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(spki))
    }

    #[test]
    fn pem_and_jwk_of_one_key_are_equal() {
        for (scheme, jwk) in [(Scheme::EdDsa, ED25519), (Scheme::Es256, P256), (Scheme::Rs256, RSA)]
        {
            let key = PublicKey::read(scheme, jwk).unwrap();
            assert_eq!(PublicKey::read(scheme, &pem(&key.spki)), Ok(key), "{}", scheme.name());
        }
    }

    #[test]
    fn an_rsa_key_is_encoded_as_openssl_does() {
        let spki = PublicKey::read(Scheme::Rs256, RSA).unwrap().spki;
        assert_eq!(spki.len(), 294);
        assert_eq!(spki[..4], [48, 0x82, 1, 34]);
        assert_eq!(spki[spki.len() - 5..], [2, 3, 1, 0, 1]);
    }

    #[test]
    fn a_key_that_does_not_fit_its_scheme_is_refused() {
        for (scheme, text) in
            [(Scheme::EdDsa, P256), (Scheme::Es256, RSA), (Scheme::Rs256, ED25519)]
        {
            assert_eq!(PublicKey::read(scheme, text), Err(UNFIT));
        }
        let ed25519 = pem(&PublicKey::read(Scheme::EdDsa, ED25519).unwrap().spki);
        assert_eq!(PublicKey::read(Scheme::Rs256, &ed25519), Err(UNFIT));
        let short = r#"{"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4"}"#;
        assert_eq!(PublicKey::read(Scheme::Rs256, short), Err(UNFIT));
    }

    #[test]
    fn a_private_key_and_text_that_is_no_key_are_refused() {
        let pem = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----";
        let jwk = ED25519.replace(r#""crv""#, r#""d":"nWGxne","crv""#);
        for text in [pem, jwk.as_str()] {
            assert_eq!(PublicKey::read(Scheme::EdDsa, text), Err(PRIVATE));
        }
        for text in ["", "key", "-----BEGIN PUBLIC KEY-----", r#"{"kty":"OKP"#] {
            assert_eq!(PublicKey::read(Scheme::EdDsa, text), Err(UNREADABLE));
        }
    }
}
