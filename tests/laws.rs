//! What holds for *all* inputs. One module per topic; the generators are `hilo_core::testing`.
//!
//! A failing law prints the smallest input it found; that input becomes a golden case.

#[path = "laws/cart.rs"]
mod cart;
#[path = "laws/flat.rs"]
mod flat;
#[path = "laws/forward.rs"]
mod forward;
#[path = "laws/inbound.rs"]
mod inbound;
#[path = "laws/mapping.rs"]
mod mapping;
#[path = "laws/normalize.rs"]
mod normalize;
#[path = "laws/profile.rs"]
mod profile;
#[path = "laws/validate.rs"]
mod validate;
