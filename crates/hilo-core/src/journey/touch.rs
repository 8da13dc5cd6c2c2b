//! What brought a visit. Shapes only: `normalize/channel.rs` reads a touch from an event.

use serde::{Deserialize, Serialize};

use super::channel::Channel;

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

/// How a landing is known (consent.md, in the page, rule 3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// From the landing document itself.
    #[default]
    Page,
    /// From the tab's history, after a consent that came later: the referrer is not known.
    History,
    /// From `document.referrer` alone: the landing is not known.
    Referrer,
}
