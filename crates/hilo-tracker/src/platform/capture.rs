//! What a capture kind of the second module is given, and what it gives.
//!
//! In: cells that the page read from the document. Out: named acts without any identifier. A kind decides and keeps its own
//! state. Sends nothing and stores nothing.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use hilo_core::plain::Plain;
use hilo_core::redact;
use hilo_core::text::parts;

use crate::address;
use crate::json::Json;

/// When and where something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds since the page began, by a clock that does not jump.
    pub elapsed_ms: i64,
    /// The path of the page's address, without secrets and personal data.
    pub path: String,
}

impl Moment {
    /// The moment `elapsed_ms` at the page `url`, which is the raw address.
    pub fn new(url: &str, elapsed_ms: i64) -> Moment {
        Moment { elapsed_ms, path: address::path(&redact::url(url)).to_owned() }
    }
}

/// A named act that a kind found, on its way to the gate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captured {
    /// The event's name.
    pub name: &'static str,
    /// The event's properties, JSON already.
    pub properties: String,
}

/// Writes fields of `cells` that have a value, by their names, which stand between blanks. Each text loses secrets and personal data.
#[inline(never)]
pub fn write(json: &mut Json, cells: &Plain, names: &str) {
    for name in parts(names, b' ') {
        match cells.get(name) {
            Some(Plain::Text(text)) => json.some(name, &redact::url(text)),
            Some(Plain::Number(number)) => json.raw(name, number),
            Some(Plain::Flag(flag)) => json.raw(name, if *flag { "true" } else { "false" }),
            Some(Plain::Null) => json.raw(name, "null"),
            Some(Plain::List(_) | Plain::Map(_)) | None => continue,
        };
    }
}

/// One kind of capture: what the document gave → named acts. Pure, but for the kind's own state.
pub trait CaptureKind {
    /// Reads one occurrence: plain cells, never the value of a field.
    fn read(&mut self, cells: &Plain, moment: &Moment) -> Vec<Captured>;

    /// The visitor leaves the page: gives what only the end decides.
    fn leave(&mut self, _moment: &Moment) -> Vec<Captured> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_keeps_the_path_without_secrets() {
        let moment = Moment::new("https://a.example/orders/ana@example.com?token=1", 7);
        assert_eq!(moment, Moment { elapsed_ms: 7, path: "/orders/redacted".to_owned() });
    }
}
