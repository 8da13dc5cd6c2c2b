//! `cargo xtask archive export`: the archive's lines, opened, for analysts.
//! In: days, a folder, the collector's address, and the admin token in `HILO_ADMIN_TOKEN`. Out: files of Parquet or of JSON lines.
//! `js/archive.ts` talks to the collector, because this program has no HTTPS.

use std::ffi::OsString;

use crate::shell::{Problem, Workspace};
use crate::tools;

/// Runs the export with `arguments`.
pub(crate) fn run(
    workspace: &Workspace,
    arguments: impl Iterator<Item = OsString>,
) -> Result<bool, Problem> {
    tools::npm_packages(workspace)?;
    Ok(workspace.command("node").arg("js/archive.ts").args(arguments).status()?.success())
}
