//! `[[source]]`: a configured sender of events, with its keys and the origins it may send from.
//!
//! A browser source has public keys (`wk_…`), a server source secret ones, of which the file holds only SHA-256.

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::DeValue;

use super::reader::{Reader, Section, Span};
use super::{Origin, ProblemCode};
use crate::consent::Purpose;
use crate::event::Trust;

/// A configured sender of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Source {
    /// Its name in reports and logs.
    pub name: String,
    /// What sends.
    pub kind: SourceKind,
    /// Its keys.
    pub keys: Vec<Key>,
    /// The origins it may send from; a server has none.
    pub origins: Vec<Origin>,
    /// What its events rest on where they say nothing about consent themselves. Only a server source can have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_basis: Option<ConsentBasis>,
}

/// What sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Pages, with a public key.
    Browser,
    /// The company's own backends, with a secret key.
    Server,
}

/// A key and whether it still opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The key, or its digest.
    #[serde(rename = "key")]
    pub text: KeyText,
    /// Whether it still opens.
    pub state: KeyState,
}

/// A key as the configuration holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// A public write key, `wk_…`.
    Public(String),
    /// SHA-256 of a server key, `sk_…`.
    Secret([u8; 32]),
}

impl Serialize for KeyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            KeyText::Public(key) => serializer.serialize_str(key),
            // Enough to tell two keys apart, nothing to search for.
            KeyText::Secret([a, b, c, d, ..]) => {
                serializer.collect_str(&format_args!("sha256:{a:02x}{b:02x}{c:02x}{d:02x}…"))
            }
        }
    }
}

/// Whether a key still opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// It does.
    #[default]
    Active,
    /// It was switched off for good: trackers that use it purge their queues.
    Revoked,
}

/// What the events of a server source rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConsentBasis {
    /// The legal ground (GDPR, article 6).
    pub basis: Basis,
    /// The purposes it covers.
    pub purposes: Vec<Purpose>,
}

/// A legal ground for using data (GDPR, article 6(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The person agreed, and the sender keeps the record.
    Consent,
    /// The contract with the person cannot be kept without it.
    Contract,
    /// A law demands it.
    LegalObligation,
    /// The sender's interest, weighed against the person's.
    LegitimateInterest,
}

impl Source {
    /// Whether it is a server's.
    pub const fn is_server(&self) -> bool {
        matches!(self.kind, SourceKind::Server)
    }

    /// How far its word counts.
    pub const fn trust(&self) -> Trust {
        match self.kind {
            SourceKind::Browser => Trust::Public,
            SourceKind::Server => Trust::Server,
        }
    }

    /// Whether a page of `origin` may use this source.
    ///
    /// In development every port of this machine may; elsewhere only what is listed, and only over https.
    pub fn allows_origin(&self, origin: &str, dev: bool) -> bool {
        let Some(origin) = Origin::parse(origin) else { return false };
        if self.is_server() {
            return false;
        }
        if origin.is_loopback() {
            return dev;
        }
        self.origins.iter().any(|rule| rule.covers(&origin))
    }
}

/// A key as a request presents it, digested once.
pub(super) struct Presented<'k> {
    key: &'k str,
    digest: Option<[u8; 32]>,
}

impl<'k> Presented<'k> {
    pub(super) fn new(key: &'k str) -> Presented<'k> {
        Presented { key, digest: key.starts_with(SECRET_PREFIX).then(|| Sha256::digest(key).into()) }
    }

    /// Whether it is `key`. Digests are compared to their end, so that the time taken tells nothing.
    pub(super) fn is(&self, key: &Key) -> bool {
        match (&key.text, &self.digest) {
            (KeyText::Public(public), None) => public == self.key,
            (KeyText::Secret(stored), Some(digest)) => {
                let difference = stored.iter().zip(digest).fold(0, |found, (a, b)| found | (a ^ b));
                std::hint::black_box(difference) == 0
            }
            (KeyText::Public(_), Some(_)) | (KeyText::Secret(_), None) => false,
        }
    }
}

const PUBLIC_PREFIX: &str = "wk_";
const SECRET_PREFIX: &str = "sk_";
/// Bytes of a key: enough for 256 bits in any encoding.
const KEY_BYTES_MAX: usize = 128;
/// Active keys of a source: the old and the new one while they are exchanged (identity.md).
const ACTIVE_KEYS_MAX: usize = 2;

/// Reads every `[[source]]`.
pub(super) fn read_all(reader: &Reader<'_>, root: &Section<'_>) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for section in reader.sections(root, "source") {
        let source = read(reader, &section, &sources);
        sources.push(source);
    }
    sources
}

