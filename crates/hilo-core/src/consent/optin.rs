//! Channel opt-ins: may we write to somebody by e-mail, SMS, push, phone or post?
//! In: wire names. Out: an [`OptInChannel`] and its [`OptInState`]. Something else than purposes: no event is gated by them,
//! only destinations that write to people are.

use serde::{Deserialize, Serialize};

/// A way to write to somebody. The names are the wire's and `hilo.toml`'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptInChannel {
    /// E-mail.
    Email,
    /// Text messages.
    Sms,
    /// Notifications of browser or app.
    Push,
    /// Calls.
    Phone,
    /// Letters.
    Post,
}

impl OptInChannel {
    /// Every channel, in the order the wire lists them.
    pub const ALL: [OptInChannel; 5] = [
        OptInChannel::Email,
        OptInChannel::Sms,
        OptInChannel::Push,
        OptInChannel::Phone,
        OptInChannel::Post,
    ];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            OptInChannel::Email => "email",
            OptInChannel::Sms => "sms",
            OptInChannel::Push => "push",
            OptInChannel::Phone => "phone",
            OptInChannel::Post => "post",
        }
    }

    /// Reads a wire name; `None` for anything else.
    pub fn from_name(name: &str) -> Option<OptInChannel> {
        OptInChannel::ALL.into_iter().find(|channel| channel.name() == name)
    }
}

/// What somebody said about a channel. Who never said anything is not subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptInState {
    /// Yes.
    Subscribed,
    /// No, or no more.
    Unsubscribed,
}

impl OptInState {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            OptInState::Subscribed => "subscribed",
            OptInState::Unsubscribed => "unsubscribed",
        }
    }

    /// Reads a wire name; `None` for anything else.
    pub fn from_name(name: &str) -> Option<OptInState> {
        [OptInState::Subscribed, OptInState::Unsubscribed]
            .into_iter()
            .find(|state| state.name() == name)
    }
}
