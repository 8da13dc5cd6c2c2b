//! Compares a message with the field table: types, limits, and no field without a row.
//!
//! Changes the message in place: `null` means absent, scalars become text where text is meant, long strings are shortened, unknown
//! fields are left out. An odd value of a field that describes costs the field. An odd value of a field that decides refuses the
//! event, and an odd id is taken away. Whatever is left out is noted. Knows no meaning of fields.

use serde_json::{Map, Number, Value};

use super::notes::Notes;
use crate::digits;
use crate::event::STRING_BYTES_MAX;
use crate::event::fields::{self, Field, Privacy, Shape};
use crate::outcome::{Code, Rejection};
use crate::strict::{is_unsafe_key, key_shape, number_at};
use crate::text::shortened;

/// Fields of Segment's libraries for their own bookkeeping. They are left out without a remark, because no sender can change
/// them.
const BOOKKEEPING: [&str; 6] =
    ["_metadata", "channel", "projectId", "receivedAt", "version", "writeKey"];

/// Checks every field of `message` and leaves only those of the table. `raw` is the message's text, for digits that a number
/// has lost.
pub(super) fn check(
    message: &mut Map<String, Value>,
    raw: &str,
    notes: &mut Notes,
) -> Result<(), Rejection> {
    let mut walk = Walk { path: String::new(), raw, notes, fault: None };
    walk.closed(message);
    walk.fault.map_or(Ok(()), Err)
}

struct Walk<'n> {
    path: String,
    raw: &'n str,
    notes: &'n mut Notes,
    fault: Option<Rejection>,
}

