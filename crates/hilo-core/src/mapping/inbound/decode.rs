//! The body of a call → one document.
//!
//! JSON, whatever the call says its type is, and forms: `a[b][c]=x` is an object in an object, a repeated key and `a[]` a list. One field
//! may hold JSON as text. Empty texts become `null`. Decides nothing about fields.

use serde_json::{Map, Value};

use crate::outcome::{Code, Rejection};
use crate::strict::{body_text, spelled_as_numbers, without_impossible_numbers};
use crate::text::percent_decode;

/// Fields of a form. A call with more is no report of one act.
pub const FIELDS_MAX: usize = 2_000;
/// Objects in objects of a form.
const DEPTH_MAX: usize = 16;

/// Reads a body. `json_field` names the field whose text is JSON too. Where that text is none, it stays a text.
///
/// ```
/// use hilo_core::mapping::inbound::decode;
/// let form = "application/x-www-form-urlencoded";
/// let body = decode(form, b"type=sale&data[email]=ana%40shop.example&payload=%7B%22n%22%3A1%7D", Some("payload")).unwrap();
/// assert_eq!(body.to_string(), r#"{"data":{"email":"ana@shop.example"},"payload":{"n":1},"type":"sale"}"#);
/// ```
///
/// # Errors
/// `malformed_body`.
pub fn decode(
    content_type: &str,
    body: &[u8],
    json_field: Option<&str>,
) -> Result<Value, Rejection> {
    let text = body_text(body)?;
    let begins_like_json = text.trim_start().starts_with(['{', '[']);
    let is_form = content_type.trim_start().to_ascii_lowercase().starts_with(FORM);
    let mut document = match is_form && !begins_like_json {
        true => form(&text)?,
        false => json(&text)?,
    };
    if let Some(field) = json_field.and_then(|name| document.get_mut(name))
        && let Some(inner) = field.as_str().and_then(|text| json(text).ok())
    {
        *field = inner;
    }
    empty(&mut document);
    Ok(document)
}

