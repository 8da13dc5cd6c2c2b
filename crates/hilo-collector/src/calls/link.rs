//! Links: a profile moves into that of a verified user, once, and keeps a pointer. Shapes only.
//!
//! The profile that moves asks the user's to [`Take`] its parts, one after another. Each answer tells how far the user's has got, so
//! that nothing else remembers it.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::erasure::Erase;
use super::index::Owner;

/// The profile of a verified user, to which others are linked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkTo {
    /// The name of its object.
    pub name: String,
    /// The profile's label: `u:<userId>`, or `a:<anonymousId>` where an unknown contact moves into a device's.
    #[serde(default)]
    pub label: String,
    /// The user's id; `None` for a device.
    pub user: Option<String>,
    /// The pseudonym of the person in receipts.
    pub subject: String,
    /// The company that is responsible for the data.
    pub controller: String,
    /// When the link began, milliseconds since the epoch. The object that is linked sets it.
    #[serde(default)]
    pub at_ms: i64,
    /// The label of the user's own cart.
    pub cart: Option<String>,
    /// Who moves there.
    pub earlier: Earlier,
}

/// Who moves into a user's profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Earlier {
    /// A device: the hash of its id.
    Device(String),
    /// Another user: the label of that user's own cart.
    User(String),
    /// A contact whom nobody knew.
    Contact,
}

/// A part of a profile that moves.
#[derive(Debug, Serialize, Deserialize)]
pub struct Take {
    /// The name of the object that moves.
    pub from: String,
    /// The user. `None` once everything but deliveries has moved: such a call makes no object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<LinkTo>,
    /// The part, in the shape of `store/profile/linking`.
    pub cargo: Box<RawValue>,
}

/// The answer to a [`Take`].
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Taken {
    /// The name of the object that took it: another than the one that was asked, if that has moved itself. Empty if there is none.
    pub name: String,
    /// The user whose profile took it, where that is another than the one that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether the two profiles must not be linked, because each would move into the other.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
    /// The erasure that the profile that moves has to begin, because the person was erased after the link began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erase: Option<Box<Erase>>,
    /// What it has of the profile that moves.
    pub seen: Seen,
    /// The recorded consent and the opt-ins of the user, in the shape of `store/profile/linking`.
    pub in_force: Option<Box<RawValue>>,
}

/// How much of a profile another one has taken: up to these numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    /// The number of the last event.
    pub events: i64,
    /// The number of the last receipt.
    pub receipts: i64,
    /// The number of the last entry of the opt-in ledger.
    pub optins: i64,
    /// The revision of the recorded consent.
    pub revision: u32,
    /// Whether it has the fold of the events that were removed.
    pub has_remainder: bool,
}

impl LinkTo {
    /// The person, as the index has it.
    pub fn owner(&self) -> Owner {
        let of_user = || self.user.as_ref().map(|user| format!("u:{user}")).unwrap_or_default();
        // An earlier version stored no label.
        let label = Some(self.label.clone()).filter(|label| !label.is_empty());
        Owner { object: self.name.clone(), label: label.unwrap_or_else(of_user) }
    }
}

impl Seen {
    /// Takes over what `other` has more.
    #[must_use]
    pub fn or(self, other: Seen) -> Seen {
        Seen {
            events: self.events.max(other.events),
            receipts: self.receipts.max(other.receipts),
            optins: self.optins.max(other.optins),
            revision: self.revision.max(other.revision),
            has_remainder: self.has_remainder || other.has_remainder,
        }
    }
}

/// The answer of a profile that has moved: the call belongs to another object.
#[derive(Debug, Serialize, Deserialize)]
pub struct Moved {
    /// The name of that object.
    pub moved: String,
}

impl Moved {
    /// The beginning of the answer as text. No other answer begins so.
    pub const BEGINNING: &str = "{\"moved\":";
}
