//! Stands in the place of the `regex` crate, so that woothee runs on regex-lite.
//!
//! woothee takes `regex` with all of its Unicode tables and matching engines: a third of the collector's script, for
//! expressions that are plain ASCII. regex-lite, by the same authors, has the same syntax and results for those.
//! Exports only what woothee asks for; another user of `regex` would not compile and be noticed.

pub use regex_lite::Regex;
