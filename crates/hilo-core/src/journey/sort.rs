//! The names of touchpoints that the profile understands, each with its sort: an order, the fate of a message, a contact.
//! In: the name of an act. Out: its sort. The lenses have a table of their own, which a deployer can change.

use serde::{Deserialize, Serialize};

use super::Channel;

/// What an act with a known name is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A step of an order.
    Order(OrderStep),
    /// A refund of an order.
    Refund,
    /// What became of a message that the company sent. The event says by which channel where this says none.
    Message(Option<Channel>, Fate),
    /// A contact in which the person asks for something.
    Asks(Option<Channel>),
    /// The company's answer.
    Answers(Option<Channel>),
    /// The end of a conversation.
    Closes(Option<Channel>),
    /// A contact that asks for nothing.
    Meets(Option<Channel>),
    /// A review or a recommendation.
    Belongs,
    /// The person has a number in the loyalty program.
    Loyalty,
}

/// A step of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderStep {
    /// The person has ordered.
    Placed,
    /// Something of it has changed, such as its total.
    Updated,
    /// It is on its way.
    Shipped,
    /// It has arrived.
    Delivered,
    /// It was taken back before it was sent.
    Cancelled,
}

/// What became of a message that the company sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It was sent.
    Sent,
    /// It was held back: no opt-in, a cap, a holdout.
    Suppressed,
    /// It arrived.
    Delivered,
    /// It could not be delivered.
    Bounced,
    /// The person opened it, as far as one can know.
    Opened,
    /// A machine opened it, not the person.
    OpenedByMachine,
    /// The person followed a link of it.
    Clicked,
    /// A machine followed a link of it, not the person. The profile finds that out; no name of an act says it.
    ClickedByMachine,
    /// The person answered it.
    Replied,
    /// The person wants no more of them.
    Unsubscribed,
    /// The person reported it as spam.
    Complained,
}

