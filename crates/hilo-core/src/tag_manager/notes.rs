//! What the developer is told about a push: which event, which article, and what was corrected or left out.
//! In: parts of a sentence. Out: sentences. Their texts are put together here, because the page's module has no formatting.

use alloc::string::String;
use alloc::vec::Vec;

use crate::text::concat;

/// Sentences of one push.
const NOTES_MAX: usize = 20;

/// The sentences about one event.
#[derive(Debug)]
pub(super) struct Notes<'n> {
    event: &'n str,
    all: &'n mut Vec<String>,
}

impl<'n> Notes<'n> {
    /// Notes about `event` go to `all`.
    pub(super) fn new(event: &'n str, all: &'n mut Vec<String>) -> Notes<'n> {
        Notes { event, all }
    }

    /// Says something about the whole event.
    pub(super) fn say(&mut self, sentence: &[&str]) {
        if self.all.len() < NOTES_MAX {
            self.all.push(concat(&["dataLayer, ", self.event, ": ", &concat(sentence)]));
        }
    }

    /// Says something about one article.
    pub(super) fn about(&mut self, article: &str, sentence: &[&str]) {
        self.say(&["article ", article, ": ", &concat(sentence)]);
    }
}
