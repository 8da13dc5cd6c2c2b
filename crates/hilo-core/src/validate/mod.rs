//! From bytes to judged events: one envelope in, exactly one [`Judged`] per item out, in order.
//!
//! Reading order: `inflate` → `decode` (envelope) → [`crate::strict`] (one item) → `merge` (the envelope's context) →
//! `categories` (consent in hilo's purposes) → `cookies` (ids of other services) → `shape` (the field table) → `build` (ids, times,
//! kind) → `gate` (consent) → `device` (ids of the device) → `persons` (how many an envelope is about). A refused item changes nothing
//! for other items. Does not correct clocks or URLs: `normalize` does.

mod build;
mod categories;
mod cookies;
mod decode;
mod device;
mod envelope;
mod gate;
mod inflate;
mod judged;
mod merge;
mod notes;
mod persons;
mod posted;
mod redacted;
mod shape;
mod time;

pub use crate::strict::read_object;
pub use decode::{read_batch, read_single};
pub use envelope::{Envelope, SHARED_BYTES_MAX};
pub use inflate::inflate;
pub use judged::Judged;
pub use notes::NOTICES_MAX;
pub use redacted::{REDACTED_BYTES_MAX, outline, outline_of};

use std::collections::BTreeSet;

use crate::config::{Config, Source};
use crate::event::{Event, Facts};
use crate::outcome::{Code, Outcome, Rejection};
use crate::strict::read_item;
use notes::{NOT_A_NUMBER, Notes};
use persons::Persons;
use posted::PostedEvent;

/// Judges every item of `envelope`: exactly one result per item, in order.
///
/// Structure is checked before consent, so that a sender learns of a mistake even where the visitor said no. The content of an
/// item without consent leaves no trace.
///
/// A missing or unreadable consent is the sender's fault (`Rejected`). A denial is the visitor's will (`Dropped`).
pub fn check(envelope: &Envelope, source: &Source, config: &Config, facts: &Facts) -> Vec<Judged> {
    let (mut seen, mut told) = (BTreeSet::new(), BTreeSet::new());
    let mut persons = Persons::of(facts.trust);
    let mut judged = Vec::with_capacity(envelope.items.len());
    for (index, raw) in envelope.items.iter().enumerate() {
        let posted = PostedEvent { index, raw: raw.get(), envelope, source, config, facts };
        let mut one = judge(&posted, &mut seen);
        persons.admit(&mut one);
        // Every event of a phone has the same fields, so one remark per envelope is enough.
        one.notices
            .retain(|notice| notice.code != Code::NotKept || told.insert(notice.field.clone()));
        if index == 0 {
            one.notices.splice(0..0, envelope.notices.iter().cloned());
        }
        judged.push(one);
    }
    judged
}

fn judge(posted: &PostedEvent<'_>, seen: &mut BTreeSet<String>) -> Judged {
    let mut notes = Notes::default();
    let mut shows_consent = false;
    let outcome = match examine(posted, &mut notes, &mut shows_consent) {
        Ok(event) => {
            let message_id = Some(event.message_id.clone());
            let (index, mut notices) = (posted.index, notes.notices);
            let result = if seen.insert(event.message_id.clone()) {
                Ok(Box::new(event))
            } else {
                notices.push(Rejection::at(
                    Code::DuplicateId,
                    "messageId",
                    "this id is already in the same envelope; the first event with it counts",
                ));
                Err(Outcome::Duplicate)
            };
            return Judged { index, message_id, result, notices, redacted: None };
        }
        Err(outcome) => outcome,
    };
    Judged {
        index: posted.index,
        message_id: decode::peek_message_id(posted.raw),
        result: Err(outcome),
        notices: if shows_consent { notes.notices } else { Vec::new() },
        redacted: if shows_consent { redacted::shape_of(posted.raw) } else { None },
    }
}

/// The stages of one item, in order.
fn examine(
    posted: &PostedEvent<'_>,
    notes: &mut Notes,
    shows_consent: &mut bool,
) -> Result<Event, Outcome> {
    let mut lost = Vec::new();
    let mut message = read_item(posted.raw, &mut lost).map_err(Outcome::Rejected)?;
    for field in lost {
        notes.remark(Code::NotANumber, &field, NOT_A_NUMBER);
    }
    build::read_action(&mut message);
    merge::share(&mut message, posted.envelope, posted.index, notes);
    let unknown = categories::translate(&mut message, &posted.config.consent.categories)
        .map_err(Outcome::Rejected)?;
    cookies::read(&mut message);
    let basis = gate::apply_basis(&mut message, posted.source, &unknown);
    *shows_consent = gate::may_be_logged(&message);
    shape::check(&mut message, posted.raw, notes).map_err(Outcome::Rejected)?;
    let mut event = build::build(message, posted, notes).map_err(Outcome::Rejected)?;
    gate::pass(&mut event, posted.facts, &unknown, notes)?;
    if let Some(claim) = &mut event.context.consent {
        claim.basis = basis.map(|basis| basis.name().to_owned());
    }
    device::withhold(&mut event, posted.source, notes);
    event.context.hilo.truncated = std::mem::take(&mut notes.truncated);
    Ok(event)
}
