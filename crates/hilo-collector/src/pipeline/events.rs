//! `POST /v1/batch`, `/v1/track` and similar paths: an envelope → its source → the stages → one outcome for each event.
//!
//! An envelope that can be read is answered with 200, and lists what was refused: many clients send again for ever what
//! is answered otherwise.

use hilo_core::config::Source;
use hilo_core::validate::{self, Envelope};

use super::entry::counted_notices;
use super::limits;
use crate::call::{Call, Trouble};
use crate::ingest::{self, reply};
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
    let entries = super::run(envelope, source, &facts, call.loaded, call.platform).await?;
    let outcomes =
        entries.iter().map(|entry| (entry.index, entry.message_id.as_deref(), &entry.outcome));
    let notices = counted_notices(&entries).into_iter().map(|(entry, why, count)| reply::Notice {
        index: entry.index,
        message_id: entry.message_id.as_deref(),
        count,
        why,
    });
    Ok(reply::judged(outcomes, notices.collect()))
}
