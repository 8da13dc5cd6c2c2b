//! Which way dependencies point inside a crate: stages do not know each other, and one folder knows the platform.

use std::collections::BTreeSet;

use super::tree::{Source, Tree};

/// The crates whose folders are stages.
const STAGED: [&str; 2] = ["crates/hilo-tracker/src/", "crates/hilo-collector/src/"];

/// A stage never imports a sibling stage: only `tracker.rs` and `pipeline.rs` know the order.
pub(super) fn stages_do_not_import_siblings(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for home in STAGED {
        let files: Vec<&Source> = tree.below(home, ".rs").collect();
        let stages: BTreeSet<&str> = files
            .iter()
            .filter(|file| file.path.ends_with("/mod.rs"))
            .filter_map(|file| stage_of(file, home))
            .filter(|stage| *stage != "platform")
            .collect();
        for file in &files {
            let Some(own) = stage_of(file, home).filter(|stage| stages.contains(stage)) else {
                continue;
            };
            for (number, line) in unfolded(file) {
                let line = line.as_str();
                for sibling in stages.iter().filter(|stage| **stage != own && imports(line, stage))
                {
                    found.push(format!(
                        "{}:{number}: stage `{own}` imports its sibling `{sibling}`. Let the pipeline hand over what is needed, or move it to hilo-core.",
                        file.path
                    ));
                }
            }
        }
    }
    found
}

/// The lines of a file, a `use` with braces unfolded into one path for each name at its first level.
fn unfolded(file: &Source) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in file.product_lines() {
        let code = line.split("//").next().unwrap_or_default().trim();
        if let Some((_, statement)) = &mut open {
            statement.push_str(code);
        } else if code.contains("::{") && code.split(' ').any(|word| word == "use") {
            open = Some((number, code.to_owned()));
        } else {
            lines.push((number, line.to_owned()));
        }
        if let Some((start, statement)) = open.take_if(|(_, statement)| statement.ends_with(';')) {
            let (head, names) = statement.split_once('{').unwrap_or((&statement, ""));
            let mut depth = 0;
            let first_level = names.split(|c| {
                depth += i32::from(c == '{') - i32::from(c == '}');
                c == ',' && depth == 0
            });
            lines.extend(first_level.map(|name| (start, format!("{head}{}", name.trim()))));
        }
    }
    lines
}

/// The folder below `home` that a file stands in, if it stands in one. A stage opens with its `mod.rs`; a folder without
/// one holds the rest of the file beside it (`tracker.rs`, `calls.rs`).
fn stage_of<'a>(file: &'a Source, home: &str) -> Option<&'a str> {
    file.path.strip_prefix(home)?.split_once('/').map(|(stage, _)| stage)
}

/// Whether a line of code names `crate::<stage>` or reaches it through `super`.
fn imports(line: &str, stage: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    [format!("crate::{stage}"), format!("super::super::{stage}")].iter().any(|path| {
        code.match_indices(path.as_str()).any(|(at, _)| {
            let next = code.get(at + path.len()..).and_then(|rest| rest.chars().next());
            !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    })
}

/// `worker::`, `web_sys::` and `gloo_` appear under `platform/` alone; `lib.rs` may use them for its macros.
pub(super) fn platforms_stay_in_platform(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for home in STAGED {
        for file in tree.below(home, ".rs") {
            if file.path.contains("/platform/") || file.path.ends_with("/lib.rs") {
                continue;
            }
            for (number, line) in file.product_lines() {
                let code = line.split("//").next().unwrap_or_default();
                for name in ["worker::", "web_sys", "gloo_"] {
                    if mentions(code, name) {
                        found.push(format!("{}:{number}: `{name}` outside platform/. Add what you need to the platform's trait.", file.path));
                    }
                }
            }
        }
    }
    found
}

/// Whether `name` stands in `code` as a path of its own: `hilo_worker::` is not `worker::`.
fn mentions(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code.get(..at).and_then(|head| head.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

/// A destination is a pure function: no waiting, no platform, no clock.
pub(super) fn destinations_cannot_send(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.below("crates/hilo-collector/src/forward/destinations/", ".rs") {
        for (number, line) in file.product_lines() {
            let code = line.split("//").next().unwrap_or_default();
            for word in [".await", "async fn", "Platform", "::now("] {
                if code.contains(word) {
                    found.push(format!("{}:{number}: `{word}` in a destination. It maps events to requests; delivery sends.", file.path));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    #[test]
    fn a_sibling_import_is_found_with_its_line() {
        let broken = tree(&[
            ("crates/hilo-tracker/src/gate/mod.rs", "//! Gate.\nuse crate::queue::Queue;\n"),
            ("crates/hilo-tracker/src/queue/mod.rs", "//! Queue.\nuse crate::queue_limits;\n"),
        ]);
        let found = stages_do_not_import_siblings(&broken);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/hilo-tracker/src/gate/mod.rs:2:"), "{found:?}");
    }

    #[test]
    fn a_sibling_in_a_group_is_found_too() {
        let gate = "//! Gate.\nuse crate::{platform, queue::Queue};\nuse super::super::{\n    queue,\n};\nmod x;\n";
        let broken = tree(&[
            ("crates/hilo-tracker/src/gate/mod.rs", gate),
            ("crates/hilo-tracker/src/queue/mod.rs", "//! Queue.\n"),
        ]);
        assert_eq!(stages_do_not_import_siblings(&broken).len(), 2);
    }

    #[test]
    fn the_pipeline_platforms_and_tests_may_know_stages() {
        let fine = tree(&[
            ("crates/hilo-collector/src/pipeline.rs", "use crate::store; use crate::forward;"),
            (
                "crates/hilo-collector/src/store/mod.rs",
                "#[cfg(test)]\nmod tests { use crate::forward; }",
            ),
            ("crates/hilo-collector/src/forward/mod.rs", "// crate::store is not used"),
            ("crates/hilo-collector/src/platform/edge.rs", "use crate::store;"),
        ]);
        assert_eq!(stages_do_not_import_siblings(&fine), Vec::<String>::new());
    }

    #[test]
    fn a_platform_outside_its_folder_is_found() {
        let broken = tree(&[
            ("crates/hilo-tracker/src/capture/pages.rs", "use web_sys::Window;"),
            ("crates/hilo-collector/src/ingest/mod.rs", "fn f(r: worker::Request) {}"),
            ("crates/hilo-collector/src/platform/edge.rs", "use worker::Env;"),
            ("crates/hilo-collector/src/lib.rs", "use worker::event;"),
        ]);
        assert_eq!(platforms_stay_in_platform(&broken).len(), 2);
    }

    #[test]
    fn a_destination_that_sends_is_found() {
        let broken = tree(&[(
            "crates/hilo-collector/src/forward/destinations/x.rs",
            "async fn send() { client.post().await }",
        )]);
        assert_eq!(destinations_cannot_send(&broken).len(), 2);
    }
}
