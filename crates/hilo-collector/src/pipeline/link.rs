//! Who links a profile to a verified user: a request that shows the proof of a device's id and the user's token, or a server that names
//! both. A link cannot be undone, so the modes that try tokens out make none.
//!
//! The user → where a profile moves. The object of the profile decides, and its alarm moves it.

use std::collections::BTreeSet;

use hilo_core::config::{IdentityMode, Source};
use hilo_core::event::{Event, EventKind, Facts, Trust};
use hilo_core::identity::ProfileKey;
use hilo_core::identity::token::Scope;
use hilo_core::outcome::Outcome;

use super::at_once;
use super::entry::Entry;
use super::progress::Mark;
use crate::call::{Call, secret};
use crate::calls::index::Owner;
use crate::calls::link::{Earlier, LinkTo};
use crate::calls::{Claimed, ProfileCall, Proof, Whose, ask_profile};
use crate::ingest::consent::subject;
use crate::ingest::proof::Shown;
use crate::ingest::user::VerifiedUser;
use crate::keyring::Keyring;
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, log_line};
use crate::signature::{CartOwner, cart_label, object_name, sha256_hex};

const HOUR_S: i64 = 3_600;

/// Where the profile of this device moves: to that of the verified user; `None` where the token does not allow that.
pub(super) fn of_token(
    user: Option<&VerifiedUser>,
    device: &str,
    secret: &Keyring,
    loaded: &Loaded,
) -> Option<LinkTo> {
    let user = user.filter(|user| user.require(Scope::Profile).is_ok())?;
    of_user(&user.id, of_device(device), secret, loaded)
}

fn of_device(id: &str) -> Earlier {
    Earlier::Device(sha256_hex(id.as_bytes()))
}

fn of_user(user: &str, earlier: Earlier, secret: &Keyring, loaded: &Loaded) -> Option<LinkTo> {
    if loaded.config.identity.mode != IdentityMode::Enforce {
        return None;
    }
    let key = ProfileKey::User(user.to_owned());
    Some(LinkTo {
        name: object_name(secret.naming(), &key),
        label: key.to_string(),
        user: Some(user.to_owned()),
        subject: subject(secret, &key),
        controller: loaded.config.controller.clone(),
        at_ms: 0,
        cart: Some(cart_label(secret.naming(), &CartOwner::Customer(user))),
        earlier,
    })
}

/// Where the profile of a contact moves, whose address is proved for this person.
pub(super) fn of_contact(
    person: &ProfileKey,
    owner: &Owner,
    secret: &Keyring,
    loaded: &Loaded,
) -> Option<LinkTo> {
    let user = match person {
        ProfileKey::User(user) => Some(user.as_str()),
        ProfileKey::Anonymous(_) => None,
        ProfileKey::Contact(_) => return None,
    };
    Some(LinkTo {
        name: owner.object.clone(),
        label: owner.label.clone(),
        user: user.map(str::to_owned),
        subject: subject(secret, person),
        controller: loaded.config.controller.clone(),
        at_ms: 0,
        cart: user.map(|user| cart_label(secret.naming(), &CartOwner::Customer(user))),
        earlier: Earlier::Contact,
    })
}

/// Links the device whose proof the request shows, after the answer. A page makes such calls often, so an isolate remembers for an hour
/// what it has linked.
pub(super) fn offer<P: Platform>(
    user: &VerifiedUser,
    source: &Source,
    secret: &Keyring,
    call: &Call<'_, P>,
) {
    let shown = Shown::of(Some(source), secret, call);
    let Some(proof) = shown.proof.as_ref() else { return };
    let Some(to) = of_token(Some(user), &proof.id, secret, call.loaded) else { return };
    let name = object_name(secret.naming(), &ProfileKey::Anonymous(proof.id.clone()));
    let hour = (call.platform.now().as_second() / HOUR_S).to_string();
    let mark = Mark::of("link", &name, [to.name.as_str(), hour.as_str()].into_iter());
    if mark.is_stored(call.platform.now()) {
        return;
    }
    let question = ProfileCall::Claim(Proof { link: Some(to), ..shown.of_id(&proof.id, None) });
    let platform = call.platform.clone();
    call.platform.defer(async move {
        match ask_profile::<_, Claimed>(&platform, name, &question).await {
            Ok(Claimed { whose: Whose::Yours, .. }) => mark.note(platform.now()),
            Ok(_) => {}
            Err(failure) => {
                platform.log(&log_line("warn", "link", &[("why", failure.message())]));
            }
        }
    });
}

