//! A person's way to the shop: touches, their channels, and the sessions they open.
//! Shapes and rules; the derivation of a touch from an event is `normalize`'s.

mod channel;
mod session;
mod touch;

pub use channel::Channel;
pub use session::{Session, attribute, presume};
pub use touch::{Touch, Via};
