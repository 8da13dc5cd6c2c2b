//! `as`: what a value of a document shall become.
//!
//! `(value, document) → value`, or nothing where the value does not fit. Money stays exact: a text that is no amount of its currency
//! becomes nothing, never a rounded number.

use serde_json::{Number, Value};
use url::Url;

use super::clock::{Clock, seconds};
use super::comparison::{decimal, number};
use super::document::Document;
use super::path::Path;
use super::plain::{int, text};
use crate::money::{Amount, Currency};
use crate::phone::{self, Market};
use crate::price::Price;
use crate::redact;

/// Bytes of an e-mail address (RFC 5321, 4.5.3.1.3, without the brackets).
const EMAIL_BYTES_MAX: usize = 254;

/// What a value shall become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cast {
    /// Text without blanks around it.
    Text,
    /// A whole number.
    Int,
    /// `true` or `false`.
    Bool,
    /// A number, as it was written.
    Decimal,
    /// An amount in major units, exact.
    Money(Unit, CurrencyOf),
    /// An RFC 3339 time.
    Time(Clock),
    /// An E.164 number. National numbers belong to the market.
    Phone(Option<&'static Market>),
    /// An e-mail address in small letters.
    Email,
    /// Text in small letters.
    Lower,
    /// Text in capitals.
    Upper,
    /// The digits of a text.
    Digits,
    /// A web address.
    Url,
    /// A web address without what is secret or personal in it.
    Link,
    /// Whole seconds, of a number of them or `hh:mm:ss`.
    Duration,
    /// The number of a text's characters. The text itself goes nowhere.
    Length,
    /// An ISO 3166-1 alpha-2 code.
    Country,
}

/// The unit of an amount that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Euros, yen.
    Major,
    /// Cents, yen.
    Minor,
}

/// Where the currency of an amount is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CurrencyOf {
    /// In the rule.
    Fixed(Currency),
    /// In the document.
    At(Path),
}

impl Cast {
    /// The word of `as`.
    pub const fn name(&self) -> &'static str {
        match self {
            Cast::Text => "text",
            Cast::Int => "int",
            Cast::Bool => "bool",
            Cast::Decimal => "decimal",
            Cast::Money(..) => "money",
            Cast::Time(_) => "time",
            Cast::Phone(_) => "phone",
            Cast::Email => "email",
            Cast::Lower => "lower",
            Cast::Upper => "upper",
            Cast::Digits => "digits",
            Cast::Url => "url",
            Cast::Link => "link",
            Cast::Duration => "duration",
            Cast::Length => "length",
            Cast::Country => "country",
        }
    }

    /// Where an amount finds its currency.
    pub(super) const fn currency_path(&self) -> Option<&Path> {
        if let Cast::Money(_, CurrencyOf::At(path)) = self { Some(path) } else { None }
    }

    /// The value as it shall be. `None` where it does not fit.
    pub fn apply(&self, value: &Value, document: Document<'_>) -> Option<Value> {
        match self {
            Cast::Text => text(value).filter(|text| !text.is_empty()).map(Value::String),
            Cast::Int => int(value).map(Value::from),
            Cast::Bool => bool(value).map(Value::Bool),
            Cast::Decimal => number(value).map(Value::Number),
            Cast::Money(unit, currency) => {
                money(value, *unit, currency.of(document)?).map(Value::Number)
            }
            Cast::Time(clock) => clock.read(value).map(|at| Value::String(at.to_string())),
            Cast::Phone(market) => phone::e164(&text(value)?, *market).map(Value::String),
            Cast::Email => email(&text(value)?).map(Value::String),
            Cast::Lower | Cast::Upper => {
                let text = text(value).filter(|text| !text.is_empty())?;
                let is_lower = matches!(self, Cast::Lower);
                Some(Value::String(if is_lower {
                    text.to_lowercase()
                } else {
                    text.to_uppercase()
                }))
            }
            Cast::Digits => {
                let digits: String = text(value)?.chars().filter(char::is_ascii_digit).collect();
                (!digits.is_empty()).then_some(Value::String(digits))
            }
            Cast::Url => url(value).map(Value::String),
            Cast::Link => url(value).map(|url| Value::String(redact::url(&url))),
            Cast::Duration => seconds(value).map(Value::from),
            Cast::Length => value.as_str().map(|text| Value::from(text.chars().count())),
            Cast::Country => country(&text(value)?).map(Value::String),
        }
    }
}

impl CurrencyOf {
    fn of(&self, document: Document<'_>) -> Option<Currency> {
        match self {
            CurrencyOf::Fixed(currency) => Some(*currency),
            CurrencyOf::At(path) => {
                Currency::parse(&path.first(document)?.as_str()?.trim().to_ascii_uppercase())
            }
        }
    }
}

