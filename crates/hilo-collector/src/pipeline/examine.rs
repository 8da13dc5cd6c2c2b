//! The whole check of a `hilo.toml`: the core's, the destinations' own settings, and the feeds'.

use hilo_core::config::{Config, Problem, ProblemCode};

use crate::forward;
use crate::ingest::feeds;

/// Reads a `hilo.toml` as far as it can be read. Returns every problem beside it, in the order of the lines.
pub fn examine(text: &str) -> (Config, Vec<Problem>) {
    let (config, mut found) = forward::examine(text);
    if found.iter().all(|problem| problem.code != ProblemCode::Syntax) {
        let is_new = |problem: &Problem| {
            !found.iter().any(|one| (one.line, &one.field) == (problem.line, &problem.field))
        };
        let new: Vec<_> = feeds::problems(&config).into_iter().filter(is_new).collect();
        found.extend(new);
        found.sort_by_key(|problem| (problem.line, problem.column));
    }
    (config, found)
}
