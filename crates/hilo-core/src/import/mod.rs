//! Files of what happened elsewhere: store sales, refunds, call lists, visits, opt-ins, contacts → reports about people.
//!
//! In two halves. The command line reads files: `header` finds the columns, `decimals` and `dates` decide for the whole file, `cells`
//! makes canonical rows, `groups` puts the rows of an order together. `row` reads canonical rows and makes [`crate::inbound::Report`]s;
//! the collector uses this half alone. Nothing here opens a file, and nothing is guessed: what has two readings is refused with a
//! remedy.

pub mod cells;
pub mod dates;
pub mod decimals;
mod fault;
pub mod groups;
pub mod header;
mod imported;
pub mod kind;
mod people;
mod reports;
pub mod row;

pub use fault::{Fault, FaultCode};
pub use imported::{Imported, read};
pub use kind::Kind;
pub use reports::{ORDER_UPDATED, updated};
pub use row::Terms;

/// The most rows of one call.
pub const CALL_ROWS_MAX: usize = 500;

#[cfg(test)]
mod tests;