fn read(reader: &Reader<'_>, section: &Section<'_>, earlier: &[Source]) -> Source {
    reader.only(section, &["name", "kind", "keys", "origins", "consent_basis"]);
    let name = name(reader, section, &earlier.iter().map(|source| source.name.as_str()).collect::<Vec<_>>());
    let kind = match reader.word(section, "kind", &["browser", "server"]) {
        Some("server") => Some(SourceKind::Server),
        Some(_) => Some(SourceKind::Browser),
        None => None,
    };
    if !section.has("kind") {
        reader.report_missing(section, "kind", "say what sends: `browser` for pages, `server` for backends");
    }
    Source {
        name,
        kind: kind.unwrap_or(SourceKind::Browser),
        keys: keys(reader, section, kind, earlier),
        origins: origins(reader, section, kind),
        consent_basis: consent_basis(reader, section, kind),
    }
}

/// A name of lower-case letters, digits, `-` and `_` that no other entry has.
pub(super) fn name(reader: &Reader<'_>, section: &Section<'_>, taken: &[&str]) -> String {
    let field = section.path_of("name");
    if !section.has("name") {
        reader.report_missing(section, "name", "give it a name: reports and logs use it");
    }
    let Some((name, span)) = reader.text_at(section, "name") else { return String::new() };
    let is_plain = name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
    if !is_plain {
        let message = "write names with lower-case letters, digits, `-` and `_`, at most 64 of them";
        reader.report(span, &field, ProblemCode::BadValue, message);
    } else if taken.contains(&name.as_str()) {
        let message = format!("`{name}` is taken: every {} has its own name", section.path);
        reader.report(span, &field, ProblemCode::Duplicate, message);
    }
    name
}

fn keys(reader: &Reader<'_>, section: &Section<'_>, kind: Option<SourceKind>, earlier: &[Source]) -> Vec<Key> {
    let field = section.path_of("keys");
    let values = reader.list(section, "keys", "a list of keys");
    let mut keys: Vec<Key> = Vec::new();
    for value in values {
        let Some(key) = key(reader, value, kind) else { continue };
        let taken = keys.iter().chain(earlier.iter().flat_map(|source| &source.keys)).any(|other| other.text == key.text);
        if taken {
            let message = "this key is in the file already: every key belongs to one source, once";
            reader.report(value.span(), &field, ProblemCode::Duplicate, message);
        }
        keys.push(key);
    }
    if values.is_empty() {
        reader.report_missing(section, "keys", "give it a key: keys = [\"wk_…\"], or keys = [{ sha256 = \"…\" }] for a server");
    }
    if keys.iter().filter(|key| key.state == KeyState::Active).count() > ACTIVE_KEYS_MAX {
        let message = "at most two keys are active, the old and the new: give the others state = \"revoked\"";
        reader.report(section.value("keys").map_or(0..0, Spanned::span), &field, ProblemCode::BadValue, message);
    }
    keys
}

/// `"wk_…"`, `{ key = "wk_…", state = … }` or `{ sha256 = "…", state = … }`.
fn key(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>, kind: Option<SourceKind>) -> Option<Key> {
    let path = "source.keys".to_owned();
    let DeValue::Table(table) = value.get_ref() else {
        let text = reader.as_text(value, &path)?;
        return Some(Key { text: public(reader, text, value.span(), kind)?, state: KeyState::Active });
    };
    let section = Section { table, path, span: value.span() };
    reader.only(&section, &["key", "sha256", "state"]);
    let state = match reader.word(&section, "state", &["active", "revoked"]) {
        Some("revoked") => KeyState::Revoked,
        _ => KeyState::Active,
    };
    let text = match (reader.text_at(&section, "key"), reader.text_at(&section, "sha256")) {
        (Some((key, span)), None) => public(reader, key, span, kind)?,
        (None, Some((hex, span))) => secret(reader, &hex, span, kind)?,
        _ => {
            let message = "a key is either key = \"wk_…\" or sha256 = \"…\", one of the two";
            reader.report(section.span, "source.keys", ProblemCode::BadValue, message);
            return None;
        }
    };
    Some(Key { text, state })
}

