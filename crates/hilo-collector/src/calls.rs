//! The calls of a profile's object, and the shapes that pass between profile, queue and consumer.
//!
//! `pipeline`, `forward` and `admin` share these shapes with `store`, so that none of them imports another. This file
//! has the shapes and one function that sends a call. `store/profile` answers.

pub mod cart;
mod claim;
mod delivery;
pub mod erasing;
pub mod erasure;
pub mod feed;
pub mod imports;
pub mod inbox;
pub mod index;
pub mod journal;
mod json;
pub mod link;
pub mod optin;
mod probe;
mod record;
mod record_call;
pub mod refused;
pub mod tokens;
pub mod unlearn;

use hilo_core::consent::{ChoiceChange, Notice, Receipt};
use hilo_core::journey::StateRules;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::platform::{Failure, Object, Platform};
use erasure::{Erase, ErasureStanding};
use link::{LinkTo, Moved, Take};
use optin::{OptInCall, OptInLink};
use unlearn::Unlearn;

pub use claim::{Adopt, Claimed, ConsentStanding, Proof, Whose};
pub use delivery::{
    ASKED_AFTER_MS, ATTEMPT_MS, Confirmation, Delivery, DeliveryResult, LAST_ATTEMPT_MS, LEASE_MS,
    MESSAGE_DELIVERIES_MAX, Packed, UnderWay, messages, read_message,
};
pub use json::{decode, encode, map_of, raw, told_by};
pub use probe::{probe, read_probe};
pub use record::{Planned, Record, Recorded, body};
pub use record_call::RecordCall;

