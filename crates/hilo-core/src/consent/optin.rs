//! Channel opt-ins: may we write to a person by e-mail, SMS, push, phone or post?
//! In: wire names. Out: an [`OptInChannel`] and its [`OptInState`]. Opt-ins gate destinations that write to people; purposes
//! gate events.

use serde::{Deserialize, Serialize};

/// A channel by which a shop writes to people. The names are those of the wire and of `hilo.toml`.
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

/// A person's choice about a channel. A person without a choice is not subscribed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptInState {
    /// The shop may write.
    Subscribed,
    /// The person has asked for it, and has not confirmed the address yet: the shop may not write.
    Pending,
    /// The shop may not write, or may not any more.
    Unsubscribed,
}

impl OptInState {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            OptInState::Subscribed => "subscribed",
            OptInState::Pending => "pending",
            OptInState::Unsubscribed => "unsubscribed",
        }
    }

    /// Reads a wire name; `None` for anything else.
    pub fn from_name(name: &str) -> Option<OptInState> {
        [OptInState::Subscribed, OptInState::Pending, OptInState::Unsubscribed]
            .into_iter()
            .find(|state| state.name() == name)
    }
}
