//! Tracker, SDK and collector, each built only when something it is made of has changed.
//! In: sources. Out: `js/sdk/dist`, and `build` or `build-dev` in `crates/hilo-collector`.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

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

/// Names the capture kind that a step leaves out.
const WITHOUT: &str = "HILO_WITHOUT";

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

/// Installs the tools, and builds everything that a browser or workerd runs. The end of an installation and the linking of a
/// module keep only one processor busy, so pages and the collector are built at the same time, each when its own tools are there.
pub(crate) fn all(workspace: &Workspace, build: Collector) -> Result<(), Problem> {
    let (installed, tools_of_pages) = channel();
    let pages = move || {
        tools::for_pages(workspace)?;
        let _ = installed.send(());
        tracker(workspace)?;
        sdk(workspace)
    };
    let edge = move || {
        tools::for_collector(workspace)?;
        // worker-build runs wasm-bindgen and esbuild as well. Nothing comes when their installation failed: `pages` says why.
        match tools_of_pages.recv() {
            Ok(()) => collector(workspace, build),
            Err(_) => Ok(()),
        }
    };
    both(pages, edge).map(drop)
}

/// Builds what a page loads.
pub(crate) fn page(workspace: &Workspace) -> Result<(), Problem> {
    tools::for_pages(workspace)?;
    tracker(workspace)?;
    sdk(workspace)
}

/// The page's modules: the feature of the tracker's crate that each is built with, and its name. The tracker comes last: its
/// file is the proof that all of them are there.
const PAGE_MODULES: [(&str, &str); 4] =
    [("cart", "hilo_cart"), ("more", "hilo_more"), ("shop", "hilo_shop"), ("page", "hilo_tracker")];

/// `target/sdk/`: of each module `NAME_bg.js`, `NAME_bg.wasm`, `NAME_plain.js`, `NAME.d.ts` and `NAME_names.json`.
fn tracker(workspace: &Workspace) -> Result<(), Problem> {
    let out = workspace.target.join("sdk");
    let sources = [
        "Cargo.lock",
        "Cargo.toml",
        "crates/hilo-core",
        "crates/hilo-tracker",
        "js/sdk/hush.ts",
        "js/sdk/lean.ts",
        "js/sdk/silent.ts",
        "js/sdk/stack.ts",
        "js/sdk/sweep.ts",
    ];
    let product = out.join("hilo_tracker_names.json");
    unless_current(workspace, "tracker", &sources, &product, || {
        PAGE_MODULES
            .iter()
            .try_for_each(|(feature, name)| page_module(workspace, feature, name, &out))
    })
}

/// Builds what a page loads as if the capture kind `kind` did not exist, in `out`. Its functions become traps in the second module, and
/// what only they use goes with them.
pub(crate) fn page_without(workspace: &Workspace, kind: &str, out: &Path) -> Result<(), Problem> {
    fs::create_dir_all(out)?;
    for (_, name) in PAGE_MODULES {
        for made in ["_bg.js", "_bg.wasm", ".d.ts", "_names.json"] {
            let file = format!("{name}{made}");
            fs::copy(workspace.target.join("sdk").join(&file), out.join(&file))?;
        }
    }
    // Compiled for the first kind only: for the others cargo finds everything current.
    compile(workspace, "more", "hilo_more", out)?;
    shrink(workspace, "hilo_more", out, Some(kind))?;
    let mut node = workspace.command("node");
    node.env(WITHOUT, kind).arg("js/sdk/build.ts").arg(out).arg(out.join("dist"));
    step(workspace, &format!("bundling without {kind}"), &mut node).map(drop)
}

/// Builds one module of a page from the tracker's crate with one `feature`: the glue, the module, and the names that its imports
/// and exports have now.
fn page_module(
    workspace: &Workspace,
    feature: &str,
    name: &str,
    out: &Path,
) -> Result<(), Problem> {
    compile(workspace, feature, name, out)?;
    shrink(workspace, name, out, None)
}

/// Bytes of the stack of a page's module. The linker puts constants and variables behind the stack: below 8 KB each of their addresses takes
/// two bytes of code, and beyond the usual megabyte four. The deepest calls of the tracker need 2 KB, and at most as much again where a
/// callback of the site calls the tracker; `stack.ts` checks both. The other modules read nested objects.
fn stack_bytes(feature: &str) -> usize {
    if matches!(feature, "page" | "cart") { 5 * 1024 } else { 1024 * 1024 }
}

