//! A touchpoint: the facts that are stored of an event as a moment of contact. Shapes only.
//! What the facts mean for a marketer is looked up when they are read, see `lens/`.

use serde::{Deserialize, Serialize};

use super::{Channel, State};

/// The facts of one touchpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touchpoint {
    /// Its kind: the act's name, `page`, `Visit Started` …
    pub kind: String,
    /// The contact channel, else that of the visit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// What it is about, where its kind alone does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What the person was before it.
    pub state: State,
    /// Whether a machine clicked, and not the person. It is found when the touchpoint is read, because what shows it may come later.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub machine: bool,
}
