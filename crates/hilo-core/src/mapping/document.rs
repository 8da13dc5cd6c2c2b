//! What rules read. Shape only.

use serde_json::Value;

/// Nothing.
static NOTHING: Value = Value::Null;

/// What a path may begin at.
#[derive(Clone, Copy, Debug)]
pub struct Document<'d> {
    /// `$`: the document; of a body, the element that a rule is about.
    pub here: &'d Value,
    /// `$$`: the whole body.
    pub body: &'d Value,
    /// `$headers`: the headers of the call, by their names in small letters.
    pub headers: &'d Value,
}

impl Document<'_> {
    /// A document without anything.
    pub const EMPTY: Document<'static> =
        Document { here: &NOTHING, body: &NOTHING, headers: &NOTHING };
}

impl<'d> From<&'d Value> for Document<'d> {
    fn from(document: &'d Value) -> Document<'d> {
        Document { here: document, ..Document::EMPTY }
    }
}
