//! Page views: the first page, and every address the visitor reaches without a new document.
//! In: where the document is now. Out: the view, if it is one. A view is never told twice.

use hilo_core::text::cut;

use crate::platform::Place;

/// What was seen last.
#[derive(Debug, Default)]
pub struct Pages {
    last: Option<Place>,
}

impl Pages {
    /// A view, if `place` is not where we were. Its referrer is the page before, as in Google Analytics' single-page
    /// advice; the document's own referrer counts for the first view only.
    pub fn read(&mut self, place: Place) -> Option<Place> {
        let view = match &self.last {
            // A fragment is a place inside the page that was seen already.
            Some(last) if without_fragment(&last.url) == without_fragment(&place.url) => {
                return None;
            }
            Some(last) => Place { referrer: last.url.clone(), ..place },
            None => place,
        };
        self.last = Some(view.clone());
        Some(view)
    }

    /// The document is shown anew: the same address is a view again.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// `place` as the view that was seen there told it: with the page before as its referrer.
    pub fn seen(&self, place: &Place) -> Place {
        match &self.last {
            Some(last) if without_fragment(&last.url) == without_fragment(&place.url) => {
                Place { referrer: last.referrer.clone(), ..place.clone() }
            }
            Some(_) | None => place.clone(),
        }
    }

    /// The site told a view itself: its own call counts, ours would be the second.
    pub fn told(&mut self, place: &Place) {
        self.last = Some(place.clone());
    }
}

fn without_fragment(url: &str) -> &str {
    cut(url, b'#').0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        Place {
            url: url.to_owned(),
            referrer: "https://search.example/".to_owned(),
            title: String::new(),
        }
    }

    #[test]
    fn the_same_address_is_one_view() {
        let mut pages = Pages::default();
        assert!(pages.read(place("https://a.example/")).is_some());
        assert!(pages.read(place("https://a.example/")).is_none());
        assert!(pages.read(place("https://a.example/#top")).is_none());
    }

    #[test]
    fn the_next_view_was_referred_by_the_one_before() {
        let mut pages = Pages::default();
        assert_eq!(
            pages.read(place("https://a.example/")).unwrap().referrer,
            "https://search.example/"
        );
        assert_eq!(
            pages.read(place("https://a.example/list")).unwrap().referrer,
            "https://a.example/"
        );
    }

    #[test]
    fn a_view_that_the_site_told_is_not_told_again() {
        let mut pages = Pages::default();
        pages.told(&place("https://a.example/"));
        assert!(pages.read(place("https://a.example/")).is_none());
    }
}
