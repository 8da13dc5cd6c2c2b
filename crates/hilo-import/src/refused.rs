//! The rows that were refused, copied from the file, with two more columns: the code, and the sentence with the remedy.
//!
//! Whoever opens the copy in a spreadsheet runs no formula of a row. A mended copy can be imported as it is.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use hilo_core::import::header::guarded;
use serde_json::Value;

use crate::bytes::{Form, Seen};
use crate::flags::Flags;
use crate::problem::Problem;
use crate::table::Table;

/// The most rows of a copy.
pub(crate) const ROWS_MAX: usize = 100_000;

/// The refused lines: code and sentence.
pub(crate) type Lines = BTreeMap<u64, (String, String)>;

/// Reads a list: one object a line, with `line`, `code`, `column` and `message`.
pub(crate) fn read(list: &Path) -> Result<Lines, Problem> {
    let mut lines = Lines::new();
    for text in BufReader::new(File::open(list)?).lines() {
        let Ok(one) = serde_json::from_str::<Value>(&text?) else { continue };
        let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
        let Some(line) = one.get("line").and_then(Value::as_u64) else { continue };
        add(&mut lines, line, text("code"), text("column"), text("message"));
    }
    Ok(lines)
}

/// Adds a refused line, as long as there is room.
pub(crate) fn add(lines: &mut Lines, line: u64, code: &str, column: &str, message: &str) {
    if lines.len() < ROWS_MAX {
        let message =
            if column.is_empty() { message.to_owned() } else { format!("{column}: {message}") };
        lines.insert(line, (code.to_owned(), message));
    }
}

/// Copies the rows to standard output.
pub(crate) fn copy(flags: &Flags, seen: &Seen, lines: &Lines) -> Result<(), Problem> {
    copy_to(io::stdout().lock(), flags, seen, lines)
}

/// Copies the rows.
pub(crate) fn copy_to(
    out: impl io::Write,
    flags: &Flags,
    seen: &Seen,
    lines: &Lines,
) -> Result<(), Problem> {
    // The columns of NDJSON come one after another.
    let mut names = Table::open(flags, seen)?;
    if seen.form == Form::Ndjson {
        while names.next()?.is_some() {}
    }
    let columns = names.names.len();
    let delimiter = match seen.form {
        Form::Csv { delimiter, .. } => delimiter,
        Form::Ndjson => b',',
    };
    let mut out = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
    let added = ["hilo_code", "hilo_message"].map(str::to_owned);
    out.write_record(names.names.iter().map(|name| guarded(name)).chain(added))?;
    let mut table = Table::open(flags, seen)?;
    while let Some(mut row) = table.next()? {
        let Some((code, message)) = lines.get(&row.line) else { continue };
        row.cells.resize(columns, String::new());
        let cells = row.cells.iter().map(|cell| guarded(cell));
        out.write_record(cells.chain([code.clone(), guarded(message)]))?;
    }
    out.flush()?;
    Ok(())
}
