//! The program that `cargo xtask import` starts: the calls of a file on standard output, what a person is told on standard error.
//! Exit code 0, 1 (the file cannot be imported) or 2 (rows are refused).

use std::process::ExitCode;

use hilo_import::Problem;

fn main() -> ExitCode {
    match hilo_import::run(std::env::args_os().skip(1), std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(2),
        Err(Problem(sentence)) => {
            eprintln!("error: {sentence}");
            ExitCode::from(1)
        }
    }
}
