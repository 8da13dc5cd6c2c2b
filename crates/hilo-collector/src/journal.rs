//! What the pipeline tells the journal: every refusal, and every judged event while somebody watches.
//!
//! Items in, one [`JudgedCall`] out. Refusals are awaited, so that an answer never promises a reject log that is empty;
//! the live stream is deferred, so that watching costs the sender nothing. A journal that cannot be reached is logged and
//! holds up nobody: what was refused stands in the answer too.

use hilo_core::config::Source;
use hilo_core::outcome::{Outcome, Rejection};

use crate::calls::journal::{JournalCall, ask_journal};
use crate::calls::{JudgedCall, LiveEvent, Reject};
use crate::loaded::Loaded;
use crate::pipeline::Entry;
use crate::platform::{Failure, Platform, log_line};

/// Rejects of one envelope that are logged one by one. A sender that gets 2,500 events wrong learns it from these.
const REJECTS_MAX: usize = 100;

/// Notes a request that was refused as a whole.
pub async fn refused<P: Platform>(why: &Rejection, loaded: &Loaded, platform: &P) {
    note("rejected", why, loaded, platform).await;
}

/// Notes what is wrong with a request that was answered all the same.
pub async fn remarked<P: Platform>(why: &Rejection, loaded: &Loaded, platform: &P) {
    note("notice", why, loaded, platform).await;
}

async fn note<P: Platform>(outcome: &str, why: &Rejection, loaded: &Loaded, platform: &P) {
    let reject = reject(&platform.now().to_string(), "", outcome, why);
    tell(call(Vec::new(), vec![reject], loaded), platform).await;
}

/// Notes that a cart's call was refused for good.
pub async fn cart_refused<P: Platform>(
    code: &str,
    message: &str,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) {
    let reject = Reject {
        at: platform.now().to_string(),
        source: source.name.clone(),
        outcome: "rejected".to_owned(),
        code: code.to_owned(),
        message: message.to_owned(),
        ..Reject::default()
    };
    tell(call(Vec::new(), vec![reject], loaded), platform).await;
}

/// Notes what became of an envelope's items.
pub async fn judged<P: Platform>(items: &[Entry], source: &Source, loaded: &Loaded, platform: &P) {
    let at = platform.now().to_string();
    let rejects: Vec<Reject> =
        items.iter().flat_map(|item| rejects(&at, source, item)).take(REJECTS_MAX).collect();
    let live = if platform.is_watched() {
        items.iter().map(|item| live(&at, source, item)).collect()
    } else {
        Vec::new()
    };
    if !rejects.is_empty() {
        tell(call(live, rejects, loaded), platform).await;
    } else if !live.is_empty() {
        let (call, own) = (call(live, Vec::new(), loaded), platform.clone());
        platform.defer(async move { tell(call, &own).await });
    }
}

fn call(live: Vec<LiveEvent>, rejects: Vec<Reject>, loaded: &Loaded) -> JudgedCall {
    JudgedCall { live, rejects, rejects_days: loaded.config.retention.rejects_days }
}

async fn tell<P: Platform>(call: JudgedCall, platform: &P) {
    let told: Result<(), Failure> = ask_journal(platform, &JournalCall::Judged(call)).await;
    if let Err(failure) = told {
        platform.log(&log_line("warn", "journal", &[("why", failure.message())]));
    }
}

fn rejects<'i>(
    at: &'i str,
    source: &'i Source,
    item: &'i Entry,
) -> impl Iterator<Item = Reject> + 'i {
    let fate = item.outcome.rejection().map(|why| (item.outcome.name(), why));
    let notices = item.notices.iter().map(|notice| ("notice", notice));
    fate.into_iter().chain(notices).map(move |(outcome, why)| Reject {
        index: u32::try_from(item.index).ok(),
        message_id: item.message_id.clone(),
        item: item.redacted.clone(),
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

fn live(at: &str, source: &Source, item: &Entry) -> LiveEvent {
    let event = item.event.as_ref();
    let hilo = event.map(|event| &event.context.hilo);
    let page = event.and_then(|event| event.context.page.as_ref());
    LiveEvent {
        at: at.to_owned(),
        source: source.name.clone(),
        message_id: item.message_id.clone(),
        kind: event.map(|event| event.kind.name().to_owned()),
        name: event.and_then(|event| event.kind.label()).map(str::to_owned),
        anonymous_id: event.and_then(|event| event.anonymous_id.clone()),
        outcome: item.outcome.name().to_owned(),
        code: match &item.outcome {
            Outcome::Rejected(why) | Outcome::Dropped(why) => Some(why.code.name().to_owned()),
            Outcome::Accepted | Outcome::Duplicate => None,
        },
        channel: hilo.and_then(|hilo| hilo.channel),
        session: hilo.and_then(|hilo| hilo.session.as_ref()).map(|session| session.id.clone()),
        destinations: item.destinations.clone(),
        page: page.and_then(|page| page.url.clone()),
    }
}
