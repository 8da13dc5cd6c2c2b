//! `cargo xtask bench [NAME]`: hilo's costs as ratios to a bare page, to the trackers of others and to bare workers, measured in one run.
//! Only ratios count, because absolute figures change with the machine and the hour. `cost` counts what Cloudflare charges.
//! No bench fails a build.

use std::fs;
use std::process::Command;

use crate::build::{self, Collector};
use crate::shell::{Problem, Workspace, step};
use crate::tools;

/// The benches by their names on the command line, with the build that each runs.
const BENCHES: [(&str, &str, Collector); 11] = [
    ("collector", "tests/collector/throughput.bench.ts", Collector::Release),
    ("cart", "tests/collector/cart.bench.ts", Collector::Release),
    // It counts operations, and these are the same in both builds.
    ("cost", "tests/collector/cost.bench.ts", Collector::Dev),
    ("forward", "tests/collector/forward.bench.ts", Collector::Dev),
    ("kills", "tests/collector/kills.bench.ts", Collector::Release),
    ("soak", "tests/collector/soak.bench.ts", Collector::Release),
    ("outage", "tests/collector/outage.bench.ts", Collector::Release),
    ("person", "tests/collector/person.bench.ts", Collector::Release),
    ("import", "tests/collector/import.bench.ts", Collector::Release),
    ("refold", "tests/collector/refold.bench.ts", Collector::Release),
    ("rollback", "tests/collector/rollback.bench.ts", Collector::Dev),
];
/// The benches of what a page loads, with what they are told: hilo beside its floor, and beside the trackers of others as well.
const PAGES: [(&str, &[&str]); 2] = [("tracker", &["--alone"]), ("sdk", &[])];
/// The benches that take minutes. They run only by their names.
const LONG: [&str; 9] =
    ["sdk", "forward", "kills", "soak", "outage", "person", "import", "refold", "rollback"];

/// Builds what is needed, then runs the bench called `name`, or every bench that is not long. A bench prints a table.
pub(crate) fn run(workspace: &Workspace, name: Option<&str>) -> Result<(), Problem> {
    let is_chosen = |bench: &str| name.map_or(!LONG.contains(&bench), |name| name == bench);
    let names: Vec<&str> =
        PAGES.iter().map(|(name, _)| *name).chain(BENCHES.iter().map(|(name, ..)| *name)).collect();
    if !names.iter().any(|name| is_chosen(name)) {
        return Err(Problem(format!("there is no such bench. There are: {}.", names.join(", "))));
    }
    for (name, told) in PAGES.iter().filter(|(name, _)| is_chosen(name)) {
        build::page(workspace)?;
        let mut node = workspace.command("node");
        node.env("CHROMIUM", tools::chromium(workspace)?);
        if *name == "sdk" {
            tools::npm_ci(workspace, "tests/peers", "installing the trackers of others")?;
        }
        drive(name, node.arg("tests/peers/sdk.bench.ts").args(*told))?;
    }
    for (name, script, built) in BENCHES.iter().filter(|(name, ..)| is_chosen(name)) {
        build::all(workspace, *built)?;
        let mut node = workspace.command("node");
        if *name == "rollback" {
            node.env("HILO_PREVIOUS", &previous(workspace)?.root);
        }
        drive(name, node.arg(script))?;
    }
    Ok(())
}

/// Runs the script of the bench `name`, which prints its table.
fn drive(name: &str, script: &mut Command) -> Result<(), Problem> {
    if script.status()?.success() {
        return Ok(());
    }
    Err(Problem(format!("the bench `{name}` did not finish. Its output stands above.")))
}

/// Builds the collector of the last release in a checkout of its own, with this repository's tools. `HILO_PREVIOUS_COMMIT` names
/// another version.
fn previous(workspace: &Workspace) -> Result<Workspace, Problem> {
    let commit = match std::env::var("HILO_PREVIOUS_COMMIT") {
        Ok(commit) => commit,
        Err(_) => commit_before(workspace)?,
    };
    eprintln!("the version before is {commit}");
    let root = workspace.target.join("previous");
    if root.exists() {
        // The build stays: what has not changed is not built again.
        for folder in ["crates/hilo-core", "crates/hilo-collector/src", "crates/regex"] {
            let _ = fs::remove_dir_all(root.join(folder));
        }
    }
    fs::create_dir_all(&root)?;
    let archive = workspace.target.join("previous.tar");
    let mut git = workspace.command("git");
    git.args(["archive", "--format", "tar", "--output"]).arg(&archive).arg(&commit);
    step(workspace, "reading the version before", &mut git)?;
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(&archive).arg("-C").arg(&root);
    step(workspace, "writing the version before", &mut tar)?;
    let packages = root.join("js/node_modules");
    if !packages.exists() {
        std::os::unix::fs::symlink(workspace.at("js/node_modules"), packages)?;
    }
    let before = Workspace { root, target: workspace.target.clone() };
    build::collector(&before, Collector::Dev)?;
    Ok(before)
}

/// Finds the last release; the last commit where nothing is released yet.
fn commit_before(workspace: &Workspace) -> Result<String, Problem> {
    let release = ["describe", "--tags", "--abbrev=0", "--match", "v*"];
    match git(workspace, &release) {
        Ok(release) => Ok(release),
        Err(_) => git(workspace, &["rev-parse", "HEAD"]),
    }
}

fn git(workspace: &Workspace, arguments: &[&str]) -> Result<String, Problem> {
    let output = workspace.command("git").args(arguments).output()?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Problem(format!("`git {}` failed: {why}", arguments.join(" "))));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
