//! A person's way to the shop: touches, their channels, and the sessions they open.
//! Shapes and rules; the derivation of a touch from an event is `normalize`'s.

mod channel;
mod session;

pub use channel::Channel;
pub use session::{Session, attribute, presume};

use serde::{Deserialize, Serialize};

use crate::event::Via;

/// What brought the visitor, seen on one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// The channel by GA4's default channel grouping.
    pub channel: Channel,
    /// Campaign source, or the referring site's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Campaign medium, or `organic`, `referral`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// Campaign name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// Host of the referring page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer_host: Option<String>,
    /// How the landing is known.
    #[serde(default)]
    pub via: Via,
}