fn url(value: &Value) -> Option<String> {
    let url = Url::parse(&text(value)?).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

fn bool(value: &Value) -> Option<bool> {
    match text(value)?.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// A number may bear the noise of a calculation (`0.30000000000000004`). A text must be an amount of the currency.
fn money(value: &Value, unit: Unit, currency: Currency) -> Option<Number> {
    let amount = match (unit, value) {
        (Unit::Minor, _) => Amount { minor: int(value)?, currency },
        (Unit::Major, Value::Number(number)) => {
            let price = Price::of_number(&number.to_string(), currency).ok()?;
            (!price.is_rounded).then_some(price.amount)?
        }
        (Unit::Major, _) => Amount::parse(value.as_str()?.trim(), currency)?,
    };
    decimal(&amount.text())
}

/// Something at a host with a dot. Whether a letter would arrive nobody can tell from the text.
fn email(text: &str) -> Option<String> {
    let (name, host) = text.rsplit_once('@')?;
    let is_plain = |part: &str| {
        !part.is_empty()
            && !part.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
    };
    let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    let is_address = is_plain(name) && is_plain(host) && is_host && text.len() <= EMAIL_BYTES_MAX;
    is_address.then(|| text.to_lowercase())
}

fn country(text: &str) -> Option<String> {
    let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let code = text.to_ascii_uppercase();
    // `UK` is no code, and yet what many write.
    is_code.then(|| if code == "UK" { "GB".to_owned() } else { code })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(cast: &Cast, value: Value, expected: Option<Value>) {
        let document = json!({ "cur": "jpy" });
        assert_eq!(cast.apply(&value, (&document).into()), expected, "{cast:?} {value}");
    }

    #[test]
    fn a_value_becomes_what_the_rule_says_or_nothing() {
        check(&Cast::Text, json!(" a "), Some(json!("a")));
        check(&Cast::Text, json!(7), Some(json!("7")));
        check(&Cast::Text, json!(" "), None);
        check(&Cast::Text, json!([1]), None);
        check(&Cast::Int, json!("12.0"), Some(json!(12)));
        check(&Cast::Int, json!(1.5), None);
        check(&Cast::Int, json!(true), None);
        check(&Cast::Bool, json!("Yes"), Some(json!(true)));
        check(&Cast::Bool, json!(0), Some(json!(false)));
        check(&Cast::Bool, json!("maybe"), None);
        check(&Cast::Decimal, json!("19.90"), Some(json!(19.9)));
        check(&Cast::Decimal, json!("19,90"), None);
        check(&Cast::Lower, json!(" ÁB "), Some(json!("áb")));
        check(&Cast::Upper, json!("eur"), Some(json!("EUR")));
        check(&Cast::Digits, json!("A-12 3"), Some(json!("123")));
        check(&Cast::Digits, json!("A"), None);
        check(&Cast::Length, json!("mañana"), Some(json!(6)));
        check(&Cast::Duration, json!("1:05"), Some(json!(65)));
        check(&Cast::Country, json!("es"), Some(json!("ES")));
        check(&Cast::Country, json!("uk"), Some(json!("GB")));
        check(&Cast::Country, json!("Spain"), None);
    }

    #[test]
    fn an_address_is_checked_by_its_form_only() {
        check(&Cast::Email, json!(" Ana@Shop.example "), Some(json!("ana@shop.example")));
        for text in ["ana", "ana@shop", "@shop.example", "a b@shop.example", "a@b@shop.example"] {
            check(&Cast::Email, json!(text), None);
        }
        check(
            &Cast::Url,
            json!("HTTPS://Shop.example/a b"),
            Some(json!("https://shop.example/a%20b")),
        );
        check(&Cast::Url, json!("javascript:alert(1)"), None);
        check(&Cast::Url, json!("/path"), None);
        let link = json!("https://shop.example/sale?email=ana%40shop.example&utm_source=news");
        let kept = json!("https://shop.example/sale?email=redacted&utm_source=news");
        check(&Cast::Link, link, Some(kept));
    }

    #[test]
    fn an_amount_is_exact_or_nothing() {
        let of = |unit, code| Cast::Money(unit, CurrencyOf::Fixed(Currency::parse(code).unwrap()));
        check(&of(Unit::Major, "EUR"), json!("19.90"), Some(json!(19.9)));
        check(&of(Unit::Major, "EUR"), json!(0.1 + 0.2), Some(json!(0.3)));
        check(&of(Unit::Major, "EUR"), json!("19.995"), None);
        check(&of(Unit::Major, "EUR"), json!(19.995), None);
        check(&of(Unit::Major, "EUR"), json!("19,90"), None);
        check(&of(Unit::Minor, "EUR"), json!(1990), Some(json!(19.9)));
        check(&of(Unit::Minor, "EUR"), json!("-5"), Some(json!(-0.05)));
        check(&of(Unit::Minor, "JPY"), json!(1990), Some(json!(1990)));
        check(&of(Unit::Minor, "EUR"), json!(19.9), None);
        check(&of(Unit::Major, "EUR"), json!("90071992547409.93"), None);
        let at = |path| Cast::Money(Unit::Minor, CurrencyOf::At(Path::parse(path).unwrap()));
        check(&at("$.cur"), json!(1990), Some(json!(1990)));
        check(&at("$.none"), json!(1990), None);
    }
}
