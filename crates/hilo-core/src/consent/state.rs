//! What the visitor said, and the decision that follows.
//! In: `(ConsentState, purposes)`. Out: `Decision`. Stores nothing and has no clock.

use super::purpose::{Purpose, PurposeSet};

/// What a visitor said about one purpose. Silence is `Unset`, and `Unset` is never consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Not asked, or not answered.
    Unset,
    /// Yes.
    Granted,
    /// No.
    Denied,
}

/// The visitor's choices, with the revision at which they were made.
///
/// A grant and a denial of the same purpose cannot both stand: the later choice wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentState {
    granted: PurposeSet,
    denied: PurposeSet,
    /// Grows with every change; an older revision never overrides a newer one.
    pub revision: u32,
}

impl ConsentState {
    /// What was said about `purpose`. `Essential` is always granted.
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

    /// Records a choice; says whether it changed anything. Does not touch the revision: the caller knows
    /// whether several choices are one change.
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

/// What consent does to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Every required purpose is granted.
    Pass,
    /// Nothing was denied, and something was not answered: wait in memory.
    Hold,
    /// A required purpose is denied.
    Drop,
}

/// Decides for an event that needs **all** of `required`.
///
/// One denied purpose outweighs any number of granted ones, and silence is never consent: an unanswered
/// purpose holds the event rather than letting it pass. An event that requires nothing passes; use that
/// only for events that carry no identifier.
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
    fn silence_holds_and_never_passes() {
        assert_eq!(decide(&ConsentState::default(), &[Purpose::Analytics]), Decision::Hold);
    }

    #[test]
    fn all_purposes_are_needed() {
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
