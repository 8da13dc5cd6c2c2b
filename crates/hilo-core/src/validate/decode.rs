//! Opens an envelope: reads its header fields and leaves its items unread.
//!
//! Bytes → [`Envelope`], or the refusal of the whole body. Each item stays raw text, so that one broken item does not spoil its
//! neighbors.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::envelope::{Envelope, SHARED_BYTES_MAX};
use super::notes::NOTICES_MAX;
use super::time::read_time;
use crate::event::{BATCH_EVENTS_MAX, fields};
use crate::outcome::{Code, Rejection};
use crate::strict::{Fault, Strict, body_text, key_shape};

/// Fields that Segment's libraries for Go, .NET and Java give to an envelope for their own bookkeeping. They are left out
/// without a remark, because no sender can change them.
const BOOKKEEPING: [&str; 2] = ["messageId", "sequence"];

/// Opens the body of `POST /v1/batch`.
///
/// # Errors
/// `malformed_body`, `wrong_type`, `missing_field`, `too_many_events`, `duplicate_key` and the structural limits on
/// the envelope's own fields.
pub fn read_batch(body: &[u8]) -> Result<Envelope, Rejection> {
    let text = body_text(body)?;
    let (envelope, has_batch) = open(&text, Form::Batch)?;
    if has_batch {
        Ok(envelope)
    } else {
        Err(Rejection::at(Code::MissingField, "batch", "put the events into a list called `batch`"))
    }
}

/// Opens the body of `POST /v1/<kind>`: one message, whose type is the path's.
///
/// # Errors
/// `malformed_body`, `wrong_type`. [`super::check`] refuses mistakes inside the message.
pub fn read_single(body: &[u8], kind: &str) -> Result<Envelope, Rejection> {
    let text = body_text(body)?;
    let (mut envelope, _) = open(&text, Form::Single)?;
    let item: Box<RawValue> = serde_json::from_str(&text).map_err(|error| malformed(&error))?;
    envelope.items.push(item);
    envelope.kind = Some(kind.to_owned());
    Ok(envelope)
}

/// The id of an item that is broken elsewhere, so that its sender can find the item.
pub(super) fn peek_message_id(item: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Peek {
        #[serde(rename = "messageId")]
        message_id: Option<Value>,
    }
    if !item.starts_with('{') {
        return None; // serde would read a list as the struct's fields in order
    }
    let peek: Peek = serde_json::from_str(item).ok()?;
    let id = match peek.message_id? {
        Value::String(text) => text,
        Value::Number(number) if !number.is_f64() => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            return None;
        }
    };
    let limit = fields::find("messageId").map_or(0, |field| field.bytes_max);
    (!id.is_empty() && id.len() <= limit && !id.chars().any(char::is_control)).then_some(id)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Batch,
    Single,
}

/// Reads the header fields, and returns whether there was a `batch`.
fn open(text: &str, form: Form) -> Result<(Envelope, bool), Rejection> {
    let (fault, at) = (Fault::default(), Cell::new(""));
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_any(Header { fault: &fault, at: &at, form });
    read.and_then(|header| reader.end().map(|()| header)).map_err(|error| {
        fault.take().unwrap_or_else(|| match at.get() {
            "" if error.is_data() => Rejection::new(Code::WrongType, "the body is one JSON object"),
            field if error.is_data() => Rejection::at(Code::WrongType, field, expected(field)),
            _ => malformed(&error),
        })
    })
}

fn expected(field: &str) -> &'static str {
    match field {
        "batch" => "`batch` is a list of events",
        "writeKey" => "`writeKey` is text",
        _ => "this field is an object",
    }
}

fn malformed(error: &serde_json::Error) -> Rejection {
    let message = if error.is_eof() {
        "the body ends in the middle: send all of it again".to_owned()
    } else {
        format!("the body is not valid JSON at line {} column {}", error.line(), error.column())
    };
    Rejection::new(Code::MalformedBody, message)
}

/// Visits the outermost object. `at` names the current field, for refusals that come from serde.
#[derive(Clone, Copy)]
struct Header<'f> {
    fault: &'f Fault,
    at: &'f Cell<&'static str>,
    form: Form,
}

