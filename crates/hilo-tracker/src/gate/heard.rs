//! What this page's consent tools told, beside the visitor's own choices.
//!
//! In: reports of the second module, a set of granted and one of denied purposes, and the site's calls. Out: which purposes wait for a
//! tool, and which choices follow. A purpose in both sets waits. A denial always follows. A grant follows unless the site's own call
//! denied, or the tool only repeats what it said before a denial, be it that the denial has ended since then. Silence grants nothing,
//! however long it lasts.

use hilo_core::consent::{Choice, Purpose, PurposeSet};

use super::kept::{BOTH, Kept};
use crate::platform::codes::CHOICES_AWAITED as AWAITED;

/// Stands for no report yet: higher than any report.
const NOTHING: u32 = 1 << 31;

/// The last report, and what the site's own calls say against it.
#[derive(Debug)]
pub(super) struct Heard {
    report: u32,
    /// Purposes that a call granted before the first report: they wait for it, and a denial there comes first.
    early: PurposeSet,
    /// Purposes that a call granted since the last report: they do not wait for the tool.
    lifted: PurposeSet,
    /// Purposes that a call denied on this page: no tool lifts that.
    refused: PurposeSet,
}

impl Heard {
    pub(super) const fn new(is_awaited: bool) -> Heard {
        let report = if is_awaited { AWAITED } else { NOTHING };
        const NONE: PurposeSet = PurposeSet::of(&[]);
        Heard { report, early: NONE, lifted: NONE, refused: NONE }
    }

    /// The purposes for which nothing may be granted now.
    pub(super) const fn blocked(&self) -> PurposeSet {
        let [granted, denied] = PurposeSet::pair(self.report);
        granted.and(denied).without(self.lifted)
    }

    /// The site itself calls. Returns whether the call counts now; a grant that comes before the first report waits for it.
    pub(super) const fn call(&mut self, purposes: PurposeSet, choice: Choice) -> bool {
        if !matches!(choice, Choice::Granted) {
            self.early = self.early.without(purposes);
            self.lifted = self.lifted.without(purposes);
            self.refused = self.refused.or(purposes);
        } else if self.report == AWAITED {
            self.early = self.early.or(purposes);
            return false;
        } else {
            self.lifted = self.lifted.or(purposes);
            self.refused = self.refused.without(purposes);
        }
        true
    }

    /// Takes a report. Returns the purposes that it denies, those that it grants, as new choices, and those whose grant it found: no
    /// page knows when the visitor chose, so every denial may be newer.
    pub(super) const fn take(&mut self, report: u32, kept: &mut Kept) -> [PurposeSet; 3] {
        const ALL: PurposeSet = PurposeSet::of(&Purpose::ASKED);
        let is_first = self.report >= NOTHING;
        let [says_yes, says_no] = PurposeSet::pair(report);
        let [last_yes, last_no] = PurposeSet::pair(self.report);
        let [said_yes, said_no] = PurposeSet::pair(kept.told);
        let [new_yes, new_no] = PurposeSet::pair(report ^ self.report);
        let (grants, denies) = (says_yes.without(says_no), says_no.without(says_yes));
        let unset = ALL.without(says_yes.or(says_no));
        // Purposes of which the tools of this page said nothing before this report.
        let was_unset =
            if is_first { PurposeSet::of(&[]) } else { ALL.without(last_yes.or(last_no)) };
        // A tool that is not on this page, or not yet, takes no answer back.
        let silent = if is_first { unset } else { unset.and(was_unset) };
        let waits = says_yes.and(says_no).or(silent);
        let lifted = waits.and(self.early);
        self.lifted = self.lifted.without(new_yes.or(new_no)).or(lifted);
        // A stored grant is weaker than a tool.
        let repeated =
            if is_first { PurposeSet::of(&[]) } else { said_no.and(kept.said.granted()) };
        let denied = denies.without(repeated);
        let is_new = self.early.or(said_no.or(was_unset).without(self.refused));
        let granted = lifted.or(grants.and(is_new));
        let undated = grants.without(said_yes.or(said_no)).without(granted);
        let found = undated.without(self.refused).without(kept.said.denied());
        // The tool takes its denial back, which grants nothing.
        let taken_back = unset.without(silent).and(said_no).and(kept.said.denied());
        kept.said.set_all(taken_back.without(self.refused), Choice::Unset);
        // What waits is no answer: the last one stays.
        let is_kept = waits.bits() as u32 * BOTH;
        if report != AWAITED {
            kept.told = kept.told & is_kept | report & !is_kept;
        }
        (self.report, self.early) = (report, PurposeSet::of(&[]));
        [denied, granted, found]
    }
}

impl Default for Heard {
    fn default() -> Heard {
        Heard::new(false)
    }
}
