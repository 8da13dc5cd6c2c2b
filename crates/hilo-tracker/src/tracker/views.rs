//! The view half of the tracker: when a view is captured, and what is captured with it.
//!
//! A view waits a moment for its title and for the site's own `page` call, which takes its place. What is told meanwhile waits
//! behind the view. The end of the page, a logout and a denial end the wait at once.

use std::rc::Rc;

use super::view::View;
use super::{Tracker, clean, envelope};
use crate::draft::{Draft, Kind, Scene};
use crate::platform::{Change, Place, Platform};

/// How long a single-page app gets to set its title after it changed the address, and to report the view itself.
const TITLE_MS: i64 = 500;
/// How long the first view waits for a page that does not become ready.
const READY_MS_MAX: i64 = 5_000;
/// Drafts that may wait behind a view.
const WAITING_MAX: usize = 100;

impl<P: Platform> Tracker<P> {
    /// A page view that the site reports itself. It replaces the view of this address that is not captured yet.
    pub fn page(&mut self, name: &str, properties: &str, at_ms: i64) {
        if let Some(view) = self.view.as_mut().filter(|view| !view.is_own)
            && let Some(draft) = view.drafts.first_mut()
        {
            view.is_own = true;
            (draft.name, draft.details) = (name.to_owned(), properties.to_owned());
            draft.at_ms = draft.at_ms.min(at_ms);
            return;
        }
        let scene = self.here();
        self.pages.note_own_view(&scene.place);
        self.tell(Kind::Page, "", name, properties, at_ms);
    }

    /// Begins the first view. It waits until the page is ready.
    pub(super) fn look_first(&mut self) {
        self.look(Change::Went);
        if let Some(view) = &mut self.view {
            view.ends_ms += READY_MS_MAX;
            view.is_first = true;
        }
    }

    /// The document is ready. A view of a later address still waits for its own title. Where another domain has handed its visitor over,
    /// another id is stored since the page began, and what was told here belongs to that id.
    pub(super) fn settle_first(&mut self) {
        if self.view.as_ref().is_some_and(|view| view.is_first) {
            self.find_other();
            self.settle();
        }
    }

    /// Begins a view if the visitor is at a new place.
    pub(super) fn look(&mut self, change: Change) {
        if !self.options.pages {
            return;
        }
        self.follow_document();
        let now = self.platform.monotonic_ms();
        let waiting = self.view.as_mut().filter(|view| view.is_redirect(change, now));
        let change = if waiting.is_some() { Change::Redirected } else { change };
        let Some(place) = self.pages.read(self.place.clone(), change) else { return };
        let scene = Rc::new(envelope::scene(place));
        if let Some(draft) = waiting.and_then(|view| view.drafts.first_mut()) {
            draft.scene = Rc::clone(&scene);
            self.scene = Some(scene);
            return;
        }
        self.settle();
        self.scene = Some(Rc::clone(&scene));
        let draft = Draft { at_ms: self.platform.now_ms(), scene, ..Draft::default() };
        if self.gate.admits() {
            let ends_ms = now + TITLE_MS;
            let (drafts, began_ms) = (vec![draft], now);
            self.view = Some(View { drafts, began_ms, ends_ms, is_own: false, is_first: false });
        } else {
            self.offer(draft);
        }
    }

    /// Keeps a draft behind the view that waits. Returns the draft if no view waits or too many drafts do.
    pub(super) fn queue_behind_view(&mut self, draft: Draft) -> Option<Draft> {
        if let Some(view) = &mut self.view {
            if view.drafts.len() < WAITING_MAX {
                view.drafts.push(draft);
                return None;
            }
            self.settle();
        }
        Some(draft)
    }

    /// When the view that waits has to be captured.
    pub(super) fn view_ends_at_ms(&self) -> Option<i64> {
        self.view.as_ref().map(|view| view.ends_ms)
    }

    /// Captures the view that waits, with the title that the document has now, and then what was told behind the view.
    pub(super) fn settle(&mut self) {
        let Some(View { drafts, .. }) = self.view.take() else { return };
        let Some(view) = drafts.first() else { return };
        let (place, title) = (view.scene.place.clone(), self.platform.place().title);
        let scene = Rc::new(envelope::scene(Place { title, ..place }));
        let mut at_ms = view.at_ms;
        for draft in drafts.iter().skip(1) {
            // Calls before the tracker was there have earlier times, and a page is older than what was done there.
            at_ms = at_ms.min(draft.at_ms - 1);
        }
        let mut is_view = true;
        for mut draft in drafts {
            if draft.scene.place.url == scene.place.url {
                draft.scene = Rc::clone(&scene);
            }
            if std::mem::take(&mut is_view) {
                draft.at_ms = at_ms;
            }
            self.offer(draft);
        }
    }

    /// The scene of the present place.
    pub(super) fn here(&mut self) -> Rc<Scene> {
        self.follow_document();
        let (pages, place) = (&self.pages, &self.place);
        Rc::clone(self.scene.get_or_insert_with(|| Rc::new(envelope::scene(pages.as_seen(place)))))
    }

    /// Reads the document's place if it changed.
    fn follow_document(&mut self) {
        if self.platform.moved() {
            self.place = clean(self.platform.place());
            self.scene = None;
        }
    }
}
