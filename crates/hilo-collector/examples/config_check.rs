//! `cargo xtask config check FILE` prints every problem of a `hilo.toml`, with line, column, field and remedy.
//! A path → one line if there is no problem, or else the problems and exit code 2. Warnings stand beside them and change no
//! exit code. Nothing that is printed repeats a secret.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;

use hilo_collector::pipeline;
use hilo_core::config::warnings;

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
    let (_, problems) = pipeline::examine(&text);
    for problem in &problems {
        println!("{path}:{problem}");
    }
    let warnings = warnings(&text);
    for warning in &warnings {
        println!("warning: {path}:{warning}");
    }
    if problems.is_empty() {
        match warnings.len() {
            0 => println!("{path}: nothing wrong"),
            1 => println!("{path}: nothing wrong, 1 warning"),
            count => println!("{path}: nothing wrong, {count} warnings"),
        }
        return ExitCode::SUCCESS;
    }
    ExitCode::from(2)
}
