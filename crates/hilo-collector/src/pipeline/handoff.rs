//! `POST /v1/handoff`: body → the right to an id → a token for a page of another origin. `POST /v1/adopt`: that token → the id's object,
//! which lets each open once → the answer of a hello.
//!
//! Nothing is stored for a token that is made. Neither call links anybody: the next one that shows the id's proof does.

use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Rejection};

use super::claim::{Claimant, Right};
use super::limits;
use crate::call::{Call, Trouble, secret};
use crate::calls::{Claimed, ProfileCall, ask_profile};
use crate::ingest::handoff::{self, Asked, Brought, Token};
use crate::ingest::proof::Shown;
use crate::ingest::welcome::Own;
use crate::ingest::{self, hello};
use crate::platform::{Platform, Reply};
use crate::signature::object_name;

/// Answers a page that hands its id over, or a server that vouches for an id.
pub(super) async fn make<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let secret = secret(call.platform)?;
    let asked: Asked = hello::read(body)?;
    asked.check(&call.loaded.config.identity)?;
    let to = asked.to(source, call)?;
    limits::check_key(source, call).await?;
    let shown = Shown::of(Some(source), &secret, call);
    let is_server = source.is_server();
    let claimant = Claimant { is_server, ..Claimant::by_proof(&shown, &secret, call) };
    let right = claimant.held(asked.anonymous_id.as_deref()).await?;
    let recorded = right.recorded(call.platform).await?;
    if !recorded.state.is_empty() && !recorded.allows_id() {
        return Err(denied().into());
    }
    let token = Token::of(&right.id, right.proof, to, &secret, call);
    Ok(handoff::handed(&token.write(source, &secret, call)?))
}

fn denied() -> Rejection {
    let message = "the recorded consent allows no id, so there is nothing to hand over";
    Rejection::at(Code::ConsentDenied, "anonymousId", message)
}

/// Answers a page that shows a token.
pub(super) async fn adopt<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let secret = secret(call.platform)?;
    let brought: Brought = hello::read(body)?;
    let shown = Shown::of(Some(source), &secret, call);
    if !brought.consent.state().allows_id() {
        let mut reply = hello::welcome(None, call);
        shown.take_back(call, &mut reply);
        return Ok(reply);
    }
    limits::check_key(source, call).await?;
    let token = Token::read(&brought.token, source, &secret, call)?;
    let name = object_name(secret.naming(), &ProfileKey::Anonymous(token.proof.id.clone()));
    let question = ProfileCall::Adopt(token.question());
    let claimed: Option<Claimed> = ask_profile(call.platform, name, &question).await?;
    let claimed = claimed.filter(|claimed| claimed.whose.is_senders());
    let Claimed { consent, moved, .. } = claimed.ok_or_else(handoff::refused)?;
    let right = Right { id: token.proof.id.clone(), proof: None, consent, moved };
    let consent = right.recorded(call.platform).await?;
    let mut extra = Reply::empty(200);
    let own = shown.hand_out(&token.proof, &secret, call.platform.now(), &mut extra);
    let own = Own::of(Some(&right.id), &consent).with(own.as_deref(), None);
    let mut reply = hello::welcome(Some(own), call);
    reply.headers.0.extend(extra.headers.0);
    Ok(reply)
}
