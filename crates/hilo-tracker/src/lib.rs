//! The browser SDK of hilo: captures touchpoints, lets consent decide, queues and sends them.
//!
//! Reading order: `tracker` is the order of the stages; `capture`, `gate`, `identity`, `queue`, `transport` are one
//! stage each and do not know each other; `platform` is the page. The JavaScript face is
//! `platform/face.rs`, and nothing but conversions.

pub mod capture;
pub mod cart;
pub mod draft;
pub mod gate;
pub mod identity;
pub mod json;
pub mod platform;
pub mod queue;
pub mod tracker;
pub mod transport;

pub use hilo_core::consent::Choice;
pub use tracker::{Options, Tracker};
