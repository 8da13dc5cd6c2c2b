//! `POST /v1/optin`: body → the verified user, or the right to an id → the profile's ledger → the opt-in in force.

use hilo_core::identity::token::Scope;
use hilo_core::identity::{ProfileKey, uuid_v4};

use super::claim::{Claimant, not_yours};
use super::user::verified_user;
use crate::call::{Call, Trouble, secret};
use crate::calls::optin::OptIn;
use crate::calls::{ProfileCall, ask_profile};
use crate::ingest::proof::Shown;
use crate::ingest::{self, hello, optin};
use crate::platform::{Platform, Reply};
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
    let own = body.anonymous_id.clone();
    let shown = Shown::of(Some(source), &secret, call);
    let entry = optin::accept(body, &source.name, user.is_some(), call.platform.now())?;
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
    let stands: OptIn = ask_profile(call.platform, name, &ProfileCall::OptIn(entry)).await?;
    Ok(optin::stands(&stands))
}
