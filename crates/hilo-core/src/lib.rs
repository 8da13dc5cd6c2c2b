//! Everything in hilo that decides, as plain Rust: no clock, no randomness, no network, no logging.
//!
//! Reading order, which is also the order of an event's stages: [`event`] holds the shapes on the wire, [`consent`] decides
//! whether an event may leave the page, [`strict`] reads JSON from strangers, [`validate`] turns an envelope into events and
//! rejections, [`normalize`] makes events alike, [`journey`] gives them channels and sessions, [`profile`] folds them into a
//! person. [`plan`] compares them with the site's tracking plan. [`inbound`] holds what other systems report. [`attribution`] shares out
//! what an order is worth. [`pyramid`] places people on levels, [`leads`] tells who may become a customer. [`kpi`] counts what customers
//! bring, and [`experiment`] what a change causes. [`delivery`] decides when an event is sent on, [`mapping`] what the deployer's rules
//! make of it. Time, random bytes, geo and user agent always arrive as arguments
//! ([`event::Facts`]).
//!
//! [`cart`] and [`money`] stand beside the events: page and hub keep the same cart. `tag_manager` and [`price`] read what shops
//! push and print.
//!
//! The page compiles this crate without the `edge` feature: consent, ids, cart and money. That leaves out the JSON reader and
//! `std`, whose panics would bring the formatting of numbers.

#![cfg_attr(not(any(feature = "edge", test)), no_std)]

extern crate alloc;

#[cfg(feature = "edge")]
pub mod attribution;
pub mod cart;
#[cfg(feature = "edge")]
pub mod config;
pub mod consent;
#[cfg(feature = "edge")]
pub mod delivery;
pub mod digits;
#[cfg(feature = "edge")]
pub mod event;
#[cfg(feature = "edge")]
pub mod experiment;
pub mod hosts;
pub mod identity;
#[cfg(feature = "edge")]
pub mod import;
#[cfg(feature = "edge")]
pub mod inbound;
#[cfg(feature = "edge")]
pub mod journey;
#[cfg(feature = "edge")]
pub mod kpi;
#[cfg(feature = "edge")]
pub mod leads;
#[cfg(feature = "edge")]
pub mod mapping;
pub mod money;
#[cfg(feature = "edge")]
pub mod normalize;
pub mod outcome;
#[cfg(feature = "edge")]
pub mod phone;
pub mod plain;
#[cfg(feature = "edge")]
pub mod plan;
pub mod price;
#[cfg(any(feature = "edge", feature = "shop", test))]
pub mod printed;
#[cfg(feature = "edge")]
pub mod profile;
#[cfg(feature = "edge")]
pub mod pyramid;
pub mod query_keys;
#[cfg(feature = "edge")]
pub mod rate;
pub mod redact;
pub mod search_term;
pub mod service_cookies;
#[cfg(feature = "edge")]
pub mod strict;
#[cfg(any(feature = "shop", test))]
pub mod tag_manager;
#[cfg(any(feature = "testing", all(test, feature = "edge")))]
pub mod testing;
pub mod text;
#[cfg(feature = "edge")]
pub mod validate;
#[cfg(feature = "edge")]
pub mod zone;
