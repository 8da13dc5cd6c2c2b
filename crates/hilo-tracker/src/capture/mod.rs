//! What is captured without the site's own calls: one file per kind.
//!
//! `pages` is part of the first module, because the first event needs it. Every other kind is part of the second module and
//! stands in [`kinds`]. `js/sdk/src/capture/` holds the half of each kind that listens to the document. `page` and `track`
//! calls need no kind: they are drafts already.

#[cfg(feature = "more")]
pub mod forms;
#[cfg(feature = "page")]
pub mod pages;

#[cfg(feature = "more")]
use crate::platform::capture::{Capture, PageValue};

/// The kinds of the second module, each under the name that switches it on.
#[cfg(feature = "more")]
pub fn kinds<V: PageValue>() -> Vec<(&'static str, Box<dyn Capture<V>>)> {
    vec![
        ("forms", Box::new(forms::Forms::default())), //
    ]
}
