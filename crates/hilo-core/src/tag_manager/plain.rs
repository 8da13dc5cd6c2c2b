//! A value that a page pushed, as the page's code copied it: the listed fields, scalars as text that begins with their kind.
//!
//! In: any serde format, in which `n12.5` is a number and `t12.5` a text. Out: a tree. Judges nothing.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// A copied value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Plain {
    /// `null`, or a value that is of no use here.
    #[default]
    Null,
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
            Plain::Null | Plain::Number(_) | Plain::Text(_) | Plain::List(_) => None,
        }
    }

    /// A number or a text as text, without blanks at its ends; `None` for empty text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Plain::Number(text) | Plain::Text(text) => {
                Some(text.trim()).filter(|text| !text.is_empty())
            }
            Plain::Null | Plain::List(_) | Plain::Map(_) => None,
        }
    }

    /// The first of these fields that has a text.
    pub fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name)?.text())
    }

    /// The first of these fields that has a value: `null` and empty text are none.
    pub fn value(&self, names: &[&str]) -> Option<&Plain> {
        let has_value = |value: &&Plain| match value {
            Plain::Null => false,
            Plain::Number(_) | Plain::Text(_) => value.text().is_some(),
            Plain::List(_) | Plain::Map(_) => true,
        };
        names.iter().find_map(|name| self.get(name).filter(has_value))
    }

    /// The field `name`, if it is an object.
    pub fn object(&self, name: &str) -> Option<&Plain> {
        self.get(name).filter(|value| matches!(value, Plain::Map(_)))
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

    fn visit_bool<E>(self, _: bool) -> Result<Plain, E> {
        Ok(Plain::Null)
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
