//! `Opt-In Requested`: the event that asks a person to confirm a subscription.
//!
//! A pending entry → the event for the destination that carries the link. The links are signed when they are sent, so that no
//! timeline contains a link that works.

use hilo_core::consent::OptInState;
use hilo_core::consent::Purpose;
use hilo_core::event::{
    Context, Event, EventKind, Gist, HiloContext, OPT_IN_REQUESTED, OptInLinks,
};
use hilo_core::identity::ProfileKey;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::address::Keys;
use crate::call::{Call, secret};
use crate::calls::optin::{LinkAct, OptIn, OptInLink, OptInRequest};
use crate::calls::{Planned, encode};
use crate::ingest::lang::Lang;
use crate::optin_link::{CONFIRM_S, Claims};
use crate::platform::{Failure, Platform};

/// Makes the request for a pending entry of the object called `profile`; `None` for an entry that needs none.
///
/// # Errors
/// `Fatal` if the event cannot be written, which is a bug.
pub fn request<P: Platform>(
    entry: &OptIn,
    (key, profile): (&ProfileKey, &str),
    lang: Option<Lang>,
    call: &Call<'_, P>,
) -> Result<Option<OptInRequest>, Failure> {
    let rules = &call.loaded.config.consent.optin;
    let parts = (&entry.nonce, &entry.address, &entry.address_hash, &rules.confirm_by);
    let (OptInState::Pending, (Some(nonce), Some(address), Some(address_hash), Some(carrier))) =
        (entry.state, parts)
    else {
        return Ok(None);
    };
    let now = call.platform.now();
    let expires = now.checked_add(SignedDuration::from_secs(CONFIRM_S));
    let expires = expires.map_err(|error| Failure::Fatal(error.to_string()))?;
    let owner = owner(entry, address, (key, profile), call)?;
    let claims = |act, until_s| {
        let (address_hash, nonce) = (address_hash.clone(), nonce.clone());
        let link = OptInLink { act, channel: entry.channel, address_hash, nonce };
        let lang = lang.map(|lang| lang.name().to_owned());
        // Only the link that confirms proves anything.
        let owner = owner.clone().filter(|_| act == LinkAct::Confirm);
        let claims = Claims { profile: profile.to_owned(), link, until_s, owner, lang };
        claims.write().map_err(|error| Failure::Fatal(error.to_string()))
    };
    let links = OptInLinks {
        base: rules.link.clone().unwrap_or_else(|| reached_at(call)),
        confirm: claims(LinkAct::Confirm, Some(expires.as_second()))?,
        unsubscribe: claims(LinkAct::Unsubscribe, None)?,
    };
    let properties = properties(entry, address, expires, lang);
    let event = event(nonce, key, links, properties, now);
    // The carrier does what the person asks for, so it needs no other consent, and no opt-in yet.
    let purposes = vec![Purpose::Essential];
    let (name, channel, wants_person, wants_key) = (carrier.clone(), None, false, false);
    let carrier = Planned { name, purposes, channel, wants_person, wants_key, is_owed: false };
    Ok(Some(OptInRequest { carrier, gist: Gist::of(&event), event: encode(&event)? }))
}

/// Whose the address is once its link was opened. A letter's address is not looked up.
fn owner<P: Platform>(
    entry: &OptIn,
    address: &str,
    (person, profile): (&ProfileKey, &str),
    call: &Call<'_, P>,
) -> Result<Option<String>, Failure> {
    let secret = secret(call.platform)?;
    let keys = Keys::of(&secret, &call.loaded.config.normalize);
    let key = keys.of_channel(entry.channel, address);
    key.map(|key| Claims::sealed_owner(profile, person, &key, &secret)).transpose()
}

/// The address of the collector as this request reached it.
fn reached_at<P: Platform>(call: &Call<'_, P>) -> String {
    let Call { incoming, platform, .. } = *call;
    format!("{}://{}{}", incoming.scheme, incoming.host, platform.mount())
}

/// What a message to the person needs, beside the links.
fn properties(
    entry: &OptIn,
    address: &str,
    expires: Timestamp,
    lang: Option<Lang>,
) -> Map<String, Value> {
    let fields = [
        ("channel", Some(entry.channel.name().to_owned())),
        ("address", Some(address.to_owned())),
        ("text", entry.text.clone()),
        ("version", entry.version.clone()),
        ("lang", lang.map(|lang| lang.name().to_owned())),
        ("expires_at", Some(expires.to_string())),
    ];
    let told =
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    told.collect()
}

fn event(
    nonce: &str,
    key: &ProfileKey,
    links: OptInLinks,
    properties: Map<String, Value>,
    now: Timestamp,
) -> Event {
    let (anonymous_id, user_id) = match key {
        ProfileKey::Anonymous(id) => (Some(id.clone()), None),
        ProfileKey::User(id) => (None, Some(id.clone())),
        ProfileKey::Contact(_) => (Some(key.to_string()), None),
    };
    let hilo = HiloContext { optin: Some(links), ..HiloContext::default() };
    Event {
        message_id: format!("optin-{nonce}"),
        kind: EventKind::Track { event: OPT_IN_REQUESTED.to_owned(), properties },
        anonymous_id,
        user_id,
        claimed_id: None,
        occurred_at: now,
        original_at: None,
        sent_at: None,
        received_at: now,
        context: Context { hilo, ..Context::default() },
        integrations: Map::new(),
    }
}
