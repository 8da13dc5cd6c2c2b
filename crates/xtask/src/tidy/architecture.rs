//! Which way dependencies point inside a crate: stages do not use each other, and one folder uses the platform's own library.

use super::imports;
use super::tree::Tree;

/// The parts of a crate that has stages. A part is a file or folder at the crate's root; what is not named here is a stage.
struct Layout {
    /// Where the crate's sources are.
    home: &'static str,
    /// The parts that put the stages in order, so they may import any part.
    composers: &'static [&'static str],
    /// The parts that any other part may import. They import nothing but each other.
    vocabulary: &'static [&'static str],
    /// The folder that alone may use the platform's own library.
    shell: &'static str,
}

const LAYOUTS: [Layout; 2] = [
    Layout {
        home: "crates/hilo-tracker/src/",
        composers: &["lib", "shell", "tracker"],
        vocabulary: &["address", "draft", "json", "platform"],
        shell: "shell/browser/",
    },
    Layout {
        home: "crates/hilo-collector/src/",
        composers: &["lib", "pipeline", "shell"],
        vocabulary: &[
            "address",
            "access",
            "call",
            "calls",
            "archive_line",
            "connect_link",
            "fault",
            "keyring",
            "loaded",
            "optin_link",
            "platform",
            "seal",
            "signature",
            "ticket",
        ],
        shell: "shell/workerd/",
    },
];

impl Layout {
    /// The part that a file belongs to: `journal.rs` and `journal/rows.rs` are parts of `journal`.
    fn part_of<'a>(&self, file: &'a str) -> Option<&'a str> {
        let inner = file.strip_prefix(self.home)?;
        inner.split('/').next().map(|name| name.strip_suffix(".rs").unwrap_or(name))
    }

    /// Whether the part `from` may import the part `to`.
    fn allows(&self, from: &str, to: &str) -> bool {
        from == to || self.composers.contains(&from) || self.vocabulary.contains(&to)
    }
}

/// A stage never imports another stage, and what all stages share imports none: only a crate's composers order the stages.
pub(super) fn stages_do_not_import_siblings(tree: &Tree) -> Vec<String> {
    let imports = imports::all(tree);
    let mut found = Vec::new();
    for layout in &LAYOUTS {
        for import in &imports {
            let (Some(from), Some(to)) = (layout.part_of(&import.from), layout.part_of(&import.to))
            else {
                continue;
            };
            if !layout.allows(from, to) {
                found.push(format!(
                    "{}:{}: `{from}` imports `{}` of `{to}`. Let the pipeline hand over what is needed, or move it to a part that all may import ({}).",
                    import.from,
                    import.line,
                    import.name,
                    layout.vocabulary.join(", ")
                ));
            }
        }
    }
    found
}

/// `worker::` appears under the collector's `shell/workerd/` alone, `web_sys` and `gloo_` under the tracker's `shell/browser/`
/// alone; `lib.rs` may use them for its macros.
pub(super) fn platforms_stay_in_their_shell(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for layout in &LAYOUTS {
        for file in tree.below(layout.home, ".rs") {
            let inner = file.path.strip_prefix(layout.home).unwrap_or_default();
            if inner.starts_with(layout.shell) || inner == "lib.rs" {
                continue;
            }
            for (number, line) in file.product_lines() {
                let code = line.split("//").next().unwrap_or_default();
                for name in
                    ["worker::", "web_sys", "gloo_"].iter().filter(|name| mentions(code, name))
                {
                    found.push(format!(
                        "{}:{number}: `{name}` outside {}. Add what you need to the platform's trait.",
                        file.path, layout.shell
                    ));
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
    fn a_stage_that_imports_another_stage_is_found_with_its_line() {
        let broken = tree(&[
            ("crates/hilo-tracker/src/gate/mod.rs", "//! Gate.\nuse crate::queue::Queue;\n"),
            ("crates/hilo-tracker/src/queue/mod.rs", "pub struct Queue;"),
        ]);
        let found = stages_do_not_import_siblings(&broken);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("crates/hilo-tracker/src/gate/mod.rs:2:"), "{found:?}");
    }

    #[test]
    fn a_file_at_the_root_of_a_crate_is_a_stage_too() {
        let broken = tree(&[
            ("crates/hilo-collector/src/journal.rs", "use crate::store::Rows; pub struct Note;"),
            (
                "crates/hilo-collector/src/store/mod.rs",
                "use crate::{platform::Sql, journal::Note}; pub struct Rows;",
            ),
            ("crates/hilo-collector/src/platform/mod.rs", "pub trait Sql {}"),
        ]);
        assert_eq!(stages_do_not_import_siblings(&broken).len(), 2);
    }

    #[test]
    fn what_all_stages_share_imports_no_stage() {
        let broken = tree(&[
            (
                "crates/hilo-collector/src/platform/mod.rs",
                "use crate::store::Rows; use crate::loaded::Loaded;",
            ),
            ("crates/hilo-collector/src/loaded.rs", "pub struct Loaded; use crate::pipeline::run;"),
            ("crates/hilo-collector/src/store/mod.rs", "pub struct Rows;"),
            ("crates/hilo-collector/src/pipeline/mod.rs", "pub fn run() {}"),
        ]);
        let found = stages_do_not_import_siblings(&broken);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(
            found[0].contains("`loaded` imports `crate::pipeline::run` of `pipeline`"),
            "{found:?}"
        );
        assert!(
            found[1].contains("`platform` imports `crate::store::Rows` of `store`"),
            "{found:?}"
        );
    }

    #[test]
    fn the_pipeline_the_shells_and_tests_may_import_stages() {
        let fine = tree(&[
            (
                "crates/hilo-collector/src/pipeline.rs",
                "use crate::store::Rows; use crate::forward::send;",
            ),
            (
                "crates/hilo-collector/src/store/mod.rs",
                "pub struct Rows; #[cfg(test)]\nmod tests { use crate::forward::send; }",
            ),
            (
                "crates/hilo-collector/src/forward/mod.rs",
                "pub fn send() {} // crate::store::Rows is not used",
            ),
            ("crates/hilo-collector/src/shell/workerd/edge.rs", "use crate::store::Rows;"),
        ]);
        assert_eq!(stages_do_not_import_siblings(&fine), Vec::<String>::new());
    }

    #[test]
    fn a_platform_outside_its_shell_is_found() {
        let broken = tree(&[
            ("crates/hilo-tracker/src/capture/pages.rs", "use web_sys::Window;"),
            ("crates/hilo-collector/src/ingest/mod.rs", "fn f(r: worker::Request) {}"),
            ("crates/hilo-collector/src/platform/mod.rs", "use worker::Env;"),
            ("crates/hilo-collector/src/shell/memory/mod.rs", "use worker::Env;"),
            ("crates/hilo-collector/src/shell/workerd/edge.rs", "use worker::Env;"),
            ("crates/hilo-tracker/src/shell/browser/page.rs", "use gloo_storage::Storage;"),
            ("crates/hilo-collector/src/lib.rs", "use worker::event;"),
        ]);
        assert_eq!(platforms_stay_in_their_shell(&broken).len(), 4);
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
