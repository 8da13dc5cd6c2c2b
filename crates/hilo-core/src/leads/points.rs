//! The points of each act: the table of what shows interest, and of what shows that there is none.
//!
//! `(event's name, what it is about)` → [`Points`]. The groups have their own half-lives and limits (`rules.rs`), because reading a page
//! says less than a call, and is forgotten sooner.

/// Acts that count together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Looks around.
    Browse,
    /// Wants to buy.
    Intent,
    /// Asks.
    Ask,
    /// Reacts to messages. That a message was opened counts nothing: machines open them.
    Message,
    /// Begins a relation.
    Relation,
    /// Turns away.
    Minus,
}

/// Something for each group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByGroup<T> {
    /// That of [`Group::Browse`].
    pub browse: T,
    /// That of [`Group::Intent`].
    pub intent: T,
    /// That of [`Group::Ask`].
    pub ask: T,
    /// That of [`Group::Message`].
    pub message: T,
    /// That of [`Group::Relation`].
    pub relation: T,
    /// That of [`Group::Minus`].
    pub minus: T,
}

impl<T> ByGroup<T> {
    /// What a group has.
    #[must_use]
    pub const fn of(&self, group: Group) -> &T {
        match group {
            Group::Browse => &self.browse,
            Group::Intent => &self.intent,
            Group::Ask => &self.ask,
            Group::Message => &self.message,
            Group::Relation => &self.relation,
            Group::Minus => &self.minus,
        }
    }

    pub(super) const fn of_mut(&mut self, group: Group) -> &mut T {
        match group {
            Group::Browse => &mut self.browse,
            Group::Intent => &mut self.intent,
            Group::Ask => &mut self.ask,
            Group::Message => &mut self.message,
            Group::Relation => &mut self.relation,
            Group::Minus => &mut self.minus,
        }
    }
}

impl Group {
    /// Every group.
    pub const ALL: [Group; 6] =
        [Group::Browse, Group::Intent, Group::Ask, Group::Message, Group::Relation, Group::Minus];

    /// The word, as settings and reports have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Group::Browse => "browse",
            Group::Intent => "intent",
            Group::Ask => "ask",
            Group::Message => "message",
            Group::Relation => "relation",
            Group::Minus => "minus",
        }
    }
}

/// What an act is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Points {
    /// Its group.
    pub group: Group,
    /// Thousandths of a point.
    pub millipoints: i64,
    /// Whether it alone makes a lead of somebody whom the shop can reach.
    pub is_interest: bool,
}

const fn row(group: Group, millipoints: i64) -> Points {
    Points { group, millipoints, is_interest: false }
}

/// An act that makes a lead.
const fn interest(group: Group, millipoints: i64) -> Points {
    Points { group, millipoints, is_interest: true }
}

use Group::{Ask, Browse, Intent, Message, Minus, Relation};

/// Each line: the event's name, what it has to be about, its points.
const TABLE: [(&str, Option<&str>, Points); 35] = [
    ("Product Viewed", None, row(Browse, 1_000)),
    ("Product List Viewed", None, row(Browse, 500)),
    ("Products Searched", None, row(Browse, 1_000)),
    ("Product Added", None, interest(Intent, 8_000)),
    ("Product Added to Wishlist", None, interest(Intent, 4_000)),
    ("Cart Viewed", None, interest(Intent, 2_000)),
    ("Checkout Started", None, interest(Intent, 15_000)),
    ("Payment Info Entered", None, interest(Intent, 10_000)),
    ("Form Submitted", Some("lead"), interest(Ask, 25_000)),
    ("Lead Submitted", None, interest(Ask, 25_000)),
    ("Callback Requested", None, interest(Ask, 30_000)),
    ("Call Received", Some("sales"), interest(Ask, 25_000)),
    ("Live Chat Conversation Started", None, interest(Ask, 15_000)),
    ("Appointment Booked", None, interest(Ask, 30_000)),
    ("Booking Created", None, interest(Ask, 30_000)),
    ("Store Visited", None, row(Ask, 15_000)),
    ("Social Message Received", None, row(Ask, 8_000)),
    ("Email Link Clicked", None, row(Message, 5_000)),
    ("Email Clicked", None, row(Message, 5_000)),
    ("Push Notification Tapped", None, row(Message, 4_000)),
    ("SMS Link Clicked", None, row(Message, 5_000)),
    ("Message Replied", None, row(Message, 8_000)),
    ("Signed Up", None, row(Relation, 8_000)),
    ("Account Created", None, row(Relation, 8_000)),
    ("Channel Opted In", None, row(Relation, 8_000)),
    ("Opt-In Confirmed", None, row(Relation, 8_000)),
    ("Loyalty Enrolled", None, row(Relation, 10_000)),
    ("Sweepstake Entered", None, row(Relation, 1_000)),
    ("Unsubscribed", None, row(Minus, -20_000)),
    ("Email Unsubscribed", None, row(Minus, -20_000)),
    ("Channel Opted Out", None, row(Minus, -20_000)),
    ("Opt-In Withdrawn", None, row(Minus, -20_000)),
    ("Email Marked as Spam", None, row(Minus, -40_000)),
    ("Email Bounced", None, row(Minus, -10_000)),
    ("Call Made", Some("unanswered"), row(Minus, -2_000)),
];

/// The points of an event by its name and by what it is about, such as the purpose of a form or of a call.
#[must_use]
pub fn points(kind: &str, about: Option<&str>) -> Option<Points> {
    let is_meant = |(name, only, _): &&(&str, Option<&str>, Points)| {
        *name == kind && (only.is_none() || *only == about)
    };
    TABLE.iter().find(is_meant).map(|(_, _, points)| *points)
}
