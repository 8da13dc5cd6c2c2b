//! `[identity]`: reserved ids, the issuer of user tokens, and the keys that verify them.
//!
//! Reads and checks the table into `identity/rules.rs`. `identity/token.rs` reads tokens.

use super::ProblemCode;
use super::reader::{Reader, Section};
use crate::identity::ID_BYTES_MAX;
use crate::identity::public_key::{PublicKey, Scheme};
use crate::identity::rules::{IdentityMode, IdentityRules, TokenKey, TokenKeyMaterial};

/// The algorithms to which a key may be pinned.
const ALGORITHMS: [&str; 4] = ["EdDSA", "ES256", "RS256", "HS256"];

/// Reads `[identity]`. `environment` is the audience where the table names none.
pub(super) fn read(reader: &Reader<'_>, root: &Section<'_>, environment: &str) -> IdentityRules {
    let mut rules = IdentityRules { audience: environment.to_owned(), ..IdentityRules::default() };
    let Some(section) = reader.section(root, "identity") else { return rules };
    reader.only(&section, &["mode", "audience", "issuer", "key", "reserved"]);
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
    rules.reserved = reader.texts(&section, "reserved");
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