/// The names. Segment's specs have those of e-commerce, e-mail, chat and apps; hilo's own follow the same pattern.
const SORTS: [(&str, Sort); 66] = [
    ("Order Completed", Sort::Order(OrderStep::Placed)),
    ("Order Updated", Sort::Order(OrderStep::Updated)),
    ("Order Shipped", Sort::Order(OrderStep::Shipped)),
    ("Order Delivered", Sort::Order(OrderStep::Delivered)),
    ("Click and Collect Picked Up", Sort::Order(OrderStep::Delivered)),
    ("Order Cancelled", Sort::Order(OrderStep::Cancelled)),
    ("Order Refunded", Sort::Refund),
    ("Message Sent", Sort::Message(None, Fate::Sent)),
    ("Message Suppressed", Sort::Message(None, Fate::Suppressed)),
    ("Message Delivered", Sort::Message(None, Fate::Delivered)),
    ("Message Failed", Sort::Message(None, Fate::Bounced)),
    ("Message Read", Sort::Message(None, Fate::Opened)),
    ("Message Replied", Sort::Message(None, Fate::Replied)),
    ("Email Sent", Sort::Message(Some(Channel::Email), Fate::Sent)),
    ("Email Delivered", Sort::Message(Some(Channel::Email), Fate::Delivered)),
    ("Email Opened", Sort::Message(Some(Channel::Email), Fate::Opened)),
    ("Email Link Clicked", Sort::Message(Some(Channel::Email), Fate::Clicked)),
    ("Email Clicked", Sort::Message(Some(Channel::Email), Fate::Clicked)),
    ("Email Bounced", Sort::Message(Some(Channel::Email), Fate::Bounced)),
    ("Email Marked as Spam", Sort::Message(Some(Channel::Email), Fate::Complained)),
    ("Unsubscribed", Sort::Message(Some(Channel::Email), Fate::Unsubscribed)),
    ("Email Unsubscribed", Sort::Message(Some(Channel::Email), Fate::Unsubscribed)),
    ("SMS Sent", Sort::Message(Some(Channel::Sms), Fate::Sent)),
    ("SMS Delivered", Sort::Message(Some(Channel::Sms), Fate::Delivered)),
    ("SMS Link Clicked", Sort::Message(Some(Channel::Sms), Fate::Clicked)),
    ("SMS Failed", Sort::Message(Some(Channel::Sms), Fate::Bounced)),
    ("Push Notification Sent", Sort::Message(Some(Channel::MobilePush), Fate::Sent)),
    ("Push Notification Received", Sort::Message(Some(Channel::MobilePush), Fate::Delivered)),
    ("Push Opened", Sort::Message(Some(Channel::MobilePush), Fate::Opened)),
    ("Push Notification Tapped", Sort::Message(Some(Channel::MobilePush), Fate::Clicked)),
    ("Push Notification Bounced", Sort::Message(Some(Channel::MobilePush), Fate::Bounced)),
    ("Letter Sent", Sort::Message(Some(Channel::Post), Fate::Sent)),
    ("Letter Code Used", Sort::Message(Some(Channel::Post), Fate::Clicked)),
    ("Message Received", Sort::Asks(None)),
    ("Ticket Created", Sort::Asks(None)),
    ("Ticket Updated", Sort::Meets(None)),
    ("Ticket Solved", Sort::Closes(None)),
    // Somebody took the call, so what was asked before is answered.
    ("Call Received", Sort::Answers(Some(Channel::Phone))),
    ("Call Made", Sort::Answers(Some(Channel::Phone))),
    ("Call Missed", Sort::Asks(Some(Channel::Phone))),
    ("Voicemail Left", Sort::Asks(Some(Channel::Phone))),
    ("Callback Requested", Sort::Asks(Some(Channel::Phone))),
    ("Live Chat Conversation Started", Sort::Asks(Some(Channel::Chat))),
    // Segment's words: the customer sends, and receives the company's answer.
    ("Live Chat Message Sent", Sort::Asks(Some(Channel::Chat))),
    ("Live Chat Message Received", Sort::Answers(Some(Channel::Chat))),
    ("Live Chat Conversation Ended", Sort::Closes(Some(Channel::Chat))),
    ("Store Visited", Sort::Meets(Some(Channel::Store))),
    ("Store Complaint", Sort::Asks(Some(Channel::Store))),
    ("Store Return", Sort::Meets(Some(Channel::Store))),
    ("Appointment Booked", Sort::Meets(None)),
    ("Appointment Attended", Sort::Meets(None)),
    ("Booking Created", Sort::Meets(None)),
    ("Booking Cancelled", Sort::Meets(None)),
    ("Booking Missed", Sort::Meets(None)),
    ("Event Attended", Sort::Meets(Some(Channel::Event))),
    ("Social Message Received", Sort::Asks(Some(Channel::SocialContact))),
    ("Social Comment Received", Sort::Asks(Some(Channel::SocialContact))),
    ("Social Message Sent", Sort::Answers(Some(Channel::SocialContact))),
    ("Social Comment Answered", Sort::Answers(Some(Channel::SocialContact))),
    ("Social Mention", Sort::Meets(Some(Channel::SocialContact))),
    ("Social Mentioned", Sort::Meets(Some(Channel::SocialContact))),
    ("Product Reviewed", Sort::Belongs),
    ("Referral Sent", Sort::Belongs),
    ("Invite Sent", Sort::Belongs),
    ("Loyalty Enrolled", Sort::Loyalty),
    ("Reward Redeemed", Sort::Loyalty),
];

/// The sort of the act with this name.
pub(super) fn sort_of(name: &str) -> Option<Sort> {
    SORTS.iter().find(|(known, _)| *known == name).map(|(_, sort)| *sort)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_stands_once() {
        let names: std::collections::BTreeSet<_> = SORTS.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), SORTS.len());
    }

    #[test]
    fn the_customer_sends_in_the_words_of_segments_chat() {
        assert_eq!(sort_of("Live Chat Message Sent"), Some(Sort::Asks(Some(Channel::Chat))));
        let answer = sort_of("Live Chat Message Received");
        assert_eq!(answer, Some(Sort::Answers(Some(Channel::Chat))));
    }
}