fn public(reader: &Reader<'_>, key: String, span: Span, kind: Option<SourceKind>) -> Option<KeyText> {
    let refuse = |message: String| {
        reader.report(span.clone(), "source.keys", ProblemCode::BadValue, message);
        None
    };
    if key.starts_with(SECRET_PREFIX) {
        return refuse("a server key is secret: write its digest instead, { sha256 = \"…\" }, from `printf %s KEY | sha256sum`".into());
    }
    if kind == Some(SourceKind::Server) {
        return refuse("a server source has secret keys: { sha256 = \"…\" }, the digest of a key that begins with sk_".into());
    }
    let rest = key.strip_prefix(PUBLIC_PREFIX).unwrap_or_default();
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if rest.is_empty() || !is_plain || key.len() > KEY_BYTES_MAX {
        return refuse("a write key begins with wk_ and goes on with letters, digits, `-` and `_`".into());
    }
    Some(KeyText::Public(key))
}

fn secret(reader: &Reader<'_>, hex: &str, span: Span, kind: Option<SourceKind>) -> Option<KeyText> {
    let refuse = |message: &str| {
        reader.report(span.clone(), "source.keys.sha256", ProblemCode::BadValue, message);
        None
    };
    if kind == Some(SourceKind::Browser) {
        return refuse("a page cannot keep a secret: a browser source has write keys, \"wk_…\"");
    }
    match digest(hex) {
        Some(digest) => Some(KeyText::Secret(digest)),
        None => refuse("write the SHA-256 of the key as 64 hexadecimal digits, from `printf %s KEY | sha256sum`"),
    }
}

fn digest(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(digest)
}

fn origins(reader: &Reader<'_>, section: &Section<'_>, kind: Option<SourceKind>) -> Vec<Origin> {
    let field = section.path_of("origins");
    let values = reader.list(section, "origins", "a list of origins");
    match (kind, section.value("origins")) {
        (Some(SourceKind::Server), Some(value)) => {
            let message = "a server source has no origins: only browsers send one";
            reader.report(value.span(), &field, ProblemCode::BadValue, message);
        }
        (Some(SourceKind::Browser), _) if values.is_empty() => {
            let message = "list the origins whose pages may use this source, such as [\"https://www.shop.example\"]";
            reader.report_missing(section, "origins", message);
        }
        _ => {}
    }
    let mut origins = Vec::new();
    for value in values {
        let Some(text) = reader.as_text(value, &field) else { continue };
        match Origin::parse_rule(&text) {
            Ok(origin) => origins.push(origin),
            Err(message) => reader.report(value.span(), &field, ProblemCode::BadValue, message),
        }
    }
    origins
}

fn consent_basis(reader: &Reader<'_>, section: &Section<'_>, kind: Option<SourceKind>) -> Option<ConsentBasis> {
    let basis = reader.section(section, "consent_basis")?;
    if kind == Some(SourceKind::Browser) {
        let message = "only a server source may declare a basis: pages send what the visitor allowed";
        reader.report(basis.span, &section.path_of("consent_basis"), ProblemCode::BadValue, message);
        return None;
    }
    reader.only(&basis, &["basis", "purposes"]);
    for (field, message) in [
        ("basis", "say what the events rest on: consent, contract, legal_obligation or legitimate_interest"),
        ("purposes", "say which purposes the basis covers, such as [\"analytics\"]"),
    ] {
        if !basis.has(field) {
            reader.report_missing(&basis, field, message);
        }
    }
    let word = reader.word(&basis, "basis", &["consent", "contract", "legal_obligation", "legitimate_interest"]);
    let purposes = reader.purposes(&basis, "purposes");
    let basis = match word? {
        "consent" => Basis::Consent,
        "contract" => Basis::Contract,
        "legal_obligation" => Basis::LegalObligation,
        _ => Basis::LegitimateInterest,
    };
    Some(ConsentBasis { basis, purposes })
}
