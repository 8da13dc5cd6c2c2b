//! Something captured, before it has any identifier: what the stages hand to each other.

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
    /// What it is.
    pub kind: Kind,
    /// The event's or page's name, or the id of the user or group.
    pub name: String,
    /// Properties or traits, JSON already; empty for none.
    pub details: String,
    /// The message id where somebody else may name the same event; empty to mint one.
    pub id: String,
    /// Page clock.
    pub at_ms: i64,
    /// Where it happened.
    pub scene: Rc<Scene>,
}

/// Where things happen: found out once for all that happens there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The place, without secrets and personal data.
    pub place: Place,
    /// What every event says about it: the field `page` of its context, JSON already.
    pub page: String,
    /// The campaign that its address names.
    pub campaign: String,
}
