//! Opens an envelope: reads its header fields and leaves its items unread.
//!
//! Bytes → [`Envelope`], or the refusal of the whole body. Each item stays raw text, so that one broken item does not spoil its
//! neighbors.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::envelope::{Envelope, HELLO_BYTES_MAX, SHARED_BYTES_MAX, SHARED_ID_BYTES_MAX};
use super::notes::{NOT_A_NUMBER, NOTICES_MAX};
use super::time::read_time;
use crate::event::{BATCH_EVENTS_MAX, fields};
use crate::outcome::{Code, Rejection};
use crate::strict::{
    Fault, Strict, body_text, key_shape, spelled_as_numbers, without_impossible_numbers,
};

/// Fields that Segment's libraries for Go, .NET and Java give to an envelope for their own bookkeeping. They are left out
/// without a remark, because no sender can change them.
const BOOKKEEPING: [&str; 2] = ["messageId", "sequence"];

/// Opens the body of `POST /v1/batch`.
///
/// # Errors
/// `malformed_body`, `wrong_type`, `missing_field`, `too_many_events`, `duplicate_key` and the structural limits on
/// the envelope's own fields.
pub fn read_batch(body: &[u8]) -> Result<Envelope, Rejection> {
    let (_, envelope, has_batch) = open(body_text(body)?, Form::Batch)?;
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
    let (text, mut envelope, _) = open(body_text(body)?, Form::Single)?;
    let item: Box<RawValue> =
        serde_json::from_str(&text).map_err(|error| malformed(&error, None))?;
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

/// Reads the header fields. Returns the text in which the items stand, and whether there was a `batch`.
///
/// A body with bare `NaN` or `Infinity` is read a second time, with numbers in their place. A body without them costs nothing.
fn open(text: Cow<'_, str>, form: Form) -> Result<(Cow<'_, str>, Envelope, bool), Rejection> {
    match read_header(&text, form) {
        Ok((envelope, has_batch)) => Ok((text, envelope, has_batch)),
        Err(why) => {
            let is_broken = why.code == Code::MalformedBody;
            let mended = is_broken.then(|| spelled_as_numbers(&text)).flatten().ok_or(why)?;
            let (envelope, has_batch) = read_header(&mended, form)?;
            Ok((Cow::Owned(mended), envelope, has_batch))
        }
    }
}

fn read_header(text: &str, form: Form) -> Result<(Envelope, bool), Rejection> {
    let (fault, at, item) = (Fault::default(), Cell::new(""), Cell::new(None));
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_any(Header { fault: &fault, at: &at, item: &item, form });
    read.and_then(|header| reader.end().map(|()| header)).map_err(|error| {
        fault.take().unwrap_or_else(|| match at.get() {
            "" if error.is_data() => Rejection::new(Code::WrongType, "the body is one JSON object"),
            field if error.is_data() => Rejection::at(Code::WrongType, field, expected(field)),
            _ => malformed(&error, item.get()),
        })
    })
}

fn expected(field: &str) -> &'static str {
    match field {
        "batch" => "`batch` is a list of events",
        _ => "`writeKey` is text",
    }
}

/// The refusal of a body that is no JSON. `item` is the index of the item in which the mistake stands: a server's client does
/// not halve a refused batch, so its author has to find the item.
fn malformed(error: &serde_json::Error, item: Option<usize>) -> Rejection {
    if error.is_eof() {
        let message = "the body ends in the middle: send all of it again";
        return Rejection::new(Code::MalformedBody, message);
    }
    let message =
        format!("the body is not valid JSON at line {} column {}", error.line(), error.column());
    let field = item.map(|index| format!("batch.{index}"));
    Rejection { code: Code::MalformedBody, field, message }
}

/// Visits the outermost object. `at` names the current field and `item` the current item, for refusals that come from serde.
#[derive(Clone, Copy)]
struct Header<'f> {
    fault: &'f Fault,
    at: &'f Cell<&'static str>,
    item: &'f Cell<Option<usize>>,
    form: Form,
}

