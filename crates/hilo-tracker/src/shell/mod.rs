//! What fulfils the platform's traits: `browser/` in a page, `memory.rs` in tests and examples.
//!
//! Each shell also wires the tracker to whatever calls it. Stages import no shell.

#[cfg(target_arch = "wasm32")]
pub mod browser;
#[cfg(not(target_arch = "wasm32"))]
pub mod memory;
