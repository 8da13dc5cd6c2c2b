//! How fast one person's object takes calls. A call and the time → yes, or `Busy`.
//!
//! The buckets are only in memory: a restarted object has full ones. The brakes before the objects are the pipeline's.

use hilo_core::rate::{Bucket, Rate};
use jiff::Timestamp;

use crate::calls::{ConsentChange, ProfileCall};
use crate::platform::Failure;

/// Events under public keys. A tracker keeps a thousand events while it is offline and then sends them at once. A visitor who clicks
/// all the time makes ten a second (identity.md, abuse).
const EVENTS: Rate = Rate { per_s: 20, burst: 1_000 };
/// Choices and questions of the person: consent, opt-ins, the copy of the record. They have a bucket of their own, because whoever knows
/// an id can send events for it, and must not keep the person from withdrawing.
const CHOICES: Rate = Rate { per_s: 2, burst: 100 };

/// The buckets of one person.
#[derive(Debug, Default)]
pub(super) struct Rates {
    events: Bucket,
    choices: Bucket,
}

impl Rates {
    /// Counts a call of a stranger. Calls of hilo itself, of backends and of admins are not counted.
    pub(super) fn take(&mut self, call: &ProfileCall, now: Timestamp) -> Result<(), Failure> {
        let (bucket, rate, cost) = match call {
            ProfileCall::Record { is_public: true, records, .. } => {
                (&mut self.events, EVENTS, count(records))
            }
            // A report is an event, which whoever knows the id may send.
            ProfileCall::ConsentReports(changes) if !changes.iter().all(is_vouched) => {
                (&mut self.events, EVENTS, count(changes))
            }
            ProfileCall::Consent(_)
            | ProfileCall::OptIn(_)
            | ProfileCall::OptInLink { .. }
            | ProfileCall::Own { .. }
            | ProfileCall::ConsentCopy { .. } => (&mut self.choices, CHOICES, 1),
            // A claim without the proof changes nothing, and the person needs one to withdraw: a stranger must not use them up.
            ProfileCall::Claim(_)
            | ProfileCall::Adopt(_)
            | ProfileCall::Link(_)
            | ProfileCall::Take(_)
            | ProfileCall::Know { .. }
            | ProfileCall::Leave { .. }
            | ProfileCall::Unlearn(_)
            | ProfileCall::ArchiveKey
            | ProfileCall::Repoint { .. }
            | ProfileCall::ConsentStanding
            | ProfileCall::Record { .. }
            | ProfileCall::ConsentReports(_)
            | ProfileCall::Confirm { .. }
            | ProfileCall::Replay { .. }
            | ProfileCall::Wanted(_)
            | ProfileCall::Sending(_)
            | ProfileCall::Erase(_)
            | ProfileCall::Erasure
            | ProfileCall::Summary
            | ProfileCall::Events { .. }
            | ProfileCall::Receipts { .. }
            | ProfileCall::OptIns { .. }
            | ProfileCall::Deliveries { .. } => return Ok(()),
        };
        let taken = bucket.take(rate, cost, now.as_millisecond());
        taken.map_err(|after_s| Failure::Busy { after_s })
    }
}

/// Whether a backend sent the report.
fn is_vouched(change: &ConsentChange) -> bool {
    change.report.as_ref().is_some_and(|report| report.is_vouched)
}

fn count<T>(acts: &[T]) -> u32 {
    u32::try_from(acts.len()).unwrap_or(u32::MAX).max(1)
}
