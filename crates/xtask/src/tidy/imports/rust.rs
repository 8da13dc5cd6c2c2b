//! The imports between Rust files. A `use` counts with its line, a `pub use` does not: it lists what another file has.
//! A path in code counts, whatever it starts with.

use std::collections::BTreeSet;

use super::import::Import;
use super::modules::Modules;
use crate::tidy::tree::Tree;

/// Every import between files of `crates/*/src`.
pub(super) fn imports(tree: &Tree) -> Vec<Import> {
    let modules = Modules::read(tree);
    let mut found = Vec::new();
    for (path, module) in &modules.0 {
        let mut imported: BTreeSet<&str> = BTreeSet::new();
        let mut note = |segments: &[String], line: usize| {
            let to = modules.file(path, segments);
            let name = segments.join("::");
            found.extend(to.clone().map(|to| Import { from: module.file.clone(), to, line, name }));
            to.is_some()
        };
        for import in
            module.scope.uses.iter().filter(|import| !import.is_public && import.name != "*")
        {
            if note(&import.path, import.line) {
                imported.insert(&import.name);
            }
        }
        for named in &module.scope.paths {
            // The `use` of an item stands for each place that names it.
            if named.segments.first().is_some_and(|first| !imported.contains(first.as_str())) {
                note(&named.segments, named.line);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::tidy::testing::tree;

    /// The files that `crates/a/src/user.rs` with this text imports from.
    fn imported(text: &str) -> Vec<String> {
        let files = tree(&[
            ("crates/a/src/lib.rs", "pub mod store; pub const LIMIT: u8 = 1;"),
            (
                "crates/a/src/store/mod.rs",
                "mod rows; pub mod schema; pub use rows::{Row, read as read_row};",
            ),
            ("crates/a/src/store/rows.rs", "pub struct Row; pub fn read() {}"),
            ("crates/a/src/store/schema.rs", "pub const VERSION: u8 = 1; codes! { enum Code {} }"),
            ("crates/b-c/src/lib.rs", "pub struct Other;"),
            ("crates/a/src/user.rs", text),
        ]);
        let mut found = super::super::all(&files);
        found.retain(|import| import.from == "crates/a/src/user.rs");
        let mut files: Vec<String> = found.into_iter().map(|import| import.to).collect();
        files.sort();
        files.dedup();
        files
    }

    #[test]
    fn a_name_leads_to_the_file_that_defines_it_through_re_exports_and_renames() {
        let rows = vec!["crates/a/src/store/rows.rs".to_owned()];
        assert_eq!(imported("use crate::store::Row;"), rows);
        assert_eq!(imported("use super::store::read_row;"), rows);
        assert_eq!(imported("use crate::store; fn f() { store::Row::new() }"), rows);
        assert_eq!(imported("use crate::store::{self as db}; fn f(row: db::Row) {}"), rows);
        assert_eq!(imported("use crate::store::*; fn f() -> Row {}"), rows);
    }

    #[test]
    fn paths_in_macros_in_groups_and_to_other_crates_count() {
        assert_eq!(imported("fn f() { assert!(x > crate::LIMIT); }"), ["crates/a/src/lib.rs"]);
        assert_eq!(imported("use b_c::Other;"), ["crates/b-c/src/lib.rs"]);
        assert_eq!(
            imported("use crate::{LIMIT, store::{Row, schema::VERSION}};"),
            ["crates/a/src/lib.rs", "crates/a/src/store/rows.rs", "crates/a/src/store/schema.rs"]
        );
    }

    #[test]
    fn a_name_that_a_macro_defines_stands_in_the_macros_file() {
        assert_eq!(imported("use crate::store::schema::Code;"), ["crates/a/src/store/schema.rs"]);
    }

    #[test]
    fn modules_comments_texts_fields_and_test_code_are_no_imports() {
        for text in [
            "use crate::store;",
            "// crate::LIMIT\n/// [`crate::LIMIT`]\nfn f() { \"crate::LIMIT\" }",
            "fn f(x: X) { x.Row; x.read_row() }",
            "#[cfg(test)]\nuse crate::LIMIT;",
            "#[cfg(test)]\nfn f() { crate::LIMIT }\n#[cfg(all(test, unix))]\nmod tests { use crate::store::Row; }",
        ] {
            assert_eq!(imported(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(imported("#[cfg(not(test))]\nuse crate::LIMIT;"), ["crates/a/src/lib.rs"]);
    }
}
