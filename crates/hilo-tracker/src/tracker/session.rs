//! The session half of the tracker: which session a draft belongs to, and how a session began.
//! Another tab may go on with the stored session.

use hilo_core::redact;

use super::{SESSION_KEY, Tracker};
use crate::draft::{Draft, Scene};
use crate::identity::{Landing, Session, campaign, landing};
use crate::platform::Platform;

/// How far the stored time of a session's last event may lag. Writing the time with every event would double an event's cost.
const SESSION_STEP_MS: i64 = 10_000;

impl<P: Platform> Tracker<P> {
    /// The id of the draft's session. A draft that begins the session gets the session's landing as well.
    pub(super) fn session(&mut self, draft: &Draft) -> (String, Option<Landing>) {
        let platform = &self.platform;
        let stored = self
            .session
            .take()
            .or_else(|| Session::from_stored(&platform.load(SESSION_KEY).unwrap_or_default()));
        let is_first = stored.is_none();
        let Scene { place, campaign: campaign_now, .. } = &*draft.scene;
        let mut begins = None;
        let mut session = match stored {
            Some(session) if session.goes_on(draft.at_ms, campaign_now) => session,
            _ => {
                // The tab's history shows how a first visit began. A later visit begins at this place.
                let (began_at, first) = if is_first {
                    (&self.first, platform.first_in_history().map(|url| redact::url(&url)))
                } else {
                    (place, Some(String::new()))
                };
                let landing = landing(began_at, first.as_deref());
                let is_known = !landing.url.is_empty();
                let campaign = campaign(if is_known { &landing.url } else { &place.url });
                begins = Some(landing);
                // No time of a last event is stored yet.
                Session { began_ms: draft.at_ms, last_ms: draft.at_ms - SESSION_STEP_MS, campaign }
            }
        };
        if draft.at_ms - session.last_ms >= SESSION_STEP_MS {
            session.last_ms = draft.at_ms;
            platform.save(SESSION_KEY, &session.to_stored());
        }
        let id = session.id();
        self.session = Some(session);
        (id, begins)
    }
}
