//! `cargo xtask update lists`: public lists of bots and referrers → the compact files in `crates/hilo-core/lists`, and the samples of
//! tests in `tests/lists`.
//!
//! In: npm and GitHub. Out: the files, each with its source, version and licence. `js/lists.ts` writes them; this file fetches.
//! Read the difference before you commit it: a public list decides what counts as a bot.

use std::fs;

use crate::flags::Flags;
use crate::shell::{Problem, Workspace, step};

/// The npm packages, at their newest.
const PACKAGES: [&str; 3] = ["crawler-user-agents", "user-agents", "libphonenumber-js"];
/// Matomo's list of search engines, social networks and assistants (CC0).
const SITES: &str = "https://github.com/matomo-org/searchengine-and-social-list";

/// Reads the words after `update`.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<bool, Problem> {
    match flags.words.get(1..).unwrap_or_default() {
        [what] if what == "lists" => lists(workspace).map(|()| true),
        _ => Err(Problem("write `cargo xtask update lists`.".to_owned())),
    }
}

fn lists(workspace: &Workspace) -> Result<(), Problem> {
    let folder = workspace.target.join("xtask/lists");
    // What an earlier run has fetched could be older.
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let mut npm = workspace.command("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
    npm.arg(&folder).args(PACKAGES.map(|name| format!("{name}@latest")));
    step(workspace, "fetching the lists of npm", &mut npm)?;
    let mut git = workspace.command("git");
    git.args(["clone", "--quiet", "--depth", "1", SITES]).arg(folder.join("matomo"));
    step(workspace, "fetching the list of sites", &mut git)?;
    let mut git = workspace.command("git");
    let commit = git.arg("-C").arg(folder.join("matomo")).args(["rev-parse", "HEAD"]).output()?;
    fs::write(folder.join("matomo.commit"), commit.stdout)?;
    let mut node = workspace.command("node");
    node.arg("js/lists.ts").arg(&folder);
    if node.status()?.success() {
        Ok(())
    } else {
        Err(Problem("the lists could not be written; the reason stands above.".to_owned()))
    }
}
