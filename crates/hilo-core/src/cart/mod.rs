//! The cart across devices: a causal, add-wins store of dots, sequenced by one hub.
//!
//! [`state`] holds a cart, `dots` the dots of one line, [`context`] the dots that a replica has seen. [`op`] makes deltas of
//! a person's acts, and [`join`] makes one cart of two. [`replica`] holds what a replica sends and keeps: `wire` writes it as
//! JSON at the edge, [`flat`] as text in the page. `hub` decides which deltas the hub accepts. [`epoch`] ends a cart,
//! [`checkout`] takes bought units out, `quantity` counts the units of a measure, [`merge`] joins a guest's cart with a customer's, and `touchpoint` makes events of
//! operations. Pure: replica ids arrive as arguments, and nothing is sent or stored.

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
#[cfg(feature = "edge")]
mod quantity;
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
#[cfg(feature = "edge")]
pub use quantity::Quantity;
pub use refusal::Refusal;
pub use state::{Cart, Line, Look};

#[cfg(test)]
mod tests;
