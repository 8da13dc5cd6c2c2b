//! The request that a platform works for: its id, and what became of its events. Also the point that measures it.
//!
//! Shapes and counting. `pipeline/requests.rs` makes the scope and writes the point; the shells store both.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// The header field of every answer with the request's id.
pub const REQUEST_ID: &str = "x-hilo-request-id";
/// The most bytes of an id that comes along. Cloudflare's has 20.
const ID_BYTES_MAX: usize = 40;
/// The codes that a point has room for. A request with more has the most frequent.
const POINT_CODES_MAX: usize = 8;

/// One request, as the platform knows it.
#[derive(Debug, Default)]
pub struct Scope {
    /// The id, for log lines and the answer.
    pub id: String,
    tally: RefCell<Tally>,
}

/// What became of a request's events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The source's name; empty where no source was found.
    pub source: String,
    /// The events that were accepted, known already, rejected and dropped.
    pub outcomes: [u32; 4],
    /// How often each code was given, to an event or to the request as a whole.
    pub codes: BTreeMap<&'static str, u32>,
}

impl Scope {
    /// The scope of a request. `ray` is Cloudflare's own id of it, so that both logs have the same one; where it does not come along,
    /// `fresh` makes an id.
    pub fn of(ray: Option<&str>, fresh: impl FnOnce() -> String) -> Scope {
        let is_plain = |ray: &&str| {
            (1..=ID_BYTES_MAX).contains(&ray.len())
                && ray.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let id = ray.filter(is_plain).map_or_else(fresh, str::to_owned);
        Scope { id, tally: RefCell::default() }
    }

    /// Counts with `work`.
    pub fn count(&self, work: impl FnOnce(&mut Tally)) {
        work(&mut self.tally.borrow_mut());
    }

    /// The point of the request, once it is answered.
    pub fn point(&self, call: &'static str, method: &str, status: u16) -> Point {
        let Tally { source, outcomes, codes } = self.tally.borrow().clone();
        let mut codes: Vec<_> = codes.into_iter().collect();
        // Stable: equal counts stay in the order of their names.
        codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        codes.truncate(POINT_CODES_MAX);
        Point { source, call, method: method.to_owned(), status, outcomes, codes }
    }
}

/// One request as it is measured: counters, and no id of anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// The source's name; empty where no source was found.
    pub source: String,
    /// The name of the call.
    pub call: &'static str,
    /// The method.
    pub method: String,
    /// The status of the answer.
    pub status: u16,
    /// See [`Tally::outcomes`].
    pub outcomes: [u32; 4],
    /// The most frequent codes with their counts.
    pub codes: Vec<(&'static str, u32)>,
}

/// Where points go.
pub trait Metrics {
    /// Writes a point. Nobody waits for it, and a point that is lost has no consequence.
    fn measure(&self, point: &Point);
}

/// Adds the id of the request to a line that [`super::log_line`] has made.
pub fn with_request(line: &str, id: &str) -> String {
    match line.strip_prefix('{') {
        Some(rest) if !id.is_empty() => format!("{{\"request\":\"{id}\",{rest}"),
        Some(_) | None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cloudflares_id_is_the_requests_id_unless_it_is_odd() {
        let id = |ray: Option<&str>| Scope::of(ray, || "fresh".to_owned()).id;
        assert_eq!(id(Some("8f1c2a3b4d5e6f70-MAD")), "8f1c2a3b4d5e6f70-MAD");
        let long = "a".repeat(41);
        for odd in [None, Some(""), Some("a\"b"), Some("a b"), Some(long.as_str())] {
            assert_eq!(id(odd), "fresh", "{odd:?}");
        }
    }

    #[test]
    fn a_line_begins_with_the_id_of_its_request() {
        let line = super::super::log_line("info", "x", &[]);
        assert_eq!(with_request(&line, "r1"), r#"{"request":"r1","level":"info","what":"x"}"#);
        assert_eq!(with_request(&line, ""), line);
    }

    #[test]
    fn a_point_has_the_most_frequent_codes() {
        let scope = Scope::of(None, String::new);
        let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
        scope.count(|tally| {
            tally.codes = names.into_iter().zip(1..).collect();
        });
        let point = scope.point("batch", "POST", 200);
        assert_eq!((point.codes.len(), point.codes[0], point.codes[7]), (8, ("i", 9), ("b", 2)));
    }
}
