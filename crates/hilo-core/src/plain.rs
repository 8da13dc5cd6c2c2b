//! A value of a page, as the page's code copied it: scalars but yes and no as text that begins with their kind.
//!
//! In: any serde format, in which `n12.5` is a number and `t12.5` a text. Out: a tree. Judges nothing. Every value of a page that the
//! second and the shop's module read comes as this one type: a struct for each shape would bring serde's code for it as well.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::digits;

/// A copied value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Plain {
    /// `null`, or a value that is of no use here.
    #[default]
    Null,
    /// Yes or no.
    Flag(bool),
    /// A number, in JavaScript's shortest text.
    Number(String),
    /// A text.
    Text(String),
    /// An array, or the arguments of a call.
    List(Vec<Plain>),
    /// An object.
    Map(Vec<(String, Plain)>),
}

/// Objects within objects that are merged; the page copies fewer.
const DEPTH_MAX: u8 = 8;

impl Plain {
    /// The field `name` of an object.
    pub fn get(&self, name: &str) -> Option<&Plain> {
        match self {
            Plain::Map(fields) => {
                fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
            }
            Plain::Null | Plain::Flag(_) | Plain::Number(_) | Plain::Text(_) | Plain::List(_) => {
                None
            }
        }
    }

    /// A number or a text as text, without blanks at its ends; `None` for empty text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Plain::Number(text) | Plain::Text(text) => {
                Some(text.trim()).filter(|text| !text.is_empty())
            }
            Plain::Null | Plain::Flag(_) | Plain::List(_) | Plain::Map(_) => None,
        }
    }

    /// The first of these fields that has a text.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name)?.text())
    }

    /// The first of these fields that has a value: `null` and empty text are none.
    pub fn value(&self, names: &[&str]) -> Option<&Plain> {
        let has_value = |value: &&Plain| match value {
            Plain::Null | Plain::Flag(_) => false,
            Plain::Number(_) | Plain::Text(_) => value.text().is_some(),
            Plain::List(_) | Plain::Map(_) => true,
        };
        names.iter().find_map(|name| self.get(name).filter(has_value))
    }

    /// The field `name`, if it is an object.
    pub fn object(&self, name: &str) -> Option<&Plain> {
        self.get(name).filter(|value| matches!(value, Plain::Map(_)))
    }

    /// The field `name` as a text, with its blanks; empty where it has none.
    pub fn word(&self, name: &str) -> &str {
        if let Some(Plain::Text(text)) = self.get(name) { text } else { "" }
    }

    /// Whether the field `name` says yes.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Plain::Flag(true))
    }

    /// The field `name` as a whole number.
    pub fn number(&self, name: &str) -> Option<i64> {
        if let Plain::Number(text) = self.get(name)? { digits::read_signed(text) } else { None }
    }

    /// The field `name` as a list; empty where it is none.
    pub fn list(&self, name: &str) -> &[Plain] {
        if let Some(Plain::List(list)) = self.get(name) { list } else { &[] }
    }

    /// Lays `new` over this value as Tag Manager does: objects are merged field by field, everything else is replaced.
    pub fn merge(&mut self, new: &Plain) {
        self.merge_within(new, DEPTH_MAX);
    }

    fn merge_within(&mut self, new: &Plain, depth: u8) {
        match (&mut *self, new) {
            (Plain::Map(fields), Plain::Map(news)) if depth > 0 => {
                for (name, value) in news {
                    match fields.iter_mut().find(|(known, _)| known == name) {
                        Some((_, known)) => known.merge_within(value, depth - 1),
                        None => fields.push((name.clone(), value.clone())),
                    }
                }
            }
            (old, new) => *old = new.clone(),
        }
    }
}

struct PlainVisitor;

impl<'de> Visitor<'de> for PlainVisitor {
    type Value = Plain;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a copied value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Plain, E> {
        Ok(Plain::Flag(flag))
    }

    fn visit_unit<E>(self) -> Result<Plain, E> {
        Ok(Plain::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Plain, E> {
        Ok(match text.as_bytes().first() {
            Some(b'n') => Plain::Number(text.get(1..).unwrap_or_default().into()),
            Some(b't') => Plain::Text(text.get(1..).unwrap_or_default().into()),
            _ => Plain::Null,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Plain, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element()? {
            list.push(value);
        }
        Ok(Plain::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Plain, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = values.next_entry()? {
            fields.push(field);
        }
        Ok(Plain::Map(fields))
    }
}

impl<'de> Deserialize<'de> for Plain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Plain, D::Error> {
        from.deserialize_any(PlainVisitor)
    }
}

/// JSON in the place of a page's object: tests write their cases so.
#[cfg(feature = "edge")]
impl From<&serde_json::Value> for Plain {
    fn from(value: &serde_json::Value) -> Plain {
        use alloc::string::ToString as _;

        use serde_json::Value;

        match value {
            Value::Null => Plain::Null,
            Value::Bool(flag) => Plain::Flag(*flag),
            Value::Number(number) => Plain::Number(number.to_string()),
            Value::String(text) => Plain::Text(text.clone()),
            Value::Array(values) => Plain::List(values.iter().map(Plain::from).collect()),
            Value::Object(fields) => {
                Plain::Map(fields.iter().map(|(name, one)| (name.clone(), one.into())).collect())
            }
        }
    }
}
