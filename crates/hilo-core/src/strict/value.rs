//! Reads one hostile JSON value: no key twice, no deep nesting, no flood of keys.
//!
//! Text → `Value`, or the refusal with the path to blame. JSON readers disagree about duplicate keys, and attacks hide in such
//! disagreements, so a value with a duplicate key is refused.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::key::key_shape;
use super::words::without_impossible_numbers;
use crate::event::{DEPTH_MAX, EVENT_BYTES_MAX, KEY_BYTES_MAX, OBJECT_KEYS_MAX};
use crate::outcome::{Code, Rejection};

/// Reads one item of a batch: an object inside every structural limit.
///
/// A number that no reader can hold becomes `null`, and `lost` gets its path.
pub(crate) fn read_item(
    text: &str,
    lost: &mut Vec<String>,
) -> Result<Map<String, Value>, Rejection> {
    if text.len() > EVENT_BYTES_MAX {
        return Err(Rejection::new(
            Code::EventTooLarge,
            format!("an event has at most {EVENT_BYTES_MAX} bytes: send less in its properties"),
        ));
    }
    let fault = Fault::default();
    let mut read = read_value(text, &fault);
    if read.is_err()
        && fault.is_empty()
        && let Some(mended) = without_impossible_numbers(text, lost)
    {
        read = read_value(&mended, &fault);
    }
    match read {
        Ok(Value::Object(message)) => Ok(message),
        Ok(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => Err(Rejection::new(Code::MalformedEvent, "an event is a JSON object")),
        Err(_) => Err(fault.take().unwrap_or_else(|| {
            Rejection::new(Code::MalformedEvent, "the event is not valid JSON")
        })),
    }
}

fn read_value(text: &str, fault: &Fault) -> Result<Value, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict::new(fault, 0).deserialize(&mut reader)?;
    reader.end().map(|()| value)
}

/// The place where a serde visitor leaves its refusal: serde's own error carries text only.
#[derive(Default)]
pub(crate) struct Fault(RefCell<Option<(Code, String, Vec<String>)>>);

impl Fault {
    /// The refusal with its path; `None` if the JSON itself is broken.
    pub(crate) fn take(&self) -> Option<Rejection> {
        let (code, message, mut path) = self.0.take()?;
        path.reverse();
        let field = (!path.is_empty()).then(|| path.join("."));
        Some(Rejection { code, field, message })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_none()
    }

    pub(crate) fn raise<E: serde::de::Error>(&self, code: Code, message: String) -> E {
        *self.0.borrow_mut() = Some((code, message, Vec::new()));
        E::custom("refused")
    }

    /// Adds the fault's index in a list to the path.
    fn at_index(&self, index: usize) {
        if let Some((_, _, path)) = self.0.borrow_mut().as_mut() {
            path.push(index.to_string());
        }
    }

    /// Adds the fault's key to the path.
    pub(crate) fn under(&self, key: &str) {
        if let Some((_, _, path)) = self.0.borrow_mut().as_mut() {
            path.push(key_shape(key).into_owned());
        }
    }
}

/// Builds a `Value`, or refuses. `depth` counts the objects and arrays around the value.
#[derive(Clone, Copy)]
pub(crate) struct Strict<'f> {
    fault: &'f Fault,
    depth: usize,
}

impl<'f> Strict<'f> {
    pub(crate) const fn new(fault: &'f Fault, depth: usize) -> Strict<'f> {
        Strict { fault, depth }
    }

    fn deeper<E: serde::de::Error>(self) -> Result<Strict<'f>, E> {
        if self.depth >= DEPTH_MAX {
            let message = format!("nest at most {DEPTH_MAX} levels of objects and arrays");
            return Err(self.fault.raise(Code::TooDeep, message));
        }
        Ok(Strict { depth: self.depth + 1, ..self })
    }

    /// Refuses a key that is too long, or a key beyond the limit of an object.
    pub(crate) fn admit<E: serde::de::Error>(self, key: &str, count: usize) -> Result<(), E> {
        if key.len() > KEY_BYTES_MAX {
            let message = format!("a key has at most {KEY_BYTES_MAX} bytes");
            return Err(self.fault.raise(Code::KeyTooLong, message));
        }
        if count >= OBJECT_KEYS_MAX {
            let message = format!(
                "an object has at most {OBJECT_KEYS_MAX} keys: use a list for many of a kind"
            );
            return Err(self.fault.raise(Code::TooManyKeys, message));
        }
        Ok(())
    }

