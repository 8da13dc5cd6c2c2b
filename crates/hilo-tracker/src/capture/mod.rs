//! What is captured without the site's own calls: one file per kind.
//!
//! `pages` is part of the first module, because the first event needs it. Every other kind is part of the second module and
//! stands in [`kinds`]. `js/sdk/src/capture/` holds the half of each kind that listens to the document. `page` and `track`
//! calls need no kind: they are drafts already.

pub mod forms;
pub mod pages;

use crate::platform::capture::{Capture, PageValue};

/// The kinds of the second module, each under the name that switches it on.
pub fn kinds<V: PageValue>() -> Vec<(&'static str, Box<dyn Capture<V>>)> {
    vec![
        ("forms", Box::new(forms::Forms::default())), // one line a kind
    ]
}
