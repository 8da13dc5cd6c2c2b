//! The mapping form for what other systems send: rules that a call's body goes through.
//!
//! `(rules, call) → reports, and faults`. [`decode()`] makes one document of a body first. A rule is about the whole body, or about each
//! element of a list in it. Total and pure as all rules are. Does not verify who called, and finds no person: it copies how the other
//! system names them.

mod apply;
mod decode;
mod fault;
mod rule;

pub use apply::{ELEMENTS_MAX, Made, Step, map, trace};
pub use decode::{FIELDS_MAX as FORM_FIELDS_MAX, decode};
pub use fault::MapFault;
pub use rule::{Call, Field, REPORT_BYTES_MAX, Rule, Rules, Tells, What};
