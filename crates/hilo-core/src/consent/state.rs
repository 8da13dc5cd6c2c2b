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

    /// Whether `purpose` was granted.
    pub fn is_granted(&self, purpose: Purpose) -> bool {
        self.choice(purpose) == Choice::Granted
    }

    /// Whether `purpose` was denied.
    pub fn is_denied(&self, purpose: Purpose) -> bool {
        self.choice(purpose) == Choice::Denied
    }

    /// Whether any purpose that allows an identifier on the device was granted (consent.md, at the edge, 4).
    pub fn allows_id(&self) -> bool {
        [Purpose::Functional, Purpose::Analytics, Purpose::Personalization, Purpose::Advertising]
            .into_iter()
            .any(|p| self.is_granted(p))
    }

    /// Records a choice, and returns whether the state changed. Leaves the revision: the caller knows whether several choices
    /// are one change.
    pub fn set(&mut self, purpose: Purpose, choice: Choice) -> bool {
        if purpose == Purpose::Essential {
            return false;
        }
        let before = self.choice(purpose);
        self.granted.remove(purpose);
        self.denied.remove(purpose);
        match choice {
            Choice::Granted => self.granted.insert(purpose),
            Choice::Denied => self.denied.insert(purpose),
            Choice::Unset => {}
        }
        before != choice
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
pub fn decide(said: &ConsentState, required: &[Purpose]) -> Decision {
    // Denied first: the order of the purposes must not matter.
    if required.iter().any(|p| said.is_denied(*p)) {
        return Decision::Drop;
    }
    if required.iter().all(|p| said.is_granted(*p)) { Decision::Pass } else { Decision::Hold }
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
    fn essential_cannot_be_denied() {
        let state = said(&[(Purpose::Essential, Choice::Denied)]);
        assert_eq!(decide(&state, &[Purpose::Essential]), Decision::Pass);
    }
}
