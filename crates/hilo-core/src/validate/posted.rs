//! One item of an envelope with its envelope, source, configuration and facts. Shape only.

use super::envelope::Envelope;
use crate::config::{Config, Source};
use crate::event::Facts;

/// One unread item with its envelope, source, configuration and facts.
pub(super) struct PostedEvent<'a> {
    /// The item's place in the envelope.
    pub(super) index: usize,
    /// The item's text.
    pub(super) raw: &'a str,
    pub(super) envelope: &'a Envelope,
    pub(super) source: &'a Source,
    pub(super) config: &'a Config,
    pub(super) facts: &'a Facts,
}
