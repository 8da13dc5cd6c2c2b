//! Stands in the place of the `regex` crate, so that woothee runs on regex-lite.
//!
//! woothee takes `regex` with all of its Unicode tables and matching engines, a large part of the collector's script, for
//! expressions in plain ASCII. regex-lite, by the same authors, has the same syntax and results for ASCII expressions.
//! Exports only the names that woothee uses: a second user of `regex` would not compile.

pub use regex_lite::Regex;
