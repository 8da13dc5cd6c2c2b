//! What brought a visit. Shapes only: `normalize/channel.rs` reads a touch from an event.

use serde::{Deserialize, Serialize};

use super::channel::Channel;

/// The touch that brought a visit, as one event shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
    /// The tracker's way of knowing the landing.
    #[serde(default)]
    pub via: Via,
}

/// The tracker's way of knowing a landing (consent.md, in the page, rule 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// From the landing document itself.
    #[default]
    Page,
    /// From the tab's history, because consent came later. The referrer is not known.
    History,
    /// From `document.referrer` alone. The landing is not known.
    Referrer,
}