impl<'f> Header<'f> {
    /// Reads `context` or `integrations`: an object, bounded because every item gets a copy. Anything else is left out and
    /// noted.
    fn shared<'de, A: MapAccess<'de>>(
        self,
        map: &mut A,
        field: &'static str,
        notices: &mut Vec<Rejection>,
    ) -> Result<Option<Value>, A::Error> {
        let raw: &'de RawValue = map.next_value()?;
        if raw.get().len() > SHARED_BYTES_MAX {
            let message = format!(
                "what all events share has at most {SHARED_BYTES_MAX} bytes: move the rest into events"
            );
            let error = self.fault.raise(Code::EventTooLarge, message);
            self.fault.under(field);
            return Err(error);
        }
        let mut lost = Vec::new();
        let mut read = self.value(raw.get());
        if read.is_err()
            && self.fault.is_empty()
            && let Some(mended) = without_impossible_numbers(raw.get(), &mut lost)
        {
            read = self.value(&mended);
        }
        for path in lost {
            note(notices, Code::NotANumber, &format!("{field}.{path}"), NOT_A_NUMBER);
        }
        match read {
            Ok(value @ Value::Object(_)) => Ok(Some(value)),
            Ok(value) => {
                // PHP writes an empty object as an empty list.
                if !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()) {
                    let message = "this field is an object; it was left out";
                    note(notices, Code::WrongType, field, message);
                }
                Ok(None)
            }
            Err(error) => {
                if self.fault.is_empty() {
                    let message = "this field is not valid JSON".to_owned();
                    let _: A::Error = self.fault.raise(Code::MalformedBody, message);
                }
                self.fault.under(field);
                Err(serde::de::Error::custom(error))
            }
        }
    }

    /// Depth 1, because the value will stand one level down in an event.
    fn value(self, text: &str) -> Result<Value, serde_json::Error> {
        Strict::new(self.fault, 1).deserialize(&mut serde_json::Deserializer::from_str(text))
    }

    /// Reads an id of the events that name nobody: text, which is judged where an event takes it. Anything else is left out and
    /// noted.
    fn id<'de, A: MapAccess<'de>>(
        map: &mut A,
        field: &'static str,
        envelope: &mut Envelope,
    ) -> Result<(), A::Error> {
        let raw: &'de RawValue = map.next_value()?;
        match serde_json::from_str::<Option<String>>(raw.get()) {
            Ok(None) => {}
            Ok(Some(id)) if id.len() <= SHARED_ID_BYTES_MAX => envelope.ids.push((field, id)),
            Ok(Some(_)) | Err(_) => {
                let message = "an id of all events is short text; it was left out";
                note(&mut envelope.notices, Code::WrongType, field, message);
            }
        }
        Ok(())
    }

    /// Keeps a page's hello as it came. One that is too long is left out and noted.
    fn hello<'de, A: MapAccess<'de>>(map: &mut A, envelope: &mut Envelope) -> Result<(), A::Error> {
        let raw: &'de RawValue = map.next_value()?;
        if raw.get().len() <= HELLO_BYTES_MAX {
            envelope.hello = Some(raw.to_owned());
        } else {
            let message = "a hello is short; it was left out";
            note(&mut envelope.notices, Code::WrongType, "hello", message);
        }
        Ok(())
    }

    fn sent_at<'de, A: MapAccess<'de>>(
        self,
        map: &mut A,
        envelope: &mut Envelope,
    ) -> Result<(), A::Error> {
        let raw: &'de RawValue = map.next_value()?;
        let value = serde_json::from_str::<Value>(raw.get());
        envelope.sent_at = value.as_ref().ok().and_then(read_time);
        let is_absent = value.is_ok_and(|value| value.is_null());
        // A single message carries its own `sentAt`, and the message's check covers it.
        if envelope.sent_at.is_none() && !is_absent && self.form == Form::Batch {
            let message = "this is no time: without it the page's clock cannot be corrected";
            note(&mut envelope.notices, Code::BadTimestamp, "sentAt", message);
        }
        Ok(())
    }
}

