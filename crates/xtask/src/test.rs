//! `cargo xtask test`: every test a person should run before a commit, in the order in which they fail fastest.
//! In: nothing. Out: one line for each suite and `N passed, N failed` at the end.
//!
//! Spec files run side by side and wait for each other's processor. A few that fail run once more, alone, and what passes only then is
//! named: a test that needs it is a fault of the test, to be mended.

use std::path::PathBuf;

use crate::build::{self, Collector};
use crate::files::files_under;
use crate::shell::{Done, Problem, Workspace, both, tail, watch};
use crate::{check, clients, deploy, size, tidy, tools};

/// The suites that need a browser and Node.
const PACKAGING: &str = "packaging";
const GUIDES: &str = "guides, as they are written";
const ARCHIVE: &str = "the archive, read by DuckDB";
const CLIENTS: &str = "clients from their registries";
/// How many spec files run at once. A spec mostly waits. Node's own default is one file on two processors.
const AT_A_TIME: &str = "--test-concurrency=4";

/// A spec file that hangs fails after so many milliseconds, and the others go on. The slowest takes four minutes.
const HANGS: &str = "--test-timeout=900000";
/// How many spec files may run again. Where more fail, the machine is not the reason.
const AGAIN_MAX: usize = 6;

/// How many tests passed and failed in a run.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
}

/// Runs every suite; `is_quick` leaves out what needs a browser, installs packages, or needs the release build.
pub(crate) fn run(workspace: &Workspace, is_quick: bool) -> Result<bool, Problem> {
    tools::ensure(workspace)?;
    let mut tally = Tally::default();
    tally.one("the architecture's rules", tidy::run(workspace)?);
    check::run(workspace)?;
    tally.rust(workspace)?;
    build::all(workspace, Collector::Dev)?;
    tally.node(workspace, "the SDK's parts without a browser", "tests/sdk", ".spec.ts")?;
    tally.node(
        workspace,
        "what vendors would take of hilo's requests",
        "tests/judge",
        ".spec.ts",
    )?;
    tally.node(workspace, "the stubs of vendors", "tests/stubs", ".spec.ts")?;
    if is_quick {
        tally.without_browser(workspace)?;
        return Ok(tally.close());
    }
    // Specs mostly wait. The clients' installation and the release build, which only `size` needs, use the processor meanwhile.
    let specs = || {
        tally.without_browser(workspace)?;
        tally.browsers(workspace)?;
        // Apart from the packages that every task needs: nobody else waits for bundlers and frameworks.
        tools::npm_ci(workspace, "tests/archive", "installing DuckDB")?;
        tally.node(workspace, ARCHIVE, "tests/archive", ".spec.ts")?;
        tools::npm_ci(workspace, "js/sdk/pack-test", "installing bundlers")?;
        tally.node(workspace, PACKAGING, "js/sdk/pack-test", ".spec.ts")?;
        tools::npm_ci(workspace, "tests/guides", "installing frameworks")?;
        tally.node(workspace, GUIDES, "tests/guides", ".spec.ts")
    };
    let meanwhile = || {
        clients::install(workspace)?;
        build::collector(workspace, Collector::Release)
    };
    both(specs, meanwhile)?;
    tally.node(workspace, CLIENTS, "tests/clients", ".spec.ts")?;
    tally.one("sizes", size::run(workspace)?);
    // The release build is there.
    deploy::dry_run(workspace)?;
    tally.one("wrangler would deploy it", true);
    Ok(tally.close())
}

/// The browser scenarios alone.
pub(crate) fn browser(workspace: &Workspace) -> Result<bool, Problem> {
    build::all(workspace, Collector::Dev)?;
    let mut tally = Tally::default();
    tally.browsers(workspace)?;
    Ok(tally.close())
}

impl Tally {
    fn one(&mut self, what: &str, is_ok: bool) {
        eprintln!("{} {what}", if is_ok { "✓" } else { "✗" });
        if is_ok { self.passed += 1 } else { self.failed += 1 }
    }