    /// The refusal of a key that stands twice.
    pub(crate) fn twice<E: serde::de::Error>(self, key: &str) -> E {
        let error = self
            .fault
            .raise(Code::DuplicateKey, "this key stands twice in one object: send it once".into());
        self.fault.under(key);
        error
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut values = Vec::new();
        loop {
            match seq.next_element_seed(inner) {
                Ok(Some(value)) => values.push(value),
                Ok(None) => return Ok(Value::Array(values)),
                Err(error) => {
                    self.fault.at_index(values.len());
                    return Err(error);
                }
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.admit::<A::Error>(&key, object.len())?;
            if object.contains_key(&key) {
                return Err(self.twice(&key));
            }
            match map.next_value_seed(inner) {
                Ok(value) => {
                    object.insert(key, value);
                }
                Err(error) => {
                    self.fault.under(&key);
                    return Err(error);
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{DEPTH_MAX, EVENT_BYTES_MAX};

    fn read(text: &str) -> Result<Map<String, Value>, Rejection> {
        read_item(text, &mut Vec::new())
    }

    fn check(text: &str, code: Code, field: Option<&str>) {
        let refused = read(text).unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (code, field), "{text:.80}");
    }

    fn nested(levels: usize) -> String {
        format!("{}0{}", "{\"a\":".repeat(levels), "}".repeat(levels))
    }

    #[test]
    fn plain_json_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,0.5,"x\n",true,null,{}],"b":18446744073709551615}"#;
        assert_eq!(Value::Object(read(text).unwrap()), text.parse::<Value>().unwrap());
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        check(r#"{"a":{"b":1,"b":1}}"#, Code::DuplicateKey, Some("a.b"));
        check(r#"{"a":[{},{"b":1,"\u0062":2}]}"#, Code::DuplicateKey, Some("a.1.b"));
    }

    #[test]
    fn nesting_beyond_the_limit_is_refused() {
        assert!(read(&nested(DEPTH_MAX)).is_ok());
        let path = ["a"; DEPTH_MAX].join(".");
        check(&nested(DEPTH_MAX + 1), Code::TooDeep, Some(&path));
        check(&nested(5_000), Code::TooDeep, Some(&path));
    }

    #[test]
    fn an_object_has_a_limit_of_keys_and_a_key_a_limit_of_bytes() {
        let keys = |count: usize| {
            let keys: Vec<_> = (0..count).map(|i| format!("\"{i}\":0")).collect();
            format!("{{\"a\":{{{}}}}}", keys.join(","))
        };
        assert!(read(&keys(OBJECT_KEYS_MAX)).is_ok());
        check(&keys(OBJECT_KEYS_MAX + 1), Code::TooManyKeys, Some("a"));
        let key = |bytes: usize| format!("{{\"{}\":0}}", "k".repeat(bytes));
        assert!(read(&key(KEY_BYTES_MAX)).is_ok());
        check(&key(KEY_BYTES_MAX + 1), Code::KeyTooLong, None);
    }

    #[test]
    fn text_that_is_no_json_object_is_no_event() {
        for text in ["null", "[]", "1e999", "{\"a\":1e}", "{", "\"\\ud800\"", "{} {}", "\u{0}"] {
            check(text, Code::MalformedEvent, None);
        }
    }

    #[test]
    fn a_number_that_no_reader_holds_becomes_null_and_harms_nothing_else() {
        let mut lost = Vec::new();
        let object = read_item(r#"{"a":[1e999,2],"b":"1e999"}"#, &mut lost).unwrap();
        assert_eq!(Value::Object(object), serde_json::json!({"a": [null, 2], "b": "1e999"}));
        assert_eq!(lost, ["a.0"]);
        check(r#"{"a":1e999,"b":{"c":1,"c":1}}"#, Code::DuplicateKey, Some("b.c"));
    }

    #[test]
    fn an_event_one_byte_over_the_limit_is_refused() {
        let of = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
        assert!(read(&of(EVENT_BYTES_MAX)).is_ok());
        check(&of(EVENT_BYTES_MAX + 1), Code::EventTooLarge, None);
    }
}
