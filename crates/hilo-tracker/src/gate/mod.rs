//! The consent gate of the page: what passes, what waits in memory, what is dropped.
//!
//! In: captured drafts and the visitor's choices. Out: drafts that may go on. The decision itself is
//! `hilo_core::consent::decide`; the gate adds the waiting room. It never touches storage. `kept` says how long choices hold, and
//! `heard` what consent tools have to do with them.

mod heard;
mod kept;

use hilo_core::consent::{Choice, ConsentState, Decision, Purpose, PurposeSet, decide_all};
use hilo_core::outcome::Code;

use crate::draft::Draft;
use heard::Heard;
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
    heard: Heard,
    /// What the browser's own signals deny.
    denies: PurposeSet,
    is_strict: bool,
}

/// Purposes that a touchpoint needs.
const NEEDED: PurposeSet = PurposeSet::one(Purpose::Analytics);

impl Gate {
    /// A gate with the choices of an earlier page, where the browser's own signals deny `denies`. `is_strict` keeps no draft while the
    /// visitor has not answered. A gate that `is_awaiting` lets nothing pass before it has heard the page's consent tools.
    pub const fn new(kept: Kept, denies: PurposeSet, is_strict: bool, is_awaiting: bool) -> Gate {
        Gate { kept, held: Vec::new(), heard: Heard::new(is_awaiting), denies, is_strict }
    }

    /// The choices that count now: those that the gate keeps, without a grant that a consent tool still has to confirm.
    pub fn state(&self) -> ConsentState {
        let mut state = self.kept_state();
        state.take_back(self.heard.blocked());
        state
    }

    /// The choices that the gate keeps: the visitor's own, and the browser's signals where the visitor made none.
    ///
    /// An explicit choice on this site overrides Global Privacy Control for its purpose; silence does not, and neither does a
    /// choice that is older than the signal, see [`Kept::from_stored`].
    fn kept_state(&self) -> ConsentState {
        let mut state = self.kept.said;
        state.deny_unset(self.denies);
        state
    }

    /// Whether identifiers may be used now.
    pub fn allows_id(&self) -> bool {
        self.state().allows_id()
    }

    /// Whether identifiers may stay on this device, although a consent tool may have to confirm that first.
    pub fn keeps_id(&self) -> bool {
        self.kept_state().allows_id()
    }

    /// Whether touchpoints that passed may stay on this device.
    pub fn keeps_events(&self) -> bool {
        decide_all(&self.kept_state(), NEEDED) == Decision::Pass
    }

    /// The site itself grants or denies. Returns whether that counts now: a grant waits for the first report of consent tools.
    pub const fn call(&mut self, purposes: PurposeSet, choice: Choice) -> bool {
        self.heard.call(purposes, choice)
    }

    /// Hears the page's consent tools: a `CHOICE_` code for each purpose, at the place of its bit. Returns the purposes that they deny, those
    /// that they grant, as new choices, and those whose grant nobody can date.
    pub fn hear(&mut self, report: u32) -> [PurposeSet; 3] {
        self.heard.take(report, &mut self.kept)
    }

    /// The stored form of what is left once everything about the visitor's id is erased: what the consent tools told, so that another
    /// id needs another grant. Empty where they told nothing.
    pub fn stored_rest(&self) -> String {
        let rest = Kept { told: self.kept.told, ..Kept::default() };
        if rest.told == 0 { String::new() } else { rest.to_stored() }
    }

    /// Whether touchpoints pass.
    pub fn is_open(&self) -> bool {
        decide_all(&self.state(), NEEDED) == Decision::Pass
    }

    /// Whether a draft of this moment may pass or wait.
    pub fn admits(&self) -> bool {
        match decide_all(&self.state(), NEEDED) {
            Decision::Pass => true,
            Decision::Hold => !self.is_strict,
            Decision::Drop => false,
        }
    }

    /// Judges a draft.
    pub fn offer(&mut self, draft: Draft) -> Passage {
        match decide_all(&self.state(), NEEDED) {
            Decision::Pass => Passage::Passed(draft),
            Decision::Drop => Passage::Dropped(CONSENT_DENIED),
            Decision::Hold if self.is_strict => Passage::Dropped("consent_unset"),
            Decision::Hold => {
                self.held.push(draft);
                if self.held.len() <= HELD_MAX {
                    return Passage::Held;
                }
                self.held.remove(0);
                Passage::Dropped("held_full")
            }
        }
    }

    /// Takes over what another tab stored. Returns whether its choices differ.
    pub fn adopt(&mut self, kept: Kept) -> bool {
        let differs = self.differs(&kept);
        self.kept = kept;
        differs
    }

    /// Whether other choices than the gate's are kept in `kept`.
    pub fn differs(&self, kept: &Kept) -> bool {
        self.kept.said != kept.said
    }

    /// Sets the revision of the choices.
    pub const fn number(&mut self, revision: u32) {
        self.kept.said.revision = revision;
    }

