//! Something captured, before it has any identifier: what the stages hand to each other.

use crate::platform::Place;

/// A touchpoint in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// `page`, `track`, `identify`, `group`: the Segment spec's words.
    pub kind: &'static str,
    /// The event's, page's or group's name.
    pub name: String,
    /// Properties or traits, JSON already; empty for none.
    pub details: String,
    /// The id that an identify claims.
    pub claim: String,
    /// Page clock.
    pub at_ms: i64,
    /// Where it happened.
    pub place: Place,
}
