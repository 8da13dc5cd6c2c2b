//! Batches: deliveries for one destination, grouped within the destination's limits.
//!
//! Deliveries → batches. Pure: this file sends nothing and judges no consent.

use std::cmp::Ordering;

use hilo_core::event::Event;

use super::destination::{BatchEvent, Limits, Mapped};
use crate::calls::Delivery;

/// A delivery and its parsed event.
pub(super) struct Outbound {
    pub(super) delivery: Delivery,
    pub(super) event: Event,
    /// What the deployer's rules say about the event.
    pub(super) mapped: Mapped,
}

impl Outbound {
    /// The event as a destination gets it.
    pub(super) fn as_event(&self) -> BatchEvent<'_> {
        let Outbound { delivery, event, mapped } = self;
        BatchEvent {
            event,
            source: delivery.source.as_deref(),
            person: delivery.person.as_deref(),
            mapped,
        }
    }
}

/// Groups deliveries. All events of a batch have done the same steps. They belong to one person if the destination does
/// not take several.
pub(super) fn batches(outbound: Vec<Outbound>, limits: &Limits) -> Vec<Vec<Outbound>> {
    // The list is sorted by insertion, which keeps equal items in their order. There are a few hundred items at most,
    // and the standard library's sort of such large values adds several KB to the script.
    let mut sorted: Vec<Outbound> = Vec::with_capacity(outbound.len());
    for one in outbound {
        let at = sorted.partition_point(|other| compare(other, &one, limits).is_le());
        sorted.insert(at, one);
    }
    let mut batches: Vec<Vec<Outbound>> = Vec::new();
    let mut bytes = 0;
    for one in sorted {
        let more = one.delivery.event.len();
        match batches.last_mut() {
            Some(open) if fits(open, &one, bytes + more, limits) => {
                open.push(one);
                bytes += more;
            }
            Some(_) | None => {
                batches.push(vec![one]);
                bytes = more;
            }
        }
    }
    batches
}

/// Compares two deliveries. If order matters, only time decides it: a change in the number of steps begins a new batch.
fn compare(one: &Outbound, other: &Outbound, limits: &Limits) -> Ordering {
    let by_person = match limits.mixes_people {
        true => Ordering::Equal,
        false => one.delivery.profile.cmp(&other.delivery.profile),
    };
    by_person.then_with(|| match limits.is_ordered {
        true => one.event.occurred_at.cmp(&other.event.occurred_at),
        false => one.delivery.steps.cmp(&other.delivery.steps),
    })
}

fn fits(open: &[Outbound], one: &Outbound, bytes: usize, limits: &Limits) -> bool {
    let has_room = open.len() < limits.events && bytes <= limits.bytes;
    has_room
        && open.last().is_some_and(|last| {
            last.delivery.steps == one.delivery.steps
                && (limits.mixes_people || last.delivery.profile == one.delivery.profile)
        })
}
