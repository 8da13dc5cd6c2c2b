//! The tools that a task needs: found on the machine, or installed into the repository's own folders.
//! In: rustup and Node. Out: a wasm target, wasm-bindgen, worker-build, npm packages, a Chromium, an nginx.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::files::fingerprint;
use crate::shell::{Problem, Workspace, both, step};

/// The oldest Node that runs npm here. Specs and miniflare run on a newer Node, which comes as an npm package.
const NODE_MAJOR_MIN: u32 = 20;
/// The version of worker-build that accepts the wasm-bindgen that Cargo.toml pins.
const WORKER_BUILD: &str = "0.8.7";
const MDBOOK: &str = "0.5.4";

/// Installs everything that a build needs.
pub(crate) fn ensure(workspace: &Workspace) -> Result<(), Problem> {
    both(|| for_pages(workspace), || for_collector(workspace)).map(drop)
}

/// Installs what the page's modules are built with, all at once: npm mostly waits for the network.
pub(crate) fn for_pages(workspace: &Workspace) -> Result<(), Problem> {
    wasm_target(workspace)?;
    let wasm_bindgen = locked_version(workspace, "wasm-bindgen")?;
    let bindgen = || cargo_tool(workspace, "wasm-bindgen-cli", "wasm-bindgen", &wasm_bindgen);
    both(|| npm_packages(workspace), bindgen).map(drop)
}

/// Installs what the collector is built with beside the tools of [`for_pages`].
pub(crate) fn for_collector(workspace: &Workspace) -> Result<(), Problem> {
    cargo_tool(workspace, "worker-build", "worker-build", WORKER_BUILD)
}

/// Installs what makes the site of the documents. Only `docs` needs it.
pub(crate) fn mdbook(workspace: &Workspace) -> Result<(), Problem> {
    cargo_tool(workspace, "mdbook", "mdbook", MDBOOK)
}

fn node() -> Result<(), Problem> {
    let remedy = "Install Node 20 or newer from https://nodejs.org and run the same command again.";
    let found = Command::new("node").arg("--version").output();
    let version = found
        .ok()
        .filter(|o| o.status.success())
        .map(|o| String::from_utf8_lossy(&o.stdout).trim().to_owned());
    let Some(version) = version else {
        return Err(Problem(format!("Node was not found. {remedy}")));
    };
    let major: u32 =
        version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if major < NODE_MAJOR_MIN {
        return Err(Problem(format!("Node {version} is too old. {remedy}")));
    }
    Ok(())
}

fn wasm_target(workspace: &Workspace) -> Result<(), Problem> {
    let sysroot = workspace.command("rustc").args(["--print", "sysroot"]).output()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&sysroot.stdout).trim());
    if sysroot.join("lib/rustlib/wasm32-unknown-unknown").exists() {
        return Ok(());
    }
    let mut rustup = workspace.command("rustup");
    rustup.args(["target", "add", "wasm32-unknown-unknown"]);
    step(workspace, "adding Rust's wasm target", &mut rustup).map(drop)
}

/// The packages of `js/package-lock.json`, in `js/node_modules`.
pub(crate) fn npm_packages(workspace: &Workspace) -> Result<(), Problem> {
    npm_ci(workspace, "js", "installing npm packages")
}

/// The packages of the lock file in `folder`, in its `node_modules`.
pub(crate) fn npm_ci(workspace: &Workspace, folder: &str, label: &str) -> Result<(), Problem> {
    node()?;
    let home = workspace.at(folder);
    // The stamp stands inside node_modules, so that whoever removes the packages removes the stamp as well.
    let stamp = home.join("node_modules/.hilo");
    let wanted = fingerprint(&[home.join("package-lock.json"), home.join("package.json")]);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.current_dir(home).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    step(workspace, label, &mut npm)?;
    fs::write(stamp, wanted)?;
    Ok(())
}