impl<'f> Header<'f> {
    /// Reads `context` or `integrations`: an object, bounded because every item gets a copy.
    fn shared<'de, A: MapAccess<'de>>(self, map: &mut A) -> Result<Option<Value>, A::Error> {
        let raw: &'de RawValue = map.next_value()?;
        if raw.get().len() > SHARED_BYTES_MAX {
            let message = format!(
                "what all events share has at most {SHARED_BYTES_MAX} bytes: move the rest into events"
            );
            let error = self.fault.raise(Code::EventTooLarge, message);
            self.fault.under(self.at.get());
            return Err(error);
        }
        let mut reader = serde_json::Deserializer::from_str(raw.get());
        // Depth 1, because the object will stand one level down in an event.
        match Strict::new(self.fault, 1).deserialize(&mut reader) {
            Ok(Value::Null) => Ok(None),
            Ok(value @ Value::Object(_)) => Ok(Some(value)),
            Ok(_) => Err(serde::de::Error::custom("not an object")),
            Err(_) => {
                if self.fault.is_empty() {
                    return Err(self
                        .fault
                        .raise(Code::MalformedBody, "a number is out of range".to_owned()));
                }
                self.fault.under(self.at.get());
                Err(serde::de::Error::custom("refused"))
            }
        }
    }

    fn sent_at<'de, A: MapAccess<'de>>(
        self,
        map: &mut A,
        envelope: &mut Envelope,
    ) -> Result<(), A::Error> {
        let value = map.next_value_seed(Strict::new(self.fault, 1)).inspect_err(|_| {
            self.fault.under("sentAt");
        })?;
        envelope.sent_at = read_time(&value);
        // A single message carries its own `sentAt`, and the message's check covers it.
        if envelope.sent_at.is_none() && !value.is_null() && self.form == Form::Batch {
            let message = "not a time: without it the page's clock cannot be corrected";
            envelope.notices.push(Rejection::at(Code::WrongType, "sentAt", message));
        }
        Ok(())
    }
}

impl<'de> Visitor<'de> for Header<'_> {
    type Value = (Envelope, bool);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut envelope, mut has_batch) = (Envelope::default(), false);
        let mut seen = BTreeSet::new();
        let strict = Strict::new(self.fault, 0);
        while let Some(key) = map.next_key::<String>()? {
            strict.admit::<A::Error>(&key, seen.len())?;
            if seen.contains(&key) {
                return Err(strict.twice(&key));
            }
            match (key.as_str(), self.form) {
                ("writeKey", _) => {
                    self.at.set("writeKey");
                    envelope.write_key =
                        map.next_value::<Option<String>>()?.filter(|key| !key.is_empty());
                }
                ("sentAt", _) => self.sent_at(&mut map, &mut envelope)?,
                ("batch", Form::Batch) => {
                    self.at.set("batch");
                    envelope.items = map.next_value_seed(Items { fault: self.fault })?;
                    has_batch = true;
                }
                ("context", Form::Batch) => {
                    self.at.set("context");
                    envelope.context = self.shared(&mut map)?;
                }
                ("integrations", Form::Batch) => {
                    self.at.set("integrations");
                    envelope.integrations = self.shared(&mut map)?;
                }
                (_, Form::Single) => {
                    map.next_value::<IgnoredAny>()?;
                }
                (known, Form::Batch) if BOOKKEEPING.contains(&known) => {
                    map.next_value::<IgnoredAny>()?;
                }
                (unknown, Form::Batch) => {
                    let message = "an envelope has no such field; it was left out";
                    if envelope.notices.len() < NOTICES_MAX {
                        envelope.notices.push(Rejection::at(
                            Code::UnknownField,
                            key_shape(unknown),
                            message,
                        ));
                    }
                    map.next_value::<IgnoredAny>()?;
                }
            }
            self.at.set("");
            seen.insert(key);
        }
        Ok((envelope, has_batch))
    }
}

/// Visits the list of events and keeps each as raw text.
struct Items<'f> {
    fault: &'f Fault,
}

