//! `POST /v1/optin`: body → the verified user, if there is one → the profile's ledger → the opt-in in force.

use hilo_core::identity::token::Scope;

use super::user::verified_user;
use crate::call::{Call, Trouble, secret};
use crate::calls::optin::OptIn;
use crate::calls::{ProfileCall, ask_profile};
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
    let key = optin::whose(&body, user.as_ref(), &secret, call)?;
    let entry = optin::accept(body, &source.name, user.is_some(), call.platform.now())?;
    let name = object_name(secret.naming(), &key);
    let stands: OptIn = ask_profile(call.platform, name, &ProfileCall::OptIn(entry)).await?;
    Ok(optin::stands(&stands))
}
