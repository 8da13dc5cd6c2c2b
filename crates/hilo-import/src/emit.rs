//! The third pass: rows → canonical rows, in calls.
//!
//! A first part says what comes; then the calls, each of at most 500 lines with an empty line behind it. The rows of a person stand together
//! within a window, so that a call of 500 rows asks few objects. The same file gives the same calls, so an import can go on where it
//! was cut.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, BufWriter, Write};

use hilo_core::import::CALL_ROWS_MAX;
use hilo_core::import::groups::{Groups, Read, group_of};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::bytes::Seen;
use crate::flags::Flags;
use crate::problem::Problem;
use crate::survey::Survey;
use crate::table::Table;

/// The rows among which those of a person stand together: some 15 MB.
const WINDOW_ROWS: usize = 30_000;
/// The most bytes of a call: the collector takes 1 MiB of inflated bytes.
const CALL_BYTES_MAX: usize = 900 * 1024;

/// Writes the calls.
pub(crate) fn run(
    flags: &Flags,
    seen: &Seen,
    survey: Survey,
    out: impl Write,
) -> Result<(), Problem> {
    let mut hasher = Sha256::new();
    hasher.update(seen.hash);
    hasher.update(flags.said.as_bytes());
    // Another version may cut the file into other calls, so it begins another import.
    let version = (env!("CARGO_PKG_VERSION"), WINDOW_ROWS, CALL_ROWS_MAX, CALL_BYTES_MAX);
    hasher.update(format!("{version:?}").as_bytes());
    let id: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut out = BufWriter::new(out);
    let plan = json!({ "plan": { "rows": survey.rows, "fingerprint": id } });
    writeln!(out, "{plan}\n")?;
    let mut calls = Calls { out, window: Vec::new(), lines: 0, bytes: 0 };
    let mut failed = None;
    each(flags, seen, survey, &mut |read| {
        if let Err(why) = calls.take(read) {
            failed.get_or_insert(why);
        }
        failed.is_none()
    })?;
    match failed {
        Some(why) => Err(why.into()),
        None => Ok(calls.finish()?),
    }
}

/// Reads all rows again, and hands out what they are. `take` answers whether to go on.
pub(crate) fn each(
    flags: &Flags,
    seen: &Seen,
    survey: Survey,
    take: &mut impl FnMut(Read) -> bool,
) -> Result<(), Problem> {
    let Survey { reading, runs, .. } = survey;
    let mut table = Table::open(flags, seen)?;
    let mut groups = Groups::of(flags.kind, runs);
    let mut goes_on = true;
    let mut out = |read: Read| goes_on = take(read);
    while let Some(row) = table.next()? {
        let group = group_of(&reading, &row.cells);
        let read = row.fault.map_or_else(|| reading.row(&row.cells, row.line), Err);
        groups.take(group, row.line, read, &mut out);
    }
    groups.finish(&mut out);
    Ok(())
}

/// The line of a row, as it is sent.
pub(crate) fn line_of(read: Read) -> Map<String, Value> {
    match read {
        Read::Row(row) => row,
        Read::Refused(line, fault) => {
            let mut row = Map::new();
            row.insert("line".to_owned(), line.into());
            row.insert("refused".to_owned(), json!(fault));
            row
        }
    }
}

/// Lines on their way.
struct Calls<W> {
    out: W,
    /// Each line with the hash of its person.
    window: Vec<(u64, String)>,
    /// The lines and bytes of the call that was begun.
    lines: usize,
    bytes: usize,
}

impl<W: Write> Calls<W> {
    fn take(&mut self, read: Read) -> io::Result<()> {
        let row = line_of(read);
        self.window.push((person_of(&row), Value::Object(row).to_string()));
        if self.window.len() == WINDOW_ROWS { self.flush() } else { Ok(()) }
    }

    /// Writes the window, person by person. The rows of a person keep their order.
    fn flush(&mut self) -> io::Result<()> {
        let mut window = std::mem::take(&mut self.window);
        window.sort_by_key(|(person, _)| *person);
        for (_, line) in window {
            if self.lines == CALL_ROWS_MAX || self.bytes + line.len() >= CALL_BYTES_MAX {
                self.end_call()?;
            }
            self.out.write_all(line.as_bytes())?;
            self.out.write_all(b"\n")?;
            self.lines += 1;
            self.bytes += line.len() + 1;
        }
        Ok(())
    }

    fn end_call(&mut self) -> io::Result<()> {
        (self.lines, self.bytes) = (0, 0);
        self.out.write_all(b"\n")
    }

    fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        if self.lines > 0 {
            self.end_call()?;
        }
        self.out.flush()
    }
}

/// A number for the person of a row: the first name that it has, in the order in which the collector looks for the person.
fn person_of(row: &Map<String, Value>) -> u64 {
    let names = ["customer_id", "email", "phone", "loyalty_id", "order_id"];
    let name = names.iter().find_map(|name| row.get(*name).and_then(Value::as_str));
    let mut hasher = DefaultHasher::new();
    name.unwrap_or_default().to_lowercase().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_a_person_stand_together_and_no_call_has_more_than_its_rows() {
        let mut calls = Calls { out: Vec::new(), window: Vec::new(), lines: 0, bytes: 0 };
        for line in 0..1_200_u64 {
            let mut row = Map::new();
            row.insert("customer_id".to_owned(), format!("u{}", line % 7).into());
            row.insert("line".to_owned(), line.into());
            calls.take(Read::Row(row)).unwrap();
        }
        calls.flush().unwrap();
        calls.end_call().unwrap();
        let text = String::from_utf8(calls.out).unwrap();
        let sizes: Vec<usize> =
            text.trim_end().split("\n\n").map(|call| call.lines().count()).collect();
        assert_eq!(sizes, [500, 500, 200]);
        let rows = text.lines().filter(|line| !line.is_empty());
        let rows: Vec<Value> = rows.map(|line| serde_json::from_str(line).unwrap()).collect();
        let changes =
            rows.windows(2).filter(|pair| pair[0]["customer_id"] != pair[1]["customer_id"]);
        assert_eq!(changes.count(), 6);
        let is_in_order = |pair: &[Value]| {
            pair[0]["customer_id"] != pair[1]["customer_id"]
                || pair[0]["line"].as_u64() < pair[1]["line"].as_u64()
        };
        assert!(rows.windows(2).all(is_in_order));
    }
}
