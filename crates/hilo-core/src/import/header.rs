//! The names of a file's columns → what each column is.
//!
//! Names come one after another, because rows of NDJSON bring them so. A name that its kind does not know is a fault, unless the
//! deployer keeps further columns as properties.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use super::fault::{Fault, FaultCode};
use super::kind::{Column, Form, Kind, Need, plain};

/// The most columns of a file: as many keys as an object of the wire may have.
pub const COLUMNS_MAX: usize = 255;

/// What a column is.
#[derive(Clone, Debug)]
pub enum Place {
    /// One of the kind's columns.
    Known(&'static Column),
    /// A further column, which becomes a property of this name.
    Further(String),
}

/// The columns of a file, in the file's order.
#[derive(Clone, Debug)]
pub struct Header {
    kind: Kind,
    places: Vec<Place>,
}

impl Header {
    /// A header without columns.
    pub fn of(kind: Kind) -> Header {
        Header { kind, places: Vec::new() }
    }

    /// Adds the next column.
    pub fn add(&mut self, name: &str) {
        let said = plain(name);
        let mut columns = self.kind.columns().iter();
        let known = columns.find(|one| one.name == said || one.aliases.contains(&said.as_str()));
        self.places.push(known.map_or(Place::Further(said), Place::Known));
    }

    /// The columns.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Whether the file has the column.
    pub fn has(&self, name: &str) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Known(one) if one.name == name))
    }

    /// Finds what keeps the file from being read with these columns. `has_currency` says that the deployer gave one for all rows.
    pub fn faults(&self, keeps_further: bool, has_currency: bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (at, place) in self.places.iter().enumerate() {
            let earlier = self.places.iter().take(at);
            match place {
                Place::Known(column) => {
                    let is_same =
                        |one: &Place| matches!(one, Place::Known(it) if it.name == column.name);
                    if earlier.into_iter().any(is_same) {
                        let message =
                            "two columns of the file mean this one: rename or remove one of them";
                        faults.push(Fault::at(FaultCode::DuplicateColumn, column.name, message));
                    }
                }
                Place::Further(name) if !keeps_further => {
                    let known = self.kind.columns().iter().map(|column| column.name);
                    let known = known.collect::<Vec<_>>().join(", ");
                    let message = format!(
                        "this kind has no such column: rename it, remove it, or keep it with --extra properties; there are {known}"
                    );
                    faults.push(Fault::at(FaultCode::UnknownColumn, name, message));
                }
                Place::Further(_) => {}
            }
        }
        let is_money = |column: &Column| column.form == Form::Amount && column.need == Need::Always;
        for column in self.kind.columns() {
            let lacks = column.need == Need::Always && !self.has(column.name);
            if lacks {
                let message = format!(
                    "the file needs this column; it may also be called {}",
                    column.aliases.join(", ")
                );
                faults.push(Fault::at(FaultCode::MissingColumn, column.name, message));
            } else if is_money(column) && !has_currency && !self.has("currency") {
                let message =
                    "say which currency the amounts have: add the column, or --currency EUR";
                faults.push(Fault::at(FaultCode::MissingColumn, "currency", message));
            }
        }
        if self.places.len() > COLUMNS_MAX {
            let message = format!("a file has at most {COLUMNS_MAX} columns");
            faults.push(Fault::new(FaultCode::RowTooLarge, message));
        }
        faults
    }
}

/// The delimiter of a header line: of `,`, `;`, tab and `|` the one that stands there most often outside quotes. `sep=;` on a line of
/// its own, as a spreadsheet writes it, is read before.
pub fn delimiter(line: &str) -> u8 {
    let mut is_quoted = false;
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in line.bytes() {
        is_quoted ^= byte == b'"';
        if !is_quoted && let Some((_, count)) = counts.iter_mut().find(|(one, _)| *one == byte) {
            *count += 1;
        }
    }
    // The first of several that are equally frequent: a file of one column has none of them.
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or_default();
    counts.iter().find(|(_, count)| *count == most).map_or(b',', |(byte, _)| *byte)
}

/// The delimiter that a first line `sep=;` gives.
pub fn given_delimiter(line: &str) -> Option<u8> {
    match line.trim_end_matches(['\r', '\n']).strip_prefix("sep=")?.as_bytes() {
        [byte] => Some(*byte),
        _ => None,
    }
}

/// A cell of a CSV that people open in a spreadsheet: what would count as a formula gets an apostrophe before it.
pub fn guarded(cell: &str) -> String {
    match cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{cell}"),
        false => cell.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, names: &[&str], further: bool, currency: bool, expected: &[(&str, &str)]) {
        let mut header = Header::of(kind);
        names.iter().for_each(|name| header.add(name));
        let faults = header.faults(further, currency);
        let found: Vec<_> = faults
            .iter()
            .map(|fault| (fault.code.name(), fault.column.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(found, expected, "{names:?}");
    }

    #[test]
    fn columns_are_found_by_their_spanish_names() {
        check(
            Kind::Orders,
            &["Pedido", "Fecha", "Hora", "Importe", "Moneda", "Teléfono"],
            false,
            false,
            &[],
        );
        check(Kind::Calls, &["Fecha y hora", "Sentido", "Teléfono", "Duración"], false, false, &[]);
    }

    #[test]
    fn a_file_that_cannot_be_read_with_its_columns_says_each_reason() {
        check(
            Kind::Orders,
            &["order_id", "ticket", "total", "shoe size"],
            false,
            false,
            &[
                ("duplicate_column", "order_id"),
                ("unknown_column", "shoe_size"),
                ("missing_column", "occurred_at"),
                ("missing_column", "currency"),
            ],
        );
        check(Kind::Orders, &["order_id", "date", "total", "shoe size"], true, true, &[]);
    }

    #[test]
    fn the_delimiter_is_the_most_frequent_one_outside_quotes() {
        for (line, expected) in [
            ("a,b,c", b','),
            ("a;b;c", b';'),
            ("\"a,b,c\";d", b';'),
            ("a\tb\tc,d", b'\t'),
            ("a|b", b'|'),
            ("alone", b','),
        ] {
            assert_eq!(delimiter(line), expected, "{line}");
        }
        assert_eq!(given_delimiter("sep=;\r\n"), Some(b';'));
        assert_eq!(given_delimiter("sep,total"), None);
    }

    #[test]
    fn a_cell_that_a_spreadsheet_would_take_for_a_formula_is_guarded() {
        for cell in ["=1+1", "+34600111222", "-5", "@SUM(A1)", "\t=1"] {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        assert_eq!(guarded("44.90"), "44.90");
    }
}
