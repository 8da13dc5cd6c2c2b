//! `cargo xtask bench [NAME]`: what hilo costs, as ratios against a bare page and bare workers, each pair in one run.
//! Only ratios count: absolute figures drift from machine to machine and from hour to hour. Gates nothing.

use crate::build::{self, Collector};
use crate::shell::{Problem, Workspace};
use crate::tools;

/// Each bench by its name on the command line.
const BENCHES: [(&str, &str); 3] = [
    ("tracker", "tests/browser/tracker.bench.ts"),
    ("collector", "tests/collector/throughput.bench.ts"),
    ("cart", "tests/collector/cart.bench.ts"),
];

/// Builds, then lets the bench called `name`, or every one, print its table.
pub(crate) fn run(workspace: &Workspace, name: Option<&str>) -> Result<(), Problem> {
    let chosen = |bench: &&(&str, &str)| name.is_none_or(|name| name == bench.0);
    if BENCHES.iter().find(chosen).is_none() {
        let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
        return Err(Problem(format!("there is no such bench. There are: {}.", names.join(", "))));
    }
    build::all(workspace, Collector::Release)?;
    for (name, script) in BENCHES.iter().filter(chosen) {
        let mut node = workspace.command("node");
        if *name == "tracker" {
            node.env("CHROMIUM", tools::chromium(workspace)?);
        }
        if !node.arg(script).status()?.success() {
            return Err(Problem(format!(
                "the bench `{name}` did not finish; what it said stands above."
            )));
        }
    }
    Ok(())
}
