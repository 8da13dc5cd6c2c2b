//! `POST /v1/hello`: body → the right to an id, if consent allows one → its proof, and what is recorded for it.

use hilo_core::outcome::Code;

use super::claim::Claimant;
use super::journal;
use super::limits;
use super::user::accompanying_user;
use crate::call::{Call, Trouble, secret};
use crate::ingest::proof::Shown;
use crate::ingest::welcome::Own;
use crate::ingest::{self, hello, reply};
use crate::platform::{Platform, Reply};

/// Answers a new page.
pub(super) async fn take<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let secret = secret(call.platform)?;
    let said: hello::Hello = hello::read(body)?;
    said.check(&call.loaded.config.identity)?;
    let shown = Shown::of(Some(source), &secret, call);
    if !said.consent.state().allows_id() {
        let mut reply = hello::welcome(None, call);
        shown.take_back(call, &mut reply);
        return Ok(reply);
    }
    // A hello without consent makes no object, and it may be a withdrawal.
    limits::check_key(source, call).await?;
    // A hello needs no token, so one that cannot be verified now is passed over too.
    let user = accompanying_user(call).await.ok().flatten();
    let is_server = source.is_server();
    let (user, spare) = (user.as_ref(), said.spare());
    let claimant = Claimant { is_server, shown: &shown, spare, user, secret: &secret, call };
    let right = match claimant.any(said.own()).await {
        Err(Trouble::Refused(why)) if why.code == Code::Erased => {
            journal::note_refusal(&why, call);
            let mut reply = reply::refused(&why);
            shown.take_back(call, &mut reply);
            return Ok(reply);
        }
        right => right?,
    };
    let mut extra = Reply::empty(200);
    let (token, spare_proof) = claimant.hand_out(&right, &mut extra);
    let consent = right.recorded(call.platform).await?;
    let own = Own::of(Some(&right.id), &consent).with(token.as_deref(), spare_proof);
    let mut reply = hello::welcome(Some(own), call);
    reply.headers.0.extend(extra.headers.0);
    Ok(reply)
}
