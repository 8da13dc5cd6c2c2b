//! Leads: how great a person's interest is, and what the shop may expect of them.
//!
//! What a person did → a [`Score`] in millipoints, which halves with time; the same, and what is known about them → the [`LeadState`]s
//! over time with the reasons ([`Lead`]). A customer is no lead any more. All sums are whole numbers, so a page, the edge and a test
//! get the same ones. Nothing is stored here, and no clock is read.

mod decay;
mod points;
mod rules;
mod score;
mod state;
mod states;

pub use points::{ByGroup, Group, Points, points};
pub use rules::{GroupRules, LeadRules, Threshold};
pub use score::{Act, Score};
pub use state::{Fit, LeadState};
pub use states::{Deed, Lead, LeadChange, Reason, What};

#[cfg(test)]
mod tests;
