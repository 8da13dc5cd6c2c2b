//! The part of a document that the code writes.
//!
//! Facts → the text between `<!-- facts -->` and `<!-- /facts -->` of a page. `HILO_BLESS=1` writes it.

use std::fs;
use std::path::{Path, PathBuf};

const BEGIN: &str = "<!-- facts -->";
const END: &str = "<!-- /facts -->";

/// A path of the repository.
pub(crate) fn at(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// What is wrong with the page `shown`; with `HILO_BLESS=1` its facts are written.
pub(crate) fn stale(shown: &str, facts: &str) -> Option<String> {
    let path = at(shown);
    let Ok(page) = fs::read_to_string(&path) else {
        return Some(format!(
            "{shown} is missing: write it, with the line {BEGIN} below its first sentence"
        ));
    };
    let Some((above, rest)) = page.split_once(BEGIN) else {
        return Some(format!("{shown} lacks the line {BEGIN} below its first sentence"));
    };
    let below = rest.split_once(END).map_or(rest, |(_, below)| below);
    let fresh = format!("{above}{BEGIN}\n{facts}{END}{below}");
    if fresh == page {
        return None;
    }
    if std::env::var_os("HILO_BLESS").is_some() {
        return fs::write(&path, fresh).err().map(|error| format!("{shown}: {error}"));
    }
    Some(format!("{shown} is stale: `cargo xtask docs` writes the facts anew"))
}
