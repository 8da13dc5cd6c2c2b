//! What the feeds of social networks share: the names of touchpoints of posts and channels, and their counters.
//!
//! Counters of a post and a day → one touchpoint. The object of the feed adds the differences to the totals before.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::words::members;
use crate::calls::feed::{Counters, Touch};

/// A post is in its network.
pub(super) const PUBLISHED: &str = "social_post_published";
/// A post will not be there.
pub(super) const FAILED: &str = "social_post_failed";
/// What a network has counted of a post.
const MEASURED: &str = "social_post_metrics";
/// What a network has counted of a channel in one day.
const CHANNEL_MEASURED: &str = "social_channel_metrics";
/// The most counters of one touchpoint. Networks have some twenty.
const COUNTERS_MAX: usize = 64;

/// The day of a time, in UTC.
pub(super) fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}

/// A post's counters. Totals of a day are told once; the rest of the day's change is part of the next day's.
pub(super) fn counted(
    post: &str,
    counted_at: Timestamp,
    (channel, properties): (&str, Map<String, Value>),
    totals: Vec<(String, f64)>,
) -> Option<Touch> {
    let totals = bounded(totals)?;
    let counters = Some(Counters { of: format!("post:{post}"), totals });
    Some(Touch {
        id: format!("metrics:{post}:{}", day(counted_at)),
        event: MEASURED.to_owned(),
        occurred_at: counted_at,
        channel: channel.to_owned(),
        properties,
        counters,
    })
}

/// A channel's counters of one day. They are the day's own, so they have no differences.
pub(super) fn of_channel(channel: &str, day: &str, totals: Vec<(String, f64)>) -> Option<Touch> {
    let totals = bounded(totals)?;
    let properties = members([
        ("channel_id", Some(channel.into())),
        ("day", Some(day.into())),
        ("totals", Some(json!(totals))),
    ]);
    Some(Touch {
        id: format!("channel:{channel}:{day}"),
        event: CHANNEL_MEASURED.to_owned(),
        occurred_at: format!("{day}T00:00:00Z").parse().ok()?,
        channel: channel.to_owned(),
        properties,
        counters: None,
    })
}

/// Counters that are numbers; `None` where there is none.
fn bounded(totals: Vec<(String, f64)>) -> Option<BTreeMap<String, f64>> {
    let finite = totals.into_iter().filter(|(_, total)| total.is_finite());
    let totals: BTreeMap<String, f64> = finite.take(COUNTERS_MAX).collect();
    (!totals.is_empty()).then_some(totals)
}
