//! Names of channels. `normalize/channel.rs` has the rules that choose a channel.

use serde::{Deserialize, Serialize};

/// GA4's default channel grouping (<https://support.google.com/analytics/answer/9756891>), and hilo's contact channels: those by
/// which people meet a company without an arrival on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Channel {
    /// Typed or bookmarked addresses, and the app's own links.
    Direct,
    /// "Cross-network" campaigns.
    #[serde(rename = "Cross-network")]
    CrossNetwork,
    /// Paid, on a shopping site.
    #[serde(rename = "Paid Shopping")]
    PaidShopping,
    /// Paid, on a search engine.
    #[serde(rename = "Paid Search")]
    PaidSearch,
    /// Paid, on a social network.
    #[serde(rename = "Paid Social")]
    PaidSocial,
    /// Paid, on a video site.
    #[serde(rename = "Paid Video")]
    PaidVideo,
    /// Banners.
    Display,
    /// Paid, elsewhere.
    #[serde(rename = "Paid Other")]
    PaidOther,
    /// Unpaid, from a shopping site.
    #[serde(rename = "Organic Shopping")]
    OrganicShopping,
    /// Unpaid, from a social network.
    #[serde(rename = "Organic Social")]
    OrganicSocial,
    /// Unpaid, from a video site.
    #[serde(rename = "Organic Video")]
    OrganicVideo,
    /// Unpaid, from a search engine.
    #[serde(rename = "Organic Search")]
    OrganicSearch,
    /// A link on another site.
    Referral,
    /// An assistant, where `normalize.ai_assistants` of `hilo.toml` gives it a channel. GA4's grouping has none.
    #[serde(rename = "AI Assistant")]
    AiAssistant,
    /// E-mail.
    Email,
    /// Affiliates.
    Affiliates,
    /// Audio platforms.
    Audio,
    /// Text messages.
    #[serde(rename = "SMS")]
    Sms,
    /// Push notifications.
    #[serde(rename = "Mobile Push Notifications")]
    MobilePush,
    /// No channel above fits, or the beginning of the visit is not known.
    Unassigned,
    /// A contact in a store.
    Store,
    /// A contact by telephone.
    Phone,
    /// A contact in a chat, a messenger's too.
    Chat,
    /// A letter.
    Post,
    /// A fair, a workshop.
    Event,
    /// A message or a comment on a social network, addressed to the company.
    #[serde(rename = "Social Contact")]
    SocialContact,
    /// A marketplace, a reseller.
    Partner,
}
