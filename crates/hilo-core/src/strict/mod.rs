//! JSON from strangers: a value inside every limit, or a refusal with the path to blame.
//!
//! `text` makes text of a body, `value` reads one value, `object` reads a body that is one object, `words` replaces numbers that
//! no reader knows, and `key` replaces keys that could be data. Knows no field by name.

mod key;
mod object;
mod text;
mod value;
mod words;

pub(crate) use key::{is_unsafe_key, key_shape};
pub use object::read_object;
pub(crate) use text::body_text;
pub use text::read_bytes;
pub(crate) use value::{Fault, Strict, read_item};
pub(crate) use words::{number_at, spelled_as_numbers, without_impossible_numbers};
