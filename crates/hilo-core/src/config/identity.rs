//! `[identity]`: whose word counts for who a visitor is, and the keys that prove it is theirs.
//!
//! Reads and checks the table; what a token says is `identity/token.rs`. A secret key is named here and never written, so
//! how long it is can only be checked where it is used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::ProblemCode;
use super::reader::{Reader, Section};
use crate::identity::ID_BYTES_MAX;
use crate::identity::public_key::{PublicKey, Scheme};

/// Bytes of a secret that signs user tokens: RFC 7518, 3.2 asks for as many as the hash has.
pub const TOKEN_SECRET_BYTES_MIN: usize = 32;

/// The algorithms that a key may be pinned to.
const ALGORITHMS: [&str; 4] = ["EdDSA", "ES256", "RS256", "HS256"];

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

/// Reads `[identity]`. `environment` is the audience where none is named.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>, environment: &str) -> IdentityRules {
    let mut rules = IdentityRules { audience: environment.to_owned(), ..IdentityRules::default() };
    let Some(section) = reader.section(root, "identity") else { return rules };
    reader.only(&section, &["mode", "audience", "issuer", "key"]);
    rules.mode = match reader.word(&section, "mode", &["enforce", "report", "off"]) {
        Some("report") => IdentityMode::Report,
        Some("off") => IdentityMode::Off,
        _ => IdentityMode::Enforce,
    };
    if let Some(audience) = reader.text(&section, "audience") {
        rules.audience = audience;
    }
    if let Some(issuer) = reader.text(&section, "issuer") {
        rules.issuer = issuer;
    }
    let mut taken = Vec::new();
    for key in reader.sections(&section, "key") {
        rules.keys.extend(read_key(reader, &key, &mut taken));
    }
    if section.has("key") && !section.has("issuer") {
        let message = "say whose tokens these are: the `iss` that your backend writes, such as \"https://www.shop.example\"";
        reader.report_missing(&section, "issuer", message);
    }
    rules
}

fn read_key(
    reader: &Reader<'_>,
    section: &Section<'_>,
    taken: &mut Vec<String>,
) -> Option<TokenKey> {
    reader.only(section, &["kid", "alg", "public_key", "secret", "development"]);
    for (field, message) in [
        ("kid", "name the key as the header of your tokens does"),
        ("alg", "pin the algorithm: EdDSA, ES256, RS256 or HS256"),
    ] {
        if !section.has(field) {
            reader.report_missing(section, field, message);
        }
    }
    let kid = kid(reader, section, taken);
    let is_development = reader.flag(section, "development").unwrap_or(false);
    let scheme = match reader.word(section, "alg", &ALGORITHMS)? {
        "EdDSA" => Some(Scheme::EdDsa),
        "ES256" => Some(Scheme::Es256),
        "RS256" => Some(Scheme::Rs256),
        _ => None,
    };
    let (wanted, other, message) = match scheme {
        Some(_) => {
            ("public_key", "secret", "only HS256 has a secret: give this key its public_key")
        }
        None => {
            let message = "HS256 has no public key: name its secret, { secret = \"NAME\" }";
            ("secret", "public_key", message)
        }
    };
    if let Some(value) = section.value(other) {
        reader.report(value.span(), &section.path_of(other), ProblemCode::BadValue, message);
    } else if !section.has(wanted) {
        reader.report_missing(section, wanted, message);
    }
    let material = match scheme {
        Some(scheme) => TokenKeyMaterial::Public(public_key(reader, section, scheme)?),
        None => TokenKeyMaterial::Secret(reader.secret_name(section, "secret")?),
    };
    Some(TokenKey { kid: kid?, material, is_development })
}

fn kid(reader: &Reader<'_>, section: &Section<'_>, taken: &mut Vec<String>) -> Option<String> {
    let (kid, span) = reader.text_at(section, "kid")?;
    let field = section.path_of("kid");
    if kid.len() > ID_BYTES_MAX {
        let message = "a `kid` has at most 128 bytes";
        reader.report(span, &field, ProblemCode::BadValue, message);
    } else if taken.contains(&kid) {
        let message = "this `kid` is taken: tokens name their key by it";
        reader.report(span, &field, ProblemCode::Duplicate, message);
    }
    taken.push(kid.clone());
    Some(kid)
}

fn public_key(reader: &Reader<'_>, section: &Section<'_>, scheme: Scheme) -> Option<PublicKey> {
    let (text, span) = reader.text_at(section, "public_key")?;
    match PublicKey::read(scheme, &text) {
        Ok(key) => Some(key),
        Err(message) => {
            let field = section.path_of("public_key");
            reader.report(span, &field, ProblemCode::BadValue, message);
            None
        }
    }
}
