//! Keys of a source: public ones (`wk_…`, or any text) as they are, secret ones (`sk_…`, or any text) as their SHA-256.
//!
//! `keys` of a `[[source]]` → [`Key`]s; a presented key → whether it is one of them. Digests are compared in constant time.

use std::cell::OnceCell;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::DeValue;

use super::ProblemCode;
use super::reader::{Reader, Section, Span};
use super::source_kind::SourceKind;

/// A key and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The key or its digest.
    #[serde(rename = "key")]
    pub text: KeyText,
    /// The key's state.
    pub state: KeyState,
}

/// A key as the configuration holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// A public write key, `wk_…` or any other text.
    Public(String),
    /// SHA-256 of a server key.
    Secret([u8; 32]),
}

impl Serialize for KeyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            KeyText::Public(key) => serializer.serialize_str(key),
            // These bytes tell two keys apart and are too few for a search.
            KeyText::Secret([a, b, c, d, ..]) => {
                serializer.collect_str(&format_args!("sha256:{a:02x}{b:02x}{c:02x}{d:02x}…"))
            }
        }
    }
}

/// Whether a key may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The key may be used.
    #[default]
    Active,
    /// The key may be used on a developer's machine only, because it is public.
    Development,
    /// The key was switched off for good. Trackers that use it purge their queues.
    Revoked,
}

/// A key as a request presents it. Its digest is computed only where a secret key is compared with it.
pub(super) struct Presented<'k> {
    key: &'k str,
    digest: OnceCell<[u8; 32]>,
}

impl<'k> Presented<'k> {
    pub(super) fn new(key: &'k str) -> Presented<'k> {
        Presented { key, digest: OnceCell::new() }
    }

    /// Whether the presented key is `key`. A comparison reads digests to their end, so its duration reveals nothing.
    pub(super) fn is(&self, key: &Key) -> bool {
        match &key.text {
            KeyText::Public(public) => public == self.key,
            KeyText::Secret(stored) => self.has_digest(stored),
        }
    }

    /// Whether `stored` is the SHA-256 of the presented key.
    pub(super) fn has_digest(&self, stored: &[u8; 32]) -> bool {
        let digest = self.digest.get_or_init(|| Sha256::digest(self.key).into());
        let difference = stored.iter().zip(digest).fold(0, |found, (a, b)| found | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

/// The beginning of the server keys that hilo's guide makes. A file that contains such a key has published it.
const SECRET_PREFIX: &str = "sk_";
/// Bytes of a key. 256 bits fit in any encoding.
const KEY_BYTES_MAX: usize = 128;
/// Active keys of a source: the old and the new key while a shop exchanges them.
const ACTIVE_KEYS_MAX: usize = 2;

/// Reads the `keys` of one source. A webhook has none.
///
/// `taken` are the keys of the sources before it: no key may stand in the file twice.
pub(super) fn read_all(
    reader: &Reader<'_>,
    section: &Section<'_>,
    kind: Option<SourceKind>,
    taken: &[&KeyText],
) -> Vec<Key> {
    let field = section.path_of("keys");
    if kind == Some(SourceKind::Webhook) {
        if let Some(value) = section.value("keys") {
            let message = "a webhook has no keys: it signs with its secret";
            reader.report(value.span(), &field, ProblemCode::BadValue, message);
        }
        return Vec::new();
    }
    let values = reader.list(section, "keys", "a list of keys");
    let mut keys: Vec<Key> = Vec::new();
    for value in values {
        let Some(key) = key(reader, value, kind) else { continue };
        let is_taken =
            taken.contains(&&key.text) || keys.iter().any(|other| other.text == key.text);
        if is_taken {
            let message = "this key is in the file already: every key belongs to one source, once";
            reader.report(value.span(), &field, ProblemCode::Duplicate, message);
        }
        keys.push(key);
    }
    if section.is_blank("keys") {
        reader.report_missing(
            section,
            "keys",
            "give it a key: keys = [\"wk_…\"], or keys = [{ sha256 = \"…\" }] for a server",
        );
    }
    if keys.iter().filter(|key| key.state == KeyState::Active).count() > ACTIVE_KEYS_MAX {
        let message =
            "at most two keys are active, the old and the new: give the others state = \"revoked\"";
        reader.report(
            section.value("keys").map_or(0..0, Spanned::span),
            &field,
            ProblemCode::BadValue,
            message,
        );
    }
    keys
}

/// `"wk_…"`, `{ key = "wk_…", state = … }` or `{ sha256 = "…", state = … }`.
fn key(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>, kind: Option<SourceKind>) -> Option<Key> {
    let path = "source.keys".to_owned();
    let DeValue::Table(table) = value.get_ref() else {
        let text = reader.as_text(value, &path)?;
        return Some(Key {
            text: public(reader, text, value.span(), kind)?,
            state: KeyState::Active,
        });
    };
    let section = Section { table, path, span: value.span() };
    reader.only(&section, &["key", "sha256", "state"]);
    let state = match reader.word(&section, "state", &["active", "development", "revoked"]) {
        Some("development") => KeyState::Development,
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

fn public(
    reader: &Reader<'_>,
    key: String,
    span: Span,
    kind: Option<SourceKind>,
) -> Option<KeyText> {
    let refuse = |message: &str| {
        reader.report(span.clone(), "source.keys", ProblemCode::BadValue, message);
        None
    };
    if key.starts_with(SECRET_PREFIX) {
        return refuse(
            "a server key is secret: write its digest instead, { sha256 = \"…\" }, from `printf %s KEY | sha256sum`",
        );
    }
    if kind == Some(SourceKind::Server) {
        return refuse(
            "a server source has secret keys: write the digest, { sha256 = \"…\" }, from `printf %s KEY | sha256sum`",
        );
    }
    // A site that comes from another collector keeps its key. Jitsu's keys have a `:` and their own header.
    let is_plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    if key.is_empty() || !is_plain || key.len() > KEY_BYTES_MAX {
        return refuse(
            "a write key is 1 to 128 letters, digits, `-`, `_`, `.` and `:`, such as wk_shop",
        );
    }
    Some(KeyText::Public(key))
}

fn secret(reader: &Reader<'_>, hex: &str, span: Span, kind: Option<SourceKind>) -> Option<KeyText> {
    let refuse = |message: &str| {
        reader.report(span.clone(), "source.keys.sha256", ProblemCode::BadValue, message);
        None
    };
    if matches!(kind, Some(SourceKind::Browser | SourceKind::App)) {
        return refuse(
            "pages and apps cannot keep a secret: their sources have write keys, \"wk_…\"",
        );
    }
    match digest(hex) {
        Some(digest) => Some(KeyText::Secret(digest)),
        None => refuse(
            "write the SHA-256 of the key as 64 hexadecimal digits, from `printf %s KEY | sha256sum`",
        ),
    }
}

/// Reads a SHA-256 from hexadecimal digits.
pub(super) fn digest(hex: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(digest)
}
