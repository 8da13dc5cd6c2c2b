//! `cargo xtask judges`: what is too slow or too large for every run. Engines and libraries that hilo does not need otherwise judge what
//! it sends: ClickHouse runs the inserts, another implementation opens the archive's lines, and DuckDB reads them.
//! In: `tests/judge/slow`, golden files. Out: one line a judge. Never installs into the machine's own Python: half a gigabyte goes into
//! `target/judges`.

use std::fs;

use crate::clients::has_pip;
use crate::files::fingerprint;
use crate::shell::{Problem, Workspace, step};

/// The judges, each a program of `tests/judge/slow`.
const JUDGES: [&str; 2] = ["clickhouse.py", "archive.py"];

/// Runs every judge.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Problem> {
    install(workspace)?;
    for judge in JUDGES {
        let mut python = workspace.command("python3");
        python.env("PYTHONPATH", workspace.target.join("judges"));
        python.arg(workspace.at(&format!("tests/judge/slow/{judge}")));
        step(workspace, &format!("asking {judge}"), &mut python)?;
    }
    Ok(())
}

/// Installs what the judges import, when the list has changed.
fn install(workspace: &Workspace) -> Result<(), Problem> {
    let requirements = workspace.at("tests/judge/slow/requirements.txt");
    let folder = workspace.target.join("judges");
    let wanted = fingerprint(std::slice::from_ref(&requirements));
    let stamp = folder.join(".hilo");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    has_pip()?;
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut pip = workspace.command("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--only-binary", ":all:", "--target"]);
    pip.arg(&folder).arg("--requirement").arg(&requirements);
    step(workspace, "installing the judges", &mut pip)?;
    Ok(fs::write(stamp, wanted)?)
}
