//! A profile moves into that of a verified user, once: the steps of the saga on both sides.
//!
//! The profile that moves answers its calls itself until the user's has everything (`give.rs`). Then it keeps a pointer, finishes its
//! own deliveries, and forgets the rest. The user's profile takes the parts (`take.rs`) and tells how far it is, so each step may be
//! repeated. `cargo.rs` has the shape of a part, and `begin.rs` the two ends of the move.

mod begin;
mod cargo;
mod give;
mod take;

pub(super) use begin::{begin, passed_on, repoint};
pub use give::{Errand, Own, ended, errand, has_moved};
pub(super) use take::{leave, take};
