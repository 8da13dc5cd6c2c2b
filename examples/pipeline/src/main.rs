//! `cargo run -p pipeline`: one visit through every stage of hilo, printed step by step.
//! In: nothing. Out: text, always the same; `tests/pipeline.rs` holds it as a golden file.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

fn main() -> Result<(), String> {
    print!("{}", pipeline::visit()?);
    Ok(())
}
