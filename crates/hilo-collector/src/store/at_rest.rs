//! What is personal in an object's storage is sealed under the object's own key: the bodies of events, the folded profile, the
//! addresses of opt-ins, a person who is being erased, and what the journal's dead letters show of requests. A copy of the storage shows
//! none of it.
//!
//! Text ⇄ sealed bytes, or sealed text where a column or a member of JSON needs text. What an earlier version stored plain is read as it
//! is, and sealed when it is written next. Times, consent, hashes of ids and destinations stay plain, because statements ask for them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::platform::{Failure, Sql};
use crate::seal::{self, Key};

/// How sealed text begins. Plain JSON and addresses never begin so.
const SEALED: &str = "sealed:";

/// Seals bytes. `context` is the place where they are stored. The nonce is random: a keyed hash of all bytes would cost a batch of events more
/// than the rest of its sealing.
pub(in crate::store) fn seal(
    sql: &impl Sql,
    context: &str,
    bytes: &[u8],
) -> Result<Vec<u8>, Failure> {
    seal::seal(&Key::of(sql.at_rest()?), context, sql.nonce(), bytes)
}

/// Opens bytes that [`seal`] has sealed for this place, or returns plain ones.
pub(in crate::store) fn open(
    sql: &impl Sql,
    context: &str,
    stored: Vec<u8>,
) -> Result<Vec<u8>, Failure> {
    if !seal::is_sealed(&stored) {
        return Ok(stored);
    }
    seal::open(&Key::of(sql.at_rest()?), context, &stored)
}

/// Seals text to text. Equal text in one place stays equal: a statement may look for it.
pub(in crate::store) fn seal_text(
    sql: &impl Sql,
    context: &str,
    text: &str,
) -> Result<String, Failure> {
    let key = Key::of(sql.at_rest()?);
    let nonce = key.nonce(context, text.as_bytes());
    let sealed = seal::seal(&key, context, nonce, text.as_bytes())?;
    Ok(format!("{SEALED}{}", STANDARD_NO_PAD.encode(sealed)))
}

/// Opens text that [`seal_text`] has sealed for this place, or returns plain text.
pub(in crate::store) fn open_text<'s>(
    sql: &impl Sql,
    context: &str,
    stored: &'s str,
) -> Result<Cow<'s, str>, Failure> {
    let Some(sealed) = stored.strip_prefix(SEALED) else { return Ok(Cow::Borrowed(stored)) };
    let broken = |what: String| Failure::Fatal(format!("sealed {context} is no text: {what}"));
    let sealed = STANDARD_NO_PAD.decode(sealed).map_err(|error| broken(error.to_string()))?;
    let bytes = seal::open(&Key::of(sql.at_rest()?), context, &sealed)?;
    String::from_utf8(bytes).map(Cow::Owned).map_err(|error| broken(error.to_string()))
}
