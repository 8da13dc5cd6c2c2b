//! `cargo xtask config check FILE` and `config push FILE`.
//! The collector's own program `config_check` reads the file. This module runs it, and wrangler for the upload.

use crate::shell::{Problem, Workspace, step};
use crate::tools;

/// Reads the words after `config`.
pub(crate) fn run(workspace: &Workspace, words: &[String]) -> Result<bool, Problem> {
    match words {
        [verb, file] if verb == "check" => check(workspace, file).map(|()| true),
        [verb, file] if verb == "push" => {
            check(workspace, file)?;
            tools::ensure(workspace)?;
            let file = std::env::current_dir()?.join(file);
            let mut wrangler = workspace.command("wrangler");
            wrangler.current_dir(workspace.at("crates/hilo-collector"));
            wrangler
                .args([
                    "kv",
                    "key",
                    "put",
                    "--remote",
                    "--binding",
                    "CONFIG",
                    "hilo.toml",
                    "--path",
                ])
                .arg(file);
            step(workspace, "uploading the configuration", &mut wrangler).map(|_| true)
        }
        _ => Err(Problem(
            "write `cargo xtask config check FILE` or `cargo xtask config push FILE`.".to_owned(),
        )),
    }
}

/// Prints every problem and every warning of `file`. Only a problem is a failure.
pub(crate) fn check(workspace: &Workspace, file: &str) -> Result<(), Problem> {
    let path = std::env::current_dir()?.join(file);
    let status = workspace
        .cargo()
        .args(["run", "--quiet", "--package", "hilo-collector", "--example", "config_check", "--"])
        .arg(path)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(Problem(format!("{file} cannot be used; each problem stands above with its line.")))
    }
}
