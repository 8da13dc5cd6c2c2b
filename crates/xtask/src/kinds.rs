//! `cargo xtask size --kinds`: what each capture kind costs a page, in brotli bytes.
//! In: the built page, and the page built again without one kind. Out: a table of the differences. Judges nothing.

use std::fs;
use std::path::Path;

use crate::build;
use crate::shell::{Problem, Workspace};
use crate::size::measure;

/// The parts in which a kind has bytes, with their files.
const PARTS: [(&str, &[&str]); 3] = [
    ("first file", &["dist/stub.js", "dist/cdn/hilo.js"]),
    ("second's code", &["dist/cdn/hilo-more.*.js"]),
    ("second's module", &["dist/cdn/hilo-more.*.wasm"]),
];

/// Prints the table. The costs do not add up to the whole: what two kinds share belongs to neither.
#[expect(clippy::print_stdout, reason = "the result of the task")]
pub(crate) fn run(workspace: &Workspace) -> Result<(), Problem> {
    build::page(workspace)?;
    let list = fs::read_to_string(workspace.at("js/sdk/src/capture/index.ts"))?;
    let titles: Vec<String> = PARTS.iter().map(|(title, _)| format!("{title:>18}")).collect();
    println!("{:<12}{}{:>18}", "brotli bytes", titles.concat(), "together");
    let whole = brotli(&workspace.at("js/sdk"))?;
    print("everything", &whole);
    for kind in names(&list) {
        let out = workspace.target.join("kinds").join(kind);
        build::page_without(workspace, kind, &out)?;
        let cost: Vec<i64> =
            whole.iter().zip(brotli(&out)?).map(|(all, rest)| all - rest).collect();
        print(kind, &cost);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the result of the task")]
fn print(name: &str, bytes: &[i64]) {
    let cells: Vec<String> = bytes.iter().map(|bytes| format!("{bytes:>18}")).collect();
    println!("{name:<12}{}{:>18}", cells.concat(), bytes.iter().sum::<i64>());
}

/// Brotli bytes of each part below `home`. A difference may be negative: compression is no sum.
fn brotli(home: &Path) -> Result<Vec<i64>, Problem> {
    PARTS
        .iter()
        .map(|(_, files)| Ok(i64::try_from(measure(home, files)?.brotli).unwrap_or(i64::MAX)))
        .collect()
}

/// The kinds of the list: `export { clicks } from "./clicks.ts";` → `clicks`.
fn names(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter_map(|line| line.strip_prefix("export { ")?.split(" }").next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_are_the_exports_of_the_list() {
        let list = "/** The kinds. */\nexport { clicks } from \"./clicks.ts\";\nexport { forms } from \"./forms.ts\";\n";
        assert_eq!(names(list).collect::<Vec<_>>(), ["clicks", "forms"]);
    }
}
