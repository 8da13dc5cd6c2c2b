//! Rows of one order, wherever they stand in the file → one row with the order's lines.
//!
//! The first pass over a file notes which orders come in several places ([`Runs`]), so that the second pass ([`Groups`]) keeps only
//! those in memory. An order is imported whole or not at all.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value};

use super::cells::Reading;
use super::fault::{Fault, FaultCode};
use super::kind::{Kind, Need};

/// The most lines of an order: more would not fit into one event.
pub const ORDER_LINES_MAX: usize = 200;
/// The most orders of a file. Each takes some 20 bytes of memory in the first pass.
const ORDERS_MAX: usize = 4_000_000;
/// The most rows of orders that lie apart in a file: they wait in memory for the rest of their order.
const SCATTERED_ROWS_MAX: u64 = 100_000;

/// The orders of a file, by the hash of their ids: their rows, and in how many places these stand.
#[derive(Debug, Default)]
pub struct Runs {
    orders: BTreeMap<u64, (u32, u32)>,
    last: Option<u64>,
}

/// The text by which rows belong together; `None` for a kind whose rows stand alone, and for a row without an order.
pub fn group_of(reading: &Reading, cells: &[String]) -> Option<String> {
    let cell = |name| reading.cell(cells, name);
    let order = Some(cell("order_id")).filter(|order| !order.is_empty())?;
    match reading.kind {
        Kind::Orders => Some(order.to_string()),
        // One order may be refunded in parts.
        Kind::Refunds => {
            Some([order, cell("refund_id"), cell("occurred_at"), cell("time")].join("\n"))
        }
        Kind::Calls | Kind::Visits | Kind::OptIns | Kind::Contacts => None,
    }
}

fn hash_of(group: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    group.hash(&mut hasher);
    hasher.finish()
}

impl Runs {
    /// Notes the next row's order.
    pub fn look(&mut self, group: Option<&str>) {
        let hash = group.map(hash_of);
        if let Some(hash) = hash {
            let (rows, runs) = self.orders.entry(hash).or_default();
            *rows = rows.saturating_add(1);
            *runs += u32::from(self.last != Some(hash));
        }
        self.last = hash;
    }

    /// Whether the file can be read in bounded memory.
    ///
    /// # Errors
    /// `too_many_rows`, `scattered_orders`.
    pub fn check(&self) -> Result<(), Fault> {
        let scattered = self.orders.values().filter(|(_, runs)| *runs > 1);
        let rows: u64 = scattered.map(|(rows, _)| u64::from(*rows)).sum();
        if self.orders.len() > ORDERS_MAX {
            let message = format!("a file has at most {ORDERS_MAX} orders: split it");
            return Err(Fault::new(FaultCode::TooManyRows, message));
        }
        if rows > SCATTERED_ROWS_MAX {
            let message = format!(
                "the rows of many orders lie apart in the file, {rows} rows in all: sort it by order"
            );
            return Err(Fault::new(FaultCode::ScatteredOrders, message));
        }
        Ok(())
    }
}

/// What becomes of rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// A canonical row.
    Row(Map<String, Value>),
    /// A row that is refused, by its line.
    Refused(u64, Fault),
}

/// One order while its rows come.
#[derive(Debug, Default)]
struct Group {
    order: Map<String, Value>,
    items: Vec<Value>,
    lines: Vec<u64>,
    faults: Vec<(u64, Fault)>,
}

/// Puts rows together.
#[derive(Debug)]
pub struct Groups {
    kind: Kind,
    runs: Runs,
    /// The order of the row before.
    current: Option<(String, Group)>,
    /// Orders with rows elsewhere in the file, and in how many places these still are.
    waiting: BTreeMap<String, (Group, u32)>,
}

impl Groups {
    /// Begins the second pass, with what the first has seen.
    pub fn of(kind: Kind, runs: Runs) -> Groups {
        Groups { kind, runs, current: None, waiting: BTreeMap::new() }
    }

    /// Takes the next row, and hands out what is complete.
    pub fn take(
        &mut self,
        group: Option<String>,
        line: u64,
        row: Result<Map<String, Value>, Fault>,
        out: &mut impl FnMut(Read),
    ) {
        let Some(group) = group else {
            self.close(out);
            out(row.map_or_else(|fault| Read::Refused(line, fault), Read::Row));
            return;
        };
        if self.current.as_ref().is_none_or(|(known, _)| *known != group) {
            self.close(out);
            let kept = self.waiting.get_mut(&group).map(|(kept, _)| core::mem::take(kept));
            self.current = Some((group, kept.unwrap_or_default()));
        }
        if let Some((_, current)) = &mut self.current {
            current.add(self.kind, line, row);
        }
    }

    /// Hands out the last order.
    pub fn finish(&mut self, out: &mut impl FnMut(Read)) {
        self.close(out);
    }

    fn close(&mut self, out: &mut impl FnMut(Read)) {
        let Some((id, group)) = self.current.take() else { return };
        let runs = self.runs.orders.get(&hash_of(&id)).map_or(1, |(_, runs)| *runs);
        if runs == 1 {
            return group.finish(out);
        }
        let left = self.waiting.remove(&id).map_or(runs, |(_, left)| left) - 1;
        match left {
            0 => group.finish(out),
            left => drop(self.waiting.insert(id, (group, left))),
        }
    }
}

