//! `POST /v1/optin`: body → the verified user, the right to an id → the profile's ledger → the opt-in in force.

use hilo_core::identity::token::Scope;
use hilo_core::identity::{ProfileKey, uuid_v4};
use hilo_core::outcome::{Code, Rejection};

use super::claim::{Claimant, not_yours};
use super::journal;
use super::limits;
use super::user::verified_user;
use crate::call::{Call, Trouble, secret};
use crate::calls::{ProfileCall, ask_profile};
use crate::ingest::proof::Shown;
use crate::ingest::user::VerifiedUser;
use crate::ingest::{self, hello, optin};
use crate::platform::{Platform, Reply};
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
        Err(why) if body.is_opt_out() && why.code != Code::Unavailable => (None, Some(why)),
        user => (user?, None),
    };
    if !body.is_opt_out() {
        limits::check_key(source, call).await?;
    }
    let own = body.anonymous_id.clone();
    let shown = Shown::of(Some(source), &secret, call);
    let entry = optin::accept(body, &source.name, user.is_some(), call.platform.now())?;
    let claimant = Claimant { is_server: source.is_server(), shown: &shown, secret: &secret, call };
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
    let user = user.map(|user| ProfileKey::User(user.id));
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
    let mut stands = entry.clone();
    for key in keys {
        let name = object_name(secret.naming(), &key);
        stands = ask_profile(call.platform, name, &ProfileCall::OptIn(entry.clone())).await?;
    }
    let mut reply = optin::stands(&stands);
    if let Some(proof) = right.and_then(|right| right.proof).filter(|_| shown.is_by_cookie()) {
        shown.hand_out(&proof, &secret, call.platform.now(), &mut reply);
    }
    Ok(reply)
}

/// Finds the verified user, whose token must allow such a choice.
async fn whose_choice<P: Platform>(call: &Call<'_, P>) -> Result<Option<VerifiedUser>, Rejection> {
    let user = verified_user(call).await?;
    user.iter().try_for_each(|user| user.require(Scope::Profile))?;
    Ok(user)
}
