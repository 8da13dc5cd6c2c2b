//! `cargo xtask dev`: builds everything, starts the collector with the example shop, and runs until Ctrl-C.
//! In: port, state folder, configuration, and whether services are stubs. Out: the line `ready http://127.0.0.1:<port>`.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::spawn;
use std::time::{Duration, Instant};

use crate::build::{self, Collector};
use crate::flags::Flags;
use crate::shell::{Problem, Workspace, end, is_stopped};

/// Runs until Ctrl-C.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<(), Problem> {
    let began = Instant::now();
    let port = flags.port.to_string();
    if TcpListener::bind(("127.0.0.1", flags.port)).is_err() {
        return Err(Problem(format!(
            "port {port} is in use. Stop what listens there, or choose another with --port."
        )));
    }
    build::all(workspace, Collector::Dev)?;

    let mut serve = workspace.command("node");
    serve
        .args(["tests/collector/serve.ts", "--port", &port, "--state"])
        .arg(absolute(&flags.state)?);
    if let Some(config) = &flags.config {
        // Checked before anything starts: a broken file would only show as a degraded health.
        crate::config::check(workspace, config)?;
        let joined = crate::plan::joined_file(workspace, &absolute(config)?)?;
        serve.arg("--config").arg(joined);
    }
    if flags.with_stubs {
        serve.arg("--with-stubs");
    }
    // A group of its own, and a pipe as its input: the server stops with this program, however this program ends.
    let mut child = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn()?;
    let (lines, incoming) = channel();
    if let Some(output) = child.stdout.take() {
        spawn(move || {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| lines.send(line))
        });
    }
    loop {
        match incoming.recv_timeout(Duration::from_millis(100)) {
            Ok(line) => {
                show(&line);
                if let Some(page) = line.strip_prefix("stubs ") {
                    eprintln!("  Every service that destinations send to is a stub: {page}");
                }
                if let Some(url) = line.strip_prefix("ready ") {
                    eprintln!(
                        "  after {:.1} s. Shop {url}/  live panel {url}/live/  Ctrl-C stops.",
                        began.elapsed().as_secs_f64()
                    );
                    if flags.open {
                        open(url);
                    }
                }
            }
            Err(RecvTimeoutError::Timeout) if !is_stopped() => {}
            Err(_) => break,
        }
    }
    let ended_by_itself = !is_stopped();
    end(&mut child);
    if ended_by_itself {
        return Err(Problem(
            "the collector stopped by itself. Its output stands above.".to_owned(),
        ));
    }
    eprintln!("stopped.");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "scripts wait for the line `ready …` on standard output")]
fn show(line: &str) {
    println!("{line}");
}

fn absolute(path: &str) -> Result<std::path::PathBuf, Problem> {
    Ok(std::env::current_dir()?.join(path))
}

/// Opens the shop in a browser. Without a desktop nothing happens.
fn open(url: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ = Command::new(program).arg(url).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
}
