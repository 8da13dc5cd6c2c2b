//! `cargo xtask plan FILE --types OUT.ts` writes a tracking plan as TypeScript types.
//! Two paths, of the text to read and of the file that people know → types on standard output, or the problems and exit code 2.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;

use hilo_core::config::parse_plan;
use hilo_core::plan::typescript;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let (Some(path), Some(name)) = (words.next(), words.next()) else {
        println!("which file? cargo xtask plan FILE --types OUT.ts");
        return ExitCode::from(2);
    };
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) => {
            println!("{name}: {why}");
            return ExitCode::from(2);
        }
    };
    match parse_plan(&text) {
        Ok(Some(plan)) => {
            print!("{}", typescript(&plan, &name));
            ExitCode::SUCCESS
        }
        Ok(None) => {
            println!("{name}: there is no plan in it: add [[plan.event]]");
            ExitCode::from(2)
        }
        Err(problems) => {
            problems.iter().for_each(|problem| println!("{name}:{problem}"));
            ExitCode::from(2)
        }
    }
}
