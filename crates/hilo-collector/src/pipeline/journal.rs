//! The pipeline's lines in the journal: every refusal, and the judged events for the live stream.
//!
//! Entries or a refusal → lines that the isolate gathers. No request waits for the journal: the isolate sends what it has
//! gathered from time to time. A sender needs no line to learn of a refusal, because the answer contains it too.

use hilo_core::config::Source;
use hilo_core::outcome::{Outcome, Rejection};
use hilo_core::validate::outline;
use jiff::Timestamp;

use super::entry::{Entry, counted_notices};
use crate::call::Call;
use crate::calls::journal::gathered::Gathered;
use crate::calls::journal::lines::{LiveEvent, Reject, RejectKind};
use crate::calls::journal::{note_rejects, show_events};
use crate::calls::refused::RefusedCode;
use crate::platform::{Platform, Tally};
use crate::signature::message_hash;

/// Writes the refusal of a whole call into the reject log.
pub(super) fn note_refusal<P: Platform>(why: &Rejection, call: &Call<'_, P>) {
    note("rejected", why, call);
}

/// Writes a remark on a call that succeeded into the reject log.
pub(super) fn note_remark<P: Platform>(why: &Rejection, call: &Call<'_, P>) {
    note("notice", why, call);
}

fn note<P: Platform>(outcome: &str, why: &Rejection, call: &Call<'_, P>) {
    let at = call.platform.now();
    note_rejects(call.platform, |gathered| {
        gathered.note_reject(kind("", outcome, why), || reject(&at.to_string(), "", outcome, why));
    });
}

/// Writes a cart's final refusal into the reject log.
pub(super) fn note_cart_refusal<P: Platform>(code: RefusedCode, source: &Source, platform: &P) {
    let reject = Reject {
        at: platform.now().to_string(),
        source: source.name.clone(),
        outcome: "rejected".to_owned(),
        code: code.name().to_owned(),
        message: code.message().to_owned(),
        ..Reject::default()
    };
    note_rejects(platform, |gathered| {
        gathered.note_reject(RejectKind::of(&reject), || reject);
    });
}

/// Writes a webhook's call that was not understood into the reject log, with the shape of its body.
pub(super) fn note_inbound<P: Platform>(
    outcome: &str,
    why: &Rejection,
    shape: Option<String>,
    source: &Source,
    platform: &P,
) {
    let at = platform.now().to_string();
    note_rejects(platform, |gathered| {
        gathered.note_reject(kind(&source.name, outcome, why), || Reject {
            item: shape,
            ..reject(&at, &source.name, outcome, why)
        });
    });
}

/// Writes the outcomes of an envelope's entries into the journal.
pub(super) fn note_outcomes<P: Platform>(entries: &[Entry], source: &Source, platform: &P) {
    if let Some(scope) = platform.scope() {
        scope.count(|tally| count(entries, source, tally));
    }
    let at = platform.now();
    let is_noted = |entry: &Entry| entry.outcome.rejection().is_some() || !entry.notices.is_empty();
    if entries.iter().any(is_noted) {
        note_rejects(platform, |gathered| note_entries(&at.to_string(), source, entries, gathered));
    }
    show_events(platform, |room| {
        let last = entries.iter().skip(entries.len().saturating_sub(room));
        last.map(|entry| live(at, source, entry)).collect()
    });
}

/// Counts what became of the entries, for the point of their request.
fn count(entries: &[Entry], source: &Source, tally: &mut Tally) {
    tally.source.clone_from(&source.name);
    for entry in entries {
        let [accepted, duplicate, rejected, dropped] = &mut tally.outcomes;
        *match &entry.outcome {
            Outcome::Accepted => accepted,
            Outcome::Duplicate => duplicate,
            Outcome::Rejected(_) => rejected,
            Outcome::Dropped(_) => dropped,
        } += 1;
        for why in entry.outcome.rejection().into_iter().chain(&entry.notices) {
            *tally.codes.entry(why.code.name()).or_default() += 1;
        }
    }
}

/// Notes the refusals of an envelope, and then its notices. A line is made only where it is kept.
fn note_entries(at: &str, source: &Source, entries: &[Entry], gathered: &mut Gathered) {
    let line = |entry: &Entry, outcome: &str, why: &Rejection| Reject {
        index: u32::try_from(entry.index).ok(),
        message_hash: entry.message_id.as_deref().map(message_hash),
        item: entry.redacted.clone(),
        ..reject(at, &source.name, outcome, why)
    };
    for entry in entries {
        if let Some(why) = entry.outcome.rejection() {
            let outcome = entry.outcome.name();
            let kind = kind(&source.name, outcome, why);
            gathered.note_reject(kind, || line(entry, outcome, why));
        }
    }
    for (entry, why, count) in counted_notices(entries) {
        gathered.note_reject(kind(&source.name, "notice", why), || {
            let mut notice = line(entry, "notice", why);
            if count > 1 {
                notice.message.push_str(&format!("; {count} times in this envelope"));
            }
            notice
        });
    }
}

fn kind(source: &str, outcome: &str, why: &Rejection) -> RejectKind {
    RejectKind {
        source: source.to_owned(),
        outcome: outcome.to_owned(),
        code: why.code.name().to_owned(),
    }
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

fn live(at: Timestamp, source: &Source, entry: &Entry) -> LiveEvent {
    let event = entry.event.as_ref();
    let hilo = event.map(|event| &event.context.hilo);
    let page = event.and_then(|event| event.context.page.as_ref());
    LiveEvent {
        seq: 0, // the isolate numbers its events
        at: at.to_string(),
        source: source.name.clone(),
        message_id: entry.message_id.clone(),
        kind: event.map(|event| event.kind.name().to_owned()),
        name: event.and_then(|event| event.kind.label()).map(str::to_owned),
        profile: entry.profile.clone(),
        anonymous_id: event.and_then(|event| event.anonymous_id.clone()),
        user_id: event.and_then(|event| event.user_id.clone().or_else(|| event.claimed_id.clone())),
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
    use crate::loaded::Loaded;
    use crate::pipeline::entry::NOTICES_MAX;

    fn rejects(entries: &[Entry]) -> Vec<Reject> {
        let mut gathered = Gathered::default();
        note_entries("now", &source(), entries, &mut gathered);
        gathered.take(0).unwrap().rejects
    }

    fn source() -> Source {
        Loaded::built_in(None).unwrap().config.sources[0].clone()
    }

    fn entry(index: usize, outcome: Outcome, notices: Vec<Rejection>) -> Entry {
        Entry {
            index,
            message_id: None,
            outcome,
            event: None,
            profile: String::new(),
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
        let rejects = rejects(&entries);
        assert_eq!((rejects[0].code.as_str(), rejects[0].index), ("no_consent", Some(100)));
        assert_eq!(rejects.len(), 1 + NOTICES_MAX);
    }

    #[test]
    fn equal_notices_of_an_envelope_are_one_entry_with_their_number() {
        let notice = || Rejection::at(Code::UnknownField, "surprise", "left out");
        let entries: Vec<_> =
            (0..10).map(|index| entry(index, Outcome::Accepted, vec![notice()])).collect();
        let rejects = rejects(&entries);
        let [only] = rejects.as_slice() else { panic!("{rejects:?}") };
        assert_eq!((only.index, only.outcome.as_str()), (Some(0), "notice"));
        assert_eq!(only.message, "left out; 10 times in this envelope");
    }
}
