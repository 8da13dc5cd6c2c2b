//! `/v1/consent`: a change → the profile's record → the receipt. A GET answers the person's copy of the record. An event that
//! reports a changed consent is recorded in the same way.

use std::collections::BTreeMap;

use hilo_core::consent::Purpose;
use hilo_core::event::Facts;
use hilo_core::identity::ProfileKey;
use hilo_core::outcome::{Code, Outcome, Rejection};

use super::at_once;
use super::cart::withdraw;
use super::claim::{Claimant, Right, not_yours};
use super::entry::{Entry, erased};
use super::journal;
use super::limits;
use super::progress::Mark;
use super::user::{accompanying_user, lapsed_user};
use crate::call::{Call, Trouble, secret};
use crate::calls::{
    ConsentChange, ConsentCopy, ConsentRecorded, ProfileCall, ReportTaken, ask_profile,
};
use crate::ingest::proof::Shown;
use crate::ingest::welcome::Own;
use crate::ingest::{self, consent, hello, reply};
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, Reply};
use crate::signature::object_name;

/// Records a change: for the device, for the verified user, and in the cart.
pub(super) async fn change<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    ingest::require_header(call.incoming)?;
    let (body, source) = ingest::open_object(call)?;
    let secret = secret(call.platform)?;
    let body: consent::Body = hello::read(body)?;
    consent::check(&body, &call.loaded.config.identity)?;
    if !body.says("denied") {
        limits::check_key(source, call).await?;
    }
    let shown = Shown::of(Some(source), &secret, call);
    // A token that cannot be verified now does not keep the device's own choice from being recorded.
    let user = accompanying_user(call).await;
    let known = user.as_ref().ok().and_then(Option::as_ref).filter(|_| body.allows_id());
    let is_server = source.is_server();
    let spare = body.spare();
    let claimant = Claimant { is_server, shown: &shown, spare, user: known, secret: &secret, call };
    let (right, unproved) = right_to(&body, &claimant).await?;
    let record = async |key: ProfileKey| {
        let change = ProfileCall::Consent(body.change(&key, &secret, call));
        ask_profile(call.platform, object_name(secret.naming(), &key), &change).await
    };
    // Without an id nothing is known of the visitor, so there is nothing to record and no object to make.
    let mut recorded = ConsentRecorded::default();
    if let Some(Right { id, .. }) = &right {
        recorded = record(ProfileKey::Anonymous(id.clone())).await?;
        if recorded.is_erased {
            return Err(erased().into());
        }
    }
    let mut user = user.clone()?;
    if user.is_none() && right.is_some() && !body.says("granted") {
        user = lapsed_user(call).await;
    }
    if let Some(user) = &user {
        let key = ProfileKey::User(user.id.clone());
        let moved = right.as_ref().and_then(|right| right.moved.as_ref());
        // The choice of a device that is linked to this user is recorded there already.
        if moved != Some(&object_name(secret.naming(), &key)) {
            let _: ConsentRecorded = record(key).await?;
        }
    }
    if body.denies(Purpose::Analytics) {
        // The cart may know the device by the id that is not proved, so then every device of the cart is meant.
        let device = right.as_ref().filter(|_| unproved.is_none()).map(|right| right.id.as_str());
        let user = user.as_ref().map(|user| user.id.as_str());
        withdraw(device, user, source, &secret, call).await?;
    }
    let refusal = consent::outdated(&recorded);
    let why = unproved.as_ref().or(refusal.as_ref());
    why.into_iter().for_each(|why| journal::note_refusal(why, call));
    let keeps_id = consent::keeps_id(&body, &recorded);
    let mut extra = Reply::empty(200);
    if !keeps_id {
        shown.take_back(call, &mut extra);
    }
    let mut reply = if let Some(why) = &unproved {
        reply::refused(why)
    } else {
        let kept = right.as_ref().filter(|right| keeps_id && right.proof.is_some());
        let (token, spare_proof) =
            kept.map(|right| claimant.hand_out(right, &mut extra)).unwrap_or_default();
        let own = Own::of(kept.map(|right| right.id.as_str()), &recorded.consent);
        consent::reply(&recorded, refusal.as_ref(), own.with(token.as_deref(), spare_proof))
    };
    reply.headers.0.extend(extra.headers.0);
    Ok(reply)
}

