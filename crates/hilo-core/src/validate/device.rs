//! Ids of the person's device: kept only where the source asks for them and the person allows advertising.
//!
//! `(event, source) → event`. An id of the device outlives every storage of a page or app, so it counts as advertising, whatever the
//! event itself needs. Remarks tell of an advertising id and of a push token. Libraries send the other fields by themselves with
//! every event, so those are left out without a remark.
//!
//! Ids that other services gave to the browser (`context.ids`) need no `device_ids`, because a page sends them on purpose. Each needs
//! the purpose that it is for.

use super::notes::Notes;
use crate::config::Source;
use crate::consent::{Decision, Purpose, decide};
use crate::event::Event;
use crate::outcome::Code;

/// Removes the ids that must not be kept.
pub(super) fn withhold(event: &mut Event, source: &Source, notes: &mut Notes) {
    let context = &mut event.context;
    let said = context.consent.as_ref().map(|claim| claim.state()).unwrap_or_default();
    let is_allowed = decide(&said, &[Purpose::Advertising]) == Decision::Pass;
    let why = match (source.device_ids, is_allowed) {
        (false, _) => "not asked for; it was left out: this source has no `device_ids = true`",
        (true, false) => "the person has not allowed advertising; it was left out",
        (true, true) => "the device's owner does not let apps use this id; it was left out",
    };
    let mut left_out = Vec::new();
    if let Some(device) = &mut context.device {
        // A device whose owner refuses the id sends zeros, which are one id for everybody, or an empty text.
        for id in [&mut device.id, &mut device.advertising_id, &mut device.token] {
            id.take_if(|id| id.bytes().all(|byte| matches!(byte, b'0' | b'-')));
        }
        let refuses = device.ad_tracking_enabled == Some(false);
        let is_kept = source.device_ids && is_allowed;
        if device.advertising_id.is_some() && (refuses || !is_kept) {
            device.advertising_id = None;
            left_out.push("context.device.advertisingId");
        }
        if device.token.is_some() && !is_kept {
            left_out.push("context.device.token");
        }
    }
    if !(source.device_ids && is_allowed) {
        context.remove_device_ids();
    }
    if !context.keep_ids_for(|purposes| decide(&said, purposes) == Decision::Pass) {
        let why = "the person has not allowed what one of these ids is for; it was left out";
        notes.remark(Code::NotKept, "context.ids", why);
    }
    for field in left_out {
        notes.remark(Code::NotKept, field, why);
    }
}
