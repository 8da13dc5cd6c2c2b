//! The catalogue: every kind of destination, one file each.
//!
//! To add one: its file, its `mod` line and its row here, and golden cases in `tests/golden/forward/<kind>/`. No file here can
//! send, wait or read a clock.

pub mod target;
mod webhook;

use super::destination::Kind;

/// Every kind of destination.
pub const CATALOGUE: &[Kind] = &[webhook::KIND];
