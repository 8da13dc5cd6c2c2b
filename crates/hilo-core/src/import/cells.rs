//! Cells of one row of a file → the row in its canonical form: RFC 3339 times, plain decimals, E.164 numbers, hilo's own words.
//!
//! What the file decides as a whole is decided before: decimal mark, order of dates, zone. A row of a file becomes one flat object;
//! `groups` puts the rows of one order together, and `row` reads the result.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::dates::{self, DateOrder};
use super::fault::{Fault, FaultCode};
use super::header::{Header, Place};
use super::kind::{Column, Form, Kind, Need, word};
use super::people;
use crate::money::Currency;
use crate::phone::Market;
use crate::printed::{number, read_with};

/// What is known of a whole file.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Its kind.
    pub kind: Kind,
    /// Its columns.
    pub header: Header,
    /// Its decimal mark, if any number has one.
    pub mark: Option<char>,
    /// What stands first in its dates, if any date needs it.
    pub order: Option<DateOrder>,
    /// The zone of its times.
    pub zone: Option<TimeZone>,
    /// The country of its telephone numbers.
    pub market: Option<&'static Market>,
    /// The currency of rows that name none.
    pub currency: Option<Currency>,
}

/// The values of one row while it is read.
struct Cells<'c> {
    reading: &'c Reading,
    cells: &'c [String],
    row: Map<String, Value>,
    flags: Vec<Value>,
}

impl Reading {
    /// Reads the row that stands at `line` of the file.
    ///
    /// # Errors
    /// The first fault of the row.
    pub fn row(&self, cells: &[String], line: u64) -> Result<Map<String, Value>, Fault> {
        let (row, flags) = Default::default();
        let mut read = Cells { reading: self, cells, row, flags };
        for column in self.kind.columns() {
            let text = read.text(column.name);
            if text.is_empty() {
                if column.need == Need::Always {
                    return Err(Fault::at(
                        FaultCode::MissingValue,
                        column.name,
                        "this value is needed",
                    ));
                }
                continue;
            }
            let value = read.value(column, text)?;
            if let Some(value) = value {
                read.row.insert(column.name.to_string(), Value::String(value));
            }
        }
        if self.kind.is_grouped() && !read.row.contains_key("currency") {
            let currency = read.currency()?.code().to_string();
            read.row.insert("currency".to_string(), Value::String(currency));
        }
        read.keep_further();
        let Cells { mut row, flags, .. } = read;
        row.insert("line".to_string(), line.into());
        if !flags.is_empty() {
            row.insert("flags".to_string(), Value::Array(flags));
        }
        Ok(row)
    }

    /// The cell of a column; empty where the file has no such column.
    pub fn cell<'c>(&self, cells: &'c [String], name: &str) -> &'c str {
        let is_it = |place: &Place| matches!(place, Place::Known(column) if column.name == name);
        let at = self.header.places().iter().position(is_it);
        let cell = at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim());
        // The guard that a list of refused rows has before what would be a formula.
        let bare = cell.strip_prefix('\'').filter(|bare| bare.starts_with(['=', '+', '-', '@']));
        bare.unwrap_or(cell)
    }
}

impl<'c> Cells<'c> {
    fn text(&self, name: &str) -> &'c str {
        self.reading.cell(self.cells, name)
    }

    fn currency(&self) -> Result<Currency, Fault> {
        let text = self.text("currency").to_ascii_uppercase();
        if text.is_empty() {
            return self.reading.currency.ok_or_else(|| {
                let message = "name the currency (ISO 4217, such as EUR), or give one for all rows with --currency";
                Fault::at(FaultCode::MissingValue, "currency", message)
            });
        }
        Currency::parse(&text).filter(|currency| !currency.is_none()).ok_or_else(|| {
            Fault::at(FaultCode::BadCurrency, "currency", "three letters of ISO 4217, such as EUR")
        })
    }

    /// The canonical text of a value; `None` for a value that becomes a part of another.
    fn value(&mut self, column: &Column, text: &str) -> Result<Option<String>, Fault> {
        let reading = self.reading;
        let refused = |code, message: &str| Err(Fault::at(code, column.name, message));
        let value = match column.form {
            Form::Text | Form::Id => text.to_string(),
            Form::Currency => self.currency()?.code().to_string(),
            Form::Amount => {
                let price = read_with(text, self.currency()?, reading.mark);
                let Ok(price) = price else {
                    return refused(FaultCode::BadNumber, "an amount, such as 44.90");
                };
                if price.is_rounded {
                    self.flag("rounded");
                }
                price.amount.text()
            }
            Form::Number => match number(text, reading.mark) {
                Ok(number) => number,
                Err(_) => return refused(FaultCode::BadNumber, "a number, such as 2 or 1.5"),
            },
            Form::Time => self.time(column, text)?,
            // Part of the time.
            Form::Clock => return Ok(None),
            Form::Duration => match duration(text) {
                Some(seconds) => seconds.to_string(),
                None => return refused(FaultCode::BadNumber, "seconds, or hh:mm:ss"),
            },
            Form::Email => match people::email(text) {
                Ok(email) => email,
                Err(code) => return refused(code, "an address, such as ana@shop.example"),
            },
            Form::Phone => match people::phone(text, reading.market) {
                Ok(phone) => phone,
                Err(code @ FaultCode::PhoneMangled) => {
                    return refused(
                        code,
                        "a spreadsheet has rounded this number and lost its digits: export the column as text",
                    );
                }
                Err(code) => {
                    return refused(
                        code,
                        "a number as +34600111222, or as in the country that --country names",
                    );
                }
            },
            Form::Word(words) => match word(words, text) {
                Some(word) => word.to_string(),
                None => {
                    let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                    return refused(FaultCode::BadWord, &known.join(", "));
                }
            },
        };
        Ok(Some(value))
    }

    fn time(&mut self, column: &Column, text: &str) -> Result<String, Fault> {
        // The time of day belongs to the row's own time.
        let clock = Some(self.text("time"))
            .filter(|clock| !clock.is_empty() && column.need == Need::Always);
        let read = dates::read(text, clock, self.reading.order, self.reading.zone.as_ref());
        let (at, flag) = read.map_err(|code| {
            let message = if code == FaultCode::ExcelDate {
                "a spreadsheet stores this date as a number: format the column as a date before you export it"
            } else if code == FaultCode::ZoneMissing {
                "say in which zone the times are, such as --timezone Europe/Madrid"
            } else {
                "a time, such as 2026-12-31 17:45"
            };
            Fault::at(code, column.name, message)
        })?;
        if let Some(flag) = flag {
            self.flag(flag.name());
        }
        Ok(at.to_string())
    }

    fn flag(&mut self, flag: &str) {
        if !self.flags.iter().any(|known| known == flag) {
            self.flags.push(flag.into());
        }
    }

    /// Keeps the columns that the kind does not know.
    fn keep_further(&mut self) {
        let mut further = Map::new();
        for (place, cell) in self.reading.header.places().iter().zip(self.cells) {
            if let (Place::Further(name), false) = (place, cell.trim().is_empty()) {
                further.insert(name.clone(), cell.trim().into());
            }
        }
        if !further.is_empty() {
            self.row.insert("extra".to_string(), Value::Object(further));
        }
    }
}

