//! How files look: short enough to be read, and saying at the top what they are.

use super::tree::{Source, Tree};

/// Lines of a file without its unit tests (style.md: sizes at which code stays pleasant).
const FILE_LINES_MAX: usize = 400;
/// Lines of one function.
const FUNCTION_LINES_MAX: usize = 70;
/// Lines of a `lib.rs`.
const LIB_LINES_MAX: usize = 150;
/// Names that say nothing.
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

/// No file, function or `lib.rs` outgrows its limit, and none has an empty name.
pub(super) fn files_and_functions_stay_short(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.below("", ".rs").chain(tree.below("", ".ts")) {
        let lines = file.product_lines().count();
        let max = if file.path.ends_with("/lib.rs") { LIB_LINES_MAX } else { FILE_LINES_MAX };
        // Tests are lists: their length is their number.
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
        for (start, length) in long_functions(file) {
            found.push(format!(
                "{}:{start}: a function of {length} lines, {FUNCTION_LINES_MAX} are the most.",
                file.path
            ));
        }
    }
    found
}

/// Start and length of functions over the limit. A function ends at the closing brace with its own indentation.
fn long_functions(file: &Source) -> Vec<(usize, usize)> {
    if !file.path.ends_with(".rs") {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in file.product_lines() {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let code = line.trim_start();
        if let Some((start, end)) = &open {
            if line.strip_prefix(end.as_str()) == Some("}") {
                if number - start + 1 > FUNCTION_LINES_MAX {
                    found.push((*start, number - start + 1));
                }
                open = None;
            }
        } else if is_function(code) && !code.trim_end().ends_with(['}', ';']) {
            open = Some((number, indent));
        }
    }
    found
}

fn is_function(code: &str) -> bool {
    let words = ["pub", "pub(crate)", "pub(super)", "async", "const"];
    code.split(' ').find(|word| !words.contains(word)) == Some("fn")
}

/// Every file opens with what it is: `//!` in Rust, `/**` in TypeScript.
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
    fn a_long_file_and_a_long_function_are_found() {
        let long = format!("//! x\nfn f() {{\n{}}}\n", "    step();\n".repeat(80));
        assert_eq!(files_and_functions_stay_short(&tree(&[("crates/a/src/b.rs", &long)])).len(), 1);
        let longer = "//! x\n".repeat(401);
        assert_eq!(
            files_and_functions_stay_short(&tree(&[("crates/a/src/b.rs", &longer)])).len(),
            1
        );
        let tested = format!("//! x\n#[cfg(test)]\n{longer}");
        assert_eq!(
            files_and_functions_stay_short(&tree(&[("crates/a/src/b.rs", &tested)])).len(),
            0
        );
    }

    #[test]
    fn an_empty_name_is_found() {
        assert_eq!(
            files_and_functions_stay_short(&tree(&[("crates/a/src/utils.rs", "//! x")])).len(),
            1
        );
    }

    #[test]
    fn a_file_without_header_is_found() {
        let found = files_say_what_they_are(&tree(&[
            ("a.rs", "use x;"),
            ("b.ts", "import x"),
            ("c.rs", "//! C."),
            ("d.ts", "/** D. */"),
        ]));
        assert_eq!(found.len(), 2, "{found:?}");
    }
}
