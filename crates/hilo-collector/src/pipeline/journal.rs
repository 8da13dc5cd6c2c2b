//! The pipeline's entries in the journal: every refusal, and every judged event while somebody watches.
//!
//! Entries or a refusal → one call of the journal. The pipeline awaits the write of a refusal, so that a sender who has
//! the answer finds the refusal in the reject log. The live stream is deferred, so that watching does not slow the
//! sender down. If the journal cannot be reached, the failure is logged and the answer is not delayed: the answer
//! contains the refusal too.

use hilo_core::config::Source;
use hilo_core::outcome::{Outcome, Rejection};

use super::entry::Entry;
use crate::call::Call;
use crate::calls::journal::{JournalCall, JudgedCall, LiveEvent, Reject, ask_journal};
use crate::calls::refused::RefusedCode;
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, log_line};

/// The most rejects of one envelope that are logged one by one. They are enough for a sender that gets 2,500 events
/// wrong.
const REJECTS_MAX: usize = 100;

/// Writes the refusal of a whole call into the reject log.
pub(super) async fn note_refusal<P: Platform>(why: &Rejection, call: &Call<'_, P>) {
    note("rejected", why, call).await;
}

/// Writes a remark on a call that succeeded into the reject log.
pub(super) async fn note_remark<P: Platform>(why: &Rejection, call: &Call<'_, P>) {
    note("notice", why, call).await;
}

async fn note<P: Platform>(outcome: &str, why: &Rejection, call: &Call<'_, P>) {
    let reject = reject(&call.platform.now().to_string(), "", outcome, why);
    write(judged(Vec::new(), vec![reject], call.loaded), call.platform).await;
}

/// Writes a cart's final refusal into the reject log.
pub(super) async fn note_cart_refusal<P: Platform>(
    code: RefusedCode,
    source: &Source,
    call: &Call<'_, P>,
) {
    let reject = Reject {
        at: call.platform.now().to_string(),
        source: source.name.clone(),
        outcome: "rejected".to_owned(),
        code: code.name().to_owned(),
        message: code.message().to_owned(),
        ..Reject::default()
    };
    write(judged(Vec::new(), vec![reject], call.loaded), call.platform).await;
}

/// Writes the outcomes of an envelope's entries into the journal.
pub(super) async fn note_outcomes<P: Platform>(
    entries: &[Entry],
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) {
    let at = platform.now().to_string();
    let rejects = entries.iter().flat_map(|entry| rejects(&at, source, entry));
    let rejects: Vec<Reject> = rejects.take(REJECTS_MAX).collect();
    let live = if platform.is_watched() {
        entries.iter().map(|entry| live(&at, source, entry)).collect()
    } else {
        Vec::new()
    };
    if !rejects.is_empty() {
        write(judged(live, rejects, loaded), platform).await;
    } else if !live.is_empty() {
        let (call, own) = (judged(live, Vec::new(), loaded), platform.clone());
        platform.defer(async move { write(call, &own).await });
    }
}

fn judged(live: Vec<LiveEvent>, rejects: Vec<Reject>, loaded: &Loaded) -> JudgedCall {
    JudgedCall { live, rejects, rejects_days: loaded.config.retention.rejects_days }
}

async fn write<P: Platform>(call: JudgedCall, platform: &P) {
    let written: Result<(), Failure> = ask_journal(platform, &JournalCall::Judged(call)).await;
    if let Err(failure) = written {
        platform.log(&log_line("warn", "journal", &[("why", failure.message())]));
    }
}

fn rejects<'i>(
    at: &'i str,
    source: &'i Source,
    entry: &'i Entry,
) -> impl Iterator<Item = Reject> + 'i {
    let fate = entry.outcome.rejection().map(|why| (entry.outcome.name(), why));
    let notices = entry.notices.iter().map(|notice| ("notice", notice));
    fate.into_iter().chain(notices).map(move |(outcome, why)| Reject {
        index: u32::try_from(entry.index).ok(),
        message_id: entry.message_id.clone(),
        item: entry.redacted.clone(),
        ..reject(at, &source.name, outcome, why)
    })
}

fn reject(at: &str, source: &str, outcome: &str, why: &Rejection) -> Reject {
    Reject {
        at: at.to_owned(),
        source: source.to_owned(),
        outcome: outcome.to_owned(),
        code: why.code.name().to_owned(),
        field: why.field.clone(),
        message: why.message.clone(),
        ..Reject::default()
    }
}

fn live(at: &str, source: &Source, entry: &Entry) -> LiveEvent {
    let event = entry.event.as_ref();
    let hilo = event.map(|event| &event.context.hilo);
    let page = event.and_then(|event| event.context.page.as_ref());
    LiveEvent {
        at: at.to_owned(),
        source: source.name.clone(),
        message_id: entry.message_id.clone(),
        kind: event.map(|event| event.kind.name().to_owned()),
        name: event.and_then(|event| event.kind.label()).map(str::to_owned),
        anonymous_id: event.and_then(|event| event.anonymous_id.clone()),
        outcome: entry.outcome.name().to_owned(),
        code: match &entry.outcome {
            Outcome::Rejected(why) | Outcome::Dropped(why) => Some(why.code.name().to_owned()),
            Outcome::Accepted | Outcome::Duplicate => None,
        },
        channel: hilo.and_then(|hilo| hilo.channel),
        session: hilo.and_then(|hilo| hilo.session.as_ref()).map(|session| session.id.clone()),
        destinations: entry.destinations.clone(),
        page: page.and_then(|page| page.url.clone()),
    }
}
