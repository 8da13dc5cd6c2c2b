//! `cargo run -p pipeline`: one visit through every stage of hilo, printed step by step, and a day of one person in one timeline.
//! In: nothing. Out: text, always the same; `tests/pipeline.rs` holds the visit as a golden file, and what must be true of the day.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

fn main() -> Result<(), String> {
    print!("{}", pipeline::visit()?);
    print!("{}", pipeline::day()?);
    Ok(())
}