/// A call of a profile object, as `{"record": {…}}`. The name stands outside: with a tag inside, serde copies every
/// event until it has read the tag.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileCall {
    /// Store the events that follow the call, see [`RecordCall`]. The answer is empty if each event was stored and goes
    /// to the destinations of its plan. Otherwise the answer is `Vec<Recorded>`, one per record and in order.
    Record {
        /// The source that sent the events.
        source: String,
        /// Whether they came under a public key, so that the object counts them against its rate. Imports are not counted.
        #[serde(default)]
        is_public: bool,
        /// The numbers for the states of people.
        #[serde(default, skip_serializing_if = "StateRules::is_usual")]
        states: StateRules,
        /// The proof without which nothing is stored. Where a call has one, the answer is [`Claimed`] on a line of its own, and the answer
        /// to the records behind it.
        #[serde(default)]
        claim: Option<Proof>,
        /// The destinations of this call's events. A record refers to a destination by its index in this list.
        plans: Vec<Planned>,
        /// The events, all of one profile.
        records: Vec<Record>,
    },
    /// Reads the key of the person's lines in archives. Answers `Option<ArchiveKey>`: null where there never was one, or where an erasure has
    /// deleted it.
    ArchiveKey,
    /// Asks whose the profile is, and binds it if nobody has used it. Answers [`Claimed`].
    Claim(Proof),
    /// Claims the profile with a token of a hand-over. Answers `Option<Claimed>`: null for a token that was used or has ended.
    Adopt(Adopt),
    /// Links the profile to a verified user, on a server's word. Answers whether there is such a profile.
    Link(LinkTo),
    /// Takes a part of a profile that moves into this one. Answers [`link::Taken`].
    Take(Box<Take>),
    /// Changes the pointer of a profile that has moved, because the profile it moved into moves too.
    Repoint {
        /// The object to which the pointer led.
        from: String,
        /// The user to whom it leads from now on.
        to: LinkTo,
    },
    /// Forgets the link of a device that has erased itself. Answers `()`.
    Leave {
        /// The device's object.
        from: String,
    },
    /// Notes keys of the index that are about to lead to this profile. Answers `Option<Knows>`: null for a device that was erased.
    Know {
        /// The keys.
        keys: Vec<String>,
        /// Who has proved them: the name of a source, or [`index::BY_LINK`]. `None` for keys that nobody has proved.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// Record a consent change. Answers [`ConsentRecorded`].
    Consent(ConsentChange),
    /// Record the consent changes that events report, in this order: all or none. The answer is empty if the profile takes
    /// reports of this sender. Otherwise it is `Vec<ReportTaken>`, in order.
    ConsentReports(Vec<ConsentChange>),
    /// What a page has to know of the recorded consent. Answers [`ConsentStanding`].
    ConsentStanding,
    /// Reads the recorded consent. Answers [`ConsentCopy`].
    ConsentCopy {
        /// The `next` of the page before.
        cursor: Option<String>,
    },
    /// Record a person's choice for a channel. Answers the [`optin::OptIn`] that is now in force; `None` for an erased device.
    OptIn(Box<OptInCall>),
    /// Judges a signed link of an opt-in, and does what the link says if the person has agreed. Answers [`optin::LinkStanding`].
    OptInLink {
        /// The link.
        link: OptInLink,
        /// Whether to do it. Whoever only looks changes nothing: mail scanners open links.
        acts: bool,
        /// The destinations that learn of what it did.
        #[serde(default)]
        listeners: optin::Listeners,
    },
    /// Record the results of deliveries. Answers `()`.
    Confirm {
        /// One confirmation per delivery that was attempted.
        confirmations: Vec<Confirmation>,
    },
    /// Asks whether deliveries that have been under way for long may still be attempted. Answers `Vec<bool>`, one for each.
    Wanted(Vec<UnderWay>),
    /// Marks deliveries that are about to be sent, as far as they may still be attempted: after a crash each counts as sent. Answers
    /// `Vec<Option<i64>>`, one for each: the row that has the delivery from now on; null for one that must not be sent.
    Sending(Vec<UnderWay>),
    /// Erase the person. Answers [`erasure::Erased`].
    Erase(Box<Erase>),
    /// Erases what one source has told about the person, or the key of an address. Answers [`unlearn::Unlearned`].
    Unlearn(Unlearn),
    /// Reads how far the erasure is. Answers `Option<ErasureStanding>`.
    Erasure,
    /// Reads one part of what is kept, for the person. Answers [`Summary`] or [`Page`].
    Own {
        /// The part.
        part: OwnPart,
        /// The `next` of the page before.
        cursor: Option<String>,
    },
    /// The folded profile. Answers [`Summary`].
    Summary,
    /// The timeline, newest first. Answers [`Page`] of events, each with the facts of its touchpoint as `touchpoint`.
    Events {
        /// The `next` of the page before.
        cursor: Option<String>,
        /// The most rows to answer; [`PAGE_ROWS_MAX`] bounds it.
        limit: u32,
    },
    /// The receipts, newest first. Answers [`Page`] of receipts.
    Receipts {
        /// The `next` of the page before.
        cursor: Option<String>,
        /// The most rows to answer.
        limit: u32,
    },
    /// The ledger of opt-ins, newest first. Answers [`Page`] of [`optin::OptIn`].
    OptIns {
        /// The `next` of the page before.
        cursor: Option<String>,
        /// The most rows to answer.
        limit: u32,
    },
    /// Deliveries, newest first. Answers [`Page`] of [`DeliveryState`].
    Deliveries {
        /// The `next` of the page before.
        cursor: Option<String>,
        /// The most rows to answer.
        limit: u32,
    },
    /// Makes dead deliveries pending again. Answers their number.
    Replay {
        /// Only deliveries to this destination.
        destination: Option<String>,
        /// Only deliveries of this event, by the hash of its id, or by the id itself.
        message: Option<String>,
    },
}

/// A part of what is kept about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnPart {
    /// The folded profile, with counts and choices.
    Profile,
    /// The ledger of opt-ins.
    OptIns,
    /// The receipts of consent changes.
    Receipts,
    /// The timeline.
    Events,
    /// What was sent to whom.
    Deliveries,
}

/// The most rows of one page.
pub const PAGE_ROWS_MAX: u32 = 200;

/// A consent change, as the collector received it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentChange {
    /// The pseudonym of the person.
    pub subject: String,
    /// The company that is responsible for the data.
    pub controller: String,
    /// The recorded revision that the page knew when the visitor chose; 0 for none.
    pub base: u32,
    /// When the person chose, corrected for the page's clock.
    pub chosen_at: Timestamp,
    /// Whether the page only found the choice in a consent tool: nobody knows when the person made it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_found: bool,
    /// The changed purposes.
    pub changes: Vec<ChoiceChange>,
    /// The notice that the visitor saw.
    pub notice: Notice,
    /// Raw signals by name.
    pub signals: BTreeMap<String, String>,
    /// Fresh random bytes for the receipt's id.
    pub random: [u8; 16],
    /// The report that brought the change, if it came as an event of another system's client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ConsentReport>,
}

/// An event that reports a changed consent. Other systems number no revisions, so its time orders the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentReport {
    /// The event's id: a report that is sent again is the same change.
    pub message_id: String,
    /// Whether a server sent it. Anybody can copy the key of a page.
    pub is_vouched: bool,
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportTaken {
    /// It was recorded, or repeats what is recorded.
    Taken,
    /// The profile is bound, and anybody can send a report under the key of a page.
    NotYours,
    /// The person was erased since.
    Erased,
}

