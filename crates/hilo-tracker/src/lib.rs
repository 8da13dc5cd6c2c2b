//! The browser SDK of hilo: captures touchpoints, lets consent decide, queues and sends them, and keeps the page's cart.
//!
//! Reading order: `tracker` is the order of the stages. `capture`, `gate`, `identity`, `queue` and `transport` are one stage
//! each, and no stage imports another. `platform` is the page as traits and plain types; `shell` fulfills them.
//!
//! Four features make four modules of a page. `page` is the tracker, which loads at once. `more` holds the capture kinds that
//! the first event does not need. `shop` reads what a shop's page tells, where the site wants that. `cart` loads with the first cart
//! act and has no `std`. Each has its JavaScript face in `shell/browser/`, nothing but conversions.

#![cfg_attr(not(any(feature = "page", feature = "more", feature = "shop")), no_std)]

extern crate alloc;

#[cfg(any(feature = "page", feature = "more", feature = "shop"))]
pub mod address;
#[cfg(any(feature = "page", feature = "more"))]
pub mod capture;
#[cfg(feature = "cart")]
pub mod cart;
#[cfg(feature = "page")]
pub mod draft;
#[cfg(feature = "page")]
pub mod gate;
#[cfg(feature = "page")]
pub mod identity;
#[cfg(any(feature = "page", feature = "more", feature = "shop"))]
pub mod json;
pub mod platform;
#[cfg(feature = "page")]
pub mod queue;
#[cfg(any(target_arch = "wasm32", feature = "page"))]
pub mod shell;
#[cfg(feature = "more")]
pub mod sources;
#[cfg(feature = "shop")]
pub mod tag_manager;
#[cfg(feature = "page")]
pub mod tracker;
#[cfg(feature = "page")]
pub mod transport;

#[cfg(feature = "page")]
pub use hilo_core::consent::Choice;
#[cfg(feature = "page")]
pub use tracker::{Options, Tracker};
