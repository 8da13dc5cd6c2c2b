//! The kinds of event of the Segment spec, each with its own payload.
//! In and out: serde's tag `type`. Holds no ids, times or context: every kind shares those.

use serde::{Deserialize, Serialize};

use super::properties::Properties;

/// The name under which Segment's clients report a changed consent.
pub const CONSENT_UPDATED: &str = "Segment Consent Preference Updated";

/// The name under which the collector asks a person to confirm a subscription.
pub const OPT_IN_REQUESTED: &str = "Opt-In Requested";

/// The name under which the collector tells that a person has subscribed to a channel.
pub const OPT_IN_CONFIRMED: &str = "Opt-In Confirmed";

/// The name under which the collector tells that a person wants no messages by a channel.
pub const OPT_IN_WITHDRAWN: &str = "Opt-In Withdrawn";

/// The kind of event, with its own fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum EventKind {
    /// A named act, such as "Product Added".
    Track {
        /// The act's name.
        event: String,
        /// Its details.
        #[serde(default)]
        properties: Properties,
    },
    /// A page view.
    Page {
        /// The site's own name for the page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The site's own grouping.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<String>,
        /// Its details.
        #[serde(default)]
        properties: Properties,
    },
    /// A view of an app's screen.
    Screen {
        /// The app's own name for the screen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The app's own grouping.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<String>,
        /// Its details.
        #[serde(default)]
        properties: Properties,
    },
    /// A person is identified.
    Identify {
        /// The person's traits.
        #[serde(default)]
        traits: Properties,
    },
    /// A person belongs to a group.
    Group {
        /// The group.
        group_id: String,
        /// The group's traits.
        #[serde(default)]
        traits: Properties,
    },
    /// One id continues another.
    Alias {
        /// The earlier id.
        previous_id: String,
    },
}

impl EventKind {
    /// The wire's `type`.
    pub const fn name(&self) -> &'static str {
        match self {
            EventKind::Track { .. } => "track",
            EventKind::Page { .. } => "page",
            EventKind::Screen { .. } => "screen",
            EventKind::Identify { .. } => "identify",
            EventKind::Group { .. } => "group",
            EventKind::Alias { .. } => "alias",
        }
    }

    /// Whether it reports a changed consent, so that only the choice itself is kept.
    pub fn is_consent_change(&self) -> bool {
        matches!(self, EventKind::Track { event, .. } if event == CONSENT_UPDATED)
    }

    /// The act's, page's or group's own name.
    pub fn label(&self) -> Option<&str> {
        match self {
            EventKind::Track { event, .. } => Some(event),
            EventKind::Page { name, .. } | EventKind::Screen { name, .. } => name.as_deref(),
            EventKind::Group { group_id, .. } => Some(group_id),
            EventKind::Identify { .. } | EventKind::Alias { .. } => None,
        }
    }

    /// The properties or traits.
    pub const fn details(&self) -> Option<&Properties> {
        match self {
            EventKind::Track { properties, .. }
            | EventKind::Page { properties, .. }
            | EventKind::Screen { properties, .. } => Some(properties),
            EventKind::Identify { traits } | EventKind::Group { traits, .. } => Some(traits),
            EventKind::Alias { .. } => None,
        }
    }

    /// The properties or traits, to change.
    pub const fn details_mut(&mut self) -> Option<&mut Properties> {
        match self {
            EventKind::Track { properties, .. }
            | EventKind::Page { properties, .. }
            | EventKind::Screen { properties, .. } => Some(properties),
            EventKind::Identify { traits } | EventKind::Group { traits, .. } => Some(traits),
            EventKind::Alias { .. } => None,
        }
    }
}
