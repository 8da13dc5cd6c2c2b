//! From bytes to judged events: one envelope in, exactly one [`Judged`] per item out, in order.
//!
//! Reading order: `inflate` → `decode` (envelope) → `strict` (one item, hostile until proven otherwise) → `merge`
//! (the envelope's context) → `shape` (the field table) → `build` (ids, times, kind) → `gate` (consent). An item
//! that fails harms only itself. Corrects nothing that a sender got right: clocks, URLs and the like are `normalize`'s.

mod build;
mod decode;
mod gate;
mod inflate;
mod merge;
mod redacted;
mod shape;
mod strict;

pub use decode::{read_batch, read_object, read_single};
pub use inflate::inflate;

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::config::Source;
use crate::event::{Event, Facts};
use crate::outcome::{Code, Outcome, Rejection};

/// Remarks kept per item; the ones after it say nothing that the first did not.
pub const NOTICES_MAX: usize = 16;
/// Bytes of a redacted item in the reject log.
pub const REDACTED_BYTES_MAX: usize = 1_024;
/// Bytes of an envelope's shared `context` or `integrations`. They are copied into each of up to 2,500 events, so
/// this bound is what keeps one request from filling the 128 MB of a Worker.
pub const SHARED_BYTES_MAX: usize = 8 * 1024;

/// What was posted, opened as far as its items: each of them is still raw text.
#[derive(Debug, Default)]
pub struct Envelope {
    /// The write key, if the body carried it.
    pub write_key: Option<String>,
    /// Page clock at flush.
    pub sent_at: Option<Timestamp>,
    /// Context that every item shares.
    pub context: Option<Value>,
    /// Integrations that every item shares.
    pub integrations: Option<Value>,
    /// The items, unread.
    pub items: Vec<Box<RawValue>>,
    /// One message posted to its own path, rather than a batch.
    pub single: bool,
    /// The type that the path of a single message stands for.
    pub kind: Option<String>,
    /// Remarks on the envelope itself. [`check`] hands them to the first item.
    pub notices: Vec<Rejection>,
}

/// An item after validation.
#[derive(Debug)]
pub struct Judged {
    /// Its place in the envelope.
    pub index: usize,
    /// Its id, as sent or as minted; absent if the item was too broken to have one.
    pub message_id: Option<String>,
    /// Whether it goes on.
    pub verdict: Verdict,
    /// Remarks on an item, kept or not.
    pub notices: Vec<Rejection>,
    /// The item's shape without its values, at most [`REDACTED_BYTES_MAX`], for the reject log. Absent unless the
    /// item shows that it may be stored at all: without consent not even a shape is kept.
    pub redacted: Option<String>,
}

/// Whether an item goes on.
#[derive(Debug)]
pub enum Verdict {
    /// On to normalize.
    Pass(Box<Event>),
    /// This is its end.
    Out(Outcome),
}

/// Judges every item of `envelope`: exactly one answer per item, in order.
///
/// Structure is judged before consent, so that a sender learns of a mistake whatever the visitor said; but what is
/// not consented to leaves no trace of its content.
///
/// A consent that is missing or unreadable is the sender's fault (`Rejected`); one that says no is the visitor's will
/// (`Dropped`).
pub fn check(envelope: &Envelope, source: &Source, facts: &Facts) -> Vec<Judged> {
    let mut seen = BTreeSet::new();
    let mut judged = Vec::with_capacity(envelope.items.len());
    for (index, raw) in envelope.items.iter().enumerate() {
        let item = Item { index, raw: raw.get(), envelope, source, facts };
        let mut one = judge(&item, &mut seen);
        if index == 0 {
            one.notices.splice(0..0, envelope.notices.iter().cloned());
        }
        judged.push(one);
    }
    judged
}

/// One item with all that is known around it.
struct Item<'a> {
    index: usize,
    raw: &'a str,
    envelope: &'a Envelope,
    source: &'a Source,
    facts: &'a Facts,
}

/// Remarks and cuts collected on the way through an item.
#[derive(Default)]
struct Notes {
    notices: Vec<Rejection>,
    truncated: Vec<String>,
}

impl Notes {
    fn remark(&mut self, code: Code, field: &str, message: &str) {
        if self.notices.len() < NOTICES_MAX {
            self.notices.push(Rejection::at(code, field, message));
        }
    }

    fn cut(&mut self, field: &str) {
        if self.truncated.len() < NOTICES_MAX {
            self.truncated.push(field.to_owned());
        }
        self.remark(Code::Truncated, field, "longer than its limit; the rest was cut off");
    }
}

fn judge(item: &Item<'_>, seen: &mut BTreeSet<String>) -> Judged {
    let mut notes = Notes::default();
    let mut shows_consent = false;
    let outcome = match examine(item, &mut notes, &mut shows_consent) {
        Ok(event) => {
            let message_id = Some(event.message_id.clone());
            let (index, mut notices) = (item.index, notes.notices);
            let verdict = if seen.insert(event.message_id.clone()) {
                Verdict::Pass(Box::new(event))
            } else {
                notices.push(Rejection::at(
                    Code::DuplicateId,
                    "messageId",
                    "this id is already in the same envelope; the first event with it counts",
                ));
                Verdict::Out(Outcome::Duplicate)
            };
            return Judged { index, message_id, verdict, notices, redacted: None };
        }
        Err(outcome) => outcome,
    };
    Judged {
        index: item.index,
        message_id: decode::peek_message_id(item.raw),
        verdict: Verdict::Out(outcome),
        notices: if shows_consent { notes.notices } else { Vec::new() },
        redacted: if shows_consent { redacted::shape_of(item.raw) } else { None },
    }
}

/// The stages of one item, in order.
fn examine(item: &Item<'_>, notes: &mut Notes, shows_consent: &mut bool) -> Result<Event, Outcome> {
    let mut message = strict::read_item(item.raw).map_err(Outcome::Rejected)?;
    merge::share(&mut message, item.envelope, item.index);
    gate::apply_basis(&mut message, item.source);
    *shows_consent = gate::may_be_logged(&message, item.facts);
    shape::check(&mut message, notes).map_err(Outcome::Rejected)?;
    let mut event = build::build(message, item, notes).map_err(Outcome::Rejected)?;
    gate::pass(&mut event, item.facts)?;
    event.context.hilo.truncated = std::mem::take(&mut notes.truncated);
    Ok(event)
}
