//! Deliveries whose objects are asked first: those that were in the queue for long, and those that must not be sent twice.
//!
//! Deliveries → those that may be attempted. A person may have withdrawn, or had everything erased, after the object sent them. The
//! others leave no trace here: the object knows what became of their rows. An event is marked right before a request that its destination
//! would count twice, so that nobody sends it again after a crash. That costs a call for each profile of the batch.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::outside::Outside;
use super::results::Mark;
use crate::calls::{ASKED_AFTER_MS, Delivery, LEASE_MS, ProfileCall, UnderWay, ask_profile};
use crate::platform::{Platform, log_line};

/// The most objects that are asked at the same time.
const ASKED_AT_ONCE: usize = 16;

/// Leaves out what is not wanted any more. An object that does not answer gets its deliveries back when their leases have ended.
pub(super) async fn still_wanted<P: Platform>(
    deliveries: Vec<Delivery>,
    platform: &P,
) -> Vec<Delivery> {
    let now = platform.now();
    let (old, mut wanted): (Vec<_>, Vec<_>) =
        deliveries.into_iter().partition(|delivery| is_old(delivery, now));
    let mut profiles: BTreeMap<String, Vec<Delivery>> = BTreeMap::new();
    for delivery in old {
        profiles.entry(delivery.profile.clone()).or_default().push(delivery);
    }
    let asked = stream::iter(profiles).map(|(name, of_one)| ask(name, of_one, platform));
    let answers: Vec<Vec<Delivery>> = asked.buffer_unordered(ASKED_AT_ONCE).collect().await;
    wanted.extend(answers.into_iter().flatten());
    wanted
}

async fn ask<P: Platform>(
    profile: String,
    deliveries: Vec<Delivery>,
    platform: &P,
) -> Vec<Delivery> {
    let question = ProfileCall::Wanted(deliveries.iter().map(Delivery::under_way).collect());
    match ask_profile::<P, Vec<bool>>(platform, profile, &question).await {
        Ok(answers) => {
            let kept = deliveries.into_iter().zip(answers).filter(|(_, is_wanted)| *is_wanted);
            kept.map(|(delivery, _)| delivery).collect()
        }
        Err(failure) => {
            platform.log(&log_line("warn", "deliveries", &[("why", failure.message())]));
            Vec::new()
        }
    }
}

/// Marks deliveries whose requests their destination would count twice. One that must not be sent any more is [`Mark::Gone`]: somebody
/// else has marked it, or nobody wants it.
pub(super) async fn marked<S>(deliveries: &[&Delivery], outside: &Outside<'_, S>) -> Vec<Mark> {
    let mut profiles: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, one) in deliveries.iter().enumerate() {
        let name = one.profile.as_str();
        match profiles.iter_mut().find(|(known, _)| *known == name) {
            Some((_, places)) => places.push(at),
            None => profiles.push((name, vec![at])),
        }
    }
    let marks = RefCell::new(vec![Mark::Unanswered; deliveries.len()]);
    let mark = |(name, places): (&str, Vec<usize>)| {
        let asked = places.iter().filter_map(|at| deliveries.get(*at));
        let mark = Some(outside.mark_id.clone());
        let asked = asked.map(|one| UnderWay { mark: mark.clone(), ..one.under_way() }).collect();
        let answer = (outside.mark)(name.to_owned(), asked);
        let marks = &marks;
        async move {
            for (at, row) in places.into_iter().zip(answer.await.into_iter().flatten()) {
                if let Some(place) = marks.borrow_mut().get_mut(at) {
                    *place = row.map_or(Mark::Gone, Mark::Row);
                }
            }
        }
    };
    stream::iter(profiles).for_each_concurrent(ASKED_AT_ONCE, mark).await;
    marks.into_inner()
}

fn is_old(delivery: &Delivery, now: Timestamp) -> bool {
    let sent_ms = delivery.until_ms - LEASE_MS;
    now.as_millisecond() - sent_ms > ASKED_AFTER_MS
}
