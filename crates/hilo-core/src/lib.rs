//! Everything in hilo that decides, as plain Rust: no clock, no randomness, no network, no logging.
//!
//! Reading order, which is also the order an event travels: [`event`] is what is on the wire, [`consent`] decides
//! whether it may move, `validate` turns an envelope into events and rejections, `normalize` makes events alike,
//! [`journey`] places them on channels and sessions, `profile` folds them into a person. Time, random bytes, geo and
//! user agent always arrive as arguments ([`event::Facts`]).
//!
//! The page compiles this crate without the `edge` feature: consent and ids only, no JSON reader.

#[cfg(feature = "edge")]
pub mod config;
pub mod consent;
#[cfg(feature = "edge")]
pub mod event;
pub mod identity;
#[cfg(feature = "edge")]
pub mod journey;
#[cfg(feature = "edge")]
pub mod outcome;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "edge")]
pub mod validate;
