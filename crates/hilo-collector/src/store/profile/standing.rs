//! The recorded state of each purpose: what the record of consent says now.
//!
//! Read from storage by whatever asks for consent. `consent.rs` changes it.

use std::collections::BTreeMap;

use hilo_core::consent::{ChoiceChange, Method, Purpose};
use hilo_core::event::ConsentClaim;
use hilo_core::profile::{Profile, Trait};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::calls::ConsentChange;
use crate::platform::{Failure, Sql};

/// The recorded state of each purpose.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Standing(pub(super) BTreeMap<Purpose, Choice>);

/// The recorded choice about one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    pub(super) granted: bool,
    pub(super) revision: u32,
    pub(super) chosen_ms: i64,
    /// Whether the browser sent `Sec-GPC: 1` along with the choice.
    pub(super) with_gpc: bool,
    /// Whether a report told it.
    pub(super) by_report: bool,
    /// When the purpose was denied last, in milliseconds; 0 if never.
    #[serde(default)]
    pub(super) denied_ms: i64,
}

impl Choice {
    /// Whether it counts beside another device's choice of the same person.
    pub(super) const fn outweighs(self, other: Choice) -> bool {
        if self.granted == other.granted { self.chosen_ms > other.chosen_ms } else { other.granted }
    }

    /// The same, with the last denial of another choice about the purpose. A later grant does not bring back what a denial removed.
    pub(super) fn after(self, earlier: Option<&Choice>) -> Choice {
        let own = if self.granted { self.denied_ms } else { self.denied_ms.max(self.chosen_ms) };
        Choice { denied_ms: earlier.map_or(own, |earlier| earlier.denied_ms.max(own)), ..self }
    }

    /// Writes the choice for a receipt.
    pub(super) fn told(self, purpose: Purpose) -> Result<ChoiceChange, Failure> {
        let at = Timestamp::from_millisecond(self.chosen_ms);
        Ok(ChoiceChange {
            purpose: purpose.name().to_owned(),
            state: word(self.granted).to_owned(),
            at: at.map_err(|error| Failure::Fatal(error.to_string()))?.to_string(),
            method: Method::Import,
        })
    }
}

/// The wire's word for a choice.
pub(super) const fn word(granted: bool) -> &'static str {
    if granted { "granted" } else { "denied" }
}

impl Standing {
    /// Reads the recorded state of each purpose.
    pub(super) fn read(sql: &impl Sql) -> Result<Standing, Failure> {
        let mut standing = Standing::default();
        let query = "SELECT purpose, state, revision, chosen_ms, with_gpc, by_report, denied_ms FROM consent";
        for row in sql.exec(query, &[])? {
            if let Some(purpose) = Purpose::from_name(row.text("purpose")?) {
                let choice = Choice {
                    granted: row.text("state")? == "granted",
                    revision: u32::try_from(row.int("revision")?).unwrap_or(u32::MAX),
                    chosen_ms: row.int("chosen_ms")?,
                    with_gpc: row.int("with_gpc")? != 0,
                    by_report: row.int("by_report")? != 0,
                    denied_ms: row.int("denied_ms")?,
                };
                // An earlier version did not write the time of a denial.
                standing.0.insert(purpose, choice.after(None));
            }
        }
        Ok(standing)
    }

    /// Whether a purpose of `required` is denied. What an event claims does not matter: only a recorded grant lifts a denial,
    /// and a page sends its grant before the events that need it.
    pub(super) fn denies(&self, required: &[Purpose]) -> bool {
        required.iter().any(|purpose| self.0.get(purpose).is_some_and(|one| !one.granted))
    }

    /// The denied purposes.
    pub(super) fn denied(&self) -> Vec<Purpose> {
        let denied = self.0.iter().filter(|(_, one)| !one.granted);
        denied.map(|(purpose, _)| *purpose).collect()
    }

    /// Whether `purpose` may use data that an event brought at `revision`, given the purposes that the event itself
    /// `granted`.
    ///
    /// Any recorded denial forbids it. Otherwise the event's own consent allows it, or a recorded grant that is newer
    /// than the event. Silence never allows it.
    pub(super) fn permits(&self, purpose: Purpose, granted: &[Purpose], revision: u32) -> bool {
        match self.0.get(&purpose) {
            Some(one) if !one.granted => false,
            Some(one) if one.revision > revision => true,
            Some(_) | None => granted.contains(&purpose),
        }
    }

    /// Removes the ids of other services that are older than a denial of what they are for. Returns whether there were any.
    pub(super) fn remove_withdrawn_ids(&self, profile: &mut Profile) -> bool {
        let before = profile.ids.len();
        let is_withdrawn = |one: &Trait, purpose: &Purpose| {
            let denied_ms = self.0.get(purpose).map_or(0, |choice| choice.denied_ms);
            denied_ms >= one.at.as_millisecond()
        };
        profile.ids.retain(|_, one| !one.purposes.iter().any(|purpose| is_withdrawn(one, purpose)));
        profile.ids.len() < before
    }

    /// The record as an event claims consent.
    pub(super) fn claim(&self) -> ConsentClaim {
        let mut claim = ConsentClaim { revision: self.revision(), ..ConsentClaim::default() };
        for (purpose, one) in &self.0 {
            claim.category_preferences.insert(purpose.name().to_owned(), one.granted);
        }
        claim
    }

    /// Whether the record lifts Global Privacy Control for `purpose`.
    ///
    /// Only a grant does that the visitor gave to this site while the browser sent `Sec-GPC: 1`. An older grant is older
    /// than the signal, and the newer word counts.
    pub(super) fn lifts_gpc(&self, purpose: Purpose) -> bool {
        self.0.get(&purpose).is_some_and(|one| one.granted && one.with_gpc)
    }

    /// Whether `new` takes the place of the recorded choice.
    ///
    /// A denial of the visitor does, whatever its place in the order: a page whose storage was wiped knows no revision. A
    /// report is ordered by its time, and of two reports of the same time the denial wins. A grant that a page only found in a consent
    /// tool may be older than any denial. A report under the key of a page
    /// lifts no denial that the visitor gave to this site.
    pub(super) fn yields(&self, purpose: Purpose, new: Choice, change: &ConsentChange) -> bool {
        let Some(old) = self.0.get(&purpose) else { return true };
        let lifts = new.granted && !old.granted;
        match &change.report {
            Some(report) if lifts && !old.by_report && !report.is_vouched => false,
            Some(_) => {
                new.chosen_ms > old.chosen_ms
                    || (new.chosen_ms == old.chosen_ms && old.granted && !new.granted)
            }
            None => {
                let is_newer = change.base >= old.revision || new.chosen_ms > old.chosen_ms;
                !lifts || (is_newer && !change.is_found)
            }
        }
    }

    /// The highest revision recorded.
    pub(super) fn revision(&self) -> u32 {
        self.0.values().map(|one| one.revision).max().unwrap_or(0)
    }
}
