//! JSON from strangers: read inside every limit, or refused with the path to blame.
//!
//! `text` makes text of a body, `value` reads one value of it, `object` reads a body that is one object, and `key` shows
//! keys without showing data. What the values mean is the caller's question.

mod key;
mod object;
mod text;
mod value;

pub(crate) use key::key_shape;
pub use object::read_object;
pub(crate) use text::body_text;
pub(crate) use value::{Fault, Strict, read_item};
