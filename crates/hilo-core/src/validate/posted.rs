//! One item of an envelope with all that is known around it. Shape only.

use super::envelope::Envelope;
use crate::config::Source;
use crate::event::Facts;

/// One item with all that is known around it.
pub(super) struct PostedEvent<'a> {
    /// Its place in the envelope.
    pub(super) index: usize,
    /// Its text, unread.
    pub(super) raw: &'a str,
    pub(super) envelope: &'a Envelope,
    pub(super) source: &'a Source,
    pub(super) facts: &'a Facts,
}
