//! The customer pyramid: on which level a person stands on a day, and how people move between the levels.
//!
//! The orders, relations and signals of a person ([`History`]) and a local day → a [`Level`], the [`Change`]s over time, the day of the
//! next one. Many histories and a month → the people who moved ([`Matrix`]) and how often levels changed ([`Flow`]). Beside the
//! levels: groups of customers by revenue ([`GroupCuts`]), recency, frequency and money ([`RfmCuts`]), and where a customer is between
//! two orders ([`Lifecycle`]). Everything is a function of the history and the day. Nothing is stored here, and no clock is read.

mod changes;
mod groups;
mod history;
mod lapse;
mod level;
mod lifecycle;
mod movement;
mod rfm;
mod windows;

pub use changes::{Cause, Change, change_of_rules, changes, next_change};
pub use groups::{Group, GroupCuts};
pub use history::{Basis, History, Moment, Order, Purchases, Refund};
pub use lapse::{GAPS_MIN, Gaps, HORIZON_DAYS, Lapse};
pub use level::{Level, known_level, level};
pub use lifecycle::{Lifecycle, LifecycleRules, lifecycle};
pub use movement::{Churn, Flow, Matrix, Movement, Moves};
pub use rfm::{CUSTOMERS_MIN, Customer, Rfm, RfmCuts, RfmRules, RfmSegment};
pub use windows::{BadNumber, DAYS_MAX, Windows};

use jiff::civil::Date;

/// The days from one date to another. Dates have no hours, so a day of 23 or of 25 hours is one day.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / 24
}

#[cfg(test)]
mod tests;
