//! A session's touch: the first event's, for every event of the session.
//! In: the session as stored, an event. Out: the touch the event is attributed to. No clock: the page counts sessions.

use serde::{Deserialize, Serialize};

use super::Touch;
use crate::event::Event;

/// A session as the profile keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The page's id for it.
    pub id: String,
    /// What brought the visitor.
    pub touch: Touch,
}

/// Gives `event` its session's channel, and answers the session to remember if this event opened it.
///
/// The first event that shows a touch decides, because later page views of the same visit come "from" the shop
/// itself and would all look direct.
pub fn attribute(event: &mut Event, known: Option<&Session>) -> Option<Session> {
    let id = event.context.hilo.session.as_ref()?.id.clone();
    if let Some(session) = known {
        event.context.hilo.channel = Some(session.touch.channel);
        return None;
    }
    let touch = event.context.hilo.touch.clone()?;
    event.context.hilo.channel = Some(touch.channel);
    Some(Session { id, touch })
}
