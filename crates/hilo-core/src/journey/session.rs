//! A session's touch: the first event's, for every event of the session.
//! In: the session as stored, an event's gist. Out: the channel it is attributed to. No clock: the page counts sessions.

use serde::{Deserialize, Serialize};

use super::{Channel, Touch};
use crate::event::{Gist, HiloContext};

/// A session as the profile keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The page's id for it.
    pub id: String,
    /// What brought the visitor.
    pub touch: Touch,
}

/// The channel of an event as if it opened its session: what [`attribute`] says where none is known.
pub fn presume(hilo: &HiloContext) -> Option<Channel> {
    match (&hilo.session, &hilo.touch) {
        (Some(_), Some(touch)) => Some(touch.channel),
        (None, _) | (_, None) => hilo.channel,
    }
}

/// The channel of the event's session, and the session to remember if this event opened it.
///
/// The first event that shows a touch decides, because later page views of the same visit come "from" the shop
/// itself and would all look direct.
pub fn attribute(gist: &Gist, known: Option<&Session>) -> (Option<Channel>, Option<Session>) {
    let Some(id) = &gist.session else { return (gist.channel, None) };
    match (known, &gist.touch) {
        (Some(session), _) => (Some(session.touch.channel), None),
        (None, Some(touch)) => {
            (Some(touch.channel), Some(Session { id: id.clone(), touch: touch.clone() }))
        }
        (None, None) => (gist.channel, None),
    }
}
