//! The catalogue of every kind of destination, with one file each.
//!
//! A new kind needs its file, its `mod` line and its row here, and golden cases in `tests/golden/forward/<kind>/`. No
//! file of this folder can send, wait or read a clock.

pub mod target;
mod webhook;

use super::destination::Kind;

/// Every kind of destination.
pub const CATALOGUE: &[Kind] = &[
    webhook::KIND,
    #[cfg(test)]
    super::tests::LEAVER,
];
