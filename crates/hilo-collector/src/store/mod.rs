//! What the objects keep, over the small `Sql` trait: JSON question in, JSON answer out, everything synchronous.
//!
//! Each object's module has `answer(sql, call, now)`; the shells in `platform/` only carry text. A question is answered
//! inside one transaction, so a failure or a panic leaves nothing half-written.

pub mod profile;
mod schema;

use hilo_core::identity::ProfileKey;

use crate::signature;

/// What a journal answers: the reply, and the lines its watchers get.
///
/// `store::journal` offers `answer(sql, call: &str, now) -> Result<Answered, Failure>` and, for a watcher that has just
/// come, `ring(sql, after: i64) -> Result<Vec<String>, Failure>`; each line is one JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// JSON for the caller.
    pub reply: String,
    /// JSON lines for the live stream, oldest first.
    pub live: Vec<String>,
}

/// The name of a person's object: HMAC-SHA-256 of the key in lower-case hex, so that nobody can probe ids.
pub fn object_name(secret: &str, key: &ProfileKey) -> String {
    signature::hex(&signature::sign(secret.as_bytes(), key.to_string().as_bytes()))
}
