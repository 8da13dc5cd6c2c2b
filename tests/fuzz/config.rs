//! `hilo.toml`: a configuration, or every problem with its line.

#![no_main]

use hilo_core::config::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(problems) = parse(text) {
        assert!(!problems.is_empty(), "a refusal says why");
        let lines = text.lines().count().max(1) + 1;
        assert!(problems.iter().all(|problem| problem.line <= lines));
    }
});
