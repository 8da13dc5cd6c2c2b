//! Runs other programs, shows their progress, and ends them on Ctrl-C.
//! In: a command and a label. Out: its output, or a `Problem` whose sentence names the remedy.

use std::fs::{self, File};
use std::io::{IsTerminal, Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Why a task could not run: one sentence for the person, with the remedy.
pub(crate) struct Problem(pub String);

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Problem {
        Problem(format!("{error}. Check that the folder is writable and the disk has room."))
    }
}

/// The folders of a checkout.
pub(crate) struct Workspace {
    /// The repository.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
}

impl Workspace {
    /// The workspace that this program was compiled from.
    pub(crate) fn find() -> Workspace {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .map_or_else(PathBuf::new, Path::to_owned);
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Workspace { root, target }
    }

    /// A path in the repository.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A command in the repository, with the repository's own tools first in `PATH`.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut path = std::ffi::OsString::from(self.at("js/node_modules/.bin"));
        path.push(":");
        path.push(self.target.join("tools/bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("PATH", path)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("NODE_NO_WARNINGS", "1");
        command
    }

    /// The `cargo` that runs this program.
    pub(crate) fn cargo(&self) -> Command {
        let mut command =
            self.command(&std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
        // The outer cargo set these for this program. The inner cargo must find its own values.
        command.env_remove("CARGO_MANIFEST_DIR").env_remove("CARGO_PKG_NAME");
        command
    }
}

static STOPPED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C and SIGTERM end the running step, and then this program.
pub(crate) fn watch_signals() {
    // Without a handler the default remains: this program ends, and its children end when their standard input closes.
    let _ = ctrlc::set_handler(|| STOPPED.store(true, Ordering::SeqCst));
}

/// Whether the person asked to stop.
pub(crate) fn is_stopped() -> bool {
    STOPPED.load(Ordering::SeqCst)
}

/// Ends a program and all programs that it started.
pub(crate) fn end(child: &mut Child) {
    let group = format!("-{}", child.id());
    let _ = Command::new("kill").args(["-TERM", "--", &group]).stderr(Stdio::null()).status();
    let deadline = Instant::now() + Duration::from_secs(10);
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        sleep(Duration::from_millis(50));
    }
    let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
    let _ = child.wait();
}

/// The result of a step.
pub(crate) struct Done {
    /// All that the program printed.
    pub output: String,
    /// Whether the program succeeded.
    pub is_ok: bool,
}

/// Runs `command` to its end. Shows `label` and the time meanwhile, and writes the output to a log.
///
/// # Errors
/// When the program cannot be started, or on Ctrl-C. A program that fails is `is_ok: false`.
pub(crate) fn watch(
    workspace: &Workspace,
    label: &str,
    command: &mut Command,
) -> Result<Done, Problem> {
    let logs = workspace.target.join("xtask");
    fs::create_dir_all(&logs)?;
    let log = logs.join(format!("{}.log", label.replace([' ', '/'], "-")));
    let file = File::create(&log)?;
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone()?)
        .stderr(file)
        // A group of its own: the terminal's Ctrl-C reaches this program alone, and this program ends the group.
        .process_group(0)
        .spawn()
        .map_err(|error| {
            Problem(format!(
                "`{}` could not be started ({error}). Is it installed?",
                command.get_program().display()
            ))
        })?;
    let mut line = Progress::new(label);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if is_stopped() {
            end(&mut child);
            return Err(Problem("stopped.".to_owned()));
        }
        line.show(began.elapsed());
        sleep(Duration::from_millis(40));
    };
    line.done(began.elapsed(), status.success());
    let mut output = Vec::new();
    File::open(&log)?.read_to_end(&mut output)?;
    Ok(Done { output: String::from_utf8_lossy(&output).into_owned(), is_ok: status.success() })
}

/// As [`watch`], but a program that fails is a `Problem`, and the end of its output is printed.
pub(crate) fn step(
    workspace: &Workspace,
    label: &str,
    command: &mut Command,
) -> Result<Done, Problem> {
    let done = watch(workspace, label, command)?;
    if done.is_ok {
        return Ok(done);
    }
    eprintln!("{}", tail(&done.output, 40));
    Err(Problem(match why_unreachable(&done.output) {
        Some(registry) => format!(
            "{label} failed: {registry} cannot be reached. Check the network or the proxy settings, then run the same command again: what is done stays done."
        ),
        None => format!("{label} failed; the end of its output stands above."),
    }))
}

