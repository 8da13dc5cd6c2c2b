//! `config_stays JURISDICTION FILE [IN_FORCE]`: whether a `hilo.toml` leaves every object where it is. `cargo xtask config push` and
//! `cargo xtask deploy` ask before they change anything.
//! The jurisdiction of `wrangler.jsonc`, the path of the new file and that of the file in force → exit code 0, or the reason and exit
//! code 2.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;

use hilo_core::config::examine;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(deployed), Some(file)) = (words.next(), words.next()) else {
        println!("write `config_stays JURISDICTION FILE [IN_FORCE]`");
        return ExitCode::from(2);
    };
    // Whatever else is wrong with a file does not matter here.
    let read = |path: &String| match std::fs::read_to_string(path) {
        Ok(text) => Ok(examine(&text).0.storage),
        Err(why) => Err(format!("{path}: {why}")),
    };
    let in_force = words.next().as_ref().map(read).transpose();
    let why = match (read(&file), in_force) {
        (Ok(file), Ok(in_force)) => file.refusal(in_force, &deployed),
        (Err(why), _) | (_, Err(why)) => Some(why),
    };
    match why {
        Some(why) => {
            println!("{why}");
            ExitCode::from(2)
        }
        None => ExitCode::SUCCESS,
    }
}
