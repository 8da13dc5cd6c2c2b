//! A captured touchpoint before it has any identifier. The stages hand drafts to each other.

use std::rc::Rc;

use crate::platform::Place;

/// The Segment spec's messages that the page sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A page view.
    #[default]
    Page,
    /// A named act.
    Track,
    /// A claim of who the visitor is.
    Identify,
    /// The visitor belongs to a group.
    Group,
}

impl Kind {
    /// The `type` on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Page => "page",
            Kind::Track => "track",
            Kind::Identify => "identify",
            Kind::Group => "group",
        }
    }
}

/// A touchpoint in the making.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The message's type.
    pub kind: Kind,
    /// The event's or page's name, or the id of the user or group.
    pub name: String,
    /// Properties or traits, JSON already; empty for none.
    pub details: String,
    /// The message id, where the collector may report the same event; empty to mint one.
    pub id: String,
    /// Page clock.
    pub at_ms: i64,
    /// The scene of the page at that time.
    pub scene: Rc<Scene>,
}

/// A place and what follows from it. It is worked out once for all drafts at the place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The place, without secrets and personal data.
    pub place: Place,
    /// The field `page` of an event's context, JSON already.
    pub page: String,
    /// The campaign that the address names.
    pub campaign: String,
}
