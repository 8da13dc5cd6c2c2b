//! The consent gate of the page: what passes, what waits in memory, what is dropped.
//!
//! In: captured drafts and the visitor's choices. Out: drafts that may go on. The decision itself is
//! `hilo_core::consent::decide`; the gate adds the waiting room. It never touches storage. `kept` says how long choices hold.

mod kept;

use hilo_core::consent::{Choice, ConsentState, Decision, Purpose, decide};
use hilo_core::outcome::Code;

use crate::draft::Draft;
pub use kept::{Kept, notice};

/// Drafts that may wait for an answer (consent.md, in the page, rule 2).
const HELD_MAX: usize = 50;
/// Why the gate drops a draft whose purposes the visitor denied.
pub const CONSENT_DENIED: &str = Code::ConsentDenied.name();
/// How long a draft may wait.
const HELD_MS_MAX: i64 = 30 * 60 * 1_000;

/// A draft's passage through the gate.
#[derive(Debug, PartialEq, Eq)]
pub enum Passage {
    /// The draft goes on.
    Passed(Draft),
    /// The draft waits in memory.
    Held,
    /// A draft is dropped, for this reason.
    Dropped(&'static str),
}

/// The waiting room and the visitor's choices.
#[derive(Debug, Default)]
pub struct Gate {
    kept: Kept,
    held: Vec<Draft>,
    gpc: bool,
    is_strict: bool,
}

/// Purposes that a touchpoint needs.
const NEEDED: [Purpose; 1] = [Purpose::Analytics];

impl Gate {
    /// A gate with the choices of an earlier page. `is_strict` keeps no draft while the visitor has not answered.
    pub fn new(kept: Kept, gpc: bool, is_strict: bool) -> Gate {
        Gate { kept, held: Vec::new(), gpc, is_strict }
    }

    /// The choices that count: the visitor's own, and Global Privacy Control where the visitor made none.
    ///
    /// An explicit choice on this site overrides Global Privacy Control for its purpose; silence does not, and neither does a
    /// choice that is older than the signal, see [`Kept::from_stored`].
    pub fn state(&self) -> ConsentState {
        let mut state = self.kept.said;
        if self.gpc {
            for purpose in Purpose::GPC_DENIES {
                if self.kept.said.choice(purpose) == Choice::Unset {
                    state.set(purpose, Choice::Denied);
                }
            }
        }
        state
    }

    /// Whether identifiers may exist on this device.
    pub fn allows_id(&self) -> bool {
        self.state().allows_id()
    }

    /// Whether touchpoints pass.
    pub fn is_open(&self) -> bool {
        decide(&self.state(), &NEEDED) == Decision::Pass
    }

    /// Whether a draft of this moment may pass or wait.
    pub fn admits(&self) -> bool {
        match decide(&self.state(), &NEEDED) {
            Decision::Pass => true,
            Decision::Hold => !self.is_strict,
            Decision::Drop => false,
        }
    }

    /// Judges a draft.
    pub fn offer(&mut self, draft: Draft) -> Passage {
        match decide(&self.state(), &NEEDED) {
            Decision::Pass => Passage::Passed(draft),
            Decision::Drop => Passage::Dropped(CONSENT_DENIED),
            Decision::Hold if self.is_strict => Passage::Dropped("consent_unset"),
            Decision::Hold => {
                self.held.push(draft);
                if self.held.len() <= HELD_MAX {
                    return Passage::Held;
                }
                let mut is_oldest = true;
                self.held.retain(|_| !std::mem::take(&mut is_oldest));
                Passage::Dropped("held_full")
            }
        }
    }

    /// Takes over what another tab stored. Returns whether its choices differ.
    pub fn adopt(&mut self, kept: Kept) -> bool {
        let said = kept.said;
        std::mem::replace(&mut self.kept, kept).said != said
    }

    /// Sets the revision of the choices.
    pub const fn number(&mut self, revision: u32) {
        self.kept.said.revision = revision;
    }

    /// Records choices as one change with its own revision, made now under this notice. Returns the purposes that
    /// changed.
    pub fn choose(
        &mut self,
        purposes: &[Purpose],
        choice: Choice,
        now_ms: i64,
        notice: i64,
    ) -> Vec<Purpose> {
        let said = &mut self.kept.said;
        let changed: Vec<Purpose> =
            purposes.iter().copied().filter(|purpose| said.set(*purpose, choice)).collect();
        if !changed.is_empty() {
            said.revision = said.revision.saturating_add(1);
            self.kept.has_gpc = self.gpc;
            self.kept.date(now_ms, notice);
        }
        changed
    }

    /// Ends choices that hold no longer, see [`Kept::expire`].
    pub fn expire(&mut self, now_ms: i64, notice: i64) -> bool {
        self.kept.expire(now_ms, notice)
    }

    /// Learns from the collector, now, how many months a choice holds; 0 for an answer that does not tell.
    pub const fn learn(&mut self, months: i64, now_ms: i64) {
        self.kept.told_ms = now_ms;
        if months > 0 {
            self.kept.months = months;
        }
    }

