//! Page views: the first page, and every address the visitor reaches without a new document.
//! In: the document's place. Out: the view, if it is one. No view is captured twice.

use hilo_core::text::cut;

use crate::platform::Place;

/// The last view of the page.
#[derive(Debug, Default)]
pub struct Pages {
    last: Option<Place>,
}

impl Pages {
    /// The view at `place`, unless it is the last one again. Its referrer is the page before, as Google Analytics advises for
    /// single-page apps; the document's own referrer counts for the first view only.
    pub fn read(&mut self, place: Place) -> Option<Place> {
        let view = match &self.last {
            // A fragment names a place inside the same page.
            Some(last) if without_fragment(&last.url) == without_fragment(&place.url) => {
                return None;
            }
            Some(last) => Place { referrer: last.url.clone(), ..place },
            None => place,
        };
        self.last = Some(view.clone());
        Some(view)
    }

    /// The document is shown again: the same address is a new view.
    pub fn forget(&mut self) {
        self.last = None;
    }

    /// `place` with the referrer of the last view, if that view was there.
    pub fn as_seen(&self, place: &Place) -> Place {
        match &self.last {
            Some(last) if without_fragment(&last.url) == without_fragment(&place.url) => {
                Place { referrer: last.referrer.clone(), ..place.clone() }
            }
            Some(_) | None => place.clone(),
        }
    }

    /// The site reported the view itself. Its own call counts, so the tracker captures none.
    pub fn note_own_view(&mut self, place: &Place) {
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
    fn the_same_address_gives_one_page_view() {
        let mut pages = Pages::default();
        assert!(pages.read(place("https://a.example/")).is_some());
        assert!(pages.read(place("https://a.example/")).is_none());
        assert!(pages.read(place("https://a.example/#top")).is_none());
    }

    #[test]
    fn the_next_views_referrer_is_the_page_before() {
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
    fn a_view_that_the_site_reported_is_not_captured_again() {
        let mut pages = Pages::default();
        pages.note_own_view(&place("https://a.example/"));
        assert!(pages.read(place("https://a.example/")).is_none());
    }
}
