//! Every task of this repository behind one door: `cargo xtask <verb>`.
//! In: a verb and its flags. Out: progress on standard error, results on standard output, exit code 0, 1 (a check
//! failed) or 2 (the task could not run). Depends on none of hilo's crates.

mod bench;
mod build;
mod check;
mod clients;
mod config;
mod dev;
mod files;
mod flags;
mod shell;
mod size;
mod test;
mod tidy;
mod tools;
mod wrangler;

use std::process::ExitCode;

use build::Collector;
use flags::Flags;
use shell::{Problem, Workspace};

const USAGE: &str = "\
cargo xtask <verb>

  dev     [--port 8787] [--state DIR] [--config FILE] [--no-open]   build all, start collector and shop
  test    [--quick]              every test; --quick leaves out browsers, packaging and sizes
  check                          formatting, lints, types
  golden                         write golden files anew
  build   [--dev]                tracker, SDK and collector; --dev: the collector as dev and the specs run it
  size                           sizes of every artifact against js/sdk/size.json
  bench   [tracker | collector | cart | cost]   costs as ratios against a bare page and bare workers, a cart's latency,
                                 what an event costs at Cloudflare
  bench   kills | soak           ten minutes each: 100 kills of workerd under load | mixed load and workerd's memory
  bench   rollback               a deployment goes to the next version and back, each with its own build
  e2e                            the browser scenarios alone
  tidy                           the architecture's rules
  config  check FILE | push FILE | rollback   explain every problem of a hilo.toml | upload it | upload the one before
  wrangler ARGUMENTS             Cloudflare's wrangler as the repository pins it, on the collector's wrangler.jsonc
  ci                             what CI runs: the same as test
";

fn main() -> ExitCode {
    shell::watch_signals();
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(Problem(sentence)) => {
            eprintln!("error: {sentence}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, Problem> {
    let workspace = Workspace::find();
    let mut words = std::env::args_os().skip(1);
    if words.next().is_some_and(|verb| verb == "wrangler") {
        // Its flags are not this program's.
        return wrangler::run(&workspace, words);
    }
    let mut flags = Flags::read()?;
    match flags.words.first().map(String::as_str) {
        Some("dev") => dev::run(&workspace, &flags).map(|()| true),
        Some("test" | "ci") => test::run(&workspace, flags.quick),
        Some("check") => check::run(&workspace).map(|()| true),
        Some("golden") => check::golden(&workspace).map(|()| true),
        Some("build") => {
            let collector = if flags.dev { Collector::Dev } else { Collector::Release };
            build::all(&workspace, collector).map(|()| true)
        }
        Some("size") => {
            build::all(&workspace, Collector::Release)?;
            size::run(&workspace)
        }
        Some("bench") => {
            bench::run(&workspace, flags.words.get(1).map(String::as_str)).map(|()| true)
        }
        Some("e2e") => test::browser(&workspace),
        Some("tidy") => tidy::run(&workspace),
        Some("config") => config::run(&workspace, &flags.words.split_off(1)),
        Some("help") | None => {
            eprint!("{USAGE}");
            Ok(true)
        }
        Some(other) => Err(Problem(format!(
            "there is no verb \"{other}\". Run `cargo xtask help` for the list."
        ))),
    }
}