    /// When the collector told how long a choice holds; 0 for never.
    pub const fn told_ms(&self) -> i64 {
        self.kept.told_ms
    }

    /// The choices in their stored form.
    pub fn stored(&self) -> String {
        self.kept.to_stored()
    }

    /// Releases the drafts that may pass now, and the reasons of those that are dropped: denied, or too old.
    pub fn release(&mut self, now_ms: i64) -> (Vec<Draft>, Vec<&'static str>) {
        let (mut passed, mut dropped) = (Vec::new(), Vec::new());
        match decide(&self.state(), &NEEDED) {
            Decision::Hold => {}
            Decision::Drop => {
                dropped.extend(std::mem::take(&mut self.held).iter().map(|_| CONSENT_DENIED))
            }
            Decision::Pass => {
                for draft in std::mem::take(&mut self.held) {
                    if now_ms - draft.at_ms > HELD_MS_MAX {
                        dropped.push("held_expired");
                    } else {
                        passed.push(draft);
                    }
                }
            }
        }
        (passed, dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(at_ms: i64) -> Draft {
        Draft { at_ms, ..Draft::default() }
    }

    #[test]
    fn a_draft_waits_for_an_answer_and_keeps_its_time() {
        let mut gate = Gate::default();
        assert_eq!(gate.offer(draft(5)), Passage::Held);
        assert_eq!(gate.choose(&[Purpose::Analytics], Choice::Granted, 0, 0), [Purpose::Analytics]);
        assert_eq!(gate.release(10), (vec![draft(5)], vec![]));
    }

    #[test]
    fn the_gate_admits_what_it_would_pass_or_hold() {
        for (choice, is_strict, is_admitted) in [
            (Choice::Unset, false, true),
            (Choice::Unset, true, false),
            (Choice::Denied, false, false),
            (Choice::Denied, true, false),
            (Choice::Granted, true, true),
        ] {
            let mut gate = Gate::new(Kept::default(), false, is_strict);
            gate.choose(&[Purpose::Analytics], choice, 0, 0);
            assert_eq!(gate.admits(), is_admitted, "{choice:?}, strict: {is_strict}");
            let is_dropped = matches!(gate.offer(draft(1)), Passage::Dropped(_));
            assert_eq!(is_dropped, !is_admitted, "the gate judges a draft alike");
        }
    }

    #[test]
    fn a_denial_drops_the_drafts_that_wait() {
        let mut gate = Gate::default();
        gate.offer(draft(5));
        gate.choose(&[Purpose::Analytics], Choice::Denied, 0, 0);
        assert_eq!(gate.release(10), (vec![], vec!["consent_denied"]));
        assert_eq!(gate.offer(draft(11)), Passage::Dropped("consent_denied"));
    }

    #[test]
    fn drafts_that_wait_are_bounded_in_number_and_time() {
        let mut gate = Gate::default();
        for at in 0..50 {
            assert_eq!(gate.offer(draft(at)), Passage::Held);
        }
        assert_eq!(gate.offer(draft(50)), Passage::Dropped("held_full"));
        gate.choose(&[Purpose::Analytics], Choice::Granted, 0, 0);
        let (passed, dropped) = gate.release(HELD_MS_MAX + 2);
        assert_eq!((passed.len(), dropped.len()), (49, 1), "the draft of time 1 is too old");
    }

    #[test]
    fn global_privacy_control_denies_until_the_visitor_chooses() {
        let mut gate = Gate::new(Kept::default(), true, false);
        assert!(gate.state().is_denied(Purpose::Advertising));
        gate.choose(&[Purpose::Advertising], Choice::Granted, 0, 0);
        assert!(gate.state().is_granted(Purpose::Advertising));
    }

    #[test]
    fn a_grant_lifts_global_privacy_control_for_its_purpose_only_and_on_later_pages_too() {
        let mut gate = Gate::new(Kept::default(), true, false);
        gate.choose(&[Purpose::Advertising], Choice::Granted, 0, 0);
        let later = Gate::new(Kept::from_stored(&gate.stored(), true), true, false);
        assert!(later.state().is_granted(Purpose::Advertising));
        assert!(later.state().is_denied(Purpose::SaleShare));
    }

    #[test]
    fn global_privacy_control_denies_what_was_granted_before_it_was_switched_on() {
        let mut gate = Gate::default();
        gate.choose(&[Purpose::Advertising, Purpose::Analytics], Choice::Granted, 0, 0);
        let mut later = Gate::new(Kept::from_stored(&gate.stored(), true), true, false);
        assert!(later.state().is_denied(Purpose::Advertising));
        assert!(later.state().is_granted(Purpose::Analytics));
        later.choose(&[Purpose::Advertising], Choice::Granted, 0, 0);
        assert!(Kept::from_stored(&later.stored(), true).said.is_granted(Purpose::Advertising));
    }
}
