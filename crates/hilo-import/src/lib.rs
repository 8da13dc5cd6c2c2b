//! Reads a file for `cargo xtask import`: the rows in canonical form, in calls of at most 500.
//!
//! The file is read three times in bounded memory: its bytes (`bytes`), its rows for what is decided once for all of them (`survey`), and
//! its rows again (`emit`). With `--show` it tells what the rows would become, with `--refused LIST` it copies the listed rows. There is no
//! network here: `js/import.ts` sends the calls.

mod bytes;
mod emit;
mod flags;
mod problem;
mod refused;
mod show;
mod survey;
mod table;

use std::ffi::OsString;
use std::io::Write;

use flags::Flags;
pub use problem::Problem;

/// Reads the file that the arguments name, and writes its calls to `out`. Whether no row is refused.
///
/// # Errors
/// Why the file cannot be imported.
pub fn run(
    arguments: impl IntoIterator<Item = OsString, IntoIter: 'static>,
    out: impl Write,
) -> Result<bool, Problem> {
    let flags = Flags::read(arguments)?;
    let seen = bytes::look(&flags)?;
    if let Some(list) = &flags.refused {
        return refused::copy(&flags, &seen, &refused::read(list)?).map(|()| true);
    }
    let survey = survey::run(&flags, &seen)?;
    if flags.shows {
        return show::run(&flags, &seen, survey);
    }
    emit::run(&flags, &seen, survey, out).map(|()| true)
}