/// Installs a tool from crates.io into `target/tools`, in exactly the version that the repository is built with.
fn cargo_tool(
    workspace: &Workspace,
    package: &str,
    program: &str,
    version: &str,
) -> Result<(), Problem> {
    let tools = workspace.target.join("tools");
    let stamp = tools.join(format!("{package}.version"));
    if tools.join("bin").join(program).exists()
        && fs::read_to_string(&stamp).is_ok_and(|found| found == version)
    {
        return Ok(());
    }
    let mut cargo = workspace.cargo();
    cargo
        // A target folder for each tool: in a common folder one cargo would wait for the other.
        .env("CARGO_TARGET_DIR", tools.join("build").join(package))
        // A tool runs for a second each time: a debug build takes 2 minutes, a release build 7.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .args(["install", "--quiet", "--locked", "--debug"])
        .args([package, "--version", version, "--force"])
        // The packages have more programs, which nothing here uses. Their default features are for downloads over TLS: building
        // them takes a fifth of the time.
        .args(["--bin", program, "--no-default-features", "--root"])
        .arg(&tools);
    step(workspace, &format!("installing {package} {version}"), &mut cargo)?;
    fs::write(stamp, version)?;
    Ok(())
}

fn locked_version(workspace: &Workspace, package: &str) -> Result<String, Problem> {
    let lock = fs::read_to_string(workspace.at("Cargo.lock"))?;
    let entry = format!("name = \"{package}\"\nversion = \"");
    lock.split_once(&entry)
        .and_then(|(_, rest)| rest.split('"').next())
        .map(str::to_owned)
        .ok_or_else(|| {
            Problem(format!("Cargo.lock does not name {package}. Run `cargo update -p {package}`."))
        })
}

/// Gives worker-build the repository's tools, in place of tools that it would download.
pub(crate) fn worker_build_env(workspace: &Workspace, command: &mut Command) {
    let bin = workspace.at("js/node_modules/.bin");
    command
        .env("WASM_BINDGEN_BIN", workspace.target.join("tools/bin/wasm-bindgen"))
        .env("WASM_OPT_BIN", bin.join("wasm-opt"))
        .env("ESBUILD_BIN", bin.join("esbuild"));
}

/// A Chromium for the browser scenarios: from `CHROMIUM`, from a usual place, or installed now.
pub(crate) fn chromium(workspace: &Workspace) -> Result<PathBuf, Problem> {
    let usual = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
        "/usr/bin/google-chrome-stable",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ];
    let remedy = "Install Chromium (Debian: `apt-get install chromium`; macOS: `brew install --cask chromium`) or set CHROMIUM to its path.";
    let install = "apt-get install -q -y --no-install-recommends chromium";
    program(workspace, "Chromium", "CHROMIUM", &usual.map(PathBuf::from), install, remedy)
}

/// An nginx for the packaging tests: from `NGINX`, from a usual place, or unpacked now. An installed one would serve port 80.
pub(crate) fn nginx(workspace: &Workspace) -> Result<PathBuf, Problem> {
    let tools = workspace.target.join("tools");
    fs::create_dir_all(&tools)?;
    let unpacked = tools.join("nginx/usr/sbin/nginx");
    let usual = ["/usr/sbin/nginx", "/opt/homebrew/bin/nginx", "/usr/local/bin/nginx"];
    let usual: Vec<PathBuf> = usual.iter().map(PathBuf::from).chain([unpacked]).collect();
    let remedy = "Install nginx (Debian: `apt-get install nginx`; macOS: `brew install nginx`) or set NGINX to its path.";
    let unpack = format!(
        "cd '{}' && apt-get download -q nginx && dpkg-deb -x nginx_*.deb nginx",
        tools.display()
    );
    program(workspace, "nginx", "NGINX", &usual, &unpack, remedy)
}

/// The program that the variable `name` names, or that stands at one of the `usual` places, or that root gets on Debian by `install`.
fn program(
    workspace: &Workspace,
    what: &str,
    name: &str,
    usual: &[PathBuf],
    install: &str,
    remedy: &str,
) -> Result<PathBuf, Problem> {
    let named = std::env::var_os(name).map(PathBuf::from);
    let find = || named.iter().chain(usual).find(|path| path.exists()).cloned();
    if let Some(path) = find() {
        return Ok(path);
    }
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"));
    let is_debian = PathBuf::from("/etc/debian_version").exists();
    if !(is_root && is_debian) {
        return Err(Problem(format!("the tests need {what}, which was not found. {remedy}")));
    }
    eprintln!("  no {what} found: installing it, since this is root on Debian");
    let mut apt = workspace.command("sh");
    apt.env("DEBIAN_FRONTEND", "noninteractive")
        .args(["-c", &format!("apt-get update -q && {install}")]);
    step(workspace, &format!("installing {what}"), &mut apt)?;
    find().ok_or_else(|| Problem(format!("{what} was installed but not found. {remedy}")))
}
