//! What the objects keep, over the small `Sql` trait: JSON question in, JSON answer out, everything synchronous.
//!
//! Each object's module has `answer(sql, call, now)`; the shells only carry text. A question is answered
//! inside one transaction, so a failure or a panic leaves nothing half-written.

pub mod cart;
pub mod journal;
pub mod profile;
mod schema;

/// What a journal answers: the reply, and the lines its watchers get.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// JSON for the caller.
    pub reply: String,
    /// JSON lines for the live stream, oldest first.
    pub live: Vec<String>,
}
