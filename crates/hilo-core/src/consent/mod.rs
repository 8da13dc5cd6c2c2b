//! Consent: purposes, what the visitor said, and the one decision function.
//!
//! `decide` is the gate: may this event leave the page, may this event reach that destination? Pure, and
//! asked twice: by the tracker before the queue and by the collector before each destination, so a bug on one
//! side cannot leak alone. Channel opt-ins stand beside it. Does not store anything and does not know how the visitor was
//! asked.

mod optin;
mod purpose;
mod receipt;
mod state;

pub use optin::{OptInChannel, OptInState};
pub use purpose::Purpose;
pub use receipt::{ChoiceChange, Method, Notice, Receipt};
pub use state::{Choice, ConsentState, Decision, decide};
