//! `cargo xtask wrangler ARGUMENTS`: the wrangler that `js/package-lock.json` pins, on the Node beside it.
//! In: wrangler's own arguments, and its input. Out: what wrangler prints, and whether it succeeded. Where the machine's Node is older
//! than wrangler needs, `cargo xtask wrangler` would fetch an older wrangler, which ignores settings of `wrangler.jsonc`.

use std::ffi::OsString;
use std::process::Command;

use crate::shell::{Problem, Workspace};
use crate::tools;

/// Runs wrangler with `arguments`.
pub(crate) fn run(
    workspace: &Workspace,
    arguments: impl Iterator<Item = OsString>,
) -> Result<bool, Problem> {
    tools::ensure(workspace)?;
    Ok(command(workspace).args(arguments).status()?.success())
}

/// Wrangler in the folder of `wrangler.jsonc`.
pub(crate) fn command(workspace: &Workspace) -> Command {
    let mut wrangler = workspace.command("wrangler");
    wrangler.current_dir(workspace.at("crates/hilo-collector"));
    wrangler
}
