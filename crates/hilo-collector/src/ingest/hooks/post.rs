//! A call of a webhook, as tables name its places: header fields, query, the fields of its body.
//!
//! Request → texts by place. Nothing here is trusted yet.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hilo_core::inbound::verify::{Form, Place, Spot};
use serde_json::Value;

use crate::platform::Incoming;

/// Bytes of a value in a header field or a query: signatures and certificates' addresses are shorter.
const VALUE_BYTES_MAX: usize = 8 * 1024;
/// Names of a path into a body.
const PATH_NAMES_MAX: usize = 8;

/// A call.
#[derive(Debug)]
pub struct Post<'c> {
    /// The request.
    pub incoming: &'c Incoming,
    /// Its body as it came.
    pub body: &'c [u8],
    content: Content,
}

/// A body that was read.
#[derive(Debug)]
enum Content {
    /// JSON. Amazon sends it as plain text.
    Json(Value),
    /// The fields of a form, in their order.
    Form(Vec<(String, String)>),
    /// Something else.
    Other,
}

impl<'c> Post<'c> {
    /// Reads a call.
    pub fn of(incoming: &'c Incoming, body: &'c [u8]) -> Post<'c> {
        let content_type = incoming.headers.get("content-type").unwrap_or_default();
        let content = if content_type.starts_with("application/x-www-form-urlencoded") {
            let fields = url::form_urlencoded::parse(body);
            Content::Form(fields.map(|(name, value)| (name.into(), value.into())).collect())
        } else {
            serde_json::from_slice(body).map_or(Content::Other, Content::Json)
        };
        Post { incoming, body, content }
    }

    /// The fields of a form; `None` where the body is none.
    pub fn form(&self) -> Option<&[(String, String)]> {
        match &self.content {
            Content::Form(fields) => Some(fields),
            Content::Json(_) | Content::Other => None,
        }
    }

    /// The text of a place; `None` where there is none.
    pub fn value(&self, place: &Place) -> Option<String> {
        self.values(place).into_iter().next()
    }

    /// Every text of a place: a vendor that replaces its secret signs twice.
    pub fn values(&self, place: &Place) -> Vec<String> {
        let raw = match &place.spot {
            Spot::Header(name) => self.incoming.headers.get(name).map(str::to_owned),
            Spot::Query(name) => self.incoming.query_value(name),
            Spot::Body(path) => self.field(path),
        };
        let is_bounded = |raw: &String| raw.len() <= VALUE_BYTES_MAX && !raw.is_empty();
        raw.filter(is_bounded).map(|raw| written(&raw, &place.form)).unwrap_or_default()
    }

    /// The text or number of a field: the name in a form, the path in JSON.
    pub fn field(&self, path: &str) -> Option<String> {
        match &self.content {
            Content::Form(fields) => {
                fields.iter().find(|(name, _)| name == path).map(|(_, value)| value.clone())
            }
            Content::Json(body) => {
                let mut found = Some(body);
                for name in path.split('.').take(PATH_NAMES_MAX) {
                    found = found.and_then(|value| value.get(name));
                }
                match found? {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
                }
            }
            Content::Other => None,
        }
    }
}

/// The texts of a value that is written in this form.
fn written(raw: &str, form: &Form) -> Vec<String> {
    let one = |text: Option<&str>| text.map(|text| vec![text.to_owned()]).unwrap_or_default();
    match form {
        Form::Plain => vec![raw.to_owned()],
        Form::Prefix(prefix) => one(raw.strip_prefix(prefix.as_str())),
        Form::Pairs(key) => pairs(raw, ',', '=', key),
        Form::List(key) => pairs(raw, ' ', ',', key),
        Form::Bearer => one(behind(raw, "bearer ")),
        Form::Basic => {
            let bytes = behind(raw, "basic ").and_then(|text| STANDARD.decode(text).ok());
            bytes.and_then(|bytes| String::from_utf8(bytes).ok()).into_iter().collect()
        }
    }
}

fn pairs(raw: &str, between: char, inside: char, key: &str) -> Vec<String> {
    let pairs = raw.split(between).filter_map(|pair| pair.trim().split_once(inside));
    pairs.filter(|(name, _)| *name == key).map(|(_, value)| value.to_owned()).collect()
}

/// The text behind a word in any case.
fn behind<'r>(raw: &'r str, word: &str) -> Option<&'r str> {
    let (head, rest) = raw.split_at_checked(word.len())?;
    head.eq_ignore_ascii_case(word).then(|| rest.trim())
}
