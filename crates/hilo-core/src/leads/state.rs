//! The states of a lead, and which one follows.
//!
//! `(state, what is known at an instant)` → the next state. A state has one threshold to begin and a lower one to end, so what the
//! state is depends on what it was.

use jiff::{SignedDuration, Timestamp};

use super::rules::LeadRules;

/// How well a person fits what the shop offers, by who they are and not by what they do. It does not decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fit {
    /// Fits well.
    A,
    /// Nothing speaks for or against it.
    #[default]
    B,
    /// Does not fit.
    C,
}

/// What somebody is on the way to a first order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeadState {
    /// Nobody who showed interest.
    None,
    /// Somebody of whom others told, and who has not acted yet.
    Coregistration,
    /// Somebody with interest whom the shop can reach or recognize.
    Lead,
    /// A lead with a high score.
    Qualified,
    /// A lead with a very high score who can be written to or called, and who acted lately.
    Hot,
    /// A lead whose score has been low for long.
    Cold,
    /// Somebody who wants to hear nothing.
    Lost,
    /// Somebody with a counted order. They stay this for ever: new interest of a customer is no lead.
    Customer,
}

impl LeadState {
    /// The word, as reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            LeadState::None => "none",
            LeadState::Coregistration => "coregistro",
            LeadState::Lead => "lead",
            LeadState::Qualified => "qualified",
            LeadState::Hot => "hot",
            LeadState::Cold => "cold",
            LeadState::Lost => "lost",
            LeadState::Customer => "customer",
        }
    }
}

/// What decides about the state at an instant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Known {
    /// The score.
    pub(super) score: i64,
    /// Since when the score has been low.
    pub(super) low_since: Option<Timestamp>,
    /// How well the person fits.
    pub(super) fit: Fit,
    /// Whether the shop can reach or recognize the person.
    pub(super) is_identified: bool,
    /// Whether the person may be written to or called, or waits for an answer.
    pub(super) is_reachable: bool,
    /// Whether the person showed interest in something.
    pub(super) has_interest: bool,
    /// Whether the person came as a lead of somebody else's.
    pub(super) is_declared: bool,
    /// Whether the person acted after that.
    pub(super) has_acted: bool,
    /// Whether the person wants to hear nothing.
    pub(super) is_lost: bool,
    /// Whether the person has a counted order.
    pub(super) has_ordered: bool,
    /// The person's last touchpoint.
    pub(super) touched: Option<Timestamp>,
    /// The last one with which the person asked, or wanted to buy.
    pub(super) asked: Option<Timestamp>,
}

impl Known {
    /// The state that follows `state` at `now`; the same one where nothing changes. A state that follows may itself have one that follows.
    pub(super) fn next(&self, state: LeadState, now: Timestamp, rules: &LeadRules) -> LeadState {
        if self.has_ordered {
            return LeadState::Customer;
        }
        if self.is_lost {
            return LeadState::Lost;
        }
        match state {
            LeadState::None | LeadState::Coregistration | LeadState::Lost => self.first(),
            LeadState::Lead if self.is_low_for_long(now, rules) => LeadState::Cold,
            LeadState::Cold if self.score >= rules.cold_below => LeadState::Lead,
            LeadState::Lead if self.score >= rules.qualified.enters && self.fit != Fit::C => {
                LeadState::Qualified
            }
            LeadState::Qualified if self.score < rules.qualified.leaves => LeadState::Lead,
            LeadState::Qualified if self.is_hot(now, rules) => LeadState::Hot,
            LeadState::Hot if self.score < rules.hot.leaves => LeadState::Qualified,
            LeadState::Hot if !is_within(self.touched, now, rules.hot_days) => LeadState::Qualified,
            LeadState::Lead
            | LeadState::Qualified
            | LeadState::Hot
            | LeadState::Cold
            | LeadState::Customer => state,
        }
    }

    fn first(&self) -> LeadState {
        if (self.is_identified && self.has_interest) || (self.is_declared && self.has_acted) {
            LeadState::Lead
        } else if self.is_declared {
            LeadState::Coregistration
        } else {
            LeadState::None
        }
    }

    fn is_hot(&self, now: Timestamp, rules: &LeadRules) -> bool {
        self.score >= rules.hot.enters
            && self.is_reachable
            && is_within(self.asked, now, rules.hot_days)
    }

    fn is_low_for_long(&self, now: Timestamp, rules: &LeadRules) -> bool {
        self.low_since.is_some() && !is_within(self.low_since, now, rules.cold_days)
    }
}

/// Whether something was there less than so many days ago.
fn is_within(at: Option<Timestamp>, now: Timestamp, days: u16) -> bool {
    let window = SignedDuration::from_hours(24 * i64::from(days));
    at.is_some_and(|at| now.duration_since(at) < window)
}
