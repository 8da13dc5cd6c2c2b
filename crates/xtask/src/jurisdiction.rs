//! The jurisdiction of a deployment: it is chosen once, and `wrangler.jsonc` and `hilo.toml` have the same ever after.
//! In: the text of a `hilo.toml`, and the one in force. Out: nothing, or why the text may not follow. The collector's own program
//! `config_stays` compares, because it reads TOML.

use std::fs;
use std::process::Command;

use crate::bindings::{BINDINGS, jurisdiction};
use crate::shell::{Problem, Workspace, step};

/// Refuses a text whose jurisdiction is not that of `wrangler.jsonc`, or not that of the text in force.
pub(crate) fn check(
    workspace: &Workspace,
    text: &str,
    in_force: Option<&str>,
) -> Result<(), Problem> {
    let folder = workspace.target.join("xtask/jurisdiction");
    fs::create_dir_all(&folder)?;
    let mut build = workspace.cargo();
    build.args(["build", "--package", "hilo-collector", "--example", "config_stays"]);
    step(workspace, "building what compares jurisdictions", &mut build)?;
    let mut program = Command::new(workspace.target.join("debug/examples/config_stays"));
    program.arg(jurisdiction(&fs::read_to_string(workspace.at(BINDINGS))?));
    for (name, text) in [("hilo.toml", Some(text)), ("in_force.toml", in_force)] {
        if let Some(text) = text {
            let file = folder.join(name);
            fs::write(&file, text)?;
            program.arg(file);
        }
    }
    if program.status()?.success() {
        return Ok(());
    }
    Err(Problem("jurisdiction_changed: nothing was uploaded; the reason stands above.".to_owned()))
}