fn note(notices: &mut Vec<Rejection>, code: Code, field: &str, message: &str) {
    if notices.len() < NOTICES_MAX {
        notices.push(Rejection::at(code, field, message));
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
                ("anonymousId", Form::Batch) => Self::id(&mut map, "anonymousId", &mut envelope)?,
                ("hello", Form::Batch) => Self::hello(&mut map, &mut envelope)?,
                ("userId", Form::Batch) => Self::id(&mut map, "userId", &mut envelope)?,
                ("batch", Form::Batch) => {
                    self.at.set("batch");
                    let items = Items { fault: self.fault, item: self.item };
                    envelope.items = map.next_value_seed(items)?;
                    has_batch = true;
                }
                ("context", Form::Batch) => {
                    envelope.context = self.shared(&mut map, "context", &mut envelope.notices)?;
                }
                ("integrations", Form::Batch) => {
                    envelope.integrations =
                        self.shared(&mut map, "integrations", &mut envelope.notices)?;
                }
                (_, Form::Single) => {
                    map.next_value::<IgnoredAny>()?;
                }
                (known, Form::Batch) if BOOKKEEPING.contains(&known) => {
                    map.next_value::<IgnoredAny>()?;
                }
                (unknown, Form::Batch) => {
                    let message = "an envelope has no such field; it was left out";
                    note(&mut envelope.notices, Code::UnknownField, &key_shape(unknown), message);
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
    item: &'f Cell<Option<usize>>,
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
        self.item.set(Some(0));
        while let Some(item) = seq.next_element()? {
            if items.len() == BATCH_EVENTS_MAX {
                let message =
                    format!("send at most {BATCH_EVENTS_MAX} events per request: split the batch");
                let error = self.fault.raise(Code::TooManyEvents, message);
                self.fault.under("batch");
                return Err(error);
            }
            items.push(item);
            self.item.set(Some(items.len()));
        }
        self.item.set(None);
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
    fn an_envelopes_id_is_short_text_or_left_out() {
        let long = format!("\"{}\"", "a".repeat(SHARED_ID_BYTES_MAX + 1));
        for (id, read, noted) in
            [("\"a\"", 1, 0), ("null", 0, 0), ("7", 0, 1), ("[\"a\"]", 0, 1), (&*long, 0, 1)]
        {
            let body = format!("{{\"anonymousId\":{id},\"batch\":[]}}");
            let envelope = read_batch(body.as_bytes()).unwrap();
            assert_eq!((envelope.ids.len(), envelope.notices.len()), (read, noted), "{body}");
        }
    }

    #[test]
    fn a_hello_is_kept_as_it_came_and_a_long_one_is_left_out() {
        let long = format!("{{\"spareId\":\"{}\"}}", "a".repeat(HELLO_BYTES_MAX));
        for (hello, is_kept) in [("{\"spareId\":\"a\"}", true), ("7", true), (&*long, false)] {
            let body = format!("{{\"hello\":{hello},\"batch\":[]}}");
            let envelope = read_batch(body.as_bytes()).unwrap();
            assert_eq!(envelope.hello.map(|raw| raw.get() == hello), is_kept.then_some(true));
            assert_eq!(envelope.notices.len(), usize::from(!is_kept));
        }
    }

    #[test]
    fn the_header_is_read_and_items_stay_unread() {
        let body = "\u{feff}{\"writeKey\":\"wk_a\",\"sentAt\":1795514400,\"batch\":[{},7,{\"a\":1,\"a\":2}],\"extra\":1}";
        let envelope = read_batch(body.as_bytes()).unwrap();
        assert_eq!(envelope.write_key.as_deref(), Some("wk_a"));
        assert_eq!(envelope.sent_at.map(|at| at.as_millisecond()), Some(1_795_514_400_000));
        assert_eq!(envelope.items.len(), 3);
        assert_eq!(envelope.notices[0].field.as_deref(), Some("extra"));
    }

    #[test]
    fn the_bookkeeping_of_segments_libraries_gives_no_notice() {
        let go =
            br#"{"messageId":"m","sentAt":1795000000000,"batch":[{}],"context":{},"sequence":7}"#;
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
    fn a_shared_field_that_is_no_object_is_left_out_and_noted() {
        for (value, noted) in [("7", true), ("[1]", true), ("[]", false), ("null", false)] {
            let body = format!("{{\"batch\":[{{}}],\"context\":{value},\"integrations\":{value}}}");
            let envelope = read_batch(body.as_bytes()).unwrap();
            assert_eq!((envelope.context, envelope.integrations), (None, None));
            let fields: Vec<_> = envelope.notices.iter().filter_map(|n| n.field.clone()).collect();
            let expected: &[&str] = if noted { &["context", "integrations"] } else { &[] };
            assert_eq!(fields, expected, "{value}");
        }
    }

    #[test]
    fn a_body_with_bare_words_for_numbers_is_read() {
        let body =
            r#"{"sentAt":NaN,"context":{"a":[Infinity],"b":1},"batch":[{"p":NaN},{"q":"NaN"}]}"#;
        let envelope = read_batch(body.as_bytes()).unwrap();
        assert_eq!(envelope.context, Some(serde_json::json!({"a": [null], "b": 1})));
        assert_eq!(envelope.items[1].get(), r#"{"q":"NaN"}"#);
        let noted: Vec<_> = envelope.notices.iter().map(|n| (n.code, n.field.as_deref())).collect();
        assert_eq!(
            noted,
            [(Code::BadTimestamp, Some("sentAt")), (Code::NotANumber, Some("context.a.0"))]
        );
        let single = read_single(br#"{"event":"E","properties":{"p":-Infinity}}"#, "track");
        assert_eq!(single.unwrap().items.len(), 1);
    }

    #[test]
    fn a_broken_item_is_named_by_its_index() {
        for broken in [r#"{"a":1,}"#, "{'a':1}", "NaNa", r#"{NaN:1}"#] {
            check(
                format!(r#"{{"batch":[{{}},{broken},{{}}]}}"#),
                Code::MalformedBody,
                Some("batch.1"),
            );
        }
        check(r#"{"batch":[{},,{}]}"#, Code::MalformedBody, Some("batch.1"));
        check(r#"{"batch":[{},{},]}"#, Code::MalformedBody, Some("batch.2"));
        check(r#"{"batch":[{"a":NaN},{"b":1,}]}"#, Code::MalformedBody, Some("batch.1"));
        check(r#"{"batch":[{}],"sentAt":x}"#, Code::MalformedBody, None);
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
