//! Page views: the first page, and every address the visitor reaches without a new document.
//! In: the document's place and how it came about. Out: the view, if it is one. No view is captured twice.

use hilo_core::text::cut;

use crate::platform::{Change, Place};

/// The last view of the page, and what makes an address another one.
#[derive(Debug, Default)]
pub struct Pages {
    last: Option<Place>,
    has_query: bool,
    has_hash: bool,
}

impl Pages {
    /// Views of a page. `has_query`: another query is another page; by default it is not, because filters and variants of an
    /// article stand there. `has_hash`: a fragment that begins with `/` or `!/` is a route.
    pub const fn new(has_query: bool, has_hash: bool) -> Pages {
        Pages { last: None, has_query, has_hash }
    }

    /// The view at `place`, unless it is the last one again. Its referrer is the page before, as Google Analytics advises for
    /// single-page apps; the document's own referrer counts for the first view only.
    pub fn read(&mut self, place: Place, change: Change) -> Option<Place> {
        let view = match &self.last {
            Some(last) if self.is_same(&last.url, &place.url, change == Change::Went) => {
                return None;
            }
            // The visitor never saw the redirecting page.
            Some(last) if change == Change::Redirected => {
                Place { referrer: last.referrer.clone(), ..place }
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
            Some(last) if self.is_same(&last.url, &place.url, false) => {
                Place { referrer: last.referrer.clone(), ..place.clone() }
            }
            Some(_) | None => place.clone(),
        }
    }

    /// The site reported the view itself. Its own call counts, so the tracker captures none.
    pub fn note_own_view(&mut self, place: &Place) {
        self.last = Some(place.clone());
    }

    /// Whether `to` is the same page as `from`. A query that the site replaced without a navigation never makes another page, and
    /// a fragment that is no route names a place inside the page.
    pub fn is_same(&self, from: &str, to: &str, is_navigation: bool) -> bool {
        let has_query = self.has_query && is_navigation;
        let bare = |text| if has_query { text } else { cut(text, b'?').0 };
        let ((from, fragment), (to, to_fragment)) = (cut(from, b'#'), cut(to, b'#'));
        let (is_route, is_to_route) = (is_route(fragment), is_route(to_fragment));
        let route = if is_route { fragment.unwrap_or_default() } else { "" };
        bare(from) == bare(to)
            && (!self.has_hash
                || !is_to_route
                || bare(route) == bare(to_fragment.unwrap_or_default()))
    }
}

/// Whether a fragment is a route: none at all is the first one.
fn is_route(fragment: Option<&str>) -> bool {
    matches!(fragment.unwrap_or_default().as_bytes(), [] | [b'/', ..] | [_, b'/', ..])
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
        assert!(pages.read(place("https://a.example/"), Change::Went).is_some());
        assert!(pages.read(place("https://a.example/"), Change::Went).is_none());
        assert!(pages.read(place("https://a.example/#top"), Change::Went).is_none());
    }

    #[test]
    fn the_next_views_referrer_is_the_page_before() {
        let mut pages = Pages::default();
        assert_eq!(
            pages.read(place("https://a.example/"), Change::Went).unwrap().referrer,
            "https://search.example/"
        );
        assert_eq!(
            pages.read(place("https://a.example/list"), Change::Went).unwrap().referrer,
            "https://a.example/"
        );
    }

    #[test]
    fn a_view_that_the_site_reported_is_not_captured_again() {
        let mut pages = Pages::default();
        pages.note_own_view(&place("https://a.example/"));
        assert!(pages.read(place("https://a.example/"), Change::Went).is_none());
    }

    /// Whether going from one address to another is a view.
    #[track_caller]
    fn check(settings: (bool, bool), change: Change, from: &str, to: &str, is_view: bool) {
        let (has_query, has_hash) = settings;
        let mut pages = Pages::new(has_query, has_hash);
        pages.read(place(from), Change::Went);
        assert_eq!(pages.read(place(to), change).is_some(), is_view, "{from} {change:?} {to}");
    }

    #[test]
    fn a_replaced_query_is_no_view_and_a_replaced_path_is() {
        for settings in [(false, false), (true, true)] {
            let (mug, blue) = ("https://a.example/mug?utm_source=x", "https://a.example/mug?v=1");
            check(settings, Change::Replaced, mug, blue, false);
            check(settings, Change::Replaced, mug, "https://a.example/cup?v=1", true);
        }
    }

    #[test]
    fn a_query_that_the_visitor_went_to_is_a_view_where_the_site_wants_it() {
        let (list, sorted) = ("https://a.example/list", "https://a.example/list?sort=price");
        check((false, false), Change::Went, list, sorted, false);
        check((true, false), Change::Went, list, sorted, true);
    }

    #[test]
    fn a_route_in_the_fragment_is_a_view_where_the_site_wants_it() {
        let (home, list) = ("https://a.example/#/", "https://a.example/#/list?sort=price");
        check((false, false), Change::Went, home, list, false);
        check((false, true), Change::Went, home, list, true);
        check((false, true), Change::Went, list, "https://a.example/#/list", false);
        check((false, true), Change::Went, "https://a.example/", "https://a.example/#!/list", true);
        check((false, true), Change::Went, "https://a.example/", "https://a.example/#top", false);
        check((false, true), Change::Went, list, "https://a.example/#top", false);
    }

    #[test]
    fn a_redirect_keeps_the_referrer_of_the_page_that_redirected() {
        let mut pages = Pages::default();
        pages.read(place("https://a.example/"), Change::Went);
        pages.read(place("https://a.example/old"), Change::Went);
        let view = pages.read(place("https://a.example/new"), Change::Redirected).unwrap();
        assert_eq!(view.referrer, "https://a.example/");
    }
}
