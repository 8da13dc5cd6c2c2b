//! The core has no clock, no randomness, no JavaScript and no log, neither in its sources nor in its dependencies.

use super::tree::Tree;
use crate::shell::{Problem, Workspace};

/// Words that read a clock or the environment, each with its remedy.
const BANNED: [(&str, &str); 8] = [
    ("SystemTime::now", "take a Timestamp as an argument"),
    ("Instant::now", "take a Timestamp as an argument"),
    ("Timestamp::now", "take a Timestamp as an argument"),
    ("Zoned::now", "take a Timestamp as an argument"),
    ("rand::", "take random bytes as an argument"),
    ("getrandom", "take random bytes as an argument"),
    ("std::env", "settings arrive as Config"),
    ("std::fs", "the core does no I/O"),
];

/// Packages that bring I/O, a clock, randomness or JavaScript.
const FORBIDDEN: [&str; 11] = [
    "wasm-bindgen",
    "js-sys",
    "web-sys",
    "worker",
    "getrandom",
    "rand",
    "rand_core",
    "log",
    "tracing",
    "tokio",
    "chrono",
];

/// No file of the core names a clock.
pub(super) fn no_clock_in_source(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.below("crates/hilo-core/src/", ".rs") {
        for (number, line) in file.product_lines() {
            let code = line.split("//").next().unwrap_or_default();
            for (word, remedy) in BANNED.iter().filter(|(word, _)| code.contains(word)) {
                found.push(format!("{}:{number}: `{word}` in the core: {remedy}.", file.path));
            }
        }
    }
    found
}

/// No dependency of the core, in any of the core's features, brings a clock or I/O.
pub(super) fn dependencies(workspace: &Workspace) -> Result<Vec<String>, Problem> {
    let mut cargo = workspace.cargo();
    cargo.args([
        "tree",
        "--package",
        "hilo-core",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p} [{f}]",
        "--target",
        "wasm32-unknown-unknown",
        "--features",
        "edge",
    ]);
    let output = cargo.output()?;
    if !output.status.success() {
        return Err(Problem(format!(
            "cargo tree failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )));
    }
    Ok(impure(&String::from_utf8_lossy(&output.stdout)))
}

/// The lines of `cargo tree --format "{p} [{f}]"` that must not be there.
fn impure(tree: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in tree.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let features = line
            .rsplit_once('[')
            .map_or("", |(_, f)| f.trim_end_matches([']', '(', '*', ')', ' ']));
        if FORBIDDEN.contains(&name) {
            found.push(format!("hilo-core depends on `{name}`. Find a library without it, or move the need to a platform/ folder."));
        }
        // jiff reads the clock with its feature `std`, and JavaScript's with `js`.
        if name == "jiff"
            && features.split(',').any(|f| f == "std" || f == "js" || f == "tz-system")
        {
            found.push("hilo-core's `jiff` has a clock feature on (std, js or tz-system). Leave it at `alloc` and `serde`.".to_owned());
        }
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    #[test]
    fn a_clock_in_the_core_is_found_and_a_clock_in_its_tests_is_not() {
        let path = "crates/hilo-core/src/normalize/clock.rs";
        assert_eq!(no_clock_in_source(&tree(&[(path, "let now = SystemTime::now();")])).len(), 1);
        assert_eq!(
            no_clock_in_source(&tree(&[(path, "#[cfg(test)]\nlet now = SystemTime::now();")]))
                .len(),
            0
        );
    }

    #[test]
    fn a_dependency_with_a_clock_is_found() {
        assert_eq!(
            impure("hilo-core v0.1.0 [edge]\njiff v0.2.1 [alloc,serde]\nserde v1.0.0 [derive]"),
            Vec::<String>::new()
        );
        assert_eq!(impure("getrandom v0.2.1 []").len(), 1);
        assert_eq!(impure("jiff v0.2.1 [alloc,std] (*)").len(), 1);
    }
}
