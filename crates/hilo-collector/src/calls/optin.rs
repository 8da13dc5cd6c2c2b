//! Opt-ins between pipeline, profile and admin: a person's choice for one channel, with its proof. Shapes only.

use hilo_core::consent::{OptInChannel, OptInState};
use serde::{Deserialize, Serialize};

/// One entry of a profile's ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptIn {
    /// The channel.
    pub channel: OptInChannel,
    /// The choice.
    pub state: OptInState,
    /// The time of the choice, RFC 3339, edge clock.
    pub at: String,
    /// The text that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The version of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The address of the channel: an e-mail address or a phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The page where the person made the choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The source that sent it.
    pub source: String,
    /// Whether the shop's backend vouched for the person.
    #[serde(rename = "verified")]
    pub is_verified: bool,
}

impl OptIn {
    /// Whether the person forbids the channel.
    pub fn is_opt_out(&self) -> bool {
        self.state == OptInState::Unsubscribed
    }

    /// Whether it equals `other` in every field but `at`.
    pub fn repeats(&self, other: &OptIn) -> bool {
        *self == OptIn { at: self.at.clone(), ..other.clone() }
    }
}
