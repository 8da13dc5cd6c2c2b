//! The code of the objects, over the small `Sql` trait: a call as JSON in, an answer as JSON out, everything
//! synchronous.
//!
//! Each object's module has `answer(sql, volatile, call, …)`; the shells only pass text. A call is answered inside one
//! transaction, so that a failure or a panic leaves nothing half-written.

mod at_rest;
pub mod cart;
pub mod feed;
pub mod imports;
pub mod inbox;
pub mod index;
pub mod journal;
pub mod profile;
mod schema;
pub mod tokens;
