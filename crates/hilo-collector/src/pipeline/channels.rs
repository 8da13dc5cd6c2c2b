//! Touchpoints of posts and channels → events without a person, checked and corrected like all others, each with its destinations.
//!
//! An event needs somebody, so the channel stands in for a person while it is checked, and is taken out again. Consent is the source's
//! legal basis. No profile gets these events: the feed's object keeps them.

use hilo_core::config::Source;
use hilo_core::event::{Facts, Trust};
use hilo_core::normalize;
use hilo_core::validate::{self, Envelope};
use serde_json::json;
use serde_json::value::RawValue;

use super::entry::Entry;
use super::journal;
use crate::calls::feed::{Touch, TouchRecord};
use crate::forward::{self, Configured};
use crate::loaded::Loaded;
use crate::platform::Platform;

/// Makes records of touchpoints. Returns them, and the number of those that were refused.
pub(super) fn records<P: Platform>(
    touches: &[Touch],
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> (Vec<TouchRecord>, u32) {
    let now = platform.now();
    let facts = Facts {
        received_at: now,
        random: platform.random16(),
        trust: Trust::Server,
        ..Facts::default()
    };
    let items = touches.iter().filter_map(|touch| item(touch, source)).collect();
    let envelope = Envelope { sent_at: Some(now), items, ..Envelope::default() };
    let judged = validate::check(&envelope, source, &loaded.config, &facts);
    let configured = Configured::all(&loaded.config.destinations);
    let (mut records, mut refused) = (Vec::new(), Vec::new());
    for (touch, one) in touches.iter().zip(judged) {
        let mut entry = Entry::from(one);
        let Some(mut event) = entry.event.take() else {
            refused.push(entry);
            continue;
        };
        normalize::apply(&mut event, &facts, &loaded.config.normalize);
        event.anonymous_id = None;
        let plans = forward::plan(&event, &configured);
        let destinations = plans.iter().map(|planned| planned.name.clone()).collect();
        let Ok(event) = serde_json::to_value(&event) else { continue };
        let (id, counters) = (touch.id.clone(), touch.counters.clone());
        records.push(TouchRecord { id, event, counters, destinations });
    }
    journal::note_outcomes(&refused, source, platform);
    (records, u32::try_from(refused.len()).unwrap_or(u32::MAX))
}

fn item(touch: &Touch, source: &Source) -> Option<Box<RawValue>> {
    let mut properties = touch.properties.clone();
    if let Some(counters) = &touch.counters {
        properties.insert("totals".to_owned(), json!(counters.totals));
    }
    let item = json!({
        "type": "track",
        "messageId": format!("{}:{}", source.name, touch.id),
        "anonymousId": format!("{}:{}", source.name, touch.channel),
        "event": touch.event,
        "timestamp": touch.occurred_at.to_string(),
        "properties": properties,
        "context": { "channel": "social" },
    });
    RawValue::from_string(item.to_string()).ok()
}
