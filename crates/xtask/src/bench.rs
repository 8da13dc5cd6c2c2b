//! `cargo xtask bench`: the collector's throughput as a ratio against a bare worker, both in one run.
//! Only the ratio counts: absolute figures drift from machine to machine and from hour to hour. Gates nothing.

use crate::build;
use crate::shell::{Problem, Workspace};

/// Builds, then lets the bench program print its table.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Problem> {
    build::all(workspace)?;
    let status = workspace.command("node").arg("tests/collector/throughput.bench.ts").status()?;
    if status.success() {
        Ok(())
    } else {
        Err(Problem("the bench did not finish; what it said stands above.".to_owned()))
    }
}
