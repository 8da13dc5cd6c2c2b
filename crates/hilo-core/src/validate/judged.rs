//! An item after validation: the event, or the outcome that ends it. Shape only.

use crate::event::Event;
use crate::outcome::{Outcome, Rejection};

/// An item after validation.
#[derive(Debug)]
pub struct Judged {
    /// Its place in the envelope.
    pub index: usize,
    /// Its id, as sent or as minted; absent if the item was too broken to have one.
    pub message_id: Option<String>,
    /// The event, on to normalize, or the outcome that ends the item here.
    pub result: Result<Box<Event>, Outcome>,
    /// Remarks on an item, kept or not.
    pub notices: Vec<Rejection>,
    /// The item's shape without its values, at most [`super::REDACTED_BYTES_MAX`], for the reject log. Absent unless the
    /// item shows that it may be stored at all: without consent not even a shape is kept.
    pub redacted: Option<String>,
}
