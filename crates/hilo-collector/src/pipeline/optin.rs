//! `POST /v1/optin`: body → the verified user, the right to an id → the profile's ledger → the opt-in in force. And the links
//! that confirm or end a subscription: token → the profile's ledger → a page.

use hilo_core::config::Source;
use hilo_core::consent::OptInChannel;
use hilo_core::identity::token::Scope;
use hilo_core::identity::{ProfileKey, uuid_v4};
use hilo_core::outcome::{Code, Rejection};

use super::addresses;
use super::claim::{Claimant, not_yours};
use super::entry::erased;
use super::journal;
use super::limits;
use super::user::{lapsed_user, verified_user};
use crate::address::Keys;
use crate::call::{Call, Trouble, secret};
use crate::calls::index::BY_LINK;
use crate::calls::optin::{LinkAct, LinkStanding, Listeners, OptIn, OptInCall};
use crate::calls::{ProfileCall, ask_profile};
use crate::forward::{self, Configured};
use crate::ingest::optin::Say;
use crate::ingest::optin::page::page;
use crate::ingest::proof::Shown;
use crate::ingest::user::VerifiedUser;
use crate::ingest::{self, hello, optin};
use crate::loaded::Loaded;
use crate::optin_link::Claims;
use crate::platform::{Failure, Platform, Reply, log_line};
use crate::signature::object_name;

/// Records a person's choice for one channel: for the verified user, or else for the device. An opt-out is recorded for both.
pub(super) async fn take<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let secret = secret(call.platform)?;
    let body: optin::Body = hello::read(body)?;
    body.check_id(&call.loaded.config.identity)?;
    let (user, doubt) = match whose_choice(call).await {
        // A bad token stops a subscription, but not an opt-out of a device that proves itself.
        Err(why) if body.is_opt_out() && why.code != Code::Unavailable => {
            (lapsed_user(call).await, Some(why))
        }
        user => (user?, None),
    };
    if !body.is_opt_out() {
        limits::check_key(source, call).await?;
    }
    let (own, lang) = (body.anonymous_id.clone(), body.lang(call));
    let (shown, is_server) = (Shown::of(Some(source), &secret, call), source.is_server());
    let entry = optin::accept(body, source, user.is_some(), &secret, call)?;
    let claimant = Claimant { is_server, ..Claimant::by_proof(&shown, &secret, call) };
    let mut right = None;
    if user.is_none() || entry.is_opt_out() {
        // A page that keeps its proof itself says hello first, because this answer brings it none.
        let may_bind = !entry.is_opt_out() && own.is_some() && shown.is_by_cookie();
        right = match claimant.named(own.as_deref(), may_bind).await {
            // The user's choice is not lost because the device's id is another's.
            Err(Trouble::Refused(_)) if user.is_some() || doubt.is_some() => None,
            found => found?,
        };
    }
    // A lapsed token counts beside the device's own proof only.
    let user =
        user.filter(|_| doubt.is_none() || right.is_some()).map(|it| ProfileKey::User(it.id));
    let device = right.as_ref().map(|right| ProfileKey::Anonymous(right.id.clone()));
    let mut keys: Vec<_> = user.into_iter().chain(device).collect();
    if let Some(why) = doubt {
        if keys.is_empty() {
            return Err(why.into());
        }
        journal::note_remark(&why, call);
    }
    if keys.is_empty() {
        match own {
            Some(_) => return Err(not_yours().into()),
            // A device without an id has subscribed to nothing.
            None if entry.is_opt_out() => return Ok(optin::stands(&entry)),
            // The ledger of a device without an id proves the choice, and nothing can be linked to it.
            None => keys.push(ProfileKey::Anonymous(uuid_v4(call.platform.random16()))),
        }
    }
    let listeners = Listeners {
        lang: lang.map(|lang| lang.name().to_owned()),
        is_server,
        ..listeners(entry.channel, call.loaded)
    };
    let mut stands = entry.clone();
    let index = Keys::of(&secret, &call.loaded.config.normalize);
    for key in keys {
        let name = object_name(secret.naming(), &key);
        let request = optin::request(&entry, (&key, &name), lang, call)?;
        let question = OptInCall { said: entry.clone(), request, listeners: listeners.clone() };
        let question = ProfileCall::OptIn(Box::new(question));
        let recorded: Option<OptIn> = ask_profile(call.platform, name, &question).await?;
        stands = recorded.ok_or_else(erased)?;
        // A backend that has had the address confirmed vouches for it.
        let vouched = entry.confirmed.as_ref().filter(|_| source.is_trusted);
        if let (Some(_), Some(address)) = (vouched, &entry.address) {
            let proved = index.of_channel(entry.channel, address).into_iter().collect();
            vouch(&key, proved, source, call).await?;
        }
    }
    let mut reply = optin::stands(&stands);
    if let Some(proof) = right.and_then(|right| right.proof).filter(|_| shown.is_by_cookie()) {
        shown.hand_out(&proof, &secret, call.platform.now(), &mut reply);
    }
    Ok(reply)
}

