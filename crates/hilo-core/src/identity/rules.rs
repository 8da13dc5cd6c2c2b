//! Whose word counts for who a visitor is, and the keys that prove it: what `[identity]` of `hilo.toml` becomes.
//! Shapes only. A secret key is named here and never written, so its length can only be checked where it is used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::public_key::PublicKey;

/// Bytes of a secret that signs user tokens: RFC 7518, 3.2 asks for as many as the hash has.
pub const TOKEN_SECRET_BYTES_MIN: usize = 32;

/// Whose word counts for who a visitor is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IdentityRules {
    /// What becomes of tokens.
    pub mode: IdentityMode,
    /// What a token's `aud` has to be: the environment's name unless it says otherwise.
    pub audience: String,
    /// What a token's `iss` has to be; empty only where there are no keys.
    pub issuer: String,
    /// The keys of whoever makes tokens.
    pub keys: Vec<TokenKey>,
}

/// What becomes of user tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityMode {
    /// A good one grants, a bad one is refused.
    #[default]
    Enforce,
    /// They grant nothing and are never refused; the reject log says which would be.
    Report,
    /// Nobody looks at them.
    Off,
}

/// A key that signs user tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// Its name in a token's header.
    pub kid: String,
    /// What verifies its signatures. Says the algorithm too, so that no public key can ever pass for a secret.
    pub material: TokenKeyMaterial,
    /// Whether it counts only where `HILO_DEV=1`: its private half is no secret.
    pub is_development: bool,
}

/// What verifies a token's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKeyMaterial {
    /// The public half of a key pair.
    Public(PublicKey),
    /// HS256 with the secret of this name.
    Secret(String),
}

impl TokenKey {
    /// The one algorithm it is good for, as a token's header names it.
    pub const fn algorithm(&self) -> &'static str {
        match &self.material {
            TokenKeyMaterial::Public(key) => key.scheme.name(),
            TokenKeyMaterial::Secret(_) => "HS256",
        }
    }
}

impl Serialize for TokenKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kid", &self.kid)?;
        map.serialize_entry("alg", self.algorithm())?;
        match &self.material {
            TokenKeyMaterial::Public(key) => {
                map.serialize_entry("public_key", &STANDARD.encode(&key.spki))?;
            }
            TokenKeyMaterial::Secret(name) => map.serialize_entry("secret", name)?,
        }
        if self.is_development {
            map.serialize_entry("development", &true)?;
        }
        map.end()
    }
}
