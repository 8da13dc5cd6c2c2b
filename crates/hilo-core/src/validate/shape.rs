//! Compares a message with the field table: types, limits, and no field without a row.
//!
//! Changes the message in place: `null` means absent, numbers in ids become text, long strings are shortened and noted, unknown
//! fields are left out and noted. The first field of a wrong type ends the walk. Knows no meaning of fields.

use serde_json::{Map, Value};

use super::notes::Notes;
use crate::event::STRING_BYTES_MAX;
use crate::event::fields::{self, Field, Privacy, Shape};
use crate::outcome::{Code, Rejection};
use crate::strict::key_shape;
use crate::text::shortened;

/// Fields of Segment's libraries for their own bookkeeping. They are left out without a remark, because no sender can change
/// them.
const BOOKKEEPING: [&str; 6] =
    ["_metadata", "channel", "projectId", "receivedAt", "version", "writeKey"];

/// Checks every field of `message` and leaves only those of the table.
pub(super) fn check(message: &mut Map<String, Value>, notes: &mut Notes) -> Result<(), Rejection> {
    let mut walk = Walk { path: String::new(), notes, fault: None };
    walk.closed(message);
    walk.fault.map_or(Ok(()), Err)
}

struct Walk<'n> {
    path: String,
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

    fn refuse(&mut self, message: &str) -> bool {
        if self.fault.is_none() {
            self.fault = Some(Rejection::at(Code::WrongType, self.path.as_str(), message));
        }
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
        match (field.shape, value) {
            (Shape::Text, Value::String(text)) => self.shorten(text, field.bytes_max),
            (Shape::Id, value) => self.id(field, value),
            (Shape::Time, Value::String(_) | Value::Number(_))
            | (Shape::Flag, Value::Bool(_))
            | (Shape::Number, Value::Number(_)) => true,
            (Shape::Count, value) => self.count(value, u64::from(u32::MAX)),
            (Shape::Open, Value::Object(object)) => self.object(object),
            (Shape::Closed | Shape::Link, Value::Object(object)) => {
                self.closed(object);
                true
            }
            (Shape::Flags, Value::Object(flags)) => {
                flags.retain(|key, flag| {
                    !flag.is_null()
                        && (flag.is_boolean()
                            || self
                                .at(&key_shape(key), |walk| walk.refuse("send true or false here")))
                });
                true
            }
            (Shape::Counts, Value::Object(counts)) => {
                counts.retain(|key, count| {
                    !count.is_null() && self.at(&key_shape(key), |walk| walk.count(count, u64::MAX))
                });
                true
            }
            (Shape::OneOf(words), Value::String(text)) if words.contains(&text.as_str()) => true,
            (shape, _) => self.refuse(expected(shape)),
        }
    }

    /// Checks an id. An id is never shortened: two long ids with the same beginning would become one person.
    fn id(&mut self, field: &Field, value: &mut Value) -> bool {
        match value {
            Value::Number(number) if !number.is_f64() => {
                *value = Value::String(number.to_string());
                true
            }
            Value::Number(_) => self.refuse("send this id as text: as a number it has lost digits"),
            Value::String(id) if id.len() > field.bytes_max => {
                self.refuse(&format!("an id here has at most {} bytes", field.bytes_max))
            }
            Value::String(id) if id.chars().any(char::is_control) => {
                self.refuse("an id holds no control characters")
            }
            // Templates write an empty text for an absent id.
            Value::String(id) => !id.trim().is_empty(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                self.refuse(expected(field.shape))
            }
        }
    }

    fn count(&mut self, value: &mut Value, max: u64) -> bool {
        match value.as_u64() {
            Some(count) if count <= max => true,
            _ => self.refuse(expected(Shape::Count)),
        }
    }

    /// Shortens strings under the sender's own keys. The reader has checked all other limits.
    fn object(&mut self, object: &mut Map<String, Value>) -> bool {
        for (key, value) in object {
            self.at(&key_shape(key), |walk| walk.value(value));
        }
        true
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
        Shape::Time => {
            "send a time as RFC 3339 text, such as 2026-11-24T10:00:00.000Z, or as milliseconds since 1970"
        }
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
        let mut notes = Notes::default();
        let Value::Object(mut message) = message else { panic!("not an object") };
        check(&mut message, &mut notes).unwrap();
        assert_eq!(Value::Object(message), expected);
        let noted: Vec<_> =
            notes.notices.iter().map(|n| (n.code, n.field.as_deref().unwrap_or(""))).collect();
        assert_eq!(noted, notices);
    }

    fn check_refused(message: Value, field: &str) {
        let Value::Object(mut message) = message else { panic!("not an object") };
        let refused = check(&mut message, &mut Notes::default()).unwrap_err();
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
    fn a_wrong_type_is_refused_with_its_path() {
        check_refused(json!({"event": 7}), "event");
        check_refused(json!({"userId": true}), "userId");
        check_refused(json!({"userId": 1e30}), "userId");
        check_refused(json!({"anonymousId": "x".repeat(129)}), "anonymousId");
        check_refused(json!({"anonymousId": "a\u{0}b"}), "anonymousId");
        check_refused(json!({"timestamp": true}), "timestamp");
        check_refused(json!({"properties": "none"}), "properties");
        check_refused(json!({"context": {"page": {"url": {}}}}), "context.page.url");
        check_refused(
            json!({"context": {"consent": {"categoryPreferences": {"analytics": "yes"}}}}),
            "context.consent.categoryPreferences.analytics",
        );
        check_refused(
            json!({"context": {"consent": {"revision": 4_294_967_296_u64}}}),
            "context.consent.revision",
        );
        check_refused(
            json!({"context": {"hilo": {"dropped": {"age": -1}}}}),
            "context.hilo.dropped.age",
        );
        let via = json!({"context": {"hilo": {"session": {"landing": {"via": "magic"}}}}});
        check_refused(via, "context.hilo.session.landing.via");
    }
}
