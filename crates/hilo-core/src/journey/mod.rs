//! A person's way to the shop: touches, channels, sessions, and what each touchpoint is.
//! Shapes and rules. `normalize` reads a touch from an event. `lens/` places touchpoints, when they are read.

mod channel;
pub(crate) mod landing;
pub mod lens;
mod meaning;
mod session;
mod sort;
mod state;
mod touch;
mod touchpoint;
mod worth;

pub use channel::Channel;
pub use meaning::{Contact, Followed, Meaning, Turn, VISIT_STARTED, is_click};
pub use session::{Session, attribute, presume};
pub use sort::{Fate, OrderStep};
pub use state::{State, StateRules};
pub use touch::{Touch, Via};
pub use touchpoint::Touchpoint;
pub use worth::{Sums, Worth};
