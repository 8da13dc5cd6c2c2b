//! An amount as it is stored and shown: whole minor units as text, because a number of JSON may pass through floating point.
//! In: an amount, or the properties of an event. Out: `{"minor": "19990", "currency": "EUR"}`. Converts nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::event::Properties;
use crate::money::{Amount, Currency};
use crate::price::Price;

/// The most currencies of one person's sums. The sums of further currencies are left out.
const CURRENCIES_MAX: usize = 8;

/// An amount with its currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worth(pub Amount);

/// The form of a [`Worth`] in JSON.
#[derive(Serialize, Deserialize)]
struct Written {
    minor: String,
    currency: String,
}

impl Serialize for Worth {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Worth(Amount { minor, currency }) = self;
        Written { minor: minor.to_string(), currency: currency.code().to_owned() }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Worth {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Worth, D::Error> {
        let Written { minor, currency } = Written::deserialize(from)?;
        let currency = Currency::parse(&currency).ok_or_else(|| D::Error::custom("currency"))?;
        let minor = minor.parse().map_err(D::Error::custom)?;
        Ok(Worth(Amount { minor, currency }))
    }
}

impl Worth {
    /// Reads the first amount that the properties have under one of `names`, in their `currency`. A sign does not count: senders
    /// write refunds either way.
    pub(super) fn of(properties: &Properties, names: &[&str]) -> Option<Worth> {
        let currency = properties.get("currency").and_then(Value::as_str)?;
        let currency = Currency::parse(currency.trim()).filter(|one| !one.is_none())?;
        let amount = names.iter().find_map(|name| amount(properties.get(*name)?, currency))?;
        Some(Worth(Amount { minor: amount.minor.checked_abs()?, ..amount }))
    }
}

fn amount(value: &Value, currency: Currency) -> Option<Amount> {
    match value {
        Value::Number(number) => {
            Price::of_number(&number.to_string(), currency).ok().map(|price| price.amount)
        }
        Value::String(text) => Amount::parse(text.trim(), currency),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Sums by currency, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(BTreeMap<String, i64>);

impl Sums {
    /// Adds an amount. A sum stays at the end of its range.
    pub fn add(&mut self, worth: Worth) {
        let Worth(Amount { minor, currency }) = worth;
        self.put(currency.code(), minor);
    }

    /// Adds other sums.
    pub fn join(&mut self, others: &Sums) {
        for (currency, minor) in &others.0 {
            self.put(currency, *minor);
        }
    }

    /// Takes other sums away.
    pub fn less(&mut self, others: &Sums) {
        for (currency, minor) in &others.0 {
            self.put(currency, minor.saturating_neg());
        }
    }

    /// The sum in a currency.
    pub fn of(&self, currency: Currency) -> i64 {
        self.0.get(currency.code()).copied().unwrap_or(0)
    }

    /// Whether there is no sum.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn put(&mut self, currency: &str, minor: i64) {
        if let Some(sum) = self.0.get_mut(currency) {
            *sum = sum.saturating_add(minor);
        } else if self.0.len() < CURRENCIES_MAX {
            self.0.insert(currency.to_owned(), minor);
        }
    }
}

impl Serialize for Sums {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(currency, minor)| (currency, minor.to_string())))
    }
}

impl<'de> Deserialize<'de> for Sums {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Sums, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(from)?;
        let mut sums = BTreeMap::new();
        for (currency, minor) in texts {
            sums.insert(currency, minor.parse().map_err(D::Error::custom)?);
        }
        Ok(Sums(sums))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn minor(properties: &Value) -> Option<i64> {
        let properties = properties.as_object().unwrap();
        Worth::of(properties, &["total", "revenue"]).map(|Worth(amount)| amount.minor)
    }

    #[test]
    fn an_amount_is_read_exactly_as_a_number_or_as_text() {
        assert_eq!(minor(&json!({"total": 199.9, "currency": "EUR"})), Some(19_990));
        assert_eq!(minor(&json!({"total": "199.90", "currency": "EUR"})), Some(19_990));
        assert_eq!(minor(&json!({"total": -5, "currency": "JPY"})), Some(5));
        assert_eq!(minor(&json!({"revenue": 0.1, "currency": "USD"})), Some(10));
        assert_eq!(minor(&json!({"total": 1})), None);
        assert_eq!(minor(&json!({"total": "1,50", "currency": "EUR"})), None);
    }

    #[test]
    fn an_amount_beyond_the_exact_numbers_of_javascript_is_written_as_text() {
        let worth = Worth(Amount { minor: i64::MAX, currency: Currency::parse("EUR").unwrap() });
        let written = serde_json::to_value(worth).unwrap();
        assert_eq!(written, json!({"minor": "9223372036854775807", "currency": "EUR"}));
        assert_eq!(serde_json::from_value::<Worth>(written).unwrap(), worth);
    }
}
