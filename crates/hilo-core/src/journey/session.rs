//! A session's touch: the first event's touch counts for every event of the session.
//! In: a stored session, an event's gist. Out: the event's channel. Has no clock: the page counts sessions.

use serde::{Deserialize, Serialize};

use super::{Channel, Touch};
use crate::event::{Gist, HiloContext};

/// A session as the profile stores it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The session's id, which the page gave.
    pub id: String,
    /// The touch that opened the session.
    pub touch: Touch,
}

/// The channel of an event that opens its session: the result of [`attribute`] without a known session.
pub fn presume(hilo: &HiloContext) -> Option<Channel> {
    match (&hilo.session, &hilo.touch) {
        (Some(_), Some(touch)) => Some(touch.channel),
        (None, _) | (_, None) => hilo.channel,
    }
}

/// The channel of the event's session, and the new session if this event opened one.
///
/// The first event with a touch decides, because later page views of a visit come from the shop itself and would all look
/// direct.
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
