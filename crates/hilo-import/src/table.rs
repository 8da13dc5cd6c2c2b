//! The rows of a file, one after another, whatever its form: CSV or NDJSON → cells in the order of the columns.
//!
//! No row is larger than its bound in memory, also where a quote is never closed.

use std::cell::Cell;
use std::io::{self, BufRead as _, BufReader, Read};
use std::rc::Rc;

use hilo_core::import::row::ROW_BYTES_MAX;
use hilo_core::import::{Fault, FaultCode};
use serde_json::{Map, Value};

use crate::bytes::{Form, Seen};
use crate::flags::Flags;
use crate::problem::Problem;

/// How far a row may reach before it counts as one whose quote is never closed.
const AHEAD_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A row of the file.
pub(crate) struct Row {
    /// Its line, from 1 on.
    pub(crate) line: u64,
    /// Its cells; those of an NDJSON row may be fewer than the columns.
    pub(crate) cells: Vec<String>,
    /// Why it has none.
    pub(crate) fault: Option<Fault>,
}

/// The rows of a file.
pub(crate) struct Table {
    rows: Rows,
    /// The names of the columns that were seen so far.
    pub(crate) names: Vec<String>,
}

enum Rows {
    Csv { reader: csv::Reader<Guard>, record: csv::StringRecord, skipped: u64, at: Rc<Cell<u64>> },
    Ndjson { reader: BufReader<Box<dyn Read>>, line: u64 },
}

/// Counts what a reader takes ahead of the row that it hands out, and makes each end of a line a line feed, so that lines can be counted.
struct Guard {
    file: Box<dyn Read>,
    /// Whether the last byte was a carriage return.
    is_behind_return: bool,
    taken: u64,
    /// Where the last row ended.
    at: Rc<Cell<u64>>,
}

impl Read for Guard {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken.saturating_sub(self.at.get()) > AHEAD_BYTES_MAX {
            let message = "a row does not end: is there a quote that is never closed?";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        loop {
            let count = self.file.read(out)?;
            let kept = self.feed_lines(out.get_mut(..count).unwrap_or_default());
            self.taken += kept as u64;
            // A line feed alone, behind a return that was handed out before.
            if kept > 0 || count == 0 {
                return Ok(kept);
            }
        }
    }
}

impl Guard {
    /// Makes the ends of lines alike, in place. Returns the number of bytes that are left.
    fn feed_lines(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes.get(at).copied().unwrap_or_default();
            let is_second = byte == b'\n' && self.is_behind_return;
            self.is_behind_return = byte == b'\r';
            if is_second {
                continue;
            }
            if let Some(slot) = bytes.get_mut(kept) {
                *slot = if byte == b'\r' { b'\n' } else { byte };
            }
            kept += 1;
        }
        kept
    }
}

impl Table {
    /// Opens a file, and reads the header of a CSV.
    pub(crate) fn open(flags: &Flags, seen: &Seen) -> Result<Table, Problem> {
        let file = seen.open(flags)?;
        let (rows, mut names) = match seen.form {
            Form::Ndjson => (Rows::Ndjson { reader: BufReader::new(file), line: 0 }, Vec::new()),
            Form::Csv { delimiter, skipped_lines } => {
                let at = Rc::new(Cell::new(0));
                let guard = Guard { file, is_behind_return: false, taken: 0, at: Rc::clone(&at) };
                let mut reader = csv::ReaderBuilder::new()
                    .delimiter(delimiter)
                    .flexible(true)
                    .has_headers(true)
                    .from_reader(guard);
                let names = reader.headers()?.iter().map(str::to_owned).collect();
                let record = csv::StringRecord::new();
                (Rows::Csv { reader, record, skipped: skipped_lines, at }, names)
            }
        };
        // A spreadsheet adds empty columns at the end.
        while names.last().is_some_and(|name: &String| name.trim().is_empty()) {
            names.pop();
        }
        Ok(Table { rows, names })
    }

    /// The next row.
    pub(crate) fn next(&mut self) -> Result<Option<Row>, Problem> {
        match &mut self.rows {
            Rows::Csv { reader, record, skipped, at } => {
                if !reader.read_record(record)? {
                    return Ok(None);
                }
                at.set(reader.position().byte());
                let line = record.position().map_or(0, csv::Position::line) + *skipped;
                Ok(Some(csv_row(record, line, self.names.len())))
            }
            Rows::Ndjson { reader, line } => {
                let mut text = Vec::new();
                loop {
                    text.clear();
                    *line += 1;
                    let most = ROW_BYTES_MAX as u64 + 1;
                    if reader.by_ref().take(most).read_until(b'\n', &mut text)? == 0 {
                        return Ok(None);
                    }
                    if text.len() > ROW_BYTES_MAX && !text.ends_with(b"\n") {
                        skip_line(reader)?;
                        let fault = Fault::new(FaultCode::RowTooLarge, "a row has at most 32 KB");
                        return Ok(Some(Row {
                            line: *line,
                            cells: Vec::new(),
                            fault: Some(fault),
                        }));
                    }
                    if !text.trim_ascii().is_empty() {
                        return Ok(Some(ndjson_row(&text, *line, &mut self.names)));
                    }
                }
            }
        }
    }
}

/// Passes over the rest of a line, block by block.
fn skip_line(reader: &mut BufReader<Box<dyn Read>>) -> io::Result<()> {
    loop {
        let block = reader.fill_buf()?;
        let end = block.iter().position(|byte| *byte == b'\n');
        let (count, is_over) = match end {
            Some(end) => (end + 1, true),
            None => (block.len(), block.is_empty()),
        };
        reader.consume(count);
        if is_over {
            return Ok(());
        }
    }
}

fn csv_row(record: &csv::StringRecord, line: u64, columns: usize) -> Row {
    let mut cells: Vec<String> = record.iter().map(str::to_owned).collect();
    while cells.len() > columns && cells.last().is_some_and(|cell| cell.trim().is_empty()) {
        cells.pop();
    }
    let fault = if cells.len() != columns {
        let message = format!(
            "the row has {} cells and the first line {columns}: is a delimiter inside a cell without quotes?",
            cells.len()
        );
        Some(Fault::new(FaultCode::MalformedRow, message))
    } else if record.as_slice().len() > ROW_BYTES_MAX {
        Some(Fault::new(FaultCode::RowTooLarge, "a row has at most 32 KB"))
    } else {
        None
    };
    Row { line, cells, fault }
}

fn ndjson_row(text: &[u8], line: u64, names: &mut Vec<String>) -> Row {
    let mut cells = Vec::new();
    let malformed = |message: &str| Some(Fault::new(FaultCode::MalformedRow, message));
    let fault = match serde_json::from_slice::<Map<String, Value>>(text) {
        Err(_) => malformed("one JSON object a line"),
        Ok(row) => {
            let mut fault = None;
            for (name, value) in row {
                let cell = match value {
                    Value::Null => continue,
                    Value::String(text) => text,
                    Value::Number(number) => number.to_string(),
                    Value::Bool(flag) => flag.to_string(),
                    Value::Array(_) | Value::Object(_) => {
                        fault = malformed(
                            "a value is text or a number: write one row for each line of an order",
                        );
                        continue;
                    }
                };
                let place = names.iter().position(|known| *known == name).unwrap_or_else(|| {
                    names.push(name);
                    names.len() - 1
                });
                cells.resize(cells.len().max(place + 1), String::new());
                if let Some(slot) = cells.get_mut(place) {
                    *slot = cell;
                }
            }
            fault
        }
    };
    Row { line, cells, fault }
}
