//! The pipeline's entries in the journal: every refusal, every judged event while somebody watches, else the last of them.
//!
//! Entries or a refusal → one call of the journal. The pipeline awaits the write of a refusal, so that a sender who has
//! the answer finds the refusal in the reject log. The live stream is deferred, so that watching does not slow the
//! sender down. If the journal cannot be reached, the failure is logged and the answer is not delayed: the answer
//! contains the refusal too.

use hilo_core::config::Source;
use hilo_core::outcome::{Outcome, Rejection};
use hilo_core::validate::outline;

use super::entry::{Entry, counted_notices};
use crate::call::Call;
use crate::calls::journal::{
    JournalCall, JudgedCall, LiveEvent, Reject, UNSEEN_MAX, ask_journal, keep_unseen, take_unseen,
};
use crate::calls::refused::RefusedCode;
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, log_line};

/// The most refusals of one envelope that are logged one by one. They are enough for a sender that gets 2,500 events
/// wrong.
const REFUSALS_MAX: usize = 100;

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
    let rejects = rejects(&at, source, entries);
    let is_watched = platform.is_watched();
    let shown = if is_watched { entries.len() } else { UNSEEN_MAX };
    let last = entries.iter().skip(entries.len().saturating_sub(shown));
    let fresh = last.map(|entry| live(&at, source, entry));
    let mut live = Vec::new();
    if is_watched || !rejects.is_empty() {
        live = take_unseen();
        live.extend(fresh);
    } else {
        keep_unseen(fresh);
    }
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

/// Lists the refusals of an envelope, and then its notices.
fn rejects(at: &str, source: &Source, entries: &[Entry]) -> Vec<Reject> {
    let of = |entry: &Entry, outcome: &str, why: &Rejection| Reject {
        index: u32::try_from(entry.index).ok(),
        message_id: entry.message_id.clone(),
        item: entry.redacted.clone(),
        ..reject(at, &source.name, outcome, why)
    };
    let refused = |entry: &Entry| {
        let outcome = &entry.outcome;
        outcome.rejection().map(|why| of(entry, outcome.name(), why))
    };
    let refusals = entries.iter().filter_map(refused).take(REFUSALS_MAX);
    let notices = counted_notices(entries).into_iter().map(|(entry, why, count)| {
        let mut notice = of(entry, "notice", why);
        if count > 1 {
            notice.message.push_str(&format!("; {count} times in this envelope"));
        }
        notice
    });
    refusals.chain(notices).collect()
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
        properties: event.and_then(|event| event.kind.details()).map(outline).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use hilo_core::outcome::Code;

    use super::*;
    use crate::pipeline::entry::NOTICES_MAX;

    fn source() -> Source {
        Loaded::built_in(None).unwrap().config.sources[0].clone()
    }

    fn entry(index: usize, outcome: Outcome, notices: Vec<Rejection>) -> Entry {
        Entry {
            index,
            message_id: None,
            outcome,
            event: None,
            destinations: Vec::new(),
            notices,
            redacted: None,
        }
    }

    #[test]
    fn a_flood_of_notices_hides_no_refusal() {
        let flood = |index| {
            let notice = |n| Rejection::at(Code::UnknownField, format!("f{index}.{n}"), "left out");
            entry(index, Outcome::Accepted, (0..16).map(notice).collect())
        };
        let mut entries: Vec<_> = (0..100).map(flood).collect();
        let refusal = Rejection::new(Code::NoConsent, "silence is not consent");
        entries.push(entry(100, Outcome::Rejected(refusal), Vec::new()));
        let rejects = rejects("now", &source(), &entries);
        assert_eq!((rejects[0].code.as_str(), rejects[0].index), ("no_consent", Some(100)));
        assert_eq!(rejects.len(), 1 + NOTICES_MAX);
    }

    #[test]
    fn equal_notices_of_an_envelope_are_one_entry_with_their_number() {
        let notice = || Rejection::at(Code::UnknownField, "surprise", "left out");
        let entries: Vec<_> =
            (0..10).map(|index| entry(index, Outcome::Accepted, vec![notice()])).collect();
        let rejects = rejects("now", &source(), &entries);
        let [only] = rejects.as_slice() else { panic!("{rejects:?}") };
        assert_eq!((only.index, only.outcome.as_str()), (Some(0), "notice"));
        assert_eq!(only.message, "left out; 10 times in this envelope");
    }
}
