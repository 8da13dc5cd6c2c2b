//! The cart across devices: a causal, add-wins store of dots, sequenced by one hub.
//!
//! [`state`] is what a cart is, [`context`] what a replica has seen, [`op`] what a person can do, [`join`] how two carts
//! become one; [`wire`] is how deltas travel and [`hub`] what the hub accepts. [`epoch`], [`checkout`] and [`merge`] are the
//! moments when a cart ends, is bought, or meets another. Pure: replica ids arrive as arguments, nothing is sent or stored.

pub mod checkout;
pub mod context;
pub mod epoch;
pub mod hub;
pub mod join;
pub mod limits;
pub mod merge;
pub mod op;
pub mod refusal;
pub mod state;
mod text;
pub mod wire;

pub use context::{Ctx, Dot, ReplicaId};
pub use join::join;
pub use refusal::Refusal;
pub use state::{Cart, Entry, Kind, LineInfo, LineKey};

#[cfg(test)]
mod tests;
