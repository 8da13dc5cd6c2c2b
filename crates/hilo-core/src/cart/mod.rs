//! The cart across devices: a causal, add-wins store of dots, sequenced by one hub.
//!
//! [`state`] is what a cart is, `dots` a line of it, [`context`] what a replica has seen, [`op`] what a person can do, [`join`] how two carts
//! become one; [`replica`] is what a replica says and keeps, as JSON at the edge (`wire`) and as [`flat`] text in the page;
//! `hub` is what the hub accepts. [`epoch`], [`checkout`] and [`merge`] are the moments when a cart ends, is bought, or meets
//! another; [`touchpoint`] is what an operation is to the person's history. Pure: replica ids arrive as arguments, nothing is
//! sent or stored.

pub mod checkout;
pub mod context;
mod dots;
pub mod epoch;
pub mod flat;
#[cfg(feature = "edge")]
pub mod hub;
pub mod join;
pub mod kind;
pub mod limits;
#[cfg(feature = "edge")]
mod line;
#[cfg(not(feature = "edge"))]
#[path = "cells.rs"]
mod line;
pub mod merge;
pub mod op;
pub mod refusal;
pub mod replica;
pub mod state;
#[cfg(feature = "edge")]
pub mod touchpoint;
#[cfg(feature = "edge")]
pub mod wire;

pub use context::{Ctx, Dot, ReplicaId, Span};
pub use dots::{Dots, Entry, Row};
pub use join::join;
pub use kind::Kind;
pub use line::{LineInfo, LineKey};
pub use refusal::Refusal;
pub use state::{Cart, Line, Look};

#[cfg(test)]
mod tests;
