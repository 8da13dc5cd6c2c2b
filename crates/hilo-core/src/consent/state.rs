//! A visitor's choices, and the decision that follows.
//! In: `(ConsentState, purposes)`. Out: `Decision`. Stores nothing and has no clock.

use super::purpose::{Purpose, PurposeSet};

/// A visitor's choice about one purpose. Silence is `Unset`, and `Unset` is never consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Not asked, or not answered.
    Unset,
    /// The visitor said yes.
    Granted,
    /// The visitor said no.
    Denied,
}

/// The visitor's choices, with the revision at which they were made.
///
/// A grant and a denial of the same purpose cannot both stand: the later choice wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentState {
    granted: PurposeSet,
    denied: PurposeSet,
    /// A number that grows with every change. An older revision never replaces a newer revision.
    pub revision: u32,
}

impl ConsentState {
    /// The choice about `purpose`. `Essential` is always granted.
    pub fn choice(&self, purpose: Purpose) -> Choice {
        if purpose == Purpose::Essential {
            Choice::Granted
        } else if self.denied.contains(purpose) {
            Choice::Denied
        } else if self.granted.contains(purpose) {
            Choice::Granted
        } else {
            Choice::Unset
        }
    }

    /// The choices in bits: the granted purposes in the lowest byte, the denied ones in the next. In each byte the first purpose of
    /// [`Purpose::ALL`] stands lowest.
    pub const fn bits(&self) -> u32 {
        self.granted.bits() as u32 | ((self.denied.bits() as u32) << 8)
    }

    /// Whether `purpose` was granted.
    pub fn is_granted(&self, purpose: Purpose) -> bool {
        self.choice(purpose) == Choice::Granted
    }

    /// Whether `purpose` was denied.
    pub fn is_denied(&self, purpose: Purpose) -> bool {
        self.choice(purpose) == Choice::Denied
    }

    /// Reads [`ConsentState::bits`]. A purpose that is granted and denied counts as denied.
    pub const fn from_bits(bits: u32, revision: u32) -> ConsentState {
        let [granted, denied] = PurposeSet::pair(bits);
        ConsentState { granted: granted.without(denied), denied, revision }
    }

    /// The granted purposes.
    pub const fn granted(&self) -> PurposeSet {
        self.granted
    }

    /// The denied purposes.
    pub const fn denied(&self) -> PurposeSet {
        self.denied
    }

    /// Whether any purpose that allows an identifier on the device was granted (consent.md, at the edge, 4).
    pub const fn allows_id(&self) -> bool {
        const ALLOWING: PurposeSet = PurposeSet::of(&[
            Purpose::Functional,
            Purpose::Analytics,
            Purpose::Personalization,
            Purpose::Advertising,
        ]);
        !self.granted.and(ALLOWING).is_empty()
    }

    /// Records a choice, and returns whether the state changed. Leaves the revision: the caller knows whether several choices
    /// are one change.
    pub const fn set(&mut self, purpose: Purpose, choice: Choice) -> bool {
        !self.set_all(PurposeSet::of(&[purpose]), choice).is_empty()
    }

    /// Records a choice about several purposes, and returns the purposes whose choice changed. Leaves the revision.
    pub const fn set_all(&mut self, purposes: PurposeSet, choice: Choice) -> PurposeSet {
        let before = match choice {
            Choice::Granted => self.granted,
            Choice::Denied => self.denied,
            Choice::Unset => PurposeSet::of(&Purpose::ALL).without(self.granted.or(self.denied)),
        };
        let changed = purposes.without(before).without(PurposeSet::of(&[Purpose::Essential]));
        self.granted = self.granted.without(changed);
        self.denied = self.denied.without(changed);
        match choice {
            Choice::Granted => self.granted = self.granted.or(changed),
            Choice::Denied => self.denied = self.denied.or(changed),
            Choice::Unset => {}
        }
        changed
    }

    /// Unsets those of `purposes` that were granted.
    pub const fn take_back(&mut self, purposes: PurposeSet) {
        self.granted = self.granted.without(purposes);
    }

    /// Denies those of `purposes` about which there is no choice.
    pub const fn deny_unset(&mut self, purposes: PurposeSet) {
        self.denied = self.denied.or(purposes.without(self.granted));
    }
}

