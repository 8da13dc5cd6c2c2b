//! `cargo xtask check` (formatting, lints, types) and `cargo xtask golden` (writes golden files anew).

use crate::shell::{Problem, Workspace, step};
use crate::tools;

/// Checks formatting, clippy's lints natively, for wasm and for the fuzz targets, and TypeScript's types.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Problem> {
    tools::ensure(workspace)?;
    step(
        workspace,
        "checking the formatting",
        workspace.cargo().args(["fmt", "--all", "--check"]),
    )?;
    step(
        workspace,
        "linting",
        workspace.cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    )?;
    for package in ["hilo-tracker", "hilo-collector"] {
        let mut clippy = workspace.cargo();
        clippy.args([
            "clippy",
            "--package",
            package,
            "--target",
            "wasm32-unknown-unknown",
            "--",
            "-D",
            "warnings",
        ]);
        step(workspace, &format!("linting {package} for wasm"), &mut clippy)?;
    }
    fuzz(workspace)?;
    types(workspace)
}

/// Lints the fuzz targets without linking libFuzzer, so that no C++ compiler is needed.
fn fuzz(workspace: &Workspace) -> Result<(), Problem> {
    let manifest = workspace.at("tests/fuzz/Cargo.toml");
    let mut cargo = workspace.cargo();
    cargo.arg("clippy").arg("--manifest-path").arg(manifest);
    cargo.arg("--target-dir").arg(workspace.target.join("fuzz"));
    cargo.env("CUSTOM_LIBFUZZER_PATH", workspace.target.join("fuzz/not-linked.a"));
    cargo.args(["--quiet", "--locked", "--", "-D", "warnings"]);
    step(workspace, "linting the fuzz targets", &mut cargo).map(drop)
}

/// Checks the types of SDK, specs and tools.
fn types(workspace: &Workspace) -> Result<(), Problem> {
    step(
        workspace,
        "checking TypeScript's types",
        workspace.command("tsc").args(["--project", "js/tsconfig.json"]),
    )
    .map(drop)
}

/// Lets the golden tests write their results as the expected ones. Review the difference as code before you commit it.
pub(crate) fn golden(workspace: &Workspace) -> Result<(), Problem> {
    let mut cargo = workspace.cargo();
    cargo.env("HILO_BLESS", "1").args([
        "test",
        "--package",
        "hilo-tests",
        "--test",
        "golden",
        "--test",
        "pipeline",
    ]);
    step(workspace, "writing golden files anew", &mut cargo).map(drop)
}
