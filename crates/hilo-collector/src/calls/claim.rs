//! The claim of an id between pipeline and profile: hashes of proofs in, the right to the profile out. Shapes only.

use std::collections::BTreeMap;

use hilo_core::consent::{Choice, ConsentState, Purpose};
use serde::{Deserialize, Serialize};

use super::link::LinkTo;

/// The proofs of a claim, as hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The proof that the request shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// A new proof, to which a profile is bound that nobody has used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh: Option<String>,
    /// The proof that the page itself has made for an id of its own. It opens only a profile that it was bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offered: Option<String>,
    /// The verified user of the request, to whom a profile is linked whose proof is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkTo>,
}

/// The claim of a page that shows a token of a hand-over. The token opens once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopt {
    /// The hash of the proof in the token.
    pub proof: String,
    /// Whether a server asked for the token. Its word stands for the proof, so the profile opens to this one from now on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_vouched: bool,
    /// The random number of the token.
    pub number: String,
    /// When the token ends, milliseconds since the epoch.
    pub until_ms: i64,
}

/// Whose a claimed profile is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whose {
    /// Nobody has used the profile, and it stays so.
    #[default]
    Nobodys,
    /// The sender's: the shown proof is the profile's.
    Yours,
    /// The sender's by the new proof: the profile was unused and is bound to it now, or was bound to it by an attempt whose answer was
    /// lost.
    New,
    /// Somebody's: the sender has no proof of it.
    Anothers,
    /// Nobody's for ever: the device was erased.
    Erased,
}

impl Whose {
    /// Whether the sender has a right to the profile.
    pub const fn is_senders(self) -> bool {
        matches!(self, Whose::Yours | Whose::New)
    }
}

/// The answer to a claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    /// Whose the profile is.
    pub whose: Whose,
    /// What the profile has recorded. Empty for a profile that is not the sender's, and for one that has moved.
    pub consent: ConsentStanding,
    /// The object that a profile of the sender's has moved into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<String>,
}

/// The recorded consent: what a page has to know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentStanding {
    /// The highest revision recorded.
    pub revision: u32,
    /// Purpose → `granted` or `denied`.
    pub state: BTreeMap<String, String>,
}

impl ConsentStanding {
    /// The denied purposes.
    pub fn denied(&self) -> Vec<&str> {
        let denied = self.state.iter().filter(|(_, word)| *word == "denied");
        denied.map(|(purpose, _)| purpose.as_str()).collect()
    }

    /// Whether a purpose that allows an id was granted.
    pub fn allows_id(&self) -> bool {
        let mut state = ConsentState::default();
        for (purpose, word) in &self.state {
            if let Some(purpose) = Purpose::from_name(purpose).filter(|_| word == "granted") {
                state.set(purpose, Choice::Granted);
            }
        }
        state.allows_id()
    }
}