/// The last `count` lines.
pub(crate) fn tail(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}

/// The registry that a failed program could not reach, recognized by the words of cargo, npm and pip.
fn why_unreachable(output: &str) -> Option<&'static str> {
    let npm = ["ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH"];
    let cargo = [
        "Could not resolve host",
        "failed to download",
        "Couldn't connect to server",
        "spurious network error",
    ];
    let pip = ["Failed to establish a new connection", "Name or service not known"];
    if pip.iter().any(|word| output.contains(word)) {
        Some("the Python registry")
    } else if npm.iter().any(|word| output.contains(word)) {
        Some("the npm registry")
    } else if cargo.iter().any(|word| output.contains(word)) {
        Some("the crates registry")
    } else {
        None
    }
}

/// Does two tasks at once and returns when both have ended.
///
/// # Errors
/// The first problem of the two. The other task still runs to its end, so that what it did stays done.
pub(crate) fn both<A: Send, B: Send>(
    one: impl FnOnce() -> Result<A, Problem> + Send,
    other: impl FnOnce() -> Result<B, Problem> + Send,
) -> Result<(A, B), Problem> {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        let other = other
            .join()
            .unwrap_or_else(|_| Err(Problem("a task of xtask itself panicked.".to_owned())));
        Ok((one?, other?))
    })
}

/// The labels of all running steps, each with its start.
static RUNNING: Mutex<Vec<(String, Instant)>> = Mutex::new(Vec::new());

fn running() -> MutexGuard<'static, Vec<(String, Instant)>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The line that shows a running step and its time.
struct Progress<'a> {
    label: &'a str,
    is_terminal: bool,
    shown: u64,
}

impl<'a> Progress<'a> {
    /// Seconds between lines where no terminal can rewrite a line.
    const EVERY_S: u64 = 20;

    fn new(label: &'a str) -> Progress<'a> {
        running().push((label.to_owned(), Instant::now()));
        Progress { label, is_terminal: std::io::stderr().is_terminal(), shown: 0 }
    }

    fn show(&mut self, elapsed: Duration) {
        let seconds = elapsed.as_secs();
        if seconds == self.shown {
            return;
        }
        if self.is_terminal {
            // All running steps share one line. The step that began first draws it.
            let running = running();
            if running.first().is_some_and(|(label, _)| label == self.label) {
                let parts: Vec<String> = running
                    .iter()
                    .map(|(label, began)| format!("{label} … {} s", began.elapsed().as_secs()))
                    .collect();
                eprint!("\r\x1b[K  {}", parts.join(", "));
                let _ = std::io::stderr().flush();
            }
            self.shown = seconds;
        } else if seconds >= self.shown + Progress::EVERY_S {
            eprintln!("  {} … {seconds} s", self.label);
            self.shown = seconds;
        }
    }

    fn done(&self, elapsed: Duration, is_ok: bool) {
        let mark = if is_ok { "✓" } else { "✗" };
        let clear = if self.is_terminal { "\r\x1b[K" } else { "" };
        eprintln!("{clear}{mark} {} ({:.1} s)", self.label, elapsed.as_secs_f64());
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        let mut running = running();
        if let Some(place) = running.iter().position(|(label, _)| label == self.label) {
            running.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_that_cannot_be_reached_is_named() {
        assert_eq!(why_unreachable("npm error code ENOTFOUND"), Some("the npm registry"));
        assert_eq!(
            why_unreachable("error: failed to download from index"),
            Some("the crates registry")
        );
        assert_eq!(
            why_unreachable("WARNING: Retrying: Failed to establish a new connection: [Errno -2]"),
            Some("the Python registry")
        );
        assert_eq!(why_unreachable("error[E0308]: mismatched types"), None);
    }

    #[test]
    fn of_two_tasks_both_results_come_back_or_the_first_problem() {
        assert!(matches!(both(|| Ok(1), || Ok("b")), Ok((1, "b"))));
        let failed = both(
            || Err::<(), _>(Problem("one".to_owned())),
            || Err::<(), _>(Problem("other".to_owned())),
        );
        assert!(matches!(failed, Err(Problem(sentence)) if sentence == "one"));
    }

    #[test]
    fn the_tail_of_a_text_is_its_last_lines() {
        assert_eq!(tail("a\nb\nc", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
    }
}
