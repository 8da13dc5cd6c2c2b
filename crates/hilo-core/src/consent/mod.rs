//! Consent: purposes, a visitor's choices, and the one decision function.
//!
//! [`decide`] is the gate: may this event leave the page, may this event reach that destination? The tracker asks before the
//! queue, and the collector asks before each destination, so a bug on one side cannot leak an event alone. Channel opt-ins
//! stand beside purposes. `signals` reads consent tools. Stores nothing, and does not know how a visitor was asked.

mod optin;
mod purpose;
mod receipt;
#[cfg(any(feature = "more", test))]
pub mod signals;
mod state;

pub use optin::{OptInChannel, OptInState};
pub use purpose::{Purpose, PurposeSet};
pub use receipt::{ChoiceChange, Method, Notice, Receipt};
pub use state::{Choice, ConsentState, Decision, decide, decide_all};