/// Takes empty texts away: a form has no other way to say that there is nothing, and many systems do so in JSON.
fn empty(value: &mut Value) {
    match value {
        Value::String(text) if text.trim().is_empty() => *value = Value::Null,
        Value::Array(list) => list.iter_mut().for_each(empty),
        Value::Object(object) => object.values_mut().for_each(empty),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

const FORM: &str = "application/x-www-form-urlencoded";

/// A number that no reader can hold is none.
fn json(text: &str) -> Result<Value, Rejection> {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let mended = || {
        let spelled = spelled_as_numbers(text);
        let text = spelled.as_deref().unwrap_or(text);
        without_impossible_numbers(text, &mut Vec::new()).and_then(|text| read(&text))
    };
    read(text).or_else(mended).ok_or_else(|| refusal("the body is no JSON"))
}

fn refusal(message: &str) -> Rejection {
    Rejection::new(Code::MalformedBody, message)
}

fn form(text: &str) -> Result<Value, Rejection> {
    let mut document = Value::Object(Map::new());
    for (count, pair) in text.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count == FIELDS_MAX {
            return Err(refusal("the form has more than 2000 fields"));
        }
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        put(&mut document, &names(&plain(key)), Value::String(plain(value)));
    }
    Ok(document)
}

/// The text behind `%41` and `+`.
fn plain(text: &str) -> String {
    String::from_utf8_lossy(&percent_decode(&text.replace('+', " ")))
        .trim_end_matches(['\r', '\n'])
        .to_owned()
}

/// `a[b][]` → `a`, `b` and an empty name. A key with other brackets is one name.
fn names(key: &str) -> Vec<String> {
    let whole = || vec![key.to_owned()];
    let Some((first, rest)) = key.strip_suffix(']').and_then(|key| key.split_once('[')) else {
        return whole();
    };
    let names: Vec<_> = std::iter::once(first).chain(rest.split("][")).map(str::to_owned).collect();
    let is_plain = !first.is_empty() && names.iter().all(|name| !name.contains(['[', ']']));
    if is_plain && names.len() <= DEPTH_MAX { names } else { whole() }
}

/// Puts a value below the names. What stands there already becomes the first of a list.
fn put(at: &mut Value, names: &[String], value: Value) {
    match (names.split_first(), at) {
        (None, at @ Value::Null) => *at = value,
        (None, Value::Array(list)) => list.push(value),
        (None, at) => *at = Value::Array(vec![at.take(), value]),
        (Some((name, rest)), Value::Object(object)) => {
            put(object.entry(name.as_str()).or_insert(Value::Null), rest, value);
        }
        (Some((name, rest)), Value::Array(list)) if name.is_empty() => {
            let mut element = Value::Null;
            put(&mut element, rest, value);
            list.push(element);
        }
        (Some((name, _)), at @ Value::Null) => {
            let is_list = name.is_empty();
            *at = if is_list { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
            put(at, names, value);
        }
        // `a=1&a[b]=2`: two things under one name. The first stays.
        (Some(_), Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(content_type: &str, body: &str, json_field: Option<&str>, expected: Value) {
        let read = decode(content_type, body.as_bytes(), json_field);
        assert_eq!(read, Ok(expected), "{body}");
    }

    #[test]
    fn a_form_is_a_document() {
        let body =
            "type=unsubscribe&data[merges][FNAME]=Ana+B&data%5Bemail%5D=a%2Bb%40shop.example&x";
        check(
            FORM,
            body,
            None,
            json!({"type": "unsubscribe", "data": {"merges": {"FNAME": "Ana B"}, "email": "a+b@shop.example"}, "x": null}),
        );
        check(FORM, "a=1&a=2&a=3", None, json!({"a": ["1", "2", "3"]}));
        check(FORM, "a[]=1&a[]=2&b[][c]=3", None, json!({"a": ["1", "2"], "b": [{"c": "3"}]}));
        check(FORM, "a=1&a[b]=2&[c]=3&d[=4", None, json!({"a": "1", "[c]": "3", "d[": "4"}));
        check(&format!("{FORM}; charset=utf-8"), "", None, json!({}));
        let deep = format!("a{}=1", "[b]".repeat(20));
        check(FORM, &deep, None, json!({ deep.trim_end_matches("=1"): "1" }));
    }

    #[test]
    fn json_is_read_whatever_the_call_says_its_type_is() {
        for content_type in ["application/json", "text/plain; charset=UTF-8", "", FORM] {
            check(
                content_type,
                " {\"a\": 9007199254740993}\r\n",
                None,
                json!({"a": 9_007_199_254_740_993_u64}),
            );
        }
        check("", r#"{"a": "", "b": [" ", "c"]}"#, None, json!({"a": null, "b": [null, "c"]}));
        check("", "[{\"a\": 1e999, \"b\": 2}]", None, json!([{"a": null, "b": 2}]));
    }

    #[test]
    fn a_field_may_hold_json_as_text() {
        check(
            "text/plain",
            r#"{"Message": "{\"eventType\":\"Open\"}"}"#,
            Some("Message"),
            json!({"Message": {"eventType": "Open"}}),
        );
        check(
            FORM,
            "mandrill_events=%5B%7B%22event%22%3A%22open%22%7D%5D",
            Some("mandrill_events"),
            json!({"mandrill_events": [{"event": "open"}]}),
        );
        check("", r#"{"Message": {"a": 1}}"#, Some("Message"), json!({"Message": {"a": 1}}));
        check("", r#"{"Message": "Hello"}"#, Some("Message"), json!({"Message": "Hello"}));
        check("", "[]", Some("Message"), json!([]));
    }

    #[test]
    fn a_body_that_cannot_be_read_is_refused() {
        let many = "a=1&".repeat(FIELDS_MAX + 1);
        for (content_type, body) in [
            ("application/json", ""),
            ("application/json", "a=1"),
            ("", "{\"a\":"),
            (FORM, many.as_str()),
        ] {
            let read = decode(content_type, body.as_bytes(), None);
            assert_eq!(read.map_err(|why| why.code), Err(Code::MalformedBody), "{body}");
        }
    }
}