/// Finds the id for which a change is recorded. A change that grants nothing is not stopped by an id that is another's: it is
/// recorded for the id of the proof, and the refusal comes back beside it, for the answer.
async fn right_to<P: Platform>(
    body: &consent::Body,
    claimant: &Claimant<'_, P>,
) -> Result<(Option<Right>, Option<Rejection>), Trouble> {
    let (own, allows_id) = (body.anonymous_id.as_deref(), body.allows_id());
    let may_bind = allows_id || body.keeps_id == Some(true);
    match claimant.named(own, may_bind).await {
        Ok(None) if own.is_none() && allows_id => Ok((Some(claimant.any(None).await?), None)),
        Ok(right) => Ok((right, None)),
        Err(Trouble::Refused(why)) if !body.says("granted") => {
            Ok((claimant.named(None, false).await?, Some(why)))
        }
        Err(trouble) => Err(trouble),
    }
}

/// Answers the person's copy: the state, and one page of receipts. Only the proof of an id opens it.
pub(super) async fn copy<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let secret = secret(call.platform)?;
    let shown = Shown::of(None, &secret, call);
    let claimant = Claimant::by_proof(&shown, &secret, call);
    let right = claimant.named(None, false).await?.ok_or_else(|| {
        Rejection::new(Code::Unauthorized, "the proof of an id is missing or not ours")
    })?;
    let name = object_name(secret.naming(), &ProfileKey::Anonymous(right.id));
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
    // The changes of each profile, each with the place of its entry.
    let mut profiles: BTreeMap<ProfileKey, (Vec<usize>, Vec<ConsentChange>)> = BTreeMap::new();
    for (at, entry) in entries.iter_mut().enumerate().filter(|(_, entry)| is_report(entry)) {
        let Some(event) = entry.event.take() else { continue };
        // A person and their device have a record each. Both must have heard a denial.
        let user = event.user_id.clone().map(ProfileKey::User);
        let device = event.anonymous_id.clone().map(ProfileKey::Anonymous);
        for key in [user, device].into_iter().flatten() {
            // A report that names no purpose has no change.
            if let Some(change) = consent::reported(&event, &key, facts, &secret, loaded, platform)
            {
                let (places, changes) = profiles.entry(key).or_default();
                places.push(at);
                changes.push(change);
            }
        }
    }
    let is_large = at_once::is_large(profiles.len(), facts);
    let calls = profiles.into_iter().map(|(key, (places, changes))| {
        let name = object_name(secret.naming(), &key);
        let reports = changes.iter().filter_map(|change| change.report.as_ref());
        let ids = reports.map(|report| report.message_id.as_str());
        let mark = is_large.then(|| Mark::of("reports", &name, ids));
        let call = ProfileCall::ConsentReports(changes);
        async move {
            if mark.is_some_and(|mark| mark.is_stored(facts.received_at)) {
                return Ok(Vec::new());
            }
            let taken: Option<Vec<ReportTaken>> = ask_profile(platform, name, &call).await?;
            mark.into_iter().for_each(|mark| mark.note(facts.received_at));
            Ok(places.into_iter().zip(taken.unwrap_or_default()).collect())
        }
    });
    let taken: Vec<Vec<(usize, ReportTaken)>> =
        at_once::all(calls, facts.received_at, platform).await?;
    for (at, taken) in taken.into_iter().flatten() {
        let why = match taken {
            ReportTaken::Taken => continue,
            ReportTaken::NotYours => not_yours(),
            ReportTaken::Erased => erased(),
        };
        if let Some(entry) = entries.get_mut(at) {
            entry.outcome = Outcome::Rejected(why);
        }
    }
    Ok(())
}
