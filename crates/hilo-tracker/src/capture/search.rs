//! Site search: what visitors look for on the site.
//!
//! In: what the addresses of a page and of the page before ask for. Out: "Products Searched". What looks like personal data or a
//! secret is left out of the event.

use hilo_core::plain::Plain;
use hilo_core::search_term;

use crate::json::Json;
use crate::platform::capture::{CaptureKind, Captured, Moment, write};

/// Searches on this page. Each address stands alone.
#[derive(Debug, Default)]
pub struct Search;

impl CaptureKind for Search {
    fn read(&mut self, cells: &Plain, _moment: &Moment) -> Vec<Captured> {
        let query = cells.word("query");
        // The next page of the same results is no other search.
        let is_again = cells.flag("isSamePlace") && query == cells.word("queryBefore");
        if query.is_empty() || is_again {
            return Vec::new();
        }
        let mut json = Json::new();
        json.text("query", search_term::told(query));
        write(&mut json, cells, "results");
        vec![Captured { name: "Products Searched", properties: json.done() }]
    }
}