/// Proves the key of an address by the word of a source.
async fn vouch<P: Platform>(
    person: &ProfileKey,
    keys: Vec<String>,
    source: &Source,
    call: &Call<'_, P>,
) -> Result<(), Failure> {
    let secret = secret(call.platform)?;
    let proof = (keys, source.name.as_str());
    addresses::prove(person, proof, &secret, call.loaded, call.platform).await
}

/// The destinations that learn of a change of the ledger.
pub(super) fn listeners(channel: OptInChannel, loaded: &Loaded) -> Listeners {
    forward::listeners(channel, &Configured::all(&loaded.config.destinations))
}

/// Finds the verified user, whose token must allow such a choice.
async fn whose_choice<P: Platform>(call: &Call<'_, P>) -> Result<Option<VerifiedUser>, Rejection> {
    let user = verified_user(call).await?;
    user.iter().try_for_each(|user| user.require(Scope::Profile))?;
    Ok(user)
}

/// Shows the page of a link, or does what the link says if `acts`. People read this answer, so a refusal is a page too.
pub(super) async fn follow<P: Platform>(act: LinkAct, acts: bool, call: &Call<'_, P>) -> Reply {
    let claims = call.incoming.query_value("token").and_then(|token| {
        let secret = secret(call.platform).ok()?;
        Claims::read(&token, &secret).filter(|claims| claims.link.act == act)
    });
    let Some(claims) = claims else { return page(Say::Wrong, None, call) };
    let say = judge(&claims, acts, call).await.unwrap_or_else(|failure| {
        call.platform.log(&log_line("error", "optin link", &[("why", failure.message())]));
        Say::Later
    });
    page(say, Some(&claims), call)
}

async fn judge<P: Platform>(
    claims: &Claims,
    acts: bool,
    call: &Call<'_, P>,
) -> Result<Say, Failure> {
    let is_expired = claims.is_expired(call.platform.now().as_second());
    // An expired link is judged too: it may have been used in time.
    let acts = acts && !is_expired;
    let listeners = match acts {
        true => {
            Listeners { lang: claims.lang.clone(), ..listeners(claims.link.channel, call.loaded) }
        }
        false => Listeners::default(),
    };
    let question = ProfileCall::OptInLink { link: claims.link.clone(), acts, listeners };
    let standing: LinkStanding =
        ask_profile(call.platform, claims.profile.clone(), &question).await?;
    let has_opened = matches!(standing, LinkStanding::Done | LinkStanding::Used);
    let secret = secret(call.platform)?;
    if let Some((person, key)) = claims.owner(&secret).filter(|_| has_opened) {
        let proof = (vec![key], BY_LINK);
        addresses::prove(&person, proof, &secret, call.loaded, call.platform).await?;
    }
    let say = Say::of(claims.link.act, standing);
    Ok(if is_expired && say == Say::AskConfirm { Say::Expired } else { say })
}
