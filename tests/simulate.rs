//! Random histories of a cart: deltas of four replicas are lost, repeated and reordered, then all replicas converge.
//!
//! An oracle holds whole operations instead of contexts, and each state is compared with it and with the people's wishes.
//! Prints the seed and figures. `HILO_HISTORIES=1000000` runs more histories, `HILO_SEED=<hex>` replays one. Five mutants,
//! wrong on purpose, show that the comparison can fail.

#[path = "simulate/history.rs"]
mod history;
#[path = "simulate/interleaving.rs"]
mod interleaving;
#[path = "simulate/model.rs"]
mod model;
#[path = "simulate/oracle.rs"]
mod oracle;
#[path = "simulate/wish.rs"]
mod wish;

use std::io::Write;
use std::time::Instant;

use history::{Figures, STEPS_MAX, run};
use interleaving::{CUP, Edit, MUG, Program};
use model::{MUTANTS, Model, REAL};

/// Histories of an ordinary run and of CI.
const HISTORIES: u64 = 200_000;
/// Histories within which a mutant must be caught.
const MUTANT_HISTORIES: u64 = 10_000;
/// The seed of the first history. Further seeds count on from it, so that each history has a name.
const SEED: u64 = 0x6869_6c6f_0000_0000;

fn from_environment(name: &str, radix: u32) -> Result<Option<u64>, String> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    let digits = text.trim_start_matches("0x").replace('_', "");
    match u64::from_str_radix(&digits, radix) {
        Ok(number) => Ok(Some(number)),
        Err(error) => Err(format!("{name}={text}: {error}")),
    }
}

/// Prints a figure. The test runner does not capture it, so that it also shows when all tests pass.
fn say(text: &str) {
    // A closed output is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
fn replicas_agree_with_the_oracle_in_every_history() -> Result<(), String> {
    let started = Instant::now();
    let replayed = from_environment("HILO_SEED", 16)?;
    let histories = match replayed {
        Some(_) => 1,
        None => from_environment("HILO_HISTORIES", 10)?.unwrap_or(HISTORIES),
    };
    let first = replayed.unwrap_or(SEED);
    say(&format!("seed {first:#x}, {histories} histories of up to {STEPS_MAX} steps"));
    let mut figures = Figures::default();
    for history in 0..histories {
        let seed = first.wrapping_add(history);
        run(&REAL, seed, &mut figures).map_err(|why| {
            format!("history {history}: {why}\nreplay it with HILO_SEED={seed:#x}")
        })?;
    }
    let seconds = started.elapsed().as_secs_f64();
    say(&format!("{figures:#?}\n{seconds:.1} s, {:.0} histories/s", histories as f64 / seconds));
    Ok(())
}

/// The number of histories until the mutant is caught, and the difference found.
fn histories_until_caught(mutant: &Model) -> Option<(u64, String)> {
    (0..MUTANT_HISTORIES).find_map(|history| {
        let outcome = run(mutant, SEED.wrapping_add(history), &mut Figures::default());
        outcome.err().map(|why| (history + 1, why))
    })
}

#[test]
fn every_mutant_is_caught() {
    for mutant in &MUTANTS {
        match histories_until_caught(mutant) {
            Some((histories, why)) => {
                say(&format!("{}: caught after {histories} histories: {why}", mutant.name));
            }
            None => panic!("{} survived {MUTANT_HISTORIES} histories", mutant.name),
        }
    }
}

/// Programs of devices around a checkout. Each program runs in every order.
const PROGRAMS: [Program; 3] = [
    Program {
        edits: [
            [(MUG, Edit::Add(2)), (MUG, Edit::Remove)],
            [(CUP, Edit::Add(1)), (MUG, Edit::Dec(1))],
        ],
        sells_all: true,
    },
    Program {
        edits: [
            [(MUG, Edit::Set(4)), (CUP, Edit::Add(3))],
            [(MUG, Edit::Add(1)), (MUG, Edit::Remove)],
        ],
        sells_all: true,
    },
    Program {
        edits: [
            [(MUG, Edit::Add(2)), (CUP, Edit::Add(1))],
            [(MUG, Edit::Dec(2)), (CUP, Edit::Dec(1))],
        ],
        sells_all: false,
    },
];

#[test]
fn bought_units_go_and_all_other_units_stay_in_every_order_of_six_steps() -> Result<(), String> {
    for program in &PROGRAMS {
        let sequences = interleaving::run(program)?;
        say(&format!("{sequences} sequences with an order are right: {program:?}"));
        assert!(sequences > 10_000, "too few sequences reach an order");
    }
    Ok(())
}
