//! What golden cases and laws of forwarding share: the settings and secrets that stand beside a kind's cases.
//! In: the name of a kind. Out: a `hilo.toml` with one destination of it, or its secrets.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const HEAD: &str = r#"
[project]
controller = "Shop"

[[source]]
name = "shop"
kind = "browser"
keys = ["wk_shop"]
origins = ["https://shop.example"]

"#;

/// A `hilo.toml` with the destination of `tests/golden/forward/<kind>/settings.toml`. Further lines are its settings.
///
/// # Errors
/// The kind has no such file.
pub fn settings(kind: &str) -> Result<String, String> {
    Ok(format!("{HEAD}{}", read(kind, "settings.toml")?))
}

/// The secrets of `tests/golden/forward/<kind>/secrets.json`, by name.
///
/// # Errors
/// The kind has no such file, or the file is no object of texts.
pub fn secrets(kind: &str) -> Result<BTreeMap<String, String>, String> {
    serde_json::from_str(&read(kind, "secrets.json")?).map_err(|error| error.to_string())
}

fn read(kind: &str, file: &str) -> Result<String, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/forward").join(kind).join(file);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}