    fn rust(&mut self, workspace: &Workspace) -> Result<(), Problem> {
        let mut cargo = workspace.cargo();
        cargo.args(["test", "--workspace", "--no-fail-fast"]);
        let done = watch(workspace, "Rust tests: units, docs, golden, laws, pipeline", &mut cargo)?;
        let lines = done.output.lines().filter(|line| line.starts_with("test result:"));
        let (mut passed, mut failed) = (0, 0);
        for line in lines {
            passed += number_before(line, " passed");
            failed += number_before(line, " failed");
        }
        self.add(&done, passed, failed);
        // The page compiles the core without `std` and without the edge's readers: the cart's cells in place of its structs.
        let mut cargo = workspace.cargo();
        cargo.args(["test", "--quiet", "--package", "hilo-core", "--no-default-features", "--lib"]);
        let done = watch(workspace, "Rust tests: the core as the page compiles it", &mut cargo)?;
        self.add(
            &done,
            number_before(&done.output, " passed"),
            number_before(&done.output, " failed"),
        );
        Ok(())
    }

    fn without_browser(&mut self, workspace: &Workspace) -> Result<(), Problem> {
        self.node(workspace, "collector specs on workerd", "tests/collector", ".spec.ts")
    }

    fn browsers(&mut self, workspace: &Workspace) -> Result<(), Problem> {
        let needs = [("CHROMIUM", tools::chromium(workspace)?)];
        let files = specs(workspace, "tests/browser", ".spec.ts");
        self.node_run(workspace, "browser scenarios", &needs, &files)
    }

    fn node(
        &mut self,
        workspace: &Workspace,
        label: &str,
        folder: &str,
        suffix: &str,
    ) -> Result<(), Problem> {
        let needs = match [PACKAGING, GUIDES, CLIENTS].contains(&label) {
            true => {
                vec![("CHROMIUM", tools::chromium(workspace)?), ("NGINX", tools::nginx(workspace)?)]
            }
            false => Vec::new(),
        };
        self.node_run(workspace, label, &needs, &specs(workspace, folder, suffix))
    }

    /// Runs spec files with the programs that they need.
    fn node_run(
        &mut self,
        workspace: &Workspace,
        label: &str,
        needs: &[(&str, PathBuf)],
        files: &[PathBuf],
    ) -> Result<(), Problem> {
        let run = |label: &str, at_a_time: &str, files: &[PathBuf]| {
            let mut node = workspace.command("node");
            node.envs(needs.iter().cloned()).args(["--test", at_a_time, HANGS]).args(files);
            watch(workspace, label, &mut node)
        };
        let done = run(label, AT_A_TIME, files)?;
        let (passed, failed) = counts(&done.output);
        let again = failed_files(&done.output, files);
        if again.is_empty() || again.len() > AGAIN_MAX {
            self.add(&done, passed, failed);
            return Ok(());
        }
        eprintln!("    {passed} passed, {failed} failed\n{}", what_failed(&done.output));
        let alone = run(&format!("{label}: what failed, alone"), "--test-concurrency=1", &again)?;
        let failed_alone = counts(&alone.output).1;
        let mended = failed.saturating_sub(failed_alone);
        eprintln!("    {mended} of {failed} passed only alone: mend these tests");
        self.add(&alone, passed + mended, failed_alone);
        Ok(())
    }

    fn add(&mut self, done: &Done, passed: u64, failed: u64) {
        // A suite that fails without a failed test did not start. A suite without tests has lost them. Each is one failure.
        let is_sound = done.is_ok && passed > 0;
        let failed = if is_sound { failed } else { failed.max(1) };
        eprintln!("    {passed} passed, {failed} failed");
        if failed > 0 {
            eprintln!("{}", what_failed(&done.output));
        }
        self.passed += passed;
        self.failed += failed;
    }

    #[expect(clippy::print_stdout, reason = "the result of the task")]
    fn close(&self) -> bool {
        println!("{} passed, {} failed", self.passed, self.failed);
        self.failed == 0
    }
}

