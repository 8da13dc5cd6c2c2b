//! Deliveries that were in the queue for long: their objects are asked whether they are still wanted.
//!
//! Deliveries → those that may be attempted. A person may have withdrawn, or had everything erased, after the object sent them. The
//! others leave no trace here: the object knows what became of their rows.

use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

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
    let under_way = |one: &Delivery| UnderWay {
        row: one.row,
        message_id: one.message_id.clone(),
        destination: one.destination.clone(),
    };
    let question = ProfileCall::Wanted(deliveries.iter().map(under_way).collect());
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

fn is_old(delivery: &Delivery, now: Timestamp) -> bool {
    let sent_ms = delivery.until_ms - LEASE_MS;
    now.as_millisecond() - sent_ms > ASKED_AFTER_MS
}
