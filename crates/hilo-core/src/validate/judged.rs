//! An item after validation: the event, or the outcome that ends it. Shape only.

use crate::event::Event;
use crate::outcome::{Outcome, Rejection};

/// An item after validation.
#[derive(Debug)]
pub struct Judged {
    /// The item's place in the envelope.
    pub index: usize,
    /// The message id, as sent or as minted; absent if the item was too broken to have an id.
    pub message_id: Option<String>,
    /// The event, on to normalize, or the outcome that ends the item here.
    pub result: Result<Box<Event>, Outcome>,
    /// Remarks on the item.
    pub notices: Vec<Rejection>,
    /// The item's shape without its values, for the reject log; at most [`super::REDACTED_BYTES_MAX`]. Absent unless the item
    /// shows consent: without consent not even a shape is kept.
    pub redacted: Option<String>,
}
