//! TypeScript functions are short enough to read. clippy's `too_many_lines` measures those in Rust.
//! In: the tree's TypeScript and JavaScript. Out: one sentence for each function over the limit.
//! `js/functions.ts` measures, because only the TypeScript compiler reads TypeScript without mistakes.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Stdio;

use serde::Deserialize;

use super::tree::Tree;
use crate::shell::{Problem, Workspace};
use crate::tools;

/// The most lines of one function, the first and the last included.
const FUNCTION_LINES_MAX: usize = 70;

/// One function over the limit, as `js/functions.ts` reports it.
#[derive(Deserialize)]
struct LongFunction {
    path: String,
    line: usize,
    lines: usize,
    name: String,
}

/// No function in TypeScript or JavaScript outgrows its limit, a test's callback included.
pub(super) fn stay_short(tree: &Tree, workspace: &Workspace) -> Result<Vec<String>, Problem> {
    tools::npm_packages(workspace)?;
    let texts: BTreeMap<&str, &str> = [".ts", ".tsx", ".js"]
        .iter()
        .flat_map(|ending| tree.below("", ending))
        .map(|file| (file.path.as_str(), file.text.as_str()))
        .collect();
    let mut node = workspace.command("node");
    node.arg("js/functions.ts").arg(FUNCTION_LINES_MAX.to_string());
    let mut node = node.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    if let Some(mut input) = node.stdin.take() {
        input.write_all(json(serde_json::to_string(&texts))?.as_bytes())?;
    }
    let output = node.wait_with_output()?;
    if !output.status.success() {
        return Err(Problem("js/functions.ts failed; its words stand above.".to_owned()));
    }
    let long: Vec<LongFunction> = json(serde_json::from_slice(&output.stdout))?;
    Ok(long.iter().map(explain).collect())
}

fn explain(LongFunction { path, line, lines, name }: &LongFunction) -> String {
    format!(
        "{path}:{line}: the function `{name}` has {lines} lines, {FUNCTION_LINES_MAX} are the most. Split it by what it does."
    )
}

fn json<T>(read: serde_json::Result<T>) -> Result<T, Problem> {
    read.map_err(|error| Problem(format!("js/functions.ts: {error}.")))
}

#[cfg(test)]
mod tests {
    use super::super::testing::tree;
    use super::*;

    // One test, because the first call may install npm's packages, and two installs at once would disturb each other.
    #[test]
    fn a_function_of_71_lines_is_found_and_one_of_70_is_not() {
        let body = |lines: usize| format!("{{{}}}", "\n".repeat(lines - 1));
        let function = format!("\nfunction open() {}\n", body(71));
        let arrow = format!("const arrow = () => {};", body(71));
        let method = format!("class Row {{ read() {} }}", body(71));
        let short = format!("function short() {}", body(70));
        let files = [
            ("js/a.ts", &*function),
            ("js/b.tsx", &arrow),
            ("js/c.js", &method),
            ("js/d.ts", &short),
        ];
        let found = stay_short(&tree(&files), &Workspace::find());
        let found = found.unwrap_or_else(|Problem(sentence)| vec![sentence]);
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found[0].starts_with("js/a.ts:2: the function `open` has 71 lines"), "{found:?}");
        assert!(found[1].starts_with("js/b.tsx:1: the function `arrow` has 71 lines"), "{found:?}");
        assert!(found[2].starts_with("js/c.js:1: the function `read` has 71 lines"), "{found:?}");
    }
}
