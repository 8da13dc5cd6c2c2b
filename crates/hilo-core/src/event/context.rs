//! The circumstances of an event: Segment's `context`, typed where hilo reads or writes it.
//!
//! Fields of pages and fields of the edge share one shape. The field table keeps a page from filling the edge's fields. Objects
//! that hilo does not read (`app`, `network` …) are maps with the keys of the field table.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::properties::Properties;
use crate::consent::{Choice, ConsentState, Purpose};
use crate::journey::{Channel, Touch, Via};
use crate::outcome::Code;

/// The circumstances of an event: place, device, campaign, consent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Context {
    /// Whether the person was active (Segment: false for background syncs).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
    /// The app: `name`, `version`, `build`, `namespace`.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub app: Properties,
    /// The campaign that led here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub campaign: Option<Campaign>,
    /// Segment's word for where it was recorded: `browser`, `server`, `mobile`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The visitor's consent at the time of the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<ConsentClaim>,
    /// The device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The group the person acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_id: Option<String>,
    /// hilo's own fields.
    #[serde(skip_serializing_if = "HiloContext::is_empty")]
    pub hilo: HiloContext,
    /// Ids that other services gave to this browser, by the names of [`super::SERVICE_IDS`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, String>,
    /// Truncated address: /24 or /48, never more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// The library that captured the event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<Library>,
    /// Language tag, BCP 47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// The location, at most the city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The network: `wifi`, `cellular`, `bluetooth`.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub network: Properties,
    /// The operating system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<Os>,
    /// The page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
    /// What brought the person to the app or site, as the sender knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<Referrer>,
    /// The screen: `width`, `height`, `density`.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub screen: Properties,
    /// IANA time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Traits sent beside another kind of event.
    #[serde(skip_serializing_if = "Properties::is_empty")]
    pub traits: Properties,
    /// The raw user agent as sent. `normalize` reduces it and removes it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// User agent client hints as sent. `normalize` removes them here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent_data: Option<Value>,
}

/// A campaign, in UTM words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Campaign {
    /// `utm_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `utm_campaign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `utm_source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// `utm_medium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub medium: Option<String>,
    /// `utm_term`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub term: Option<String>,
    /// `utm_content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl Campaign {
    /// Whether every field is unknown.
    pub fn is_empty(&self) -> bool {
        *self == Campaign::default()
    }

    /// Every field, to change.
    pub const fn texts_mut(&mut self) -> [&mut Option<String>; 6] {
        let Campaign { id, name, source, medium, term, content } = self;
        [id, name, source, medium, term, content]
    }
}

/// Segment's consent object: purposes by name, and hilo's revision.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConsentClaim {
    /// Purpose name → granted. A purpose that is not named is unset.
    pub category_preferences: BTreeMap<String, bool>,
    /// A number that grows with each change; 0 where the sender keeps none.
    pub revision: u32,
    /// The legal ground that `hilo.toml` declares, if a purpose was granted by it and not by the message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
    /// Purposes that the sender claims to be granted although `Sec-GPC: 1` denies them. Never on the wire.
    #[serde(skip)]
    pub against_gpc: Vec<Purpose>,
}

impl ConsentClaim {
    /// Whether the claim names any purpose: an empty claim is silence.
    pub fn is_said(&self) -> bool {
        !self.category_preferences.is_empty()
    }

    /// The claim as the decision function reads it. Names that are no purpose are ignored.
    pub fn state(&self) -> ConsentState {
        let mut state = ConsentState::default();
        for (name, granted) in &self.category_preferences {
            if let Some(purpose) = Purpose::from_name(name) {
                state.set(purpose, if *granted { Choice::Granted } else { Choice::Denied });
            }
        }
        state.revision = self.revision;
        state
    }

    /// The claim as it counts if the profile lifts what Global Privacy Control denies.
    pub fn state_if_lifted(&self) -> ConsentState {
        let mut state = self.state();
        for purpose in &self.against_gpc {
            state.set(*purpose, Choice::Granted);
        }
        state
    }
}

