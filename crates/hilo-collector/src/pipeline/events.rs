//! `POST /v1/batch`, `/v1/track` and similar paths: an envelope → its source → the stages → one outcome for each event.

use hilo_core::config::Source;
use hilo_core::outcome::{Outcome, Rejection};
use hilo_core::validate::{self, Envelope};

use super::entry::{Entry, counted_notices};
use crate::call::{Call, Trouble};
use crate::ingest::{self, reply};
use crate::platform::{Platform, Reply};

/// Receives a batch, or one event whose type is part of the path.
pub(super) async fn take<P: Platform>(
    kind: Option<&str>,
    call: &Call<'_, P>,
) -> Result<Reply, Trouble> {
    let (envelope, source) = open(kind, call)?;
    let facts = ingest::facts(call, source);
    let entries = super::run(&envelope, source, &facts, call.loaded, call.platform).await?;
    if let (true, [Entry { outcome: Outcome::Rejected(why) | Outcome::Dropped(why), .. }]) =
        (envelope.single, entries.as_slice())
    {
        // `run` has written it into the journal already.
        return Ok(reply::refused(why));
    }
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

/// Reads the envelope and finds its source.
fn open<'l, P: Platform>(
    kind: Option<&str>,
    call: &Call<'l, P>,
) -> Result<(Envelope, &'l Source), Rejection> {
    let body = ingest::open(call.incoming)?;
    let envelope = match kind {
        Some(kind) => validate::read_single(&body, kind)?,
        None => validate::read_batch(&body)?,
    };
    let source = ingest::admit(call, envelope.write_key.as_deref())?;
    Ok((envelope, source))
}
