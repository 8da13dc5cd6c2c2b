//! The worlds that the collector runs in: `workerd` in production, `memory` in tests and examples.
//!
//! Each fulfils the traits of `platform` and keeps the objects of `store`. Decides nothing.

#[cfg(any(test, feature = "memory"))]
pub mod memory;
#[cfg(target_arch = "wasm32")]
pub mod workerd;