impl Group {
    fn add(&mut self, kind: Kind, line: u64, row: Result<Map<String, Value>, Fault>) {
        self.lines.push(line);
        let mut row = match row {
            Ok(row) => row,
            Err(fault) => return self.faults.push((line, fault)),
        };
        let mut item = Map::new();
        for column in kind.columns().iter().filter(|column| column.need == Need::OfLine) {
            item.extend(row.remove_entry(column.name));
        }
        if !item.is_empty() {
            self.items.push(Value::Object(item));
        }
        for name in ["total", "currency"] {
            let (known, said) = (self.order.get(name), row.get(name));
            if known.is_some() && known != said {
                let message = "the rows of one order have different values here: write the order's own on each of its rows";
                return self
                    .faults
                    .push((line, Fault::at(FaultCode::TotalMismatch, name, message)));
            }
        }
        if self.items.len() > ORDER_LINES_MAX {
            let message = format!("an order has at most {ORDER_LINES_MAX} lines");
            self.items.pop();
            return self.faults.push((line, Fault::new(FaultCode::RowTooLarge, message)));
        }
        if let (Some(Value::Array(flags)), Some(Value::Array(more))) =
            (self.order.get_mut("flags"), row.get("flags"))
        {
            flags.extend(
                more.iter().filter(|flag| !flags.contains(flag)).cloned().collect::<Vec<_>>(),
            );
        }
        for (name, value) in row {
            self.order.entry(name).or_insert(value);
        }
    }

    fn finish(mut self, out: &mut impl FnMut(Read)) {
        if self.faults.is_empty() {
            let further: Vec<Value> =
                self.lines.iter().skip(1).map(|line| (*line).into()).collect();
            for (name, list) in [("lines", self.items), ("also", further)] {
                if !list.is_empty() {
                    self.order.insert(name.to_string(), Value::Array(list));
                }
            }
            return out(Read::Row(self.order));
        }
        let faults: BTreeMap<u64, Fault> = self.faults.into_iter().collect();
        for line in self.lines {
            let message =
                "another row of this order is refused, and no part of an order is imported alone";
            let fault = faults.get(&line).cloned();
            out(Read::Refused(
                line,
                fault.unwrap_or_else(|| Fault::new(FaultCode::OrderRefused, message)),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::header::Header;
    use crate::money::Currency;
    use serde_json::json;

    fn read(rows: &[&str]) -> Vec<Value> {
        let mut header = Header::of(Kind::Orders);
        ["order_id", "date", "total", "sku"].into_iter().for_each(|name| header.add(name));
        let reading = Reading {
            kind: Kind::Orders,
            header,
            mark: None,
            order: None,
            zone: Some(jiff::tz::TimeZone::UTC),
            market: None,
            currency: Currency::parse("EUR"),
        };
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.split(',').map(str::to_string).collect()).collect();
        let mut runs = Runs::default();
        rows.iter().for_each(|cells| runs.look(group_of(&reading, cells).as_deref()));
        runs.check().unwrap();
        let (mut groups, mut found) = (Groups::of(Kind::Orders, runs), Vec::new());
        let mut out = |read: Read| {
            found.push(match read {
                Read::Row(row) => {
                    json!([row["line"], row["order_id"], row.get("lines"), row.get("also")])
                }
                Read::Refused(line, fault) => json!([line, fault.code.name()]),
            });
        };
        for (cells, line) in rows.iter().zip(2..) {
            groups.take(group_of(&reading, cells), line, reading.row(cells, line), &mut out);
        }
        groups.finish(&mut out);
        found
    }

    #[test]
    fn the_rows_of_one_order_are_one_order_wherever_they_stand() {
        let found = read(&[
            "1,2026-11-20,5,A",
            "1,2026-11-20,5,B",
            "2,2026-11-20,3,C",
            "3,2026-11-20,1,",
            "2,2026-11-20,3,D",
        ]);
        assert_eq!(
            found,
            [
                json!([2, "1", [{"product_id": "A"}, {"product_id": "B"}], [3]]),
                json!([5, "3", null, null]),
                json!([4, "2", [{"product_id": "C"}, {"product_id": "D"}], [6]]),
            ]
        );
    }

    #[test]
    fn an_order_whose_totals_differ_or_of_which_a_row_is_bad_is_refused_as_a_whole() {
        let found = read(&[
            "1,2026-11-20,5,A",
            "1,2026-11-20,6,B",
            "2,2026-11-20,3,C",
            "2,soon,3,D",
            ",2026-11-20,1,E",
        ]);
        assert_eq!(
            found,
            [
                json!([2, "order_refused"]),
                json!([3, "total_mismatch"]),
                json!([4, "order_refused"]),
                json!([5, "bad_time"]),
                json!([6, "missing_value"]),
            ]
        );
    }

    #[test]
    fn an_order_with_too_many_lines_is_refused() {
        let rows: Vec<String> =
            (0..=ORDER_LINES_MAX).map(|n| format!("1,2026-11-20,5,S{n}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let found = read(&rows);
        assert_eq!(found.last(), Some(&json!([ORDER_LINES_MAX + 2, "row_too_large"])));
    }
}
