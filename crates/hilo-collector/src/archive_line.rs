//! A line of the archive: an event that only its person's key opens.
//!
//! `(event as JSON, key) ⇄ line`: `{"v":1,"id":…,"subject":…,"sealed":…}`. `id` is the hash of the event's id: a line that comes twice
//! has the same one. `subject` is the name of the person's object, which has the key. An erasure deletes the key there, and then
//! nobody can read the lines any more. An event about nobody, such as a post's, stands in the clear: `{"v":1,"id":…,"event":…}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::profile::ArchiveKey;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::platform::Failure;
use crate::seal::{self, KEY_BYTES, Key};
use crate::signature::message_hash;

/// The binding of the bucket with the lines in `wrangler.jsonc`.
pub(crate) const BINDING: &str = "ARCHIVE";
/// How the files' names begin where `hilo.toml` says nothing.
pub(crate) const PREFIX: &str = "hilo";
/// The version of the form of lines.
const VERSION: u8 = 1;

/// A line, without its end.
#[derive(Serialize, Deserialize)]
pub(crate) struct Line {
    v: u8,
    /// The hash of the event's id.
    pub(crate) id: String,
    /// The name of the object that has the key.
    pub(crate) subject: String,
    /// Base64 of what [`crate::seal`] makes: form, nonce, encrypted event, tag.
    sealed: String,
}

impl Line {
    /// What the sealed event is bound to: it opens in no other line.
    fn context(&self) -> String {
        format!("line {} {} {}", self.v, self.subject, self.id)
    }
}

/// Writes the line of an event, with its end.
///
/// # Errors
/// `Fatal` for a key that is none.
pub(crate) fn write(message_id: &str, event: &str, owner: &ArchiveKey) -> Result<String, Failure> {
    let (id, subject, sealed) = (message_hash(message_id), owner.subject.clone(), String::new());
    let mut line = Line { v: VERSION, id, subject, sealed };
    let (key, context) = (key(owner)?, line.context());
    let nonce = key.nonce(&context, event.as_bytes());
    line.sealed = STANDARD.encode(seal::seal(&key, &context, nonce, event.as_bytes())?);
    let mut text =
        serde_json::to_string(&line).map_err(|error| Failure::Fatal(error.to_string()))?;
    text.push('\n');
    Ok(text)
}

/// A line of an event about nobody.
#[derive(Serialize, Deserialize)]
pub(crate) struct Plain {
    v: u8,
    /// The hash of the event's id.
    pub(crate) id: String,
    /// The event.
    pub(crate) event: Box<RawValue>,
}

/// A line that was read.
pub(crate) enum Found {
    /// Of an event about a person.
    Sealed(Line),
    /// Of an event about nobody.
    Plain(Plain),
}

/// Writes the line of an event about nobody, with its end.
///
/// # Errors
/// `Fatal` for an event that is no JSON.
pub(crate) fn plain(message_id: &str, event: &str) -> Result<String, Failure> {
    let broken = |error: serde_json::Error| Failure::Fatal(error.to_string());
    let event = RawValue::from_string(event.to_owned()).map_err(broken)?;
    let line = Plain { v: VERSION, id: message_hash(message_id), event };
    let mut text = serde_json::to_string(&line).map_err(broken)?;
    text.push('\n');
    Ok(text)
}

/// Reads a line; `None` for text of another form.
pub(crate) fn read(text: &str) -> Option<Found> {
    let sealed = serde_json::from_str(text).ok().filter(|line: &Line| line.v == VERSION);
    let plain = || serde_json::from_str(text).ok().filter(|line: &Plain| line.v == VERSION);
    sealed.map(Found::Sealed).or_else(|| plain().map(Found::Plain))
}

/// Opens a line: the event as JSON.
///
/// # Errors
/// `Fatal` for a line that the key did not seal.
pub(crate) fn open(line: &Line, owner: &ArchiveKey) -> Result<String, Failure> {
    let broken = |why: String| Failure::Fatal(format!("a line of the archive: {why}"));
    if line.subject != owner.subject {
        return Err(broken("another person".to_owned()));
    }
    let sealed = STANDARD.decode(&line.sealed).map_err(|error| broken(error.to_string()))?;
    let event = seal::open(&key(owner)?, &line.context(), &sealed)?;
    String::from_utf8(event).map_err(|error| broken(error.to_string()))
}

fn key(owner: &ArchiveKey) -> Result<Key, Failure> {
    let bytes = STANDARD.decode(&owner.key).ok();
    let bytes = bytes.and_then(|bytes| <[u8; KEY_BYTES]>::try_from(bytes).ok());
    bytes.map(Key::of).ok_or_else(|| Failure::Fatal("a key of lines is none".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(subject: &str, byte: u8) -> ArchiveKey {
        ArchiveKey { subject: subject.to_owned(), key: STANDARD.encode([byte; KEY_BYTES]) }
    }

    fn opened(text: &str, owner: &ArchiveKey) -> Option<String> {
        match read(text)? {
            Found::Sealed(line) => open(&line, owner).ok(),
            Found::Plain(line) => Some(line.event.get().to_owned()),
        }
    }

    #[test]
    fn a_line_opens_for_its_person_only() {
        let line = write("m-1", r#"{"email":"ana@shop.example"}"#, &owner("p", 1)).unwrap();
        assert!(line.ends_with("\"}\n") && !line.contains("ana"), "{line}");
        let event = opened(&line, &owner("p", 1));
        assert_eq!(event.as_deref(), Some(r#"{"email":"ana@shop.example"}"#));
        assert_eq!(opened(&line, &owner("p", 2)), None, "the key of a person after an erasure");
        assert_eq!(opened(&line, &owner("q", 1)), None);
        assert_eq!(opened(&line.replace("\"v\":1", "\"v\":2"), &owner("p", 1)), None);
        assert_eq!(opened("{}", &owner("p", 1)), None);
    }

    #[test]
    fn a_line_about_nobody_needs_no_key() {
        let line = plain("m-1", r#"{"price":1.10}"#).unwrap();
        let event = opened(&line, &owner("p", 1));
        assert_eq!(event.as_deref(), Some(r#"{"price":1.10}"#), "numbers keep their digits");
        assert_eq!(opened(&line.replace(r#""v":1"#, r#""v":2"#), &owner("p", 1)), None);
    }

    #[test]
    fn a_sealed_event_opens_in_no_other_line() {
        let (one, other) = ("m-1", "m-2");
        let line = write(one, "{}", &owner("p", 1)).unwrap();
        let moved = line.replace(&message_hash(one), &message_hash(other));
        assert_eq!(opened(&moved, &owner("p", 1)), None);
    }

    #[test]
    fn the_same_event_makes_the_same_line() {
        let of = |event| write("m-1", event, &owner("p", 1)).unwrap();
        assert_eq!(of("{}"), of("{}"));
        assert_ne!(of("{}"), of("[]"));
    }
}
