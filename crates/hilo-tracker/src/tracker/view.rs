//! A view that waits for its title and for the site's own call, with what was told behind it. `views.rs` begins and ends the wait.

use crate::draft::Draft;
use crate::platform::Change;

/// A page that leads elsewhere within this time was a redirect.
const REDIRECT_MS: i64 = 20;

/// A view that is not captured yet.
#[derive(Debug)]
pub(super) struct View {
    /// The view, and behind it what was told since.
    pub(super) drafts: Vec<Draft>,
    /// Monotonic clock.
    pub(super) began_ms: i64,
    /// When the wait is over.
    pub(super) ends_ms: i64,
    /// Whether the site reported the view itself.
    pub(super) is_own: bool,
    /// Whether the view waits for the document to be ready. Only the first view does.
    pub(super) is_first: bool,
}

impl View {
    /// Whether this view's page only led to another one. A page with a campaign counts, or the campaign would be lost.
    pub(super) fn is_redirect(&self, change: Change, now_ms: i64) -> bool {
        let is_at_once = change == Change::Replaced || now_ms - self.began_ms < REDIRECT_MS;
        let has_campaign = self.drafts.first().is_none_or(|view| !view.scene.campaign.is_empty());
        is_at_once && !self.is_own && !has_campaign
    }
}
