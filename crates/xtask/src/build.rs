//! Tracker, SDK and collector, each built only when something it is made of has changed.
//! In: sources. Out: `js/sdk/dist`, and `build` or `build-dev` in `crates/hilo-collector`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::files::fingerprint;
use crate::shell::{Problem, Workspace, both, step};
use crate::tools;

/// The files that decide how everything is built.
const HOW: [&str; 6] = [
    ".cargo/config.toml",
    "Cargo.lock",
    "Cargo.toml",
    "crates/xtask/src/build.rs",
    "js/package-lock.json",
    "rust-toolchain.toml",
];

/// The target of all modules.
const WASM: &str = "wasm32-unknown-unknown";

/// The two builds of the collector. Each has its own folders, so that neither makes the other one stale.
#[derive(Clone, Copy)]
pub(crate) enum Collector {
    /// `build-dev`, for `dev` and all specs: not optimized, so that it is ready in a third of the time.
    Dev,
    /// `build`, as it is deployed. `size` and `bench` measure it.
    Release,
}

/// Builds everything that a browser or workerd runs. Linking the page's modules keeps only one processor busy, so the
/// collector is built at the same time.
pub(crate) fn all(workspace: &Workspace, build: Collector) -> Result<(), Problem> {
    tools::ensure(workspace)?;
    both(|| page(workspace), || collector(workspace, build)).map(drop)
}

/// Builds what a page loads.
fn page(workspace: &Workspace) -> Result<(), Problem> {
    tracker(workspace)?;
    sdk(workspace)
}

/// `target/sdk/`: of the tracker and of the cart each `NAME_bg.js`, `NAME_bg.wasm` and `NAME_names.json`.
fn tracker(workspace: &Workspace) -> Result<(), Problem> {
    let out = workspace.target.join("sdk");
    let sources =
        ["Cargo.lock", "Cargo.toml", "crates/hilo-core", "crates/hilo-tracker", "js/sdk/hush.ts"];
    let product = out.join("hilo_tracker_names.json");
    unless_current(workspace, "tracker", &sources, &product, || {
        // The tracker last: its file is what says that both are there.
        page_module(workspace, "cart", "hilo_cart", &out)?;
        page_module(workspace, "page", "hilo_tracker", &out)
    })
}

/// Makes of the tracker's crate with one `feature` what a page loads: the glue, the module, and how its imports and exports
/// are called now.
fn page_module(
    workspace: &Workspace,
    feature: &str,
    name: &str,
    out: &Path,
) -> Result<(), Problem> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--release", "--package", "hilo-tracker", "--target", WASM]);
    cargo.args(["--no-default-features", "--features", feature]);
    // With names, unlike what `.cargo/config.toml` says for the collector: `hush.ts` goes by them. And a call is shorter than
    // all but the smallest functions: a hundredth less than what `opt-level = "z"` takes for small.
    cargo.env("RUSTFLAGS", "-C llvm-args=-inline-threshold=10");
    step(workspace, &format!("compiling {name}"), &mut cargo)?;
    let compiled = workspace.target.join(WASM).join("release/hilo_tracker.wasm");
    let mut bindgen = workspace.command("wasm-bindgen");
    // Glue for a bundler comes without a loader; ours in `index.ts` is a tenth of the other's.
    bindgen.args(["--target", "bundler", "--no-typescript", "--out-name", name]);
    bindgen.args(["--remove-producers-section", "--out-dir"]);
    step(workspace, &format!("binding {name}"), bindgen.arg(out).arg(compiled))?;
    let bound = out.join(format!("{name}_bg.wasm"));
    let mut hush = workspace.command("node");
    step(workspace, &format!("hushing {name}"), hush.arg("js/sdk/hush.ts").arg(&bound))?;
    let mut optimize = workspace.command("wasm-opt");
    // Branches drawn anew from flat code are fewer than LLVM's, a hundredth. Then twice: the second time finds a little more.
    optimize.args(["--flatten", "--rereloop", "-Oz", "-Oz", "--strip-debug", "--strip-producers"]);
    // What is called once becomes a part of its caller only where it is short: functions that look alike compress better.
    optimize.arg("--one-caller-inline-max-function-size=45");
    // No browser heeds what a load says of its alignment; saying always the same compresses better.
    optimize.arg("--dealign");
    // A letter instead of a name with a hash: `build.ts` gives the glue the same ones.
    optimize.arg("--minify-imports-and-exports-and-modules");
    // What every browser of the last years has, and rustc assumes.
    optimize.args([
        "--enable-bulk-memory",
        "--enable-mutable-globals",
        "--enable-nontrapping-float-to-int",
        "--enable-reference-types",
        "--enable-sign-ext",
        "--enable-multivalue",
    ]);
    optimize.arg(&bound).arg("-o").arg(&bound);
    let names = step(workspace, &format!("optimizing {name}"), &mut optimize)?.output;
    Ok(fs::write(out.join(format!("{name}_names.json")), names)?)
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

/// Builds the collector's `index.js` and `index_bg.wasm`, in the folder of `build`.
pub(crate) fn collector(workspace: &Workspace, build: Collector) -> Result<(), Problem> {
    let home = workspace.at("crates/hilo-collector");
    let (folder, label, program, how): (_, _, _, &[&str]) = match build {
        // Without wasm-opt: it saves bytes, and this build is never downloaded.
        Collector::Dev => (
            "build-dev",
            "building the collector for development",
            "worker-build",
            &["--dev", "--no-opt"],
        ),
        // `test` builds it beside the specs, and these must not wait for the compiler.
        Collector::Release => (
            "build",
            "building the collector",
            "nice",
            &["-n", "19", "worker-build", "--profile", "edge"],
        ),
    };
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
        &home.join(folder).join("index_bg.wasm"),
        || {
            let mut build = workspace.command(program);
            build.current_dir(&home).args(how).args(["--out-dir", folder]);
            tools::worker_build_env(workspace, &mut build);
            step(workspace, label, &mut build).map(drop)
        },
    )
}

/// Runs `build` unless `product` exists and was made from the same sources.
fn unless_current(
    workspace: &Workspace,
    name: &str,
    sources: &[&str],
    product: &Path,
    build: impl FnOnce() -> Result<(), Problem>,
) -> Result<(), Problem> {
    // The stamp stands beside the product, so that whoever removes the folder removes both.
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