/// The result of a recorded consent change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecorded {
    /// The link that this change added to the chain; `None` if nothing was recorded.
    pub receipt: Option<Receipt>,
    /// Whether nothing was recorded because the profile is bound, and anybody can send a report under the key of a page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_refused: bool,
    /// Whether nothing was recorded because the person was erased since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_erased: bool,
    /// What is recorded after the change.
    pub consent: ConsentStanding,
    /// The purposes whose grant is older than the recorded denial, and does not lift it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outdated: Vec<String>,
}

/// The person's copy of the recorded consent.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConsentCopy {
    /// Purpose → `granted` or `denied`, as recorded now.
    pub state: BTreeMap<String, String>,
    /// The highest revision recorded.
    pub revision: u32,
    /// One page of the chain, newest first, each receipt as it is stored.
    pub receipts: Vec<Box<RawValue>>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// A profile, for the admin calls.
#[derive(Debug, Serialize, Deserialize)]
pub struct Summary {
    /// Whether anything was ever recorded for this profile.
    pub known: bool,
    /// The folded profile; null where there is none.
    pub profile: Box<RawValue>,
    /// The number of stored events.
    pub events: u32,
    /// Purpose → `granted` or `denied`, as recorded now.
    pub consent: BTreeMap<String, String>,
    /// Channel → `subscribed`, `pending` or `unsubscribed`, as recorded now.
    pub optins: BTreeMap<String, String>,
    /// The number of profiles that were linked to this one.
    #[serde(default)]
    pub links: u32,
    /// Whether the profile is on its way into that of a user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub linking: bool,
    /// Whether the profile is of another version of the fold, and is being folded again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refolding: bool,
    /// How far the erasure is, if the person asked for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<ErasureStanding>,
}

/// One page of rows, each row as it is stored.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Page {
    /// The rows.
    pub rows: Vec<Box<RawValue>>,
    /// The cursor of the next page; `None` on the last page.
    pub next: Option<String>,
}

/// The state of the delivery of one event to one destination, for the admin calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryState {
    /// The event's id.
    pub message_id: String,
    /// The destination's name.
    pub destination: String,
    /// `pending`, `sending`, `delivered` or `dead`.
    pub state: String,
    /// The number of attempts that failed or were lost. A pending delivery that was sent again counts one more, until its
    /// result comes.
    pub attempts: u32,
    /// The time of the next attempt, milliseconds since the epoch.
    pub next_ms: i64,
    /// The reason why the last attempt failed, or why the delivery waits.
    pub reason: Option<String>,
    /// The time of the last change of `state`, milliseconds since the epoch.
    pub updated_ms: i64,
}

/// Sends a call to the profile object with this name, or to the one that it has moved into.
///
/// # Errors
/// The object's own failure, or a failure to reach the object.
pub async fn ask_profile<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    name: String,
    call: &ProfileCall,
) -> Result<A, Failure> {
    // The pointer of an erased device follows no other link of its user.
    let hops = if matches!(call, ProfileCall::OptInLink { .. }) { 2 } else { 1 };
    ask(platform, name, hops, || encode(call)).await
}

/// Sends the call that `write` makes, and follows at most `hops` pointers. The call is written again for that, because most calls meet
/// none.
async fn ask<P: Platform, A: serde::de::DeserializeOwned>(
    platform: &P,
    name: String,
    hops: u32,
    write: impl Fn() -> Result<String, Failure>,
) -> Result<A, Failure> {
    // Deliveries of a feed's touchpoints name the feed in the place of a profile, and its object takes the same calls.
    let object = match name.strip_prefix(feed::PREFIX) {
        Some(feed) => Object::Feed(feed.to_owned()),
        None => Object::Profile(name),
    };
    let mut answer = platform.ask(&object, write()?).await?;
    for _ in 0..hops {
        if answer.starts_with(Moved::BEGINNING) {
            let Moved { moved } = decode(&answer)?;
            answer = platform.ask(&Object::Profile(moved), write()?).await?;
        }
    }
    if answer.starts_with(Moved::BEGINNING) {
        // The profile moved between the two calls. Soon the first pointer leads to the right place.
        return Err(Failure::Retriable("a pointer led to another pointer".to_owned()));
    }
    // The object answers 204 where nothing differs from the plan, because reading a body costs the Worker a promise.
    decode(if answer.is_empty() { "null" } else { &answer })
}