/// The device: its kind as the sender names it, else its class by the user agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Device {
    /// Whether the person lets apps use the advertising id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ad_tracking_enabled: Option<bool>,
    /// The system's id for advertising.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advertising_id: Option<String>,
    /// The system's or the library's id of the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The manufacturer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manufacturer: Option<String>,
    /// The model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The name that its owner gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address of the device for push messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// `desktop`, `mobile`, `tablet`, `tv`, `bot` …, or the sender's word (`ios`, `android`).
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// The model's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The library that captured an event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Library {
    /// The library's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The library's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The location, by the sender's word or by the edge's own data about the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Location {
    /// ISO 3166-1 alpha-2, or the sender's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Region name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// City name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
}

/// The operating system, as the sender says it, else family and major version by the user agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Os {
    /// The family.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The page on which an event happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Page {
    /// The whole address, personal data redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The path alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The query with its `?`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// The page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// The document's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// What brought a person to an app or site (Segment's `context.referrer`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Referrer {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The link that was followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its kind.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its address, personal data redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// hilo's own part of the context.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HiloContext {
    /// Fields that the collector filled by an assumption of `hilo.toml`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
    /// Whether a program that calls itself a bot has sent the event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub bot: bool,
    /// Browser family and major version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub browser: Option<Browser>,
    /// The channel of the event's session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Click ids by their query key (`gclid`, `fbclid` …).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub click_ids: BTreeMap<String, String>,
    /// Why the event's time is not the sender's own; absent if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock: Option<Clock>,
    /// The page's dropped events since its last envelope, counted by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub dropped: BTreeMap<String, u64>,
    /// Codes of what is doubtful about the event, as the collector found it: `internal_campaign`, `phone_unparsed`, `plan_…`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    /// Whether the collector made the event, because the ledger of opt-ins has changed. No sender can fill it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ledger: bool,
    /// The unsigned links of an `Opt-In Requested` that the collector made. No sender can fill it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optin: Option<OptInLinks>,
    /// The page's storage of its id: `local` or `memory`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistence: Option<String>,
    /// The session, as the page counts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionHint>,
    /// The touch that this event shows, if it shows one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub touch: Option<Touch>,
    /// Fields that were shortened to their limit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub truncated: Vec<String>,
}

impl HiloContext {
    fn is_empty(&self) -> bool {
        *self == HiloContext::default()
    }

    /// Flags the event, once for each code.
    pub fn flag(&mut self, code: Code) {
        if !self.flags.iter().any(|known| known == code.name()) {
            self.flags.push(code.name().to_owned());
        }
    }
}

/// The links of a request to confirm a subscription, before the collector signs them for the destination that carries them. A
/// stored link could be read by whoever may read the person's timeline, and would prove no address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptInLinks {
    /// The address before `/v1`.
    pub base: String,
    /// The claims of the link that confirms.
    pub confirm: String,
    /// The claims of the link that ends the subscription.
    pub unsubscribe: String,
}

/// Why an event's time is not the sender's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// A visitor's time was longer ago than a page or an app keeps events: the oldest possible time counts.
    TooOld,
    /// The time was still to come: the time of receipt counts.
    Future,
    /// The time could not be read: the time of receipt counts.
    Unreadable,
}

/// A browser, reduced to family and major version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browser {
    /// Family.
    pub name: String,
    /// Major version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<String>,
}

/// The session as the page counts it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionHint {
    /// The session's start in milliseconds since the epoch, as decimal text (ids never pass through f64).
    pub id: String,
    /// The session's landing; on its first event only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub landing: Option<Landing>,
}

/// The page on which a session began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// The page's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The page from which the visitor came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// The tracker's way of knowing the landing.
    #[serde(default)]
    pub via: Via,
}