    /// Records choices as one change with its own revision, made now under this notice. Returns the purposes that
    /// changed.
    pub fn choose(
        &mut self,
        purposes: PurposeSet,
        choice: Choice,
        now_ms: i64,
        notice: i64,
    ) -> PurposeSet {
        let said = &mut self.kept.said;
        let changed = said.set_all(purposes, choice);
        if !changed.is_empty() {
            said.revision = said.revision.saturating_add(1);
            self.kept.has_signal = !self.denies.is_empty();
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

    /// Lets the page hear from the collector again, with its next hello.
    pub const fn forget_terms(&mut self) {
        self.kept.told_ms = 0;
    }

    /// The choices in their stored form.
    pub fn stored(&self) -> String {
        self.kept.to_stored()
    }

    /// Releases the drafts that waited, once the visitor has answered. Each is to be offered again, unless it is stale.
    pub fn release(&mut self) -> Vec<Draft> {
        if decide_all(&self.state(), NEEDED) == Decision::Hold {
            Vec::new()
        } else {
            std::mem::take(&mut self.held)
        }
    }

    /// Whether a released draft has waited too long to pass.
    pub fn is_stale(&self, draft: &Draft, now_ms: i64) -> bool {
        self.is_open() && now_ms - draft.at_ms > HELD_MS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::codes::CHOICES_AWAITED;

    const GPC: PurposeSet = PurposeSet::of(&Purpose::GPC_DENIES);

    fn draft(at_ms: i64) -> Draft {
        Draft { at_ms, ..Draft::default() }
    }

    #[test]
    fn a_draft_waits_for_an_answer_and_keeps_its_time() {
        let mut gate = Gate::default();
        assert_eq!(gate.offer(draft(5)), Passage::Held);
        let analytics = PurposeSet::of(&[Purpose::Analytics]);
        assert_eq!(gate.choose(analytics, Choice::Granted, 0, 0), analytics);
        assert_eq!(gate.release(), [draft(5)]);
        assert_eq!(gate.offer(draft(5)), Passage::Passed(draft(5)));
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
            let mut gate = Gate::new(Kept::default(), PurposeSet::default(), is_strict, false);
            gate.choose(PurposeSet::of(&[Purpose::Analytics]), choice, 0, 0);
            assert_eq!(gate.admits(), is_admitted, "{choice:?}, strict: {is_strict}");
            let is_dropped = matches!(gate.offer(draft(1)), Passage::Dropped(_));
            assert_eq!(is_dropped, !is_admitted, "the gate judges a draft alike");
        }
    }

    #[test]
    fn a_denial_drops_the_drafts_that_wait() {
        let mut gate = Gate::default();
        gate.offer(draft(5));
        gate.choose(PurposeSet::of(&[Purpose::Analytics]), Choice::Denied, 0, 0);
        assert_eq!(gate.release(), [draft(5)]);
        assert_eq!(gate.offer(draft(5)), Passage::Dropped("consent_denied"));
        assert_eq!(gate.offer(draft(11)), Passage::Dropped("consent_denied"));
    }

    #[test]
    fn a_gate_that_is_closed_again_lets_a_grant_wait_for_the_next_report() {
        let analytics = PurposeSet::of(&[Purpose::Analytics]);
        let mut gate = Gate::default();
        gate.hear(0);
        let stored = gate.stored();
        assert_eq!(gate.hear(CHOICES_AWAITED), [PurposeSet::default(); 3]);
        assert_eq!(gate.stored(), stored, "no tool has told anything");
        assert!(!gate.call(analytics, Choice::Granted), "the grant waits");
        assert_eq!(gate.hear(0), [PurposeSet::default(), analytics, PurposeSet::default()]);
        gate.hear(CHOICES_AWAITED);
        assert!(!gate.call(analytics, Choice::Granted));
        assert!(gate.call(analytics, Choice::Denied), "a denial counts at once");
        assert_eq!(gate.hear(0), [PurposeSet::default(); 3]);
    }

    #[test]
    fn drafts_that_wait_are_bounded_in_number_and_time() {
        let mut gate = Gate::default();
        for at in 0..50 {
            assert_eq!(gate.offer(draft(at)), Passage::Held);
        }
        assert_eq!(gate.offer(draft(50)), Passage::Dropped("held_full"));
        gate.choose(PurposeSet::of(&[Purpose::Analytics]), Choice::Granted, 0, 0);
        let released = gate.release();
        let stale = released.iter().filter(|draft| gate.is_stale(draft, HELD_MS_MAX + 2)).count();
        assert_eq!((released.len(), stale), (50, 1), "the draft of time 1 is too old");
    }

    #[test]
    fn global_privacy_control_denies_until_the_visitor_chooses() {
        let mut gate = Gate::new(Kept::default(), GPC, false, false);
        assert!(gate.state().is_denied(Purpose::Advertising));
        gate.choose(PurposeSet::of(&[Purpose::Advertising]), Choice::Granted, 0, 0);
        assert!(gate.state().is_granted(Purpose::Advertising));
    }

    #[test]
    fn a_grant_lifts_global_privacy_control_for_its_purpose_only_and_on_later_pages_too() {
        let mut gate = Gate::new(Kept::default(), GPC, false, false);
        gate.choose(PurposeSet::of(&[Purpose::Advertising]), Choice::Granted, 0, 0);
        let later = Gate::new(Kept::from_stored(&gate.stored(), GPC), GPC, false, false);
        assert!(later.state().is_granted(Purpose::Advertising));
        assert!(later.state().is_denied(Purpose::SaleShare));
    }

    #[test]
    fn global_privacy_control_denies_what_was_granted_before_it_was_switched_on() {
        let mut gate = Gate::default();
        gate.choose(
            PurposeSet::of(&[Purpose::Advertising, Purpose::Analytics]),
            Choice::Granted,
            0,
            0,
        );
        let mut later = Gate::new(Kept::from_stored(&gate.stored(), GPC), GPC, false, false);
        assert!(later.state().is_denied(Purpose::Advertising));
        assert!(later.state().is_granted(Purpose::Analytics));
        later.choose(PurposeSet::of(&[Purpose::Advertising]), Choice::Granted, 0, 0);
        assert!(Kept::from_stored(&later.stored(), GPC).said.is_granted(Purpose::Advertising));
    }
}
