//! Random histories of a cart: four replicas that lose, repeat and reorder each other's deltas, then converge.
//!
//! Every state is compared with an oracle that keeps whole operations instead of contexts, and with what people meant by
//! them. Prints its seed and figures; `HILO_HISTORIES=1000000` asks for more, `HILO_SEED=<hex>` replays one history. Five
//! carts that are wrong on purpose show that the comparison can fail.

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

/// Histories of an ordinary run, CI's included.
const HISTORIES: u64 = 200_000;
/// Histories within which a mutant must be caught.
const MUTANT_HISTORIES: u64 = 10_000;
/// The seed of the first history; the others count on from it, so that any of them can be named.
const SEED: u64 = 0x6869_6c6f_0000_0000;

fn from_environment(name: &str, radix: u32) -> Result<Option<u64>, String> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    let digits = text.trim_start_matches("0x").replace('_', "");
    match u64::from_str_radix(&digits, radix) {
        Ok(number) => Ok(Some(number)),
        Err(error) => Err(format!("{name}={text}: {error}")),
    }
}

/// Says a figure. Past the capture of test output, so that it also shows when all is well.
fn say(text: &str) {
    // Nobody reading it is no reason to fail.
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

/// How many histories it takes to see that the model is wrong.
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

/// What devices do around a checkout: each program is run in every order.
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
fn what_was_bought_goes_and_everything_else_stays_in_every_order_of_six_steps() -> Result<(), String>
{
    for program in &PROGRAMS {
        let sequences = interleaving::run(program)?;
        say(&format!("{sequences} sequences with an order are right: {program:?}"));
        assert!(sequences > 10_000, "too few sequences reach an order");
    }
    Ok(())
}