/// Links what servers name together in stored events: device and user of an identify event, the two ids of an alias.
///
/// # Errors
/// A failure if a link is not known to be durable. The same envelope may be sent again.
pub(super) async fn named<P: Platform>(
    entries: &[Entry],
    facts: &Facts,
    loaded: &Loaded,
    platform: &P,
) -> Result<(), Failure> {
    if facts.trust != Trust::Server {
        return Ok(());
    }
    let stored = entries
        .iter()
        .filter(|entry| matches!(entry.outcome, Outcome::Accepted | Outcome::Duplicate));
    let pairs: BTreeSet<Pair<'_>> =
        stored.filter_map(|entry| Pair::of(entry.event.as_deref()?)).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    let secret = &secret(platform)?;
    let is_large = at_once::is_large(pairs.len(), facts);
    let calls = pairs.into_iter().filter_map(|pair| {
        let is_meant = !loaded.config.identity.is_reserved(pair.earlier);
        let to =
            of_user(pair.user, of_device(pair.earlier), secret, loaded).filter(|_| is_meant)?;
        Some(pair.link(to, is_large, secret, platform))
    });
    let calls: Vec<_> = calls.collect();
    at_once::all(calls.into_iter(), facts.received_at, platform).await.map(drop)
}

/// Two ids of one person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pair<'e> {
    user: &'e str,
    /// The device, or the id that the user had before.
    earlier: &'e str,
    /// Whether `earlier` may also be a user.
    is_alias: bool,
}

impl<'e> Pair<'e> {
    fn of(event: &'e Event) -> Option<Pair<'e>> {
        let user = event.user_id.as_deref()?;
        match &event.kind {
            EventKind::Identify { .. } => {
                let earlier = event.anonymous_id.as_deref()?;
                Some(Pair { user, earlier, is_alias: false })
            }
            EventKind::Alias { previous_id } => {
                Some(Pair { user, earlier: previous_id, is_alias: true })
            }
            EventKind::Track { .. }
            | EventKind::Page { .. }
            | EventKind::Screen { .. }
            | EventKind::Group { .. } => None,
        }
    }

    /// Links the profile of the earlier id. An alias may be about a device or a user: the device counts if there is one.
    async fn link<P: Platform>(
        self,
        mut to: LinkTo,
        is_large: bool,
        secret: &Keyring,
        platform: &P,
    ) -> Result<(), Failure> {
        let earlier = self.earlier.to_owned();
        let mut keys = vec![ProfileKey::Anonymous(earlier.clone())];
        keys.extend(self.is_alias.then_some(ProfileKey::User(earlier)));
        for key in keys {
            if let ProfileKey::User(id) = &key {
                to.earlier = Earlier::User(cart_label(secret.naming(), &CartOwner::Customer(id)));
            }
            let name = object_name(secret.naming(), &key);
            let mark = is_large.then(|| Mark::of("link", &name, [to.name.as_str()].into_iter()));
            if mark.is_some_and(|mark| mark.is_stored(platform.now())) {
                return Ok(());
            }
            // An id that nobody has used is linked to nobody: its page could not claim it any more.
            let question = ProfileCall::Link(to.clone());
            if ask_profile(platform, name, &question).await? {
                mark.into_iter().for_each(|mark| mark.note(platform.now()));
                return Ok(());
            }
        }
        Ok(())
    }
}
