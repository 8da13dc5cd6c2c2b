//! The worlds that the collector runs in: `workerd` in production, `memory` in tests and examples.
//!
//! Each brings what the traits of `platform` ask for and holds the objects of `store`. `profile` and `cart` are what both do for
//! an object: they are written once, so that native tests run the loops that ship. Decides nothing.

mod alarm;
pub mod cart;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
pub mod profile;
#[cfg(target_arch = "wasm32")]
pub mod workerd;
