//! The files below a folder, and one fingerprint of their contents.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

/// A hash over names and contents of files and folders.
pub(crate) fn fingerprint(paths: &[PathBuf]) -> String {
    let mut hasher = DefaultHasher::new();
    for path in paths {
        for file in files_under(path) {
            file.hash(&mut hasher);
            fs::read(&file).unwrap_or_default().hash(&mut hasher);
        }
    }
    format!("{:016x}", hasher.finish())
}

/// Every file at or below `path`, sorted, without the folders that tools make.
pub(crate) fn files_under(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    entries.sort();
    let made =
        ["target", "node_modules", "dist", "build", "build-dev", ".git", ".hilo", ".wrangler"];
    entries.retain(|entry| !made.iter().any(|name| entry.file_name().is_some_and(|n| n == *name)));
    entries.iter().flat_map(|entry| files_under(entry)).collect()
}