/// Compiles one module of a page, as `NAME_linked.wasm` in `out`.
fn compile(workspace: &Workspace, feature: &str, name: &str, out: &Path) -> Result<(), Problem> {
    let mut cargo = workspace.cargo();
    cargo.args(["rustc", "--release", "--package", "hilo-tracker", "--target", WASM]);
    cargo.args(["--no-default-features", "--features", feature, "--lib", "--"]);
    cargo.arg("-C").arg(format!("link-arg=-zstack-size={}", stack_bytes(feature)));
    // `sweep.ts` and `hush.ts` need names and relocations, unlike what `.cargo/config.toml` sets for the collector.
    // A call is shorter than all but the smallest functions: this threshold saves a hundredth of what `opt-level = "z"` leaves.
    cargo.env(
        "RUSTFLAGS",
        "-C llvm-args=-inline-threshold=10 -C link-arg=--emit-relocs -C link-arg=--demangle",
    );
    step(workspace, &format!("compiling {name}"), &mut cargo)?;
    let linked = out.join(format!("{name}_linked.wasm"));
    fs::create_dir_all(out)?;
    fs::copy(workspace.target.join(WASM).join("release/hilo_tracker.wasm"), &linked)?;
    Ok(())
}

/// Makes a compiled module what a page loads. The capture kind `without` is left out.
fn shrink(
    workspace: &Workspace,
    name: &str,
    out: &Path,
    without: Option<&str>,
) -> Result<(), Problem> {
    let linked = out.join(format!("{name}_linked.wasm"));
    let node = || {
        let mut node = workspace.command("node");
        node.envs(without.map(|kind| (WITHOUT, kind)));
        node
    };
    let mut sweep = node();
    step(workspace, &format!("sweeping {name}"), sweep.arg("js/sdk/sweep.ts").arg(&linked))?;
    let mut bindgen = workspace.command("wasm-bindgen");
    // A bundler's glue has no loader: the SDK's own is a tenth of the other targets'. `face.ts` reads the types.
    bindgen.args(["--target", "bundler", "--out-name", name]);
    bindgen.args(["--remove-producers-section", "--out-dir"]);
    step(workspace, &format!("binding {name}"), bindgen.arg(out).arg(linked))?;
    let bound = out.join(format!("{name}_bg.wasm"));
    let mut hush = node();
    step(workspace, &format!("hushing {name}"), hush.arg("js/sdk/hush.ts").arg(&bound))?;
    let names = optimize(workspace, name, &bound)?;
    Ok(fs::write(out.join(format!("{name}_names.json")), names)?)
}

/// Every browser of the last years has these, and rustc assumes them.
const FEATURES: [&str; 4] = [
    "--enable-bulk-memory",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
];

/// Makes the module smaller, in place, and writes the same module as JavaScript. Returns the names of its imports and exports, long
/// and short.
fn optimize(workspace: &Workspace, name: &str, module: &Path) -> Result<String, Problem> {
    let run = |label: &str, passes: &[&str]| {
        let mut optimize = workspace.command("wasm-opt");
        optimize.args(FEATURES).args(passes);
        // Below 1 KB lies the end of the stack, which the linker puts first, so no address of a value is that small: more offsets
        // become a part of their load or store.
        optimize.arg("--low-memory-unused");
        // The longest functions stay apart from their one caller, and the shortest have no call: both were measured in brotli.
        optimize.arg("--one-caller-inline-max-function-size=400");
        optimize.arg("--always-inline-max-function-size=3");
        optimize.arg(module).arg("-o").arg(module);
        step(workspace, &format!("{label} {name}"), &mut optimize)
    };
    // Flat code has a hundredth fewer branches when it is structured anew. Further passes find a little more. A letter stands for a
    // name with a hash: `build.ts` gives the glue the same letters.
    let passes = ["--flatten", "--rereloop", "-Oz", "-Oz", "--strip-debug", "--strip-producers"];
    let names =
        run("optimizing", &[&passes[..], &["--minify-imports-and-exports-and-modules"]].concat())?
            .output;
    // Before alignment goes: JavaScript reads a number without one byte by byte.
    translate(workspace, name, module)?;
    // No browser uses the alignment that a load declares. The same one everywhere compresses better. Functions that are called often get
    // the short numbers.
    run("compacting", &["-Oz", "--dealign", "--reorder-functions"])?;
    Ok(names)
}