impl<'de> DeserializeSeed<'de> for Items<'_> {
    type Value = Vec<Box<RawValue>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_> {
    type Value = Vec<Box<RawValue>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            if items.len() == BATCH_EVENTS_MAX {
                let message =
                    format!("send at most {BATCH_EVENTS_MAX} events per request: split the batch");
                let error = self.fault.raise(Code::TooManyEvents, message);
                self.fault.under("batch");
                return Err(error);
            }
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: impl AsRef<[u8]>, code: Code, field: Option<&str>) {
        let refused = read_batch(body.as_ref()).unwrap_err();
        assert_eq!((refused.code, refused.field.as_deref()), (code, field));
    }

    #[test]
    fn the_header_is_read_and_items_stay_unread() {
        let body = "\u{feff}{\"writeKey\":\"wk_a\",\"sentAt\":1000,\"batch\":[{},7,{\"a\":1,\"a\":2}],\"extra\":1}";
        let envelope = read_batch(body.as_bytes()).unwrap();
        assert_eq!(envelope.write_key.as_deref(), Some("wk_a"));
        assert_eq!(envelope.sent_at.map(|at| at.as_millisecond()), Some(1000));
        assert_eq!(envelope.items.len(), 3);
        assert_eq!(envelope.notices[0].field.as_deref(), Some("extra"));
    }

    #[test]
    fn the_bookkeeping_of_segments_libraries_gives_no_notice() {
        let go = br#"{"messageId":"m","sentAt":1000,"batch":[{}],"context":{},"sequence":7}"#;
        assert_eq!(read_batch(go).unwrap().notices, []);
    }

    #[test]
    fn each_mistake_of_an_envelope_has_its_code() {
        check("", Code::MalformedBody, None);
        check("{\"batch\":[]} tail", Code::MalformedBody, None);
        check(b"\xff\xfe{\0}\0", Code::MalformedBody, None);
        check(b"{\0}\0", Code::MalformedBody, None);
        check(b"{\"batch\":\"\xff\"}", Code::MalformedBody, None);
        check("[]", Code::WrongType, None);
        check("{}", Code::MissingField, Some("batch"));
        check("{\"batch\":{}}", Code::WrongType, Some("batch"));
        check("{\"batch\":null}", Code::WrongType, Some("batch"));
        check("{\"batch\":[],\"writeKey\":7}", Code::WrongType, Some("writeKey"));
        check("{\"batch\":[],\"context\":7}", Code::WrongType, Some("context"));
        check("{\"batch\":[],\"batch\":[]}", Code::DuplicateKey, Some("batch"));
        check(
            "{\"context\":{\"a\":1,\"a\":1},\"batch\":[]}",
            Code::DuplicateKey,
            Some("context.a"),
        );
        let large =
            format!("{{\"context\":{{\"a\":\"{}\"}},\"batch\":[]}}", "x".repeat(SHARED_BYTES_MAX));
        check(large, Code::EventTooLarge, Some("context"));
    }

    #[test]
    fn a_body_that_was_cut_anywhere_is_malformed() {
        let body =
            r#"{"writeKey":"wk_a","context":{"a":"ü"},"batch":[{"b":"\ud83d\ude00"}]}"#.as_bytes();
        assert!(read_batch(body).is_ok());
        for cut in 0..body.len() {
            check(&body[..cut], Code::MalformedBody, None);
        }
    }

    #[test]
    fn a_batch_one_event_over_the_limit_is_refused() {
        let of = |count: usize| format!("{{\"batch\":[{}]}}", vec!["{}"; count].join(","));
        assert_eq!(
            read_batch(of(BATCH_EVENTS_MAX).as_bytes()).unwrap().items.len(),
            BATCH_EVENTS_MAX
        );
        check(of(BATCH_EVENTS_MAX + 1), Code::TooManyEvents, Some("batch"));
    }

    #[test]
    fn nesting_without_end_is_skipped_without_recursion() {
        let deep = format!("{{\"batch\":[{}{}]}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(read_batch(deep.as_bytes()).unwrap().items.len(), 1);
    }

    #[test]
    fn a_single_message_is_an_envelope_with_one_item() {
        let envelope = read_single(br#" {"writeKey":"wk_a","event":"E"} "#, "track").unwrap();
        assert_eq!(envelope.items.len(), 1);
        assert_eq!(envelope.kind.as_deref(), Some("track"));
        assert_eq!(read_single(b"[]", "track").unwrap_err().code, Code::WrongType);
        assert_eq!(read_single(b"{", "track").unwrap_err().code, Code::MalformedBody);
    }

    #[test]
    fn the_message_id_of_a_broken_item_is_found() {
        assert_eq!(peek_message_id(r#"{"messageId":"m1","a":1,"a":2}"#).as_deref(), Some("m1"));
        assert_eq!(peek_message_id(r#"{"messageId":7}"#).as_deref(), Some("7"));
        assert_eq!(peek_message_id(r#"[1]"#), None);
    }
}
