//! How files look: short enough to read, with a header that explains them, under a name that means something.

use super::tree::Tree;

/// The most lines of a file, without its unit tests.
const FILE_LINES_MAX: usize = 400;
/// The most lines of a `lib.rs`.
const LIB_LINES_MAX: usize = 150;
/// Names that fit any file and so describe none.
const EMPTY_NAMES: [&str; 13] = [
    "utils",
    "util",
    "helpers",
    "common",
    "misc",
    "base",
    "manager",
    "service",
    "processor",
    "handler",
    "engine",
    "data",
    "info",
];

/// No file outgrows its limit, and none has an empty name.
pub(super) fn files_stay_short(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.below("", ".rs").chain(tree.below("", ".ts")) {
        let lines = file.product_lines().count();
        let max = if file.path.ends_with("/lib.rs") { LIB_LINES_MAX } else { FILE_LINES_MAX };
        // Tests are lists, and a list may be long.
        let is_test = file.path.starts_with("tests/");
        if lines > max && !is_test {
            found.push(format!(
                "{}: {lines} lines without tests, {max} are the most. Split it by what it does.",
                file.path
            ));
        }
        if EMPTY_NAMES.contains(&file.stem()) {
            found.push(format!(
                "{}: `{}` says nothing. Name it after what it does.",
                file.path,
                file.stem()
            ));
        }
    }
    found
}

/// Every file opens with a header: `//!` in Rust, `/**` in TypeScript.
pub(super) fn files_say_what_they_are(tree: &Tree) -> Vec<String> {
    let rust = tree
        .below("", ".rs")
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| (file, "//!"));
    let typescript = tree
        .below("", ".ts")
        .filter(|file| !file.text.starts_with("/**") && !file.text.starts_with("#!"))
        .map(|file| (file, "/**"));
    rust.chain(typescript)
        .map(|(file, opening)| {
            format!(
                "{}:1: no `{opening}` header. Say what it is, in → out, and what it does not do.",
                file.path
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    #[test]
    fn a_file_of_401_lines_is_found_and_its_tests_do_not_count() {
        let longer = "//! x\n".repeat(401);
        assert_eq!(files_stay_short(&tree(&[("crates/a/src/b.rs", &longer)])).len(), 1);
        let tested = format!("//! x\n#[cfg(test)]\n{longer}");
        assert_eq!(files_stay_short(&tree(&[("crates/a/src/b.rs", &tested)])).len(), 0);
    }

    #[test]
    fn a_file_name_that_says_nothing_is_found() {
        assert_eq!(files_stay_short(&tree(&[("crates/a/src/utils.rs", "//! x")])).len(), 1);
    }

    #[test]
    fn files_without_a_header_are_found() {
        let found = files_say_what_they_are(&tree(&[
            ("a.rs", "use x;"),
            ("b.ts", "import x"),
            ("c.rs", "//! C."),
            ("d.ts", "/** D. */"),
        ]));
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