/// Writes `NAME_plain.js`: the module for a page that may not run WebAssembly.
fn translate(workspace: &Workspace, name: &str, module: &Path) -> Result<(), Problem> {
    let text = module.with_file_name(format!("{name}_saturating.wat"));
    let mut read = workspace.command("wasm-dis");
    read.args(FEATURES).arg(module).arg("-o").arg(&text);
    step(workspace, &format!("reading {name}"), &mut read)?;
    fs::write(&text, saturating(&fs::read_to_string(&text)?)?)?;
    let lowered = module.with_file_name(format!("{name}_lowered.wasm"));
    let mut lower = workspace.command("wasm-opt");
    // `wasm2js` takes the first WebAssembly's instructions only.
    lower.args(FEATURES).args(["--signext-lowering", "--llvm-memory-copy-fill-lowering"]);
    lower.arg(text).arg("-o").arg(&lowered);
    step(workspace, &format!("lowering {name}"), &mut lower)?;
    let mut translate = workspace.command("wasm2js");
    translate.args(["-Oz", "--enable-mutable-globals"]).arg(lowered);
    translate.arg("-o").arg(module.with_file_name(format!("{name}_plain.js")));
    step(workspace, &format!("translating {name} to JavaScript"), &mut translate).map(drop)
}

/// Instructions that make an integer of any number, as `as` does in Rust, and functions of the first WebAssembly that do the same.
/// Binaryen's own lowering gives C's results: the smallest integer for each number that is out of range, and for none.
const SATURATING: [(&str, &str, &str); 2] = [
    (
        "(i64.trunc_sat_f64_s",
        "(call $saturating_i64",
        " (func $saturating_i64 (param $0 f64) (result i64)
  (if (result i64) (f64.lt (f64.abs (local.get $0)) (f64.const 9223372036854775808))
   (then (i64.trunc_f64_s (local.get $0)))
   (else (if (result i64) (f64.gt (local.get $0) (f64.const 0))
    (then (i64.const 9223372036854775807))
    (else (if (result i64) (f64.lt (local.get $0) (f64.const 0))
     (then (i64.const -9223372036854775808))
     (else (i64.const 0))))))))\n",
    ),
    (
        "(i32.trunc_sat_f64_u",
        "(call $saturating_u32",
        " (func $saturating_u32 (param $0 f64) (result i32)
  (if (result i32) (f64.gt (local.get $0) (f64.const 0))
   (then (if (result i32) (f64.lt (local.get $0) (f64.const 4294967296))
    (then (i32.trunc_f64_u (local.get $0)))
    (else (i32.const -1))))
   (else (i32.const 0))))\n",
    ),
];

/// The text of a module → the same module with functions in place of the instructions of [`SATURATING`].
fn saturating(text: &str) -> Result<String, Problem> {
    let end = text.trim_end().len().saturating_sub(1);
    let mut module = text.get(..end).unwrap_or_default().to_owned();
    for (instruction, call, function) in SATURATING {
        if module.contains(instruction) {
            module = module.replace(instruction, call);
            module.push_str(function);
        }
    }
    match module.split_once(".trunc_sat_") {
        None => Ok(module + ")\n"),
        Some((_, kind)) => Err(Problem(format!(
            "A module converts numbers by trunc_sat_{}: add a function for it to SATURATING.",
            kind.get(..5).unwrap_or_default()
        ))),
    }
}

/// `js/sdk/dist`: bundled, hashed, compressed.
fn sdk(workspace: &Workspace) -> Result<(), Problem> {
    let sources = [
        "js/package-lock.json",
        "js/sdk/src",
        "js/sdk/build.ts",
        "js/sdk/face.ts",
        "js/sdk/plain.ts",
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
            &["--profile", "local", "--no-opt"],
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
        "crates/hilo-collector/.cargo",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_that_makes_an_integer_of_any_number_becomes_a_call() {
        let text = "(module\n (func $0 (param $0 f64) (result i64)\n  (i64.trunc_sat_f64_s\n   (local.get $0)\n  )\n )\n)\n";
        let module = saturating(text).unwrap_or_default();
        assert!(module.contains("  (call $saturating_i64\n   (local.get $0)\n  )\n )\n (func"));
        assert!(module.ends_with("(i64.const 0))))))))\n)\n"));
        assert!(!module.contains("trunc_sat") && !module.contains("u32"));
        assert_eq!(saturating("(module)\n").ok().as_deref(), Some("(module)\n"));
    }

    #[test]
    fn an_instruction_without_a_function_of_its_own_is_a_problem() {
        let Problem(sentence) = saturating("(module (i32.trunc_sat_f32_s))")
            .err()
            .unwrap_or_else(|| Problem(String::new()));
        assert!(sentence.contains("trunc_sat_f32_s"), "{sentence}");
    }
}
