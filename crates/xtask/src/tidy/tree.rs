//! The files that the rules look at.
//! In: a folder laid out like this repository. Out: its text files by path. Judges nothing.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::files_under;

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
    /// The lines before the unit tests, numbered from 1. A `#[cfg(test)]` on `mod tests;` takes out that line alone.
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
    /// A tree of these files, which need not exist.
    #[cfg(test)]
    pub(crate) fn of(files: Vec<Source>) -> Tree {
        Tree { root: PathBuf::new(), files }
    }

    /// Reads every text file of the parts that rules look at.
    pub(crate) fn read(root: &Path) -> Tree {
        let parts = ["README.md", "crates", "js", "examples", "tests"];
        let kinds = ["rs", "ts", "tsx", "js", "md", "toml", "json", "jsonc"];
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

    /// Whether `path` is a file.
    pub(crate) fn has_file(&self, path: &str) -> bool {
        self.root.join(path).is_file()
    }

    /// Whether `path` exists.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }
}