fn specs(workspace: &Workspace, folder: &str, suffix: &str) -> Vec<PathBuf> {
    files_under(&workspace.at(folder))
        .into_iter()
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect()
}

/// How many tests passed and failed, by Node's report. A file that hung was cancelled, and so were its tests.
fn counts(output: &str) -> (u64, u64) {
    let count = |word: &str| {
        let counted = |line: &str| {
            line.trim_start_matches(['ℹ', '#', ' ']).strip_prefix(word)?.trim().parse().ok()
        };
        output.lines().rev().find_map(counted).unwrap_or(0)
    };
    (count("pass "), count("fail ") + count("cancelled "))
}

/// The files of the failed tests of Node's report. None at all where a failed test names no file of `files`: nobody could run it again.
fn failed_files(output: &str, files: &[PathBuf]) -> Vec<PathBuf> {
    let report = what_failed(output);
    let lines = || report.lines().map(str::trim_start);
    let tests = lines().filter(|line| line.starts_with("not ok ")).count();
    let places: Vec<_> = lines().filter_map(|line| line.strip_prefix("location: '")).collect();
    let is_in = |place: &str, file: &PathBuf| place.starts_with(&format!("{}:", file.display()));
    let is_known = |place: &&str| files.iter().any(|file| is_in(place, file));
    if tests == 0 || places.iter().filter(|place| is_known(place)).count() < tests {
        return Vec::new();
    }
    let has = |file: &&PathBuf| places.iter().any(|place| is_in(place, file));
    files.iter().filter(has).cloned().collect()
}

/// The failed tests of Node's report. Of a report that names no failed test: its end.
fn what_failed(output: &str) -> String {
    let mut lines = Vec::new();
    let mut is_inside = false;
    for line in output.lines() {
        is_inside |= line.trim_start().starts_with("not ok ");
        if is_inside {
            lines.push(line);
        }
        is_inside &= line.trim() != "...";
    }
    if lines.is_empty() { tail(output, 120) } else { lines.join("\n") }
}

/// The number that stands before `word`: `"ok. 12 passed;"` → 12.
fn number_before(line: &str, word: &str) -> u64 {
    line.split_once(word)
        .and_then(|(head, _)| head.rsplit([' ', ';']).next()?.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failed_tests_of_a_report_are_shown() {
        let report =
            "ok 1 - a\n  ---\n  ...\nnot ok 2 - b\n  ---\n  error: 'late'\n  ...\nok 3 - c\n  ...";
        assert_eq!(what_failed(report), "not ok 2 - b\n  ---\n  error: 'late'\n  ...");
        assert_eq!(what_failed("error: no such file"), "error: no such file");
    }

    #[test]
    fn the_files_of_failed_tests_run_again_and_no_others() {
        let report = "ok 1 - a\n  ---\n  location: '/t/a.spec.ts:9:1'\n  ...\nnot ok 2 - b\n  ---\n  location: '/t/b.spec.ts:9:1'\n  ...\n# pass 1\n# fail 1";
        let files = ["/t/a.spec.ts", "/t/b.spec.ts"].map(PathBuf::from);
        assert_eq!(
            (counts(report), failed_files(report, &files)),
            ((1, 1), vec![files[1].clone()])
        );
        assert_eq!(counts("# pass 3\n# fail 0\n# cancelled 1"), (3, 1), "a file that hung");
        assert_eq!(failed_files("ok 1 - a\n# pass 1\n# fail 0", &files), Vec::<PathBuf>::new());
        assert_eq!(failed_files("no such file /t/a.spec.ts:1", &files), Vec::<PathBuf>::new());
        let elsewhere =
            format!("{report}\nnot ok 3 - c\n  ---\n  error: 'at /t/b.spec.ts:1'\n  ...");
        assert_eq!(failed_files(&elsewhere, &files), Vec::<PathBuf>::new(), "c would be forgotten");
    }

    #[test]
    fn passed_and_failed_tests_are_read_from_cargos_line() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured";
        assert_eq!((number_before(line, " passed"), number_before(line, " failed")), (12, 3));
    }
}
