//! Opt-ins between pipeline, profile and admin: what somebody said about one channel, with all that proves it. Shapes only.

use hilo_core::consent::{OptInChannel, OptInState};
use serde::{Deserialize, Serialize};

/// One entry of a profile's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptIn {
    /// What about.
    pub channel: OptInChannel,
    /// What was said.
    pub state: OptInState,
    /// When, RFC 3339, edge clock.
    pub at: String,
    /// The text that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Where to write to: an e-mail address, a phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The page it was said on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The source that told us.
    pub source: String,
    /// Whether the shop's backend vouched for who said it.
    #[serde(rename = "verified")]
    pub is_verified: bool,
}

impl OptIn {
    /// Whether it says the same as `other`, whenever that was.
    pub fn repeats(&self, other: &OptIn) -> bool {
        *self == OptIn { at: self.at.clone(), ..other.clone() }
    }
}
