//! A row in its canonical form → its values, checked: its person, its key, its amounts and times.
//!
//! The command line makes such rows of files, and anybody may send them: an object with hilo's names for the columns, times with their
//! offset, amounts with a point, numbers as `+34600111222`. Whatever decides is checked here once more.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

use super::fault::{Fault, FaultCode};
use super::kind::{Column, Form, Kind, Need};
use super::people;
use crate::inbound::Who;
use crate::money::{Amount, Currency};
use crate::price::Price;

/// How far ahead a time may be: clocks differ, and so do days around the earth.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(24);
/// The most bytes of one row.
pub const ROW_BYTES_MAX: usize = 32 * 1024;
/// The fields of a row that are no columns.
const BESIDE: [&str; 5] = ["line", "also", "lines", "flags", "extra"];

/// What rows are judged by.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'t> {
    /// The kind of the rows.
    pub kind: Kind,
    /// The name of their source.
    pub source: &'t str,
    /// The time.
    pub now: Timestamp,
    /// The time from which on events are kept, if it is known.
    pub oldest: Option<Timestamp>,
}

/// A row whose values were checked.
pub(super) struct Row<'r> {
    values: &'r Map<String, Value>,
    /// Its currency.
    currency: Option<Currency>,
}

/// The name of a further report of the same row.
pub(super) fn part_of(key: &str, part: &str) -> String {
    format!("imp:{}", hex(&format!("{key}\0{part}"), 16))
}

