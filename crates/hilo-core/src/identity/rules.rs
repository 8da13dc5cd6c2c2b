//! The rules for identities: reserved ids, who issues user tokens, which keys verify them. `[identity]` of `hilo.toml` becomes
//! these shapes.
//!
//! A secret key stands here by its name only, so its length can only be checked where it is used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::public_key::PublicKey;
use super::{is_listed, is_reserved};

/// Bytes of a secret that signs user tokens: at least as many as the hash has (RFC 7518, 3.2).
pub const TOKEN_SECRET_BYTES_MIN: usize = 32;

/// The rules for identities.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IdentityRules {
    /// Whether tokens grant and are refused.
    pub mode: IdentityMode,
    /// The `aud` that a token must have: the environment's name, unless the table names another audience.
    pub audience: String,
    /// The `iss` that a token must have; empty only where there are no keys.
    pub issuer: String,
    /// The keys that verify tokens.
    pub keys: Vec<TokenKey>,
    /// Ids that stand for everybody besides the built-in ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reserved: Vec<String>,
}

impl IdentityRules {
    /// Whether `id` names no particular person, by the built-in list or by the configured one.
    pub fn is_reserved(&self, id: &str) -> bool {
        is_reserved(id) || is_listed(&self.reserved, id)
    }
}

/// Whether user tokens grant and are refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityMode {
    /// A good token grants, and a bad token is refused.
    #[default]
    Enforce,
    /// No token grants or is refused. The reject log names the tokens that would be refused.
    Report,
    /// Tokens are not read.
    Off,
}

/// A key that verifies user tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenKey {
    /// The key's name in a token's header.
    pub kid: String,
    /// The public key or the secret. Its type fixes the algorithm, so that no public key can pass for a secret.
    pub material: TokenKeyMaterial,
    /// Whether the key counts only where `HILO_DEV=1`, because its private half is public.
    pub is_development: bool,
}

/// The key material that verifies a token's signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKeyMaterial {
    /// The public half of a key pair.
    Public(PublicKey),
    /// A secret for HS256, by its name.
    Secret(String),
}

impl TokenKey {
    /// The key's one algorithm, as a token's header names it.
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
