//! `cargo xtask tidy`: what ARCHITECTURE.md claims, as checks over the files of the tree.
//! In: a folder laid out like this repository. Out: one sentence per violation, with file, line and remedy.
//! Rules are plain functions, so that their tests break a small tree on purpose and see them fail.

mod architecture;
mod circles;
mod core_purity;
mod documents;
mod form;
mod imports;
mod recipes;

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::files_under;
use crate::shell::{Problem, Workspace};

/// The files of a tree, by path from its root.
pub(crate) struct Tree {
    root: PathBuf,
    files: Vec<Source>,
}

/// One text file.
pub(crate) struct Source {
    /// Path from the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// The lines before the unit tests, numbered from 1. `#[cfg(test)]` on a single item, such as `mod tests;`, takes
    /// out that item alone.
    pub(crate) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut lines = self.text.lines().enumerate().map(|(i, line)| (i + 1, line)).peekable();
        std::iter::from_fn(move || {
            let (number, line) = lines.next()?;
            if line != "#[cfg(test)]" {
                return Some((number, line));
            }
            match lines.peek() {
                Some((_, item)) if item.starts_with("mod ") && item.ends_with(';') => {
                    Some((number, ""))
                }
                _ => None,
            }
        })
        .fuse()
    }

    /// The file's name without its extension.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name.split('.').next().unwrap_or_default()
    }
}

impl Tree {
    /// Reads every text file of the parts that rules look at.
    pub(crate) fn read(root: &Path) -> Tree {
        let parts = ["README.md", "crates", "js/sdk", "examples", "tests"];
        let kinds = ["rs", "ts", "md", "toml", "json", "jsonc"];
        let mut files = Vec::new();
        for path in parts.iter().flat_map(|part| files_under(&root.join(part))) {
            let is_text = path.extension().is_some_and(|e| kinds.iter().any(|kind| e == *kind));
            let name = path.strip_prefix(root).map(|p| p.to_string_lossy().replace('\\', "/"));
            if let (true, Ok(path), Ok(text)) = (is_text, name, fs::read_to_string(&path)) {
                files.push(Source { path, text });
            }
        }
        Tree { root: root.to_owned(), files }
    }

    /// The files below `folder` whose name ends in `ending`.
    pub(crate) fn below<'a>(
        &'a self,
        folder: &'a str,
        ending: &'a str,
    ) -> impl Iterator<Item = &'a Source> {
        self.files
            .iter()
            .filter(move |file| file.path.starts_with(folder) && file.path.ends_with(ending))
    }

    /// Whether something stands at `path`.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
}

/// Every rule, in the order of the invariants.
const RULES: [fn(&Tree) -> Vec<String>; 10] = [
    core_purity::no_clock_in_source,
    architecture::stages_do_not_import_siblings,
    architecture::platforms_stay_in_platform,
    architecture::destinations_cannot_send,
    circles::files_do_not_import_in_a_circle,
    recipes::destinations_have_golden_cases,
    recipes::normalize_steps_have_golden_cases,
    form::files_and_functions_stay_short,
    form::files_say_what_they_are,
    documents::documents_tell_the_truth,
];

/// Prints every violation; `true` when there is none.
#[expect(clippy::print_stdout, reason = "the result of the task")]
pub(crate) fn run(workspace: &Workspace) -> Result<bool, Problem> {
    let tree = Tree::read(&workspace.root);
    let mut found: Vec<String> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    found.extend(core_purity::dependencies(workspace)?);
    for sentence in &found {
        println!("{sentence}");
    }
    Ok(found.is_empty())
}

#[cfg(test)]
pub(crate) mod testing {
    //! A small tree to break on purpose.

    use super::{Source, Tree};

    /// A tree of these files, which need not exist.
    pub(crate) fn tree(files: &[(&str, &str)]) -> Tree {
        let files = files
            .iter()
            .map(|(path, text)| Source { path: (*path).to_owned(), text: (*text).to_owned() })
            .collect();
        Tree { root: std::path::PathBuf::new(), files }
    }
}
