//! `/v1/consent`: a change → the profile's record → the receipt. A GET answers the person's copy of the record. An event that
//! reports a changed consent is recorded in the same way.

use std::collections::BTreeMap;

use hilo_core::event::Facts;
use hilo_core::identity::ProfileKey;

use super::at_once;
use super::entry::Entry;
use super::progress::Mark;
use crate::call::{Call, Trouble, secret};
use crate::calls::{ConsentChange, ConsentCopy, ProfileCall, ask_profile};
use crate::ingest::{self, consent, cookie, hello};
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, Reply};
use crate::signature::object_name;

/// Records a change.
pub(super) async fn change<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let secret = secret(call.platform)?;
    let accepted = consent::accept(hello::read(body)?, &secret, call)?;
    let name = object_name(secret.naming(), &accepted.key);
    let change = ProfileCall::Consent(accepted.change.clone());
    let recorded = ask_profile(call.platform, name, &change).await?;
    Ok(cookie::keep_from_apps(consent::receipt(&accepted, &recorded, &secret, call), source))
}

/// Answers the person's copy: the state, and one page of receipts.
pub(super) async fn copy<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let secret = secret(call.platform)?;
    let name = object_name(secret.naming(), &consent::whose(&secret, call)?);
    let question = ProfileCall::ConsentCopy { cursor: call.incoming.query_value("cursor") };
    let copy: ConsentCopy = ask_profile(call.platform, name, &question).await?;
    Ok(consent::copy(&copy))
}

/// Records the changes that events among `entries` report. Nothing but the choice is kept of such an event.
///
/// The changes are recorded before the other events of the envelope are stored: an event that claims consent beside a report
/// of a denial is refused, whatever their order.
///
/// # Errors
/// A failure if a change is not known to be durable.
pub(super) async fn record_reports<P: Platform>(
    entries: &mut [Entry],
    facts: &Facts,
    loaded: &Loaded,
    platform: &P,
) -> Result<(), Failure> {
    let is_report =
        |entry: &Entry| entry.event.as_ref().is_some_and(|event| event.kind.is_consent_change());
    if !entries.iter().any(is_report) {
        return Ok(());
    }
    let secret = secret(platform)?;
    let mut profiles: BTreeMap<ProfileKey, Vec<ConsentChange>> = BTreeMap::new();
    for entry in entries.iter_mut().filter(|entry| is_report(entry)) {
        let Some(event) = entry.event.take() else { continue };
        // A person and their device have a record each. Both must have heard a denial.
        let user = event.user_id.clone().map(ProfileKey::User);
        let device = event.anonymous_id.clone().map(ProfileKey::Anonymous);
        for key in [user, device].into_iter().flatten() {
            let change = consent::reported(&event, &key, facts, &secret, loaded, platform);
            profiles.entry(key).or_default().extend(change);
        }
    }
    // A report that names no purpose has no change.
    profiles.retain(|_, changes| !changes.is_empty());
    let is_large = at_once::is_large(profiles.len(), facts);
    let calls = profiles.into_iter().map(|(key, changes)| {
        let name = object_name(secret.naming(), &key);
        let reports = changes.iter().filter_map(|change| change.report.as_ref());
        let ids = reports.map(|report| report.message_id.as_str());
        let mark = is_large.then(|| Mark::of("reports", &name, ids));
        let call = ProfileCall::ConsentReports(changes);
        async move {
            if mark.is_some_and(Mark::is_stored) {
                return Ok(());
            }
            let () = ask_profile(platform, name, &call).await?;
            mark.into_iter().for_each(Mark::note);
            Ok(())
        }
    });
    let _: Vec<()> = at_once::all(calls, facts.received_at, platform).await?;
    Ok(())
}
