//! The shape of a refused item, for the reject log; the outline of a kept event's properties, for the live stream.
//!
//! Raw item → its shape as JSON: keys and types, never a value, at most [`REDACTED_BYTES_MAX`] bytes. A developer sees the
//! mistake in a shape, and a shape holds nothing about a person. An outline is a shape with the values of [`PLAIN_KEYS`].

use serde_json::{Map, Value};

use crate::event::fields::PLAIN_KEYS;
use crate::event::{DEPTH_MAX, Properties};
use crate::strict::key_shape;

/// Bytes of a redacted item in the reject log.
pub const REDACTED_BYTES_MAX: usize = 1_024;

/// Elements of a list that are shown. Further elements look alike.
const ELEMENTS_MAX: usize = 3;

/// The shape of `item`; `None` if the item is no JSON.
pub(super) fn shape_of(item: &str) -> Option<String> {
    let value: Value = serde_json::from_str(item).ok()?;
    // Leaves room for the closing brackets of every level and for the mark of a shortened shape.
    let mut budget = REDACTED_BYTES_MAX.saturating_sub(16 * DEPTH_MAX);
    serde_json::to_string(&shape("", &value, &mut budget, DEPTH_MAX, &|_, _| false)?)
        .ok()
        .filter(|text| text.len() <= REDACTED_BYTES_MAX)
}

/// The shape of `value`, of at most about so many bytes. `is_kept` says which values are shown as they are, by their key.
pub fn outline_of(value: &Value, bytes_max: usize, is_kept: IsKept<'_>) -> Value {
    let mut budget = bytes_max;
    shape("", value, &mut budget, DEPTH_MAX, is_kept).unwrap_or_else(|| Value::from("<large>"))
}

/// Whether a value is shown as it is; the first argument is its key. An element of a list has the list's key.
type IsKept<'k> = &'k dyn Fn(&str, &Value) -> bool;

/// Characters of a plain text that an outline shows. Names and codes of goods are shorter.
const PLAIN_CHARS_MAX: usize = 60;

/// The names of properties, with the value of each plain property and the type of each other one. At most 1 KB, and the plain values.
pub fn outline(properties: &Properties) -> Properties {
    let mut budget = REDACTED_BYTES_MAX;
    let mut shown = object_shape(properties, &mut budget, DEPTH_MAX, &|_, _| false);
    for key in PLAIN_KEYS {
        let plain = properties.get(key).filter(|value| is_plain(value));
        if let (Some(place), Some(plain)) = (shown.get_mut(key), plain) {
            *place = plain.clone();
        }
    }
    shown
}

/// Whether the value can be a plain key's own. An address of a person has no place there, and an object has keys of its own.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => text.chars().count() <= PLAIN_CHARS_MAX && !text.contains('@'),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The shape of `value`; `None` once the budget is spent.
fn shape(
    key: &str,
    value: &Value,
    budget: &mut usize,
    levels: usize,
    is_kept: IsKept<'_>,
) -> Option<Value> {
    let shape = match value {
        Value::Bool(_) | Value::Number(_) | Value::String(_) if is_kept(key, value) => {
            value.clone()
        }
        Value::Null => Value::Null,
        Value::Bool(_) => Value::from("<flag>"),
        Value::Number(_) => Value::from("<number>"),
        Value::String(text) => Value::from(format!("<text {}>", text.chars().count())),
        Value::Array(_) | Value::Object(_) if levels == 0 => Value::from("<deep>"),
        Value::Array(values) => {
            spend(budget, 2)?;
            let shown = values
                .iter()
                .take(ELEMENTS_MAX)
                .map_while(|value| shape(key, value, budget, levels - 1, is_kept));
            let mut shown: Vec<_> = shown.collect();
            if shown.len() < values.len() {
                shown.push(Value::from(format!("<{} more>", values.len() - shown.len())));
            }
            return Some(Value::Array(shown));
        }
        Value::Object(object) => {
            spend(budget, 2)?;
            return Some(Value::Object(object_shape(object, budget, levels - 1, is_kept)));
        }
    };
    spend(budget, shape.as_str().map_or(5, |text| text.len() + 3))?;
    Some(shape)
}

fn object_shape(
    object: &Map<String, Value>,
    budget: &mut usize,
    levels: usize,
    is_kept: IsKept<'_>,
) -> Map<String, Value> {
    let mut shown = Map::new();
    for (key, value) in object {
        let key = key_shape(key).into_owned();
        let shape =
            spend(budget, key.len() + 4).and_then(|()| shape(&key, value, budget, levels, is_kept));
        let Some(shape) = shape else {
            shown.insert("…".to_owned(), Value::Bool(true));
            break;
        };
        shown.insert(key, shape);
    }
    shown
}

fn spend(budget: &mut usize, bytes: usize) -> Option<()> {
    *budget = budget.checked_sub(bytes)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(item: &str, expected: &str) {
        assert_eq!(shape_of(item).as_deref(), Some(expected));
    }

    #[test]
    fn a_shape_holds_types_instead_of_values() {
        check(
            r#"{"event":"Añadido","properties":{"ana@example.com":7,"list":["a","b","c","d"],"ok":true,"no":null}}"#,
            concat!(
                r#"{"event":"<text 7>","properties":{"<key 15>":"<number>","#,
                r#""list":["<text 1>","<text 1>","<text 1>","<1 more>"],"no":null,"ok":"<flag>"}}"#
            ),
        );
    }

    #[test]
    fn an_outline_holds_values_of_plain_keys_only() {
        let properties = serde_json::json!({
            "price": 8.9, "currency": "EUR", "email": "ana@example.com", "ana@example.com": 1, "name": "Ana",
            "category": "ana@example.com", "products": [{"price": 8.9, "name": "Merino"}],
        });
        let found = Value::Object(outline(properties.as_object().unwrap()));
        let expected = serde_json::json!({
            "price": 8.9, "currency": "EUR", "email": "<text 15>", "<key 15>": "<number>", "name": "<text 3>",
            "category": "<text 15>", "products": [{"price": "<number>", "name": "<text 6>"}],
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn an_outline_of_a_value_shows_what_is_kept_and_is_bounded() {
        let value = serde_json::json!({"type": ["a", "b"], "name": "Ana", "n": 7});
        let is_kept = |key: &str, _: &Value| key == "type";
        let expected = serde_json::json!({"type": ["a", "b"], "name": "<text 3>", "n": "<number>"});
        assert_eq!(outline_of(&value, 200, &is_kept), expected);
        let long = Value::from(vec!["x"; 900]);
        assert_eq!(outline_of(&long, 4, &is_kept).to_string(), r#"["<900 more>"]"#);
    }

    #[test]
    fn the_outline_of_many_properties_keeps_the_limit() {
        let many: Properties = (0..900).map(|i| (format!("key{i}"), Value::from("x"))).collect();
        let outline = Value::Object(outline(&many)).to_string();
        assert!(outline.len() <= REDACTED_BYTES_MAX + 64 && outline.contains('…'), "{outline}");
    }

    #[test]
    fn the_shape_of_a_large_item_keeps_the_limit() {
        let keys: Vec<_> =
            (0..200).map(|i| format!("\"key{i}\":{{\"a\":[{{\"b\":\"text\"}}]}}")).collect();
        let shape = shape_of(&format!("{{{}}}", keys.join(","))).unwrap();
        assert!(shape.len() <= REDACTED_BYTES_MAX && shape.contains('…'), "{shape}");
    }
}
