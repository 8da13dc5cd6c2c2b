//! `cargo xtask config check FILE` prints every problem of a `hilo.toml`, with line, column, field and remedy.
//! A path → one line if there is no problem, or else the problems and exit code 2.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;

use hilo_collector::forward::Loaded;
use hilo_core::config::{Problem, parse};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        println!("which file? cargo xtask config check FILE");
        return ExitCode::from(2);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) => {
            println!("{path}: {why}");
            return ExitCode::from(2);
        }
    };
    let problems: Vec<Problem> = match parse(&text) {
        Ok(config) => {
            config.destinations.iter().filter_map(|entry| Loaded::of(entry).err()).collect()
        }
        Err(problems) => problems,
    };
    for problem in &problems {
        println!("{path}:{problem}");
    }
    if problems.is_empty() {
        println!("{path}: nothing wrong");
        return ExitCode::SUCCESS;
    }
    ExitCode::from(2)
}
