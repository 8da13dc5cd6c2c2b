//! Documents are true: the paths they name exist, README is short, and no document names a path of one machine.

use super::tree::Tree;

/// The most lines of README.md.
const README_LINES_MAX: usize = 150;
/// How a path of one machine begins.
const MACHINE_PATHS: [&str; 4] = ["/home/", "/Users/", "/root/", "C:\\Users"];

/// README is short, every path it and ARCHITECTURE.md name exists, and no document holds a machine's path.
pub(super) fn documents_tell_the_truth(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.below("", ".md") {
        let lines = file.text.lines().count();
        if file.path == "README.md" && lines > README_LINES_MAX {
            found.push(format!("README.md: {lines} lines, {README_LINES_MAX} are the most."));
        }
        for (number, line) in file.product_lines() {
            let home = file.path.rsplit_once('/').map_or("", |(home, _)| home);
            let stands = |path: &str| {
                ["", "crates/", &format!("{home}/")]
                    .iter()
                    .any(|at| tree.has(&format!("{at}{path}")))
            };
            for path in paths(line).filter(|path| !stands(path)) {
                found.push(format!("{}:{number}: `{path}` does not exist.", file.path));
            }
            if MACHINE_PATHS.iter().any(|path| line.contains(path)) {
                found.push(format!("{}:{number}: a path of one machine.", file.path));
            }
        }
    }
    found
}

/// Paths into the repository that a line names in backticks or as a link's target.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    let tops =
        ["crates/", "js/", "examples/", "tests/", "hilo-core/", "hilo-tracker/", "hilo-collector/"];
    line.split(['`', '(', ')', '<', '>', ' ', ','])
        .map(|word| word.trim_end_matches(['.', ':', ';']))
        .filter(move |word| {
            tops.iter().any(|top| word.starts_with(top)) && !word.contains(['*', '{', '…'])
        })
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    #[test]
    fn a_document_that_names_a_missing_path_is_found() {
        let found = documents_tell_the_truth(&tree(&[(
            "README.md",
            "See `crates/none-such/` and [x](tests/nowhere.rs).",
        )]));
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_readme_of_151_lines_is_found() {
        assert_eq!(documents_tell_the_truth(&tree(&[("README.md", &"x\n".repeat(151))])).len(), 1);
    }
}
