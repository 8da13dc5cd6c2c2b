//! Every task of this repository behind one door: `cargo xtask <verb>`.
//! In: a verb and its flags. Out: progress on standard error, results on standard output, exit code 0, 1 (a check
//! failed) or 2 (the task could not run). Depends on none of hilo's crates.

mod archive;
mod bench;
mod bindings;
mod build;
mod check;
mod clients;
mod config;
mod connect;
mod deploy;
mod dev;
mod docs;
mod doctor;
mod files;
mod flags;
mod import;
mod judges;
mod jurisdiction;
mod kinds;
mod plan;
mod shell;
mod size;
mod test;
mod tidy;
mod tools;
mod update;
mod wrangler;

use std::process::ExitCode;

use build::Collector;
use flags::Flags;
use shell::{Problem, Workspace};

const USAGE: &str = "\
cargo xtask <verb>

  dev     [--port 8787] [--state DIR] [--config FILE] [--no-open]   build all, start collector and shop
          [--with-stubs]         and a stub of every destination's service; without --config, send to all of them
  test    [--quick]              every test; --quick leaves out browsers, packaging and sizes
  check                          formatting, lints, types
  golden                         write golden files anew
  docs                           write the generated parts of documents anew, and one site of all documents
  build   [--dev | --page]       tracker, SDK and collector; --dev: the collector as dev and the specs run it;
                                 --page: only what a page loads
  size    [--kinds]              sizes of every artifact against js/sdk/size.json; --kinds: what each capture kind costs a page
  bench   [tracker | collector | cart | cost]   costs as ratios against a bare page and bare workers, a cart's latency,
                                 what an event costs at Cloudflare
  bench   sdk                    the page's costs beside other trackers from npm: bytes, times, visits, six faults; half an hour
  bench   kills | soak           ten minutes each: 100 kills of workerd under load | mixed load and workerd's memory
  bench   outage | forward       half an hour: a destination that is down and one that is slow | events to 1, 4 and 12 destinations
  bench   person                 one person with 100,000 events: times, and bytes on the disk
  bench   import                 a file of a million lines, killed twice: time, rows a second, memory
  bench   rollback               a deployment goes to the next version and back, each with its own build
  e2e                            the browser scenarios alone; HILO_PAGE=js in the environment: on the tracker as JavaScript; HILO_SLOWER=12: in pages that run 12 times slower
  judges                         the slow judges of what is sent: ClickHouse itself, DuckDB (Python, half a gigabyte)
  tidy                           the architecture's rules
  config  check FILE | push FILE | rollback   explain every problem of a hilo.toml | upload it | upload the one before
  connect NAME [--url https://shop.example/_h] [--redirect URI]   connect a destination with an account at its service
  import FILE --source NAME --kind orders|refunds|calls|visits|optins|contacts [--dry-run] [--update] [--url https://shop.example/_h]
          [--timezone Europe/Madrid] [--country ES] [--currency EUR] [--date-format dd/mm/yyyy] [--decimal comma|point]
          [--encoding windows-1252] [--extra properties]   import what a till, a telephone or a list tells; exit code 2: rows refused
  config  test --event FILE [--ask] [HILO.TOML]   what violates the tracking plan in a message, and what every destination would get
                                 of it, or why nothing; --ask sends what GA4 would get to Google's own check
  archive export --from DAY --to DAY --out DIR [--ndjson] [--url URL]   the archive's lines, opened, as Parquet for DuckDB, ClickHouse,
                                 BigQuery; --person u:42 for one person's, --files DIR for copies of another service's files
  doctor  URL [--admin-token-env NAME] [--origin URL] [--key KEY]   look at a deployment from outside, and say what to do
  deploy  [HILO.TOML] [--dry-run]   from login to first event, a step at a time; --dry-run: only whether wrangler would take it
  plan    FILE --types OUT.ts    a tracking plan as TypeScript types; FILE is a hilo.toml or holds [[plan.event]] alone
  update  lists                  fetch the public lists of bots, referrers and samples, and write their compact files anew
  config  test --in SOURCE FILE [--header 'NAME: VALUE'] [HILO.TOML]   what the body of another system's call becomes, and why not
  config  preset NAME            the rules of a preset, to copy into hilo.toml and change
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
    // The flags of these two are not this program's.
    match words.next().as_ref().and_then(|verb| verb.to_str()) {
        Some("wrangler") => return wrangler::run(&workspace, words),
        Some("archive") => return archive::run(&workspace, words),
        Some(_) | None => {}
    }
    let flags = Flags::read()?;
    match flags.words.first().map(String::as_str) {
        Some("dev") => dev::run(&workspace, &flags).map(|()| true),
        Some("test" | "ci") => test::run(&workspace, flags.quick),
        Some("check") => check::run(&workspace).map(|()| true),
        Some("golden") => check::golden(&workspace).map(|()| true),
        Some("docs") => docs::run(&workspace).map(|()| true),
        Some("build") => {
            if flags.page {
                return build::page(&workspace).map(|()| true);
            }
            let collector = if flags.dev { Collector::Dev } else { Collector::Release };
            build::all(&workspace, collector).map(|()| true)
        }
        Some("size") if flags.kinds => kinds::run(&workspace).map(|()| true),
        Some("size") => {
            build::all(&workspace, Collector::Release)?;
            size::run(&workspace)
        }
        Some("bench") => {
            bench::run(&workspace, flags.words.get(1).map(String::as_str)).map(|()| true)
        }
        Some("e2e") => test::browser(&workspace),
        Some("judges") => judges::run(&workspace).map(|()| true),
        Some("tidy") => tidy::run(&workspace),
        Some("plan") => plan::run(&workspace, &flags),
        Some("update") => update::run(&workspace, &flags),
        Some("config") => config::run(&workspace, &flags),
        Some("connect") => connect::run(&workspace, &flags),
        Some("import") => import::run(&workspace, &flags),
        Some("doctor") => doctor::run(&workspace, &flags),
        Some("deploy") => deploy::run(&workspace, &flags),
        Some("help") | None => {
            eprint!("{USAGE}");
            Ok(true)
        }
        Some(other) => Err(Problem(format!(
            "there is no verb \"{other}\". Run `cargo xtask help` for the list."
        ))),
    }
}