pub(super) fn hex(text: &str, bytes: usize) -> String {
    Sha256::digest(text.as_bytes()).iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

/// A value as text: its digits, if it is a number.
pub(super) fn text_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

impl<'r> Row<'r> {
    pub(super) fn check(
        values: &'r Map<String, Value>,
        terms: &Terms<'_>,
    ) -> Result<Row<'r>, Fault> {
        for (name, value) in values {
            if BESIDE.contains(&name.as_str()) {
                continue;
            }
            if terms.kind.column(name).is_none() {
                let message = "rows of this kind have no such field";
                return Err(Fault::at(FaultCode::UnknownColumn, name, message));
            }
            if !value.is_null() && !matches!(value, Value::String(_) | Value::Number(_)) {
                return Err(Fault::at(FaultCode::MalformedRow, name, "text, or a number"));
            }
        }
        let mut row = Row { values, currency: None };
        row.currency = row.read_currency()?;
        for column in terms.kind.columns() {
            match row.text(column.name) {
                Some(text) => row.check_value(column, &text, terms)?,
                None if column.need == Need::Always => {
                    let message = "this value is needed";
                    return Err(Fault::at(FaultCode::MissingValue, column.name, message));
                }
                None => {}
            }
        }
        if terms.kind.is_grouped() && row.currency.is_none() {
            let message = "name the currency (ISO 4217), such as EUR";
            return Err(Fault::at(FaultCode::MissingValue, "currency", message));
        }
        for item in row.items()? {
            for column in terms.kind.columns().iter().filter(|one| one.need == Need::OfLine) {
                if let Some(text) = item.text(column.name) {
                    item.check_value(column, &text, terms)?;
                }
            }
        }
        Ok(row)
    }

    /// The value of a column.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values.get(name).and_then(text_of)
    }

    /// Copies values of these columns into `to`, as text.
    pub(super) fn copy(&self, names: &[&str], to: &mut Map<String, Value>) {
        for name in names {
            if let Some(text) = self.text(name) {
                to.insert((*name).to_string(), text.into());
            }
        }
    }

    /// Copies amounts, quantities and other numbers into `to`, as numbers with the digits that they have.
    pub(super) fn copy_numbers(&self, names: &[&str], to: &mut Map<String, Value>) {
        for name in names {
            let amount = || Some(self.amount(name)?.text());
            let plain = || self.text(name);
            let text = if matches!(*name, "quantity" | "duration_s") { plain() } else { amount() };
            let number: Option<Number> = text.and_then(|text| serde_json::from_str(&text).ok());
            to.extend(number.map(|number| ((*name).to_string(), Value::Number(number))));
        }
    }

    /// The amount of a column.
    pub(super) fn amount(&self, name: &str) -> Option<Amount> {
        let currency = self.currency?;
        match self.values.get(name)? {
            Value::Number(number) => {
                Price::of_number(&number.to_string(), currency).ok().map(|price| price.amount)
            }
            Value::String(text) => Amount::parse(text.trim(), currency),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The time of a column.
    pub(super) fn time(&self, name: &str) -> Option<Timestamp> {
        self.text(name)?.parse().ok()
    }

    /// The further properties, and the remarks of whoever read the file.
    pub(super) fn further(&self, to: &mut Map<String, Value>) {
        if let Some(Value::Object(extra)) = self.values.get("extra") {
            for (name, value) in extra {
                to.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        if let Some(Value::Array(flags)) = self.values.get("flags") {
            to.insert("import_flags".to_string(), Value::Array(flags.clone()));
        }
    }

    /// The lines of an order: those in its list, or the row itself where it has a line's values.
    pub(super) fn items(&self) -> Result<Vec<Row<'r>>, Fault> {
        let currency = self.currency;
        match self.values.get("lines") {
            None => Ok(Vec::from([Row { values: self.values, currency }])),
            Some(Value::Array(items)) if items.len() <= super::groups::ORDER_LINES_MAX => {
                let items =
                    items.iter().map(|item| Some(Row { values: item.as_object()?, currency }));
                let items: Option<Vec<_>> = items.collect();
                items
                    .ok_or_else(|| Fault::at(FaultCode::MalformedRow, "lines", "a list of objects"))
            }
            Some(_) => Err(Fault::at(
                FaultCode::MalformedRow,
                "lines",
                format!("a list of at most {} objects", super::groups::ORDER_LINES_MAX),
            )),
        }
    }

    fn read_currency(&self) -> Result<Option<Currency>, Fault> {
        let Some(text) = self.text("currency") else { return Ok(None) };
        let currency = Currency::parse(&text).filter(|currency| !currency.is_none());
        let message = "three capital letters of ISO 4217, such as EUR";
        currency.map(Some).ok_or_else(|| Fault::at(FaultCode::BadCurrency, "currency", message))
    }

    fn check_value(&self, column: &Column, text: &str, terms: &Terms<'_>) -> Result<(), Fault> {
        let refused = |code, message: &str| Err(Fault::at(code, column.name, message));
        let is_number =
            |text: &str| serde_json::from_str::<Number>(text).is_ok() && !text.contains(['e', 'E']);
        match column.form {
            Form::Amount if self.amount(column.name).is_none() => refused(
                FaultCode::BadNumber,
                "an amount with a point and the decimals of its currency, such as 44.90",
            ),
            Form::Number if !is_number(text) => {
                refused(FaultCode::BadNumber, "a number, such as 2 or 1.5")
            }
            Form::Duration if !text.bytes().all(|byte| byte.is_ascii_digit()) => {
                refused(FaultCode::BadNumber, "whole seconds")
            }
            Form::Time => self.check_time(column, text, terms),
            Form::Email if people::email(text).is_err() => {
                refused(FaultCode::BadEmail, "an address, such as ana@shop.example")
            }
            Form::Phone if people::phone(text, None).is_err() => refused(
                FaultCode::BadPhone,
                "a number with its country's code, such as +34600111222",
            ),
            Form::Word(words) if !words.iter().any(|(word, _)| *word == text) => {
                let known: Vec<_> = words.iter().map(|(word, _)| *word).collect();
                refused(FaultCode::BadWord, &known.join(", "))
            }
            Form::Clock => refused(
                FaultCode::UnknownColumn,
                "put the time of day behind the date, in one field",
            ),
            Form::Text
            | Form::Id
            | Form::Currency
            | Form::Amount
            | Form::Number
            | Form::Duration
            | Form::Email
            | Form::Phone
            | Form::Word(_) => Ok(()),
        }
    }

    fn check_time(&self, column: &Column, text: &str, terms: &Terms<'_>) -> Result<(), Fault> {
        let Ok(at) = text.parse::<Timestamp>() else {
            let message = "a time with its offset, such as 2026-12-31T17:45:00+01:00";
            return Err(Fault::at(FaultCode::BadTime, column.name, message));
        };
        if at > terms.now.saturating_add(AHEAD_MAX).unwrap_or(terms.now) {
            let message = "this time is more than a day ahead";
            return Err(Fault::at(FaultCode::InFuture, column.name, message));
        }
        // The proof of a permission stays, however old it is.
        let is_event = !matches!(terms.kind, Kind::OptIns | Kind::Contacts);
        if is_event && terms.oldest.is_some_and(|oldest| at < oldest) {
            let message = "older than the months that events are kept for (hilo.toml, [retention] events_months)";
            return Err(Fault::at(FaultCode::TooOld, column.name, message));
        }
        Ok(())
    }

    /// Whom the row is about.
    pub(super) fn who(&self) -> Result<Who, Fault> {
        let who = Who {
            user_id: self.text("customer_id"),
            anonymous_id: None,
            email: self.text("email"),
            phone: self.text("phone"),
            order_id: self.text("order_id"),
            loyalty_id: self.text("loyalty_id"),
        };
        if who == Who::default() {
            let message = "name the person: customer_id, email, phone or loyalty_id";
            return Err(Fault::new(FaultCode::NoPerson, message));
        }
        Ok(who)
    }

    /// The text by which a row is known again within its source and kind.
    pub(super) fn key(&self, kind: Kind, who: &Who, digest: &str) -> Result<String, Fault> {
        let text = |name| self.text(name).unwrap_or_default();
        let minute =
            |name| self.time(name).map_or(0, |at| at.as_second().div_euclid(60)).to_string();
        let person = [&who.user_id, &who.email, &who.phone, &who.loyalty_id];
        let person = person.into_iter().flatten().next().cloned().unwrap_or_default();
        let parts = match kind {
            Kind::Orders => Vec::from([text("order_id")]),
            // One order may be refunded in parts.
            Kind::Refunds => {
                let part = self.text("refund_id").unwrap_or_else(|| minute("occurred_at"));
                Vec::from([text("order_id"), part])
            }
            Kind::Calls => match self.text("call_id") {
                Some(id) => Vec::from([id]),
                None => Vec::from([minute("occurred_at"), text("phone"), text("direction")]),
            },
            Kind::Visits => Vec::from([text("store_id"), minute("occurred_at"), person]),
            Kind::OptIns => Vec::from([person, text("channel"), text("state"), text("at")]),
            // Changed details of a contact are further details, and no conflict.
            Kind::Contacts => Vec::from([person, digest.to_string()]),
        };
        Ok(parts.join("\0"))
    }
}
