//! Takes the place of the `regex` crate, so that woothee runs on regex-lite.
//!
//! woothee's expressions are plain ASCII, but woothee depends on `regex` with all Unicode tables and matching engines, which
//! would be a large part of the collector's script. regex-lite, by the same authors, has the same syntax and the same
//! results for such expressions. This crate exports only what woothee uses, so any other user of `regex` does not compile.

pub use regex_lite::Regex;
