//! What exactly goes in and out of each stage: `golden/<stage>/<sentence-like-case>.in.json` → `.out.json`.
//!
//! A stage is one line in the table below and one adapter file beside its cases. The walker is in `support.rs`.

#[path = "golden/config.rs"]
mod config;
#[path = "golden/validate.rs"]
mod validate;

use hilo_tests::{Stage, check_golden};

/// Every stage with golden cases, in the order an event travels.
const STAGES: &[Stage] =
    &[Stage { path: "config", run: config::run }, Stage { path: "validate", run: validate::run }];

#[test]
fn every_case_comes_out_as_written() {
    check_golden(STAGES);
}
