//! What a capture kind of the second module is given, and what it gives.
//!
//! In: cells that the page read from the document. Out: named acts without any identifier. A kind decides and keeps its own
//! state; the shell turns the page's values into the kind's cells. Sends nothing and stores nothing.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use hilo_core::redact;
use serde::de::DeserializeOwned;

use crate::address;

/// A value of the page: an object of JavaScript in a browser, JSON in tests.
pub trait PageValue {
    /// The value as `T`; `None` if it has another shape.
    fn read<T: DeserializeOwned>(self) -> Option<T>;
}

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

/// One kind of capture: what the document gave → named acts. Pure, but for the kind's own state.
pub trait CaptureKind: Default {
    /// What the page tells of one occurrence: plain cells, never the value of a field.
    type Cells: DeserializeOwned;

    /// Reads one occurrence.
    fn read(&mut self, cells: Self::Cells, moment: &Moment) -> Vec<Captured>;

    /// The visitor leaves the page: gives what only the end decides.
    fn leave(&mut self, _moment: &Moment) -> Vec<Captured> {
        Vec::new()
    }
}

/// A [`CaptureKind`] behind the values `V` of one shell, so that kinds with different cells stand in one list.
pub trait Capture<V> {
    /// Reads one occurrence; `None` if `value` is not what the kind's cells are.
    fn read_value(&mut self, value: V, moment: &Moment) -> Option<Vec<Captured>>;

    /// Does what [`CaptureKind::leave`] does.
    fn leave_page(&mut self, moment: &Moment) -> Vec<Captured>;
}

impl<K: CaptureKind, V: PageValue> Capture<V> for K {
    fn read_value(&mut self, value: V, moment: &Moment) -> Option<Vec<Captured>> {
        Some(self.read(value.read()?, moment))
    }

    fn leave_page(&mut self, moment: &Moment) -> Vec<Captured> {
        self.leave(moment)
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
