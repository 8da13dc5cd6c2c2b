//! `cargo xtask bench [NAME]`: hilo's costs as ratios to a bare page and to bare workers, each pair measured in one run.
//! Only ratios count, because absolute figures change with the machine and the hour. `cost` counts what Cloudflare charges.
//! No bench fails a build.

use crate::build::{self, Collector};
use crate::shell::{Problem, Workspace};
use crate::tools;

/// The benches by their names on the command line, with the build that each runs.
const BENCHES: [(&str, &str, Collector); 6] = [
    ("tracker", "tests/browser/tracker.bench.ts", Collector::Release),
    ("collector", "tests/collector/throughput.bench.ts", Collector::Release),
    ("cart", "tests/collector/cart.bench.ts", Collector::Release),
    // It counts operations, and these are the same in both builds.
    ("cost", "tests/collector/cost.bench.ts", Collector::Dev),
    ("kills", "tests/collector/kills.bench.ts", Collector::Release),
    ("soak", "tests/collector/soak.bench.ts", Collector::Release),
];
/// The benches that take ten minutes each. They run only by their names.
const LONG: [&str; 2] = ["kills", "soak"];

/// Builds what is needed, then runs the bench called `name`, or every bench that is not long. A bench prints a table.
pub(crate) fn run(workspace: &Workspace, name: Option<&str>) -> Result<(), Problem> {
    let chosen = |bench: &&(&str, &str, Collector)| match name {
        Some(name) => name == bench.0,
        None => !LONG.contains(&bench.0),
    };
    if BENCHES.iter().find(chosen).is_none() {
        let names: Vec<&str> = BENCHES.iter().map(|(name, ..)| *name).collect();
        return Err(Problem(format!("there is no such bench. There are: {}.", names.join(", "))));
    }
    for (name, script, built) in BENCHES.iter().filter(chosen) {
        build::all(workspace, *built)?;
        let mut node = workspace.command("node");
        if *name == "tracker" {
            node.env("CHROMIUM", tools::chromium(workspace)?);
        }
        if !node.arg(script).status()?.success() {
            return Err(Problem(format!(
                "the bench `{name}` did not finish. Its output stands above."
            )));
        }
    }
    Ok(())
}
