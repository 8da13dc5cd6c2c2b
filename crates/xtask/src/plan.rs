//! `cargo xtask plan FILE --types OUT.ts`: a tracking plan → TypeScript types; and a `hilo.toml` that names the file of its plan → one text.
//!
//! The collector's own program `plan_types` reads the plan. This module runs it. A plan's file holds `[[plan.event]]` tables alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::flags::Flags;
use crate::shell::{Problem, Workspace, step};

/// Reads the words after `plan`, and writes the types.
pub(crate) fn run(workspace: &Workspace, flags: &Flags) -> Result<bool, Problem> {
    let ([_, file], Some(types)) = (flags.words.as_slice(), &flags.types) else {
        return Err(Problem("write `cargo xtask plan FILE --types OUT.ts`.".to_owned()));
    };
    let home = std::env::current_dir()?;
    let text = joined(&home.join(file))?;
    let read = scratch(workspace, &text)?;
    let mut build = workspace.cargo();
    build.args(["build", "--package", "hilo-collector", "--example", "plan_types"]);
    step(workspace, "building what reads the plan", &mut build)?;
    let program = workspace.target.join("debug/examples/plan_types");
    let made = Command::new(program).arg(&read).arg(file).output()?;
    if !made.status.success() {
        eprint!("{}", String::from_utf8_lossy(&made.stdout));
        return Err(Problem(format!(
            "{file} cannot be used; each problem stands above with its line."
        )));
    }
    fs::write(home.join(types), made.stdout)?;
    eprintln!("{types}: written");
    Ok(true)
}

/// The text of a `hilo.toml`. The file that `[plan]` names stands in its place, behind everything else.
pub(crate) fn joined(path: &Path) -> Result<String, Problem> {
    let text = fs::read_to_string(path)?;
    let Some((before, file, after)) = named(&text) else { return Ok(text) };
    let at = path.parent().unwrap_or(Path::new(".")).join(&file);
    let plan = fs::read_to_string(&at).map_err(|why| {
        Problem(format!("{} cannot be read ({why}): `file` in [plan] names it.", at.display()))
    })?;
    Ok(format!("{before}{after}\n\n# {file}\n{plan}"))
}

/// The path of a file with the joined text, where the text is not the file's own. Lines keep their numbers.
pub(crate) fn joined_file(workspace: &Workspace, path: &Path) -> Result<PathBuf, Problem> {
    let text = joined(path)?;
    if text == fs::read_to_string(path)? { Ok(path.to_owned()) } else { scratch(workspace, &text) }
}

fn scratch(workspace: &Workspace, text: &str) -> Result<PathBuf, Problem> {
    let folder = workspace.target.join("xtask/plan");
    fs::create_dir_all(&folder)?;
    let path = folder.join("hilo.toml");
    fs::write(&path, text)?;
    Ok(path)
}

/// `file = "…"` in `[plan]`: the text before it, the file's name, and the text behind it.
fn named(text: &str) -> Option<(&str, String, &str)> {
    let (mut is_plan, mut start) = (false, 0);
    for line in text.split_inclusive('\n') {
        let (bare, end) = (line.trim(), start + line.trim_end_matches('\n').len());
        if bare.starts_with('[') {
            is_plan = bare.split('#').next().is_some_and(|head| head.trim() == "[plan]");
        }
        let value =
            bare.strip_prefix("file").map(str::trim_start).and_then(|rest| rest.strip_prefix('='));
        if let Some(value) = value.filter(|_| is_plan) {
            let name = value.trim_start().split(['"', '\'']).nth(1)?;
            return Some((text.get(..start)?, name.to_owned(), text.get(end..)?));
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_plan_is_found_in_its_own_table_only() {
        let text =
            "[a]\nfile = \"x\"\n[plan] # ours\nmode = \"flag\"\nfile = \"plan.toml\" # here\n[b]\n";
        let found =
            named(text).map(|(before, file, after)| (before.to_owned(), file, after.to_owned()));
        let before = "[a]\nfile = \"x\"\n[plan] # ours\nmode = \"flag\"\n".to_owned();
        assert_eq!(found, Some((before, "plan.toml".to_owned(), "\n[b]\n".to_owned())));
        for text in
            ["", "[plan]\nmode = \"flag\"\n", "[plan.event]\nfile = \"x\"", "[plan]\nfile = 1"]
        {
            assert_eq!(named(text).map(|(_, file, _)| file), None, "{text}");
        }
    }
}
