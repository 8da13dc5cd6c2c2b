//! The clients of other collectors, installed from their registries for `tests/clients`.
//! In: the lock files there. Out: `tests/clients/node_modules`, and `target/clients` with a folder of each Python client and the
//! Rust client's program. Never installs into the machine's own Python.

use std::fs;
use std::process::{Command, Stdio};

use crate::files::fingerprint;
use crate::shell::{Problem, Workspace, both, step};
use crate::tools;

/// The versions of Python's client: before 2.4 its key stands in the body only.
const PYTHON: [&str; 2] = ["2.3", "2.4"];

/// Installs every client, each only when its lock file has changed.
pub(crate) fn install(workspace: &Workspace) -> Result<(), Problem> {
    let registries = || {
        tools::npm_ci(workspace, "tests/clients", "installing npm's clients")?;
        PYTHON.iter().try_for_each(|version| python(workspace, version))
    };
    both(registries, || rust(workspace)).map(drop)
}

/// The packages of one requirements file, in a folder of their own. A virtual environment needs a part of Python that Debian
/// does not install with pip, and a folder needs nothing.
fn python(workspace: &Workspace, version: &str) -> Result<(), Problem> {
    let requirements = workspace.at(&format!("tests/clients/python/segment-{version}.txt"));
    let folder = workspace.target.join(format!("clients/python-{version}"));
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
    pip.args(["--require-hashes", "--no-deps", "--only-binary", ":all:", "--target"]);
    pip.arg(&folder).arg("--requirement").arg(&requirements);
    step(workspace, &format!("installing Python's client {version}"), &mut pip)?;
    Ok(fs::write(stamp, wanted)?)
}

pub(crate) fn has_pip() -> Result<(), Problem> {
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    if pip.status().is_ok_and(|status| status.success()) {
        return Ok(());
    }
    Err(Problem(
        "this suite needs Python 3 with pip, which was not found. Install it (Debian: `apt-get install python3-pip`; macOS: `brew install python`) and run the same command again."
            .to_owned(),
    ))
}

/// The program of the crate `segment`. It has a lock file of its own, so that no other build compiles what it needs: a minute of
/// a processor, which other tasks may have first.
fn rust(workspace: &Workspace) -> Result<(), Problem> {
    let home = workspace.at("tests/clients/rust");
    let mut cargo = workspace.command("nice");
    cargo.args(["-n", "19", "cargo", "build", "--quiet", "--locked", "--manifest-path"]);
    cargo.arg(home.join("Cargo.toml"));
    cargo.env("CARGO_TARGET_DIR", workspace.target.join("clients/rust"));
    step(workspace, "building Rust's client", &mut cargo).map(drop)
}
