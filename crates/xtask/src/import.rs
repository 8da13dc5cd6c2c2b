//! `cargo xtask import FILE --source till --kind orders`: store sales, call lists, visits, opt-ins and contacts of a file.
//! In: the file, the flags, and the admin token in `HILO_ADMIN_TOKEN`. Out: a bar, the counts, and a copy of the refused rows; false if rows
//! were refused. `crates/hilo-import` reads the file, and `js/import.ts` sends it, because this program has no HTTPS.

use std::path::PathBuf;

use crate::flags::Flags;
use crate::shell::{Problem, Workspace, step};
use crate::tools;

/// Imports a file, or shows with `--dry-run` what would become of it. Exit code 2 says that rows were refused.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<bool, Problem> {
    let [_, file] = flags.words.as_slice() else {
        return Err(Problem(
            "which file? cargo xtask import FILE --source till --kind orders.".to_owned(),
        ));
    };
    let file = std::env::current_dir()?.join(file);
    let mut build = workspace.cargo();
    build.args(["build", "--package", "hilo-import"]);
    step(workspace, "building what reads files", &mut build)?;
    let reader = workspace.target.join("debug/hilo-import");
    let program = if flags.dry_run {
        let mut program = workspace.command(&reader.to_string_lossy());
        program.arg(file).arg("--show").args(&flags.import);
        program
    } else {
        tools::npm_packages(workspace)?;
        let mut node = workspace.command("node");
        node.args(["js/import.ts", &flags.url, &query(flags)]);
        node.args([reader, PathBuf::from(&file)]).args(&flags.import);
        node
    };
    finish(program)
}

/// The part of the address that tells what the rows are.
fn query(flags: &Flags) -> String {
    let value = |name: &str| {
        let at = flags.import.iter().position(|one| one == name);
        at.and_then(|at| flags.import.get(at + 1)).map(String::as_str).unwrap_or_default()
    };
    let update = if flags.update { "&update=1" } else { "" };
    format!("source={}&kind={}{update}", value("--source"), value("--kind"))
}

fn finish(mut program: std::process::Command) -> Result<bool, Problem> {
    match program.status()?.code() {
        Some(0) => Ok(true),
        Some(2) => {
            Err(Problem("rows were refused; the others are imported, or would be.".to_owned()))
        }
        Some(_) | None => Ok(false),
    }
}
