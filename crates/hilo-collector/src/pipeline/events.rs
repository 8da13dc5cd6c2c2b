//! `POST /v1/batch`, `/v1/track` and similar paths: an envelope → its source → the stages → one outcome for each event.
//!
//! An envelope that can be read is answered with 200, and lists what was refused: many clients send again for ever what
//! is answered otherwise. A hello on the envelope is answered beside the outcomes.

use hilo_core::config::Source;
use hilo_core::event::{Facts, Trust};
use hilo_core::validate::{self, Envelope};

use super::claim::Claimant;
use super::entry::{Entry, counted_notices};
use super::greeting::Greeting;
use super::limits;
use crate::call::{Call, Trouble, secret};
use crate::ingest::hello::Hello;
use crate::ingest::proof::Shown;
use crate::ingest::welcome::{Own, Ridden};
use crate::ingest::{self, reply, welcome};
use crate::platform::{Platform, Reply};

/// Receives a batch, or one event whose type is part of the path.
pub(super) async fn take<P: Platform>(
    kind: Option<&str>,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let body = ingest::open(call.incoming)?;
    let envelope = match kind {
        Some(kind) => validate::read_single(&body, kind)?,
        None => validate::read_batch(&body)?,
    };
    let source = ingest::admit(call, envelope.write_key.as_deref())?;
    judge(&envelope, source, call).await
}

/// Receives a batch whose key stands in the address.
pub(super) async fn take_beacon<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let source = ingest::admit_by_address(call)?;
    let envelope = validate::read_batch(&ingest::open(call.incoming)?)?;
    judge(&envelope, source, call).await
}

async fn judge<P: Platform>(
    envelope: &Envelope,
    source: &Source,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    limits::check_key(source, call).await?;
    let facts = ingest::facts(call, source);
    let raw = envelope.hello.as_ref().filter(|_| facts.trust == Trust::Public);
    if let Some(hello) = raw.and_then(|raw| Hello::riding(raw, &call.loaded.config.identity)) {
        return judge_with(&hello, envelope, source, &facts, call).await;
    }
    let Call { loaded, platform, .. } = *call;
    let (entries, _) = super::run(envelope, None, source, &facts, loaded, platform).await?;
    Ok(answer(&entries, None))
}

/// Judges an envelope on which a page says hello.
async fn judge_with<P: Platform>(
    hello: &Hello,
    envelope: &Envelope,
    source: &Source,
    facts: &Facts,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let Call { loaded, platform, .. } = *call;
    let secret = secret(platform)?;
    let shown = Shown::of(Some(source), &secret, call);
    let spare = hello.spare();
    let claimant = Claimant { spare, ..Claimant::by_proof(&shown, &secret, call) };
    let greeting = Some(&Greeting { hello, claimant: &claimant });
    let (entries, right) = super::run(envelope, greeting, source, facts, loaded, platform).await?;
    let settings = welcome::settings(loaded);
    let Some(right) = right else {
        return Ok(answer(&entries, Some(Ridden { own: None, settings })));
    };
    let mut extra = Reply::empty(200);
    let (token, spare_proof) = claimant.hand_out(&right, &mut extra);
    let consent = right.recorded(platform).await?;
    let own = Own::of(Some(&right.id), &consent).with(token.as_deref(), spare_proof);
    let mut reply = answer(&entries, Some(Ridden { own: Some(own), settings }));
    reply.headers.0.extend(extra.headers.0);
    Ok(reply)
}

fn answer(entries: &[Entry], hello: Option<Ridden<'_>>) -> Reply {
    let outcomes =
        entries.iter().map(|entry| (entry.index, entry.message_id.as_deref(), &entry.outcome));
    let notices = counted_notices(entries).into_iter().map(|(entry, why, count)| reply::Notice {
        index: entry.index,
        message_id: entry.message_id.as_deref(),
        count,
        why,
    });
    reply::judged(outcomes, notices.collect(), hello)
}
