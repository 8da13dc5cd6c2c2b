//! The imports between the SDK's TypeScript files: `from "./x"`, `import "./x"` and `import("./x")`, for types as well.

use super::import::Import;
use crate::tidy::tree::Tree;

/// Where the SDK's sources are.
const HOME: &str = "js/sdk/src/";

/// Every import between files of `js/sdk/src`.
pub(super) fn imports(tree: &Tree) -> Vec<Import> {
    let mut found = Vec::new();
    for file in tree.below(HOME, ".ts").chain(tree.below(HOME, ".tsx")) {
        for (line, name) in relative(&file.text) {
            let to = beside(&file.path, &name);
            if tree.below(&to, "").any(|other| other.path == to) {
                found.push(Import { from: file.path.clone(), to, line, name });
            }
        }
    }
    found
}

/// The relative files that a text imports, each with its line.
fn relative(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (place, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("//") || code.starts_with('*') || code.starts_with("/*") {
            continue;
        }
        for word in ["from \"", "import \"", "import(\""] {
            for (at, _) in code.match_indices(word) {
                let name = code
                    .get(at + word.len()..)
                    .and_then(|rest| rest.split('"').next())
                    .unwrap_or_default();
                if name.starts_with('.') {
                    found.push((place + 1, name.to_owned()));
                }
            }
        }
    }
    found
}

/// The file that `name` means in the file `from`: `js/a/b.ts`, `../c.ts` → `js/c.ts`.
fn beside(from: &str, name: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