/// Seconds, `mm:ss` or `hh:mm:ss`.
fn duration(text: &str) -> Option<u64> {
    let mut seconds: u64 = 0;
    let parts: Vec<&str> = text.trim().split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    for part in &parts {
        let is_number =
            !part.is_empty() && part.len() <= 6 && part.bytes().all(|b| b.is_ascii_digit());
        let part: u64 = if is_number { part.parse().ok()? } else { return None };
        seconds = seconds.checked_mul(60)?.checked_add(part)?;
    }
    Some(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn reading(kind: Kind, names: &str) -> Reading {
        let mut header = Header::of(kind);
        names.split('|').for_each(|name| header.add(name));
        Reading {
            kind,
            header,
            mark: Some(','),
            order: Some(DateOrder::DayFirst),
            zone: Some(TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()),
            market: Market::of("ES"),
            currency: Currency::parse("EUR"),
        }
    }

    fn row(kind: Kind, names: &str, cells: &str) -> Value {
        let cells: Vec<String> = cells.split('|').map(str::to_string).collect();
        match reading(kind, names).row(&cells, 2) {
            Ok(row) => Value::Object(row),
            Err(fault) => json!({"code": fault.code.name(), "column": fault.column}),
        }
    }

    #[test]
    fn a_spanish_row_becomes_a_canonical_one() {
        assert_eq!(
            row(
                Kind::Orders,
                "Ticket|Fecha|Hora|Importe|SKU|Cantidad|Precio|Tienda|Teléfono",
                "1001|20/11/2026|18:30|1.234,50|MUG|1,5|19,999|Sol|600 11 12 22"
            ),
            json!({
                "line": 2, "order_id": "1001", "occurred_at": "2026-11-20T17:30:00Z", "total": "1234.50", "currency": "EUR",
                "product_id": "MUG", "quantity": "1.5", "price": "20.00", "store_id": "Sol", "phone": "+34600111222",
                "flags": ["rounded"],
            })
        );
        assert_eq!(
            row(
                Kind::Calls,
                "Fecha|Sentido|Teléfono|Duración",
                "25/10/2026 02:30|Entrante|'600111222|00:03:20"
            ),
            json!({
                "line": 2, "occurred_at": "2026-10-25T00:30:00Z", "direction": "in", "phone": "+34600111222",
                "duration_s": "200", "flags": ["ambiguous_hour"],
            })
        );
        assert_eq!(
            row(
                Kind::Visits,
                "fecha|tienda|correo|Nota",
                "2026-11-20|Sol|ana@shop.example|with a dog"
            ),
            json!({
                "line": 2, "occurred_at": "2026-11-19T23:00:00Z", "store_id": "Sol", "email": "ana@shop.example",
                "extra": {"nota": "with a dog"},
            })
        );
    }

    #[test]
    fn a_row_is_refused_with_the_column_to_blame() {
        for (kind, names, cells, code, column) in [
            (Kind::Orders, "order_id|date|total", "|2026-11-20|1", "missing_value", "order_id"),
            (Kind::Orders, "order_id|date|total", "1|2026-11-20|free", "bad_number", "total"),
            (Kind::Orders, "order_id|date|total", "1|45987|1", "excel_date", "occurred_at"),
            (
                Kind::Orders,
                "order_id|date|total|currency",
                "1|2026-11-20|1|euros",
                "bad_currency",
                "total",
            ),
            (
                Kind::Calls,
                "date|direction|phone",
                "2026-11-20|in|3,46E+10",
                "phone_mangled",
                "phone",
            ),
            (
                Kind::Calls,
                "date|direction|phone",
                "2026-11-20|sideways|600111222",
                "bad_word",
                "direction",
            ),
            (
                Kind::Calls,
                "date|direction|phone|duration",
                "2026-11-20|in|600111222|soon",
                "bad_number",
                "duration_s",
            ),
            (
                Kind::OptIns,
                "email|channel|state|at",
                "ana|email|yes|2026-11-20",
                "bad_email",
                "email",
            ),
        ] {
            let found = row(kind, names, cells);
            let column = if code == "bad_currency" { "currency" } else { column };
            assert_eq!(found, json!({"code": code, "column": column}), "{cells}");
        }
    }
}
