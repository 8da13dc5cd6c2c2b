//! The second pass: all rows → what is decided once for the whole file.
//!
//! Columns, decimal mark, order of dates, and which orders come in several places.

use hilo_core::import::cells::Reading;
use hilo_core::import::dates::Dates;
use hilo_core::import::decimals::Decimals;
use hilo_core::import::groups::{Runs, group_of};
use hilo_core::import::header::{COLUMNS_MAX, Header, Place};
use hilo_core::import::kind::Form;
use hilo_core::import::{Fault, FaultCode};
use hilo_core::money::Currency;

use crate::bytes::Seen;
use crate::flags::Flags;
use crate::problem::Problem;
use crate::table::{Row, Table};

/// What is known of a file.
pub(crate) struct Survey {
    pub(crate) reading: Reading,
    pub(crate) runs: Runs,
    /// The number of rows.
    pub(crate) rows: u64,
}

/// Reads all rows once.
pub(crate) fn run(flags: &Flags, seen: &Seen) -> Result<Survey, Problem> {
    let mut table = Table::open(flags, seen)?;
    let mut reading = Reading {
        kind: flags.kind,
        header: Header::of(flags.kind),
        mark: None,
        order: None,
        zone: flags.zone.clone(),
        market: flags.market,
        currency: flags.currency,
    };
    let (mut decimals, mut dates, mut runs) =
        (Decimals::default(), Dates::default(), Runs::default());
    add(&mut reading.header, &table.names)?;
    // A CSV names its columns first, so that its faults are told before its rows are read.
    check(flags, &reading.header, !table.names.is_empty())?;
    let mut rows = 0;
    while let Some(row) = table.next()? {
        rows += 1;
        add(&mut reading.header, &table.names)?;
        look(&reading, &row, &mut decimals, &mut dates);
        runs.look(group_of(&reading, &row.cells).as_deref());
    }
    if rows == 0 {
        return Err(Problem("the file has no rows.".to_owned()));
    }
    check(flags, &reading.header, true)?;
    runs.check()?;
    reading.mark = decimals.decide(flags.mark)?;
    reading.order = dates.decide(flags.order)?;
    Ok(Survey { reading, runs, rows })
}

/// Adds the columns that came since.
fn add(header: &mut Header, names: &[String]) -> Result<(), Problem> {
    let known = header.places().len();
    names.iter().skip(known).for_each(|name| header.add(name));
    if names.len() <= COLUMNS_MAX {
        return Ok(());
    }
    let message = format!("a file has at most {COLUMNS_MAX} columns");
    Err(Fault::new(FaultCode::RowTooLarge, message).into())
}

fn check(flags: &Flags, header: &Header, is_known: bool) -> Result<(), Problem> {
    let faults = header.faults(flags.keeps_further, flags.currency.is_some());
    if !is_known || faults.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = faults.into_iter().map(|fault| Problem::from(fault).0).collect();
    Err(Problem(told.join("\n       ")))
}

/// Looks at the cells whose reading depends on the others of the file.
fn look(reading: &Reading, row: &Row, decimals: &mut Decimals, dates: &mut Dates) {
    /// As for most currencies, and for numbers that are no money.
    const LIKE_MOST: u8 = 2;
    let said = Currency::parse(&reading.cell(&row.cells, "currency").to_ascii_uppercase());
    let exponent = said.or(reading.currency).map_or(LIKE_MOST, |currency| currency.exponent());
    for (place, cell) in reading.header.places().iter().zip(&row.cells) {
        let Place::Known(column) = place else { continue };
        match column.form {
            Form::Amount => decimals.look(cell, exponent, row.line),
            Form::Number => decimals.look(cell, LIKE_MOST, row.line),
            Form::Time => dates.look(cell, row.line),
            Form::Text
            | Form::Id
            | Form::Clock
            | Form::Duration
            | Form::Email
            | Form::Phone
            | Form::Currency
            | Form::Word(_) => {}
        }
    }
}
