//! Channels of contacts that are no arrival on a site: a call, a visit to the store, a letter. Names only.
//!
//! They stand beside [`super::Channel`] and share no name with it, so that one path can have both.

/// A way by which a person and the company meet outside of site and app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContactChannel {
    /// A shop of bricks.
    Store,
    /// A telephone call.
    Phone,
    /// A conversation in a chat window or a messenger.
    Chat,
    /// A letter.
    Post,
    /// A fair, a workshop.
    Event,
    /// A direct message, or a comment that is addressed to the company.
    SocialContact,
    /// A marketplace, an affiliate's call center.
    Partner,
}

impl ContactChannel {
    /// Every channel, in the order of the documentation.
    pub const ALL: [ContactChannel; 7] = [
        ContactChannel::Store,
        ContactChannel::Phone,
        ContactChannel::Chat,
        ContactChannel::Post,
        ContactChannel::Event,
        ContactChannel::SocialContact,
        ContactChannel::Partner,
    ];

    /// The name in `context.channel` of a report.
    pub const fn name(self) -> &'static str {
        match self {
            ContactChannel::Store => "Store",
            ContactChannel::Phone => "Phone",
            ContactChannel::Chat => "Chat",
            ContactChannel::Post => "Post",
            ContactChannel::Event => "Event",
            ContactChannel::SocialContact => "Social Contact",
            ContactChannel::Partner => "Partner",
        }
    }

    /// The channel of this name; `None` for a channel of [`super::Channel`] and for anything else.
    pub fn from_name(name: &str) -> Option<ContactChannel> {
        Self::ALL.into_iter().find(|channel| channel.name() == name)
    }

    /// Whether the contact happens outside of the net.
    pub const fn is_offline(self) -> bool {
        match self {
            ContactChannel::Store
            | ContactChannel::Phone
            | ContactChannel::Post
            | ContactChannel::Event => true,
            ContactChannel::Chat | ContactChannel::SocialContact | ContactChannel::Partner => false,
        }
    }
}
