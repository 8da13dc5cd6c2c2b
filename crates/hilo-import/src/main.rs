//! Reads a file for `cargo xtask import`: the rows in canonical form, in calls of at most 500, on standard output.
//!
//! The file is read three times in bounded memory: its bytes (`bytes`), its rows for what is decided once for all of them (`survey`), and
//! its rows again (`emit`). With `--show` it tells what the rows would become, with `--refused LIST` it copies the listed rows. This program
//! has no network: `js/import.ts` sends what it prints. Exit code 0, 1 (the file cannot be imported) or 2 (rows are refused).

mod bytes;
mod emit;
mod flags;
mod problem;
mod refused;
mod show;
mod survey;
mod table;

use std::process::ExitCode;

use flags::Flags;
use problem::Problem;

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(Problem(sentence)) => {
            eprintln!("error: {sentence}");
            ExitCode::from(1)
        }
    }
}

/// Whether no row is refused.
fn run() -> Result<bool, Problem> {
    let flags = Flags::read()?;
    let seen = bytes::look(&flags)?;
    if let Some(list) = &flags.refused {
        return refused::copy(&flags, &seen, &refused::read(list)?).map(|()| true);
    }
    let survey = survey::run(&flags, &seen)?;
    if flags.shows {
        return show::run(&flags, &seen, survey);
    }
    emit::run(&flags, &seen, survey).map(|()| true)
}
