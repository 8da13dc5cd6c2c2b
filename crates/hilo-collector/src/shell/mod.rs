//! The runtimes of the collector: `workerd` in production, `memory` in tests and examples.
//!
//! Each runtime implements the traits of `platform` and runs the objects of `store`. `profile`, `cart`, `journal`, `tokens` and `inbox` have the
//! code that both runtimes need for an object, and `config` has the code that loads `hilo.toml`. This code is written once, so
//! that native tests run the loops that ship. `stubs` has the rule about a developer's stub server. No rule of hilo is decided here.

mod alarm;
pub mod cart;
pub mod config;
pub mod inbox;
pub mod journal;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
pub mod profile;
#[cfg(any(test, target_arch = "wasm32"))]
mod stubs;
pub mod tokens;
mod turns;
#[cfg(target_arch = "wasm32")]
pub mod workerd;
