//! `POST /v1/optin`: body → the verified user, or the right to an id → the profile's ledger → the opt-in in force. And the links
//! that confirm or end a subscription: token → the profile's ledger → a page.

use hilo_core::identity::token::Scope;
use hilo_core::identity::{ProfileKey, uuid_v4};

use super::claim::{Claimant, not_yours};
use super::user::verified_user;
use crate::call::{Call, Trouble, secret};
use crate::calls::optin::{LinkAct, LinkStanding, OptIn, OptInCall};
use crate::calls::{ProfileCall, ask_profile};
use crate::ingest::optin::Say;
use crate::ingest::optin::page::page;
use crate::ingest::proof::Shown;
use crate::ingest::{self, hello, optin};
use crate::optin_link::Claims;
use crate::platform::{Failure, Platform, Reply, log_line};
use crate::signature::object_name;

/// Records a person's choice for one channel.
pub(super) async fn take<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let user = verified_user(call).await?;
    if let Some(user) = &user {
        user.require(Scope::Profile)?;
    }
    let secret = secret(call.platform)?;
    let body: optin::Body = hello::read(body)?;
    body.check_id(&call.loaded.config.identity)?;
    let (own, lang) = (body.anonymous_id.clone(), body.lang(call));
    let shown = Shown::of(Some(source), &secret, call);
    let entry = optin::accept(body, source, user.is_some(), &secret, call)?;
    let key = match user {
        Some(user) => ProfileKey::User(user.id),
        None => {
            let claimant =
                Claimant { is_server: source.is_server(), shown: &shown, secret: &secret, call };
            match (claimant.named(own.as_deref(), false).await?, own) {
                (Some(right), _) => ProfileKey::Anonymous(right.id),
                (None, Some(_)) => return Err(not_yours().into()),
                // A device without an id has subscribed to nothing.
                (None, None) if entry.is_opt_out() => return Ok(optin::stands(&entry)),
                // The ledger of a device without an id proves the choice, and nothing can be linked to it.
                (None, None) => ProfileKey::Anonymous(uuid_v4(call.platform.random16())),
            }
        }
    };
    let name = object_name(secret.naming(), &key);
    let request = optin::request(&entry, (&key, &name), lang, call)?;
    let question = ProfileCall::OptIn(Box::new(OptInCall { said: entry, request }));
    let stands: OptIn = ask_profile(call.platform, name, &question).await?;
    Ok(optin::stands(&stands))
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
    let question = ProfileCall::OptInLink { link: claims.link.clone(), acts: acts && !is_expired };
    let standing: LinkStanding =
        ask_profile(call.platform, claims.profile.clone(), &question).await?;
    let say = Say::of(claims.link.act, standing);
    Ok(if is_expired && say == Say::AskConfirm { Say::Expired } else { say })
}