/// What the gate does to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Every required purpose is granted.
    Pass,
    /// No required purpose is denied, and at least one is unset: the event waits in memory.
    Hold,
    /// A required purpose is denied.
    Drop,
}

/// Decides for an event that needs **all** of `required`.
///
/// One denied purpose outweighs any number of granted purposes. Silence is never consent: an unset purpose holds the event.
/// An event that requires no purpose passes, so require none only for events without an identifier.
pub const fn decide(said: &ConsentState, required: &[Purpose]) -> Decision {
    decide_all(said, PurposeSet::of(required))
}

/// [`decide`] for a set of purposes.
pub const fn decide_all(said: &ConsentState, required: PurposeSet) -> Decision {
    let asked = required.without(PurposeSet::one(Purpose::Essential));
    // Denied first: a purpose that is granted as well must not matter.
    if !asked.and(said.denied).is_empty() {
        Decision::Drop
    } else if asked.without(said.granted).is_empty() {
        Decision::Pass
    } else {
        Decision::Hold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(choices: &[(Purpose, Choice)]) -> ConsentState {
        let mut state = ConsentState::default();
        for (purpose, choice) in choices {
            state.set(*purpose, *choice);
        }
        state
    }

    #[test]
    fn an_unset_purpose_holds_the_event() {
        assert_eq!(decide(&ConsentState::default(), &[Purpose::Analytics]), Decision::Hold);
    }

    #[test]
    fn an_event_passes_only_with_every_purpose_granted() {
        let state = said(&[(Purpose::Analytics, Choice::Granted)]);
        assert_eq!(decide(&state, &[Purpose::Analytics]), Decision::Pass);
        assert_eq!(decide(&state, &[Purpose::Analytics, Purpose::Advertising]), Decision::Hold);
    }

    #[test]
    fn one_denial_outweighs_every_grant() {
        let state =
            said(&[(Purpose::Analytics, Choice::Granted), (Purpose::Advertising, Choice::Denied)]);
        assert_eq!(decide(&state, &[Purpose::Analytics, Purpose::Advertising]), Decision::Drop);
        assert_eq!(decide(&state, &[Purpose::Advertising, Purpose::Analytics]), Decision::Drop);
    }

    #[test]
    fn choices_have_a_bit_each_in_the_order_of_the_purposes() {
        let state =
            said(&[(Purpose::Functional, Choice::Granted), (Purpose::SaleShare, Choice::Denied)]);
        assert_eq!(state.bits(), 0b10_0000_0000_0010);
        assert_eq!(ConsentState::from_bits(state.bits(), 0), state);
        assert!(ConsentState::from_bits(0x404, 0).is_denied(Purpose::Analytics));
    }

    #[test]
    fn the_purposes_whose_choice_changed_are_told() {
        let analytics = PurposeSet::of(&[Purpose::Analytics]);
        let both = PurposeSet::of(&[Purpose::Analytics, Purpose::Advertising]);
        let mut state = ConsentState::default();
        assert_eq!(state.set_all(analytics, Choice::Granted), analytics);
        assert_eq!(state.set_all(both, Choice::Granted), both.without(analytics));
        assert_eq!(state.set_all(analytics, Choice::Denied), analytics);
        assert_eq!(state.set_all(both, Choice::Unset), both);
        assert_eq!(state, ConsentState::default());
        assert!(state.set_all(both, Choice::Unset).is_empty());
    }

    #[test]
    fn only_grants_are_taken_back_and_only_silence_becomes_a_denial() {
        let signal = PurposeSet::of(&Purpose::GPC_DENIES);
        let mut state = said(&[(Purpose::Advertising, Choice::Granted)]);
        state.deny_unset(signal);
        assert!(state.is_granted(Purpose::Advertising) && state.is_denied(Purpose::SaleShare));
        state.take_back(signal);
        assert_eq!(state.choice(Purpose::Advertising), Choice::Unset);
        assert!(state.is_denied(Purpose::SaleShare));
    }

    #[test]
    fn essential_cannot_be_denied() {
        let state = said(&[(Purpose::Essential, Choice::Denied)]);
        assert_eq!(decide(&state, &[Purpose::Essential]), Decision::Pass);
    }
}
