//! Tracker, SDK and collector, each built only when something it is made of has changed.
//! In: sources. Out: `js/sdk/dist`, `crates/hilo-collector/build`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::fingerprint;
use crate::shell::{Problem, Workspace, step};
use crate::tools;

/// What says how things are built.
const HOW: [&str; 6] = [
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "crates/xtask/src/build.rs",
    "js/package-lock.json",
    "rust-toolchain.toml",
];

/// Everything a browser or workerd runs.
pub(crate) fn all(workspace: &Workspace) -> Result<(), Problem> {
    tools::ensure(workspace)?;
    tracker(workspace)?;
    sdk(workspace)?;
    collector(workspace)
}

/// `target/sdk/hilo_tracker.js` and `hilo_tracker_bg.wasm`.
fn tracker(workspace: &Workspace) -> Result<(), Problem> {
    let out = workspace.target.join("sdk");
    let sources = ["Cargo.lock", "Cargo.toml", "crates/hilo-core", "crates/hilo-tracker"];
    unless_current(workspace, "tracker", &sources, &out.join("hilo_tracker_bg.wasm"), || {
        let wasm = "wasm32-unknown-unknown";
        step(
            workspace,
            "compiling the tracker",
            workspace.cargo().args([
                "build",
                "--release",
                "--package",
                "hilo-tracker",
                "--target",
                wasm,
            ]),
        )?;
        let compiled = workspace.target.join(wasm).join("release/hilo_tracker.wasm");
        let mut bindgen = workspace.command("wasm-bindgen");
        bindgen.args([
            "--target",
            "web",
            "--no-typescript",
            "--omit-default-module-path",
            "--remove-name-section",
            "--remove-producers-section",
            "--out-dir",
        ]);
        step(workspace, "binding the tracker", bindgen.arg(&out).arg(compiled))?;
        let bound = out.join("hilo_tracker_bg.wasm");
        let mut optimize = workspace.command("wasm-opt");
        optimize.args(["-Oz", "--converge", "--strip-debug", "--strip-producers"]);
        // What every browser of the last years has, and rustc assumes.
        optimize.args([
            "--enable-bulk-memory",
            "--enable-mutable-globals",
            "--enable-nontrapping-float-to-int",
            "--enable-reference-types",
            "--enable-sign-ext",
            "--enable-multivalue",
        ]);
        step(workspace, "optimizing the tracker", optimize.arg(&bound).arg("-o").arg(&bound))
            .map(drop)
    })
}

/// `js/sdk/dist`: bundled, hashed, compressed.
fn sdk(workspace: &Workspace) -> Result<(), Problem> {
    let sources = [
        "js/package-lock.json",
        "js/sdk/src",
        "js/sdk/build.ts",
        "js/sdk/package.json",
        "Cargo.lock",
        "Cargo.toml",
        "crates/hilo-core",
        "crates/hilo-tracker",
    ];
    unless_current(workspace, "sdk", &sources, &workspace.at("js/sdk/dist/index.js"), || {
        let mut node = workspace.command("node");
        node.arg("js/sdk/build.ts").arg(workspace.target.join("sdk"));
        step(workspace, "bundling the SDK", &mut node).map(drop)
    })
}

/// `crates/hilo-collector/build/index.js` and `index_bg.wasm`.
fn collector(workspace: &Workspace) -> Result<(), Problem> {
    let sources = [
        "Cargo.lock",
        "Cargo.toml",
        "crates/hilo-core",
        "crates/hilo-collector/src",
        "crates/hilo-collector/Cargo.toml",
        "crates/hilo-collector/hilo.toml",
    ];
    unless_current(
        workspace,
        "collector",
        &sources,
        &workspace.at("crates/hilo-collector/build/index_bg.wasm"),
        || {
            let mut build = workspace.command("worker-build");
            build.current_dir(workspace.at("crates/hilo-collector")).args(["--profile", "edge"]);
            tools::worker_build_env(workspace, &mut build);
            step(workspace, "building the collector", &mut build).map(drop)
        },
    )
}

/// Runs `build` unless `product` exists and the sources are those it was made from.
fn unless_current(
    workspace: &Workspace,
    name: &str,
    sources: &[&str],
    product: &Path,
    build: impl FnOnce() -> Result<(), Problem>,
) -> Result<(), Problem> {
    // Beside the product: removing one removes the claim as well.
    let stamp = product.with_file_name(format!(".{name}.fingerprint"));
    let paths: Vec<PathBuf> = sources.iter().chain(&HOW).map(|path| workspace.at(path)).collect();
    let wanted = fingerprint(&paths);
    if product.exists() && fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    build()?;
    fs::write(stamp, wanted)?;
    Ok(())
}
