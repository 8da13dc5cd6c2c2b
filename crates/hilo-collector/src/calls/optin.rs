//! Opt-ins between pipeline, profile and admin: a person's choice for one channel with its proof, and the links that confirm or
//! end it. Shapes only.

use hilo_core::consent::{OptInChannel, OptInState};
use hilo_core::event::Gist;
use serde::{Deserialize, Serialize};

use super::Planned;

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
    /// The keyed hash of channel and address. A link has it in the place of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_hash: Option<String>,
    /// The page where the person made the choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The source that sent it.
    pub source: String,
    /// Whether the shop's backend vouched for the person.
    #[serde(rename = "verified")]
    pub is_verified: bool,
    /// The random text that ties the link to this request. A confirmed entry keeps that of its request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// How the address was proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Confirmed>,
    /// Whether the choice came by a signed link.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_link: bool,
}

/// How an address was proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The time, RFC 3339.
    pub at: String,
    /// Who proved it.
    pub by: ConfirmedBy,
    /// The time of the request, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<String>,
}

/// Who proved an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfirmedBy {
    /// The person who reads what is sent there: by the link.
    Link,
    /// The company's own backend, which has asked the person itself.
    Server,
}

impl OptIn {
    /// Whether the person forbids the channel.
    pub fn is_opt_out(&self) -> bool {
        self.state == OptInState::Unsubscribed
    }

    /// Whether it equals `other` in every field but the time and what hangs on it.
    pub fn repeats(&self, other: &OptIn) -> bool {
        let same = OptIn {
            at: self.at.clone(),
            nonce: self.nonce.clone(),
            confirmed: self.confirmed.clone(),
            by_link: self.by_link,
            ..other.clone()
        };
        *self == same
    }

    /// Whether both are about the same address.
    pub fn shares_address(&self, hash: Option<&str>) -> bool {
        self.address_hash.is_some() && self.address_hash.as_deref() == hash
    }
}

/// A choice, and the event that asks to confirm it.
#[derive(Debug, Serialize, Deserialize)]
pub struct OptInCall {
    /// The choice.
    pub said: OptIn,
    /// The event. It is stored only if `said` becomes a new pending entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<OptInRequest>,
    /// The destinations that learn of the choice.
    #[serde(default)]
    pub listeners: Listeners,
}

/// The destinations that learn at once of a change of the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listeners {
    /// Those that learn of a subscription.
    pub confirmed: Vec<Planned>,
    /// Those that learn of an opt-out.
    pub withdrawn: Vec<Planned>,
    /// The language of the page on which the person chose.
    pub lang: Option<String>,
    /// Whether the company's own backend tells the choice, so that the address of an opt-out needs no other proof.
    pub is_server: bool,
    /// Whether the choice is told later than it was made: a newer entry of the ledger stays in force.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_late: bool,
}

/// The event that asks a person to confirm a subscription.
#[derive(Debug, Serialize, Deserialize)]
pub struct OptInRequest {
    /// The destination that carries the link.
    pub carrier: Planned,
    /// The event's gist.
    pub gist: Gist,
    /// The event as JSON.
    pub event: String,
}

/// What a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkAct {
    /// It confirms the subscription that is pending.
    Confirm,
    /// It ends the subscription.
    Unsubscribe,
}

/// The claims of a link that the profile judges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptInLink {
    /// What it does.
    pub act: LinkAct,
    /// The channel.
    pub channel: OptInChannel,
    /// The hash of the address that it was sent to.
    pub address_hash: String,
    /// The request that it belongs to.
    pub nonce: String,
}

/// What a link can do, or has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStanding {
    /// It waits for the person's act.
    Open,
    /// It did now what it says.
    Done,
    /// What it says was done before.
    Used,
    /// A later choice replaced what it belongs to.
    #[default]
    Over,
}
