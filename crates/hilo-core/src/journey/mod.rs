//! A person's way to the shop: touches, channels and sessions.
//! Shapes and rules. `normalize` reads a touch from an event.

mod channel;
mod contact;
pub(crate) mod landing;
mod session;
mod touch;

pub use channel::Channel;
pub use contact::ContactChannel;
pub use session::{Session, attribute, presume};
pub use touch::{Touch, Via};
