//! What is captured without the site's own calls: one file per kind.
//!
//! `pages` is part of the first module, because the first event needs it. Every other kind is part of the second module and
//! stands in [`kinds`]. `js/sdk/src/capture/` holds the half of each kind that listens to the document. `page` and `track`
//! calls need no kind: they are drafts already.

pub mod clicks;
pub mod engagement;
pub mod forms;
pub mod media;
pub mod pages;
pub mod search;

use crate::platform::capture::CaptureKind;

/// The kinds of the second module, each under the name that switches it on: one line a kind.
pub fn kinds() -> Vec<(&'static str, Box<dyn CaptureKind>)> {
    vec![
        ("clicks", Box::new(clicks::Clicks)),
        ("engagement", Box::new(engagement::Engagement::default())),
        ("forms", Box::new(forms::Forms::default())),
        ("media", Box::new(media::Media::default())),
        ("search", Box::new(search::Search)),
    ]
}
