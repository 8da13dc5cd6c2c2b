//! The gist of an event: what a profile's object needs to judge, attribute and fold the event without reading it.
//!
//! The event itself goes beside its gist, as JSON that the object does not parse. Parsing and writing ten events again was a
//! third of what a batch cost the edge in its own code. Shapes only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::service_ids::is_of_browser;
use super::{Event, EventKind, Properties};
use crate::consent::Purpose;
use crate::journey::{Channel, Contact, Meaning, State, Touch, Touchpoint};

/// The gist of one event. Every field is the event's own, see [`Event`] and [`super::Context`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gist {
    /// The event's id.
    pub message_id: String,
    /// The wire's `type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When it happened.
    #[serde(rename = "timestamp")]
    pub occurred_at: Timestamp,
    /// The purposes it needs, all of them.
    pub purposes: Vec<Purpose>,
    /// The revision of the consent it claims; 0 without one.
    pub revision: u32,
    /// The device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// The person that a server or a verified token names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The person that a page merely claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_id: Option<String>,
    /// Its language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Its session's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The touch it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub touch: Option<Touch>,
    /// The channel it is attributed to so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The traits that an identify event tells.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub traits: Properties,
    /// The ids that other services gave to the person's browser, without click ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ids: BTreeMap<String, String>,
    /// The purposes that its own consent grants. Filled only beside traits and ids, which keep them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub granted: Vec<Purpose>,
    /// The touchpoint's kind, where the event's type does not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
    /// What the touchpoint is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Its contact channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Channel>,
    /// The channel by which the company and the person met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub met_by: Option<Channel>,
    /// What it means for the profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<Meaning>,
    /// The family of the device, such as `Firefox, Linux, desktop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The purposes that it claims to be granted although Global Privacy Control denies them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub against_gpc: Vec<Purpose>,
}

impl Gist {
    /// The facts of the touchpoint, for a person in this state.
    pub fn touchpoint(&self, state: State) -> Touchpoint {
        Touchpoint {
            kind: self.act.as_ref().unwrap_or(&self.kind).clone(),
            channel: self.contact.or(self.channel),
            about: self.about.clone(),
            state,
            machine: false,
        }
    }

    /// The gist of `event`.
    pub fn of(event: &Event) -> Gist {
        let (context, hilo) = (&event.context, &event.context.hilo);
        let traits = traits(event);
        // Consent need not allow a profile with ids to somebody who asks for letters.
        let is_of_ledger = event.is_optin_request() || event.is_optin_change();
        let id = |id: &Option<String>| id.clone().filter(|_| !is_of_ledger);
        let mut ids = BTreeMap::new();
        for (name, id) in
            context.ids.iter().filter(|(name, _)| is_of_browser(name) && !is_of_ledger)
        {
            ids.insert(name.clone(), id.clone());
        }
        let keeps_nothing = traits.is_empty() && ids.is_empty();
        let granted = if keeps_nothing { Vec::new() } else { granted(event) };
        let Contact { kind, about, channel, is_meeting, meaning } = Contact::of(event);
        Gist {
            message_id: event.message_id.clone(),
            kind: event.kind.name().to_owned(),
            occurred_at: event.occurred_at,
            purposes: event.purposes().to_vec(),
            revision: context.consent.as_ref().map_or(0, |claim| claim.revision),
            anonymous_id: id(&event.anonymous_id),
            user_id: id(&event.user_id),
            claimed_id: event.claimed_id.clone(),
            locale: context.locale.clone(),
            session: hilo.session.as_ref().map(|session| session.id.clone()),
            touch: hilo.touch.clone(),
            channel: hilo.channel,
            traits,
            ids,
            granted,
            act: Some(kind).filter(|kind| kind != event.kind.name()),
            about,
            contact: channel,
            met_by: channel.filter(|_| is_meeting),
            meaning,
            device: device(event).filter(|_| !is_of_ledger),
            against_gpc: context
                .consent
                .as_ref()
                .map(|claim| claim.against_gpc.clone())
                .unwrap_or_default(),
        }
    }
}

/// Bytes of the family of a device.
const DEVICE_BYTES_MAX: usize = 96;

/// The family of the device: browser, system and class, without versions.
fn device(event: &Event) -> Option<String> {
    let context = &event.context;
    let browser = context.hilo.browser.as_ref().map(|browser| browser.name.as_str());
    let os = context.os.as_ref().and_then(|os| os.name.as_deref());
    if browser.is_none() && os.is_none() {
        return None;
    }
    let class = context.device.as_ref().and_then(|device| device.class.as_deref());
    let parts: Vec<&str> = [browser, os, class].into_iter().flatten().collect();
    let mut family = parts.join(", ");
    family.truncate(family.floor_char_boundary(DEVICE_BYTES_MAX));
    Some(family)
}

fn traits(event: &Event) -> Properties {
    match &event.kind {
        EventKind::Identify { traits } => traits.clone(),
        // A group's traits are the group's.
        EventKind::Group { .. }
        | EventKind::Track { .. }
        | EventKind::Page { .. }
        | EventKind::Screen { .. }
        | EventKind::Alias { .. } => Properties::new(),
    }
}

fn granted(event: &Event) -> Vec<Purpose> {
    let said = event.context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
    Purpose::ALL.into_iter().filter(|purpose| said.is_granted(*purpose)).collect()
}