impl Walk<'_> {
    /// Runs `step` with a key or index added to the path. A key that could be data is added as its shape, which is no row of
    /// the table.
    fn at<T>(&mut self, segment: &str, step: impl FnOnce(&mut Self) -> T) -> T {
        let base = self.path.len();
        if base > 0 {
            self.path.push('.');
        }
        self.path.push_str(segment);
        let result = step(self);
        self.path.truncate(base);
        result
    }

    /// Leaves out an odd value, and refuses the event if the field decides.
    fn odd(&mut self, field: &Field, message: &str) -> bool {
        if !field.decides() {
            return self.left_out(message);
        }
        if self.fault.is_none() {
            self.fault = Some(Rejection::at(Code::WrongType, self.path.as_str(), message));
        }
        false
    }

    fn left_out(&mut self, message: &str) -> bool {
        self.notes.remark(Code::WrongType, &self.path, &format!("{message}; it was left out"));
        false
    }

    /// An object whose keys are rows of the table.
    fn closed(&mut self, object: &mut Map<String, Value>) {
        object.retain(|key, value| {
            // Many libraries write `null` for an absent field.
            !value.is_null()
                && self.fault.is_none()
                && self.at(&key_shape(key), |walk| walk.keep(key, value))
        });
    }

    fn keep(&mut self, key: &str, value: &mut Value) -> bool {
        // A key with a dot could pose as a path of the table.
        if let Some(field) = fields::find(&self.path).filter(|_| !key.contains('.')) {
            return match (field.shape, field.privacy) {
                (Shape::Ignored, _) => false,
                (_, Privacy::Unkept) => {
                    let message = "hilo does not store this; it was left out";
                    self.notes.remark(Code::NotKept, &self.path, message);
                    false
                }
                _ => self.field(field, value),
            };
        }
        if self.path.len() != key.len() || !BOOKKEEPING.contains(&key) {
            self.notes.remark(
                Code::UnknownField,
                &self.path,
                "the specification has no such field; it was left out",
            );
        }
        false
    }

    /// Whether the field stays.
    fn field(&mut self, field: &Field, value: &mut Value) -> bool {
        // PHP writes an empty object as an empty list.
        let is_object = matches!(
            field.shape,
            Shape::Open | Shape::Closed | Shape::Link | Shape::Flags | Shape::Counts
        );
        if is_object && value.as_array().is_some_and(Vec::is_empty) {
            *value = Value::Object(Map::new());
        }
        if field.shape == Shape::Link && value.is_string() {
            *value = Value::Object(Map::from_iter([("url".to_owned(), value.take())]));
        }
        match (field.shape, &mut *value) {
            (Shape::Text, Value::String(text)) => self.shorten(text, field.bytes_max),
            (Shape::Text, Value::Bool(_) | Value::Number(_)) if !field.decides() => {
                let mut text = self.scalar(value);
                self.shorten(&mut text, field.bytes_max);
                *value = Value::String(text);
                true
            }
            (Shape::Id, _) => self.id(field, value),
            // Time is the least of an event: `build` reads it, and notes what it cannot read.
            (Shape::Time, _) => true,
            (Shape::Flag, _) => self.flag(field, value),
            (Shape::Count, _) => self.count(field, value, u64::from(u32::MAX)),
            (Shape::Number, Value::Number(_)) => true,
            (Shape::Open, Value::Object(object)) => self.object(object),
            (Shape::Closed | Shape::Link, Value::Object(object)) => {
                self.closed(object);
                true
            }
            (Shape::Flags, Value::Object(flags)) => {
                self.children(flags, |walk, flag| walk.flag(field, flag))
            }
            (Shape::Counts, Value::Object(counts)) => {
                self.children(counts, |walk, count| walk.count(field, count, u64::MAX))
            }
            (Shape::OneOf(words), Value::String(text)) if words.contains(&text.as_str()) => true,
            (shape, _) => self.odd(field, expected(shape)),
        }
    }

    /// Checks the values under the sender's own keys, which all have one type.
    fn children(
        &mut self,
        object: &mut Map<String, Value>,
        check: impl Fn(&mut Self, &mut Value) -> bool,
    ) -> bool {
        object.retain(|key, value| {
            !value.is_null()
                && self.at(&key_shape(key), |walk| {
                    if is_unsafe_key(key) { walk.unsafe_key() } else { check(walk, value) }
                })
        });
        true
    }

    /// Checks an id. An id is never shortened: two long ids with the same beginning would become one person.
    fn id(&mut self, field: &Field, value: &mut Value) -> bool {
        if let Value::Number(number) = &*value {
            let digits = self.digits(number);
            if digits.contains(['e', 'E']) {
                return self.taken_away("send this id as text: as a number it has lost digits");
            }
            *value = Value::String(digits);
        }
        match value {
            Value::String(id) if id.len() > field.bytes_max => {
                self.taken_away(&format!("an id here has at most {} bytes", field.bytes_max))
            }
            Value::String(id) if id.chars().any(char::is_control) => {
                self.taken_away("an id holds no control characters")
            }
            // Templates write an empty text for an absent id.
            Value::String(id) => !id.trim().is_empty(),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => self.taken_away(expected(field.shape)),
        }
    }

    /// An odd id takes the id away, not the event. `build` refuses an event without an id.
    fn taken_away(&mut self, message: &str) -> bool {
        let message = format!("{message}; the id was left out");
        self.notes.taken_away(Rejection::at(Code::WrongType, self.path.as_str(), message));
        false
    }

    /// The text of `true`, `false` or a number.
    fn scalar(&self, value: &Value) -> String {
        match value {
            Value::Number(number) => self.digits(number),
            Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => value.to_string(),
        }
    }

    /// The number as it was written. A number with a fraction or beyond 64 bits has passed through floating point, so its
    /// digits come from the message's text.
    fn digits(&self, number: &Number) -> String {
        let written = if number.is_f64() { number_at(self.raw, &self.path) } else { None };
        written.unwrap_or_else(|| number.to_string())
    }

    fn flag(&mut self, field: &Field, value: &mut Value) -> bool {
        let clear = || match (value.as_str().map(str::trim), value.as_u64()) {
            (Some("true" | "1"), _) | (None, Some(1)) => Some(true),
            (Some("false" | "0"), _) | (None, Some(0)) => Some(false),
            _ => None,
        };
        let read = value.as_bool().or_else(|| if field.decides() { None } else { clear() });
        let Some(flag) = read else { return self.odd(field, expected(Shape::Flag)) };
        *value = Value::Bool(flag);
        true
    }

    fn count(&mut self, field: &Field, value: &mut Value, max: u64) -> bool {
        let clear = || digits::read(value.as_str()?.trim());
        let read = value.as_u64().or_else(|| if field.decides() { None } else { clear() });
        let Some(count) = read.filter(|count| *count <= max) else {
            return self.odd(field, expected(Shape::Count));
        };
        *value = Value::from(count);
        true
    }

    /// Shortens strings under the sender's own keys, and leaves out keys that are unsafe. The reader has checked all other
    /// limits.
    fn object(&mut self, object: &mut Map<String, Value>) -> bool {
        object.retain(|key, value| {
            self.at(&key_shape(key), |walk| {
                if is_unsafe_key(key) {
                    return walk.unsafe_key();
                }
                walk.value(value);
                true
            })
        });
        true
    }

    fn unsafe_key(&mut self) -> bool {
        let message = "this key changes prototypes in JavaScript; it was left out";
        self.notes.remark(Code::UnsafeKey, &self.path, message);
        false
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::String(text) if text.len() > STRING_BYTES_MAX => {
                self.shorten(text, STRING_BYTES_MAX);
            }
            Value::Array(values) => {
                for (index, value) in values.iter_mut().enumerate() {
                    // Only these values can need their path.
                    if matches!(value, Value::String(_) | Value::Array(_) | Value::Object(_)) {
                        self.at(&index.to_string(), |walk| walk.value(value));
                    }
                }
            }
            Value::Object(object) => {
                self.object(object);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn shorten(&mut self, text: &mut String, bytes_max: usize) -> bool {
        if text.len() > bytes_max {
            text.truncate(shortened(text, bytes_max).len());
            self.notes.note_cut(&self.path);
        }
        true
    }
}

const fn expected(shape: Shape) -> &'static str {
    match shape {
        Shape::Text => "send text here",
        Shape::Id => "send this id as text",
        Shape::Time => "send a time here",
        Shape::Flag => "send true or false here",
        Shape::Count => "send a whole number here, not below 0",
        Shape::Number => "send a number here",
        Shape::Open | Shape::Closed | Shape::Flags | Shape::Counts => "send an object here",
        Shape::Link => "send an object or an address here",
        Shape::Ignored => "leave this out",
        Shape::OneOf(_) => "send one of the words the specification lists for this field",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_kept(message: Value, expected: Value, notices: &[(Code, &str)]) {
        check_text(&message.to_string(), expected, notices);
    }

    fn check_text(raw: &str, expected: Value, notices: &[(Code, &str)]) {
        let mut notes = Notes::default();
        let Ok(Value::Object(mut message)) = raw.parse() else { panic!("not an object") };
        check(&mut message, raw, &mut notes).unwrap();
        assert_eq!(Value::Object(message), expected);
        let noted: Vec<_> =
            notes.notices.iter().map(|n| (n.code, n.field.as_deref().unwrap_or(""))).collect();
        assert_eq!(noted, notices);
    }

    /// The field is left out of the message and noted.
    fn check_left_out(mut message: Value, expected: Value, field: &str) {
        message["event"] = json!("E");
        let mut kept = expected;
        kept["event"] = json!("E");
        check_kept(message, kept, &[(Code::WrongType, field)]);
    }

    fn check_refused(message: Value, field: &str) {
        let Value::Object(mut message) = message else { panic!("not an object") };
        let refused = check(&mut message, "", &mut Notes::default()).unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (Code::WrongType, Some(field)));
    }

    #[test]
    fn null_means_absent_and_numbers_become_ids() {
        check_kept(
            json!({"userId": 42, "anonymousId": "", "properties": null, "traits": [], "context": {"page": {"url": null}}}),
            json!({"userId": "42", "traits": {}, "context": {"page": {}}}),
            &[],
        );
    }

    #[test]
    fn the_digits_of_a_number_stay_where_text_is_meant() {
        check_text(
            r#"{"userId":12345678901234567890123,"anonymousId":17.0,"messageId":-3,"context":{"campaign":{"content":98765432109876543210,"id":5.50}}}"#,
            json!({
                "userId": "12345678901234567890123", "anonymousId": "17.0", "messageId": "-3",
                "context": {"campaign": {"content": "98765432109876543210", "id": "5.50"}},
            }),
            &[],
        );
    }

    #[test]
    fn scalars_become_text_flags_and_counts_where_those_are_meant() {
        check_kept(
            json!({
                "event": 404, "name": true,
                "context": {"active": "true", "locale": false, "os": {"version": 14}, "hilo": {"dropped": {"age": "7"}}},
            }),
            json!({
                "event": "404", "name": "true",
                "context": {"active": true, "locale": "false", "os": {"version": "14"}, "hilo": {"dropped": {"age": 7}}},
            }),
            &[],
        );
    }

    #[test]
    fn unknown_fields_are_left_out_with_a_remark() {
        check_kept(
            json!({"surprise": 1, "context.ip": "1.2.3.4", "_metadata": {}, "context": {"weather": {"city": "X"}}}),
            json!({"context": {}}),
            &[
                (Code::UnknownField, "context.weather"),
                (Code::UnknownField, "context.ip"),
                (Code::UnknownField, "surprise"),
            ],
        );
    }

    #[test]
    fn fields_that_are_never_stored_are_left_out_with_a_remark() {
        check_kept(
            json!({"context": {"location": {"city": "X", "latitude": 40.4, "speed": "fast"}}}),
            json!({"context": {"location": {"city": "X"}}}),
            &[
                (Code::NotKept, "context.location.latitude"),
                (Code::NotKept, "context.location.speed"),
            ],
        );
    }

    #[test]
    fn unsafe_keys_are_left_out_at_every_level_with_a_remark() {
        check_kept(
            json!({"properties": {"a": [{"constructor": 1, "b": 2}], "prototype": []}, "context": {"hilo": {"dropped": {"__proto__": 1}}}}),
            json!({"properties": {"a": [{"b": 2}]}, "context": {"hilo": {"dropped": {}}}}),
            &[
                (Code::UnsafeKey, "context.hilo.dropped.__proto__"),
                (Code::UnsafeKey, "properties.a.0.constructor"),
                (Code::UnsafeKey, "properties.prototype"),
            ],
        );
    }

    #[test]
    fn what_libraries_send_by_themselves_is_left_out_without_a_remark() {
        check_kept(
            json!({"context": {"instanceId": 7, "ua-ch": {"platform": "Android"}, "sessionId": 1, "page": {"tab_url": "x"}}}),
            json!({"context": {"page": {}}}),
            &[],
        );
    }

    #[test]
    fn a_referrer_is_an_object_or_an_address() {
        let link = json!({"context": {"referrer": {"url": "https://ads.example/"}}});
        check_kept(json!({"context": {"referrer": "https://ads.example/"}}), link.clone(), &[]);
        check_kept(link.clone(), link, &[]);
    }

    #[test]
    fn long_text_is_shortened_to_whole_characters() {
        let long = "é".repeat(fields::NAME_BYTES_MAX);
        let cut = "é".repeat(fields::NAME_BYTES_MAX / 2);
        check_kept(json!({"event": long}), json!({"event": cut}), &[(Code::Truncated, "event")]);
        let text = "x".repeat(STRING_BYTES_MAX + 1);
        check_kept(
            json!({"properties": {"list": [0, {"note": text}]}}),
            json!({"properties": {"list": [0, {"note": "x".repeat(STRING_BYTES_MAX)}]}}),
            &[(Code::Truncated, "properties.list.1.note")],
        );
    }

    #[test]
    fn an_odd_value_costs_only_a_field_that_describes() {
        check_left_out(json!({"properties": "none"}), json!({}), "properties");
        check_left_out(
            json!({"context": {"page": {"url": {}}}}),
            json!({"context": {"page": {}}}),
            "context.page.url",
        );
        check_left_out(
            json!({"context": {"page": "home"}}),
            json!({"context": {}}),
            "context.page",
        );
        check_left_out(json!({"context": 7}), json!({}), "context");
        check_left_out(
            json!({"context": {"hilo": {"dropped": {"age": -1}}}}),
            json!({"context": {"hilo": {"dropped": {}}}}),
            "context.hilo.dropped.age",
        );
        check_left_out(
            json!({"context": {"hilo": {"session": {"landing": {"via": "magic"}}}}}),
            json!({"context": {"hilo": {"session": {"landing": {}}}}}),
            "context.hilo.session.landing.via",
        );
    }

    #[test]
    fn an_odd_id_is_taken_away() {
        for id in [json!(true), json!(1e30), json!({}), json!("x".repeat(129)), json!("a\u{0}b")] {
            check_left_out(json!({ "userId": id }), json!({}), "userId");
        }
    }

    #[test]
    fn an_odd_value_of_a_field_that_decides_is_refused_with_its_path() {
        check_refused(json!({"type": 7}), "type");
        for flag in [json!("yes"), json!("true"), json!(1), json!({})] {
            check_refused(
                json!({"context": {"consent": {"categoryPreferences": {"analytics": flag}}}}),
                "context.consent.categoryPreferences.analytics",
            );
        }
        check_refused(json!({"context": {"consent": true}}), "context.consent");
        for revision in [json!(4_294_967_296_u64), json!("3"), json!(-1)] {
            check_refused(
                json!({"context": {"consent": {"revision": revision}}}),
                "context.consent.revision",
            );
        }
    }
}
