//! Whether a profile is a person's own, moves into that of a verified user, or has moved there.
//!
//! Storage → [`Bond`]. This file has the shapes; `linking/` moves the profile.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::calls::decode;
use crate::calls::link::{LinkTo, Seen};
use crate::platform::{Failure, Sql};

/// Where the profile stands. Nothing leads back, so the first user counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Bond {
    /// It is linked to nobody.
    #[default]
    Free,
    /// It moves into this user's, part by part, and answers its calls itself meanwhile.
    Moving(LinkTo),
    /// It has moved into the object with this name, which answers its calls. Only deliveries may be left.
    Moved(String),
}

impl Bond {
    /// Reads the stored state.
    pub(super) fn read(sql: &impl Sql) -> Result<Bond, Failure> {
        // Every object asks this once in its life, so one question has to do.
        let query =
            "SELECT key, value FROM meta WHERE key IN ('link', 'linked_to') ORDER BY key DESC";
        let rows = sql.exec(query, &[])?;
        let Some(row) = rows.first() else { return Ok(Bond::Free) };
        match row.text("key")? {
            "link" => decode(row.text("value")?).map(Bond::Moving),
            _ => Ok(Bond::Moved(row.text("value")?.to_owned())),
        }
    }
}

/// What the object knows of its way into the user's profile. The user's profile is asked again after a restart.
#[derive(Debug, Default)]
pub(super) struct Giving {
    /// What the user's profile has.
    pub(super) seen: Option<Seen>,
    /// What is in force there.
    pub(super) in_force: Option<Box<RawValue>>,
    /// The links and the keys of this profile that the user's has, as text. Empty before the first.
    pub(super) told_links: String,
    /// Those of them that lead to the user's profile already.
    pub(super) repointed: BTreeSet<String>,
    /// Whether nothing is left to tell until the next alarm.
    pub(super) is_told: bool,
    /// Whether the user's profile is gone.
    pub(super) is_orphan: bool,
}
