//! The sending half of the tracker: the next request, and the effect of an answer.
//! Consent records go before events. Nothing is removed before the collector has judged it.

use hilo_core::consent::{Choice, Purpose};
use hilo_core::identity::is_reserved;
use hilo_core::outcome::Code;
use hilo_core::text::{concat, cut};

use super::flight::{ConsentRecord, Flight};
use super::{ASKED_AGAIN_MAX, ID_KEY, TOKEN_KEY, Tracker, Visitor, envelope};
use crate::gate::CONSENT_DENIED;
use crate::json::{number, read_number};
use crate::platform::{Answer, Call, Platform, Request};
use crate::queue::Counts;
use crate::transport::BatchFate;

/// Bytes of one request: browsers let 64 KiB in flight outlive their page, all requests together (Fetch, keepalive).
const REQUEST_BYTES_MAX: usize = 56 * 1024;
/// Bytes of a request that belong to the envelope's header.
const HEADER_BYTES: usize = 2 * 1024;
/// A page's first events and orders wait this long for others of the same moment. A short visit is seen nevertheless.
const SOON_MS: i64 = 10;
/// Later events wait this long, so that several go together. Meanwhile they are in storage, and they leave when the page is hidden:
/// after a crash alone they wait for the next visit.
pub(super) const TOGETHER_MS: i64 = 5_000;
/// Consent records that may wait.
const RECORDS_MAX: usize = 20;
/// Prefix of the records' storage keys. A denial is stored without consent too: it is the visitor's own refusal.
const RECORD_PREFIX: &str = "hilo.r.";
const GRANT_PREFIX: &str = "hilo.r.g";
const DENIAL_PREFIX: &str = "hilo.r.d";
/// The answer to an id without its proof.
const NOT_YOURS: &str = Code::NotYours.name();
/// The answer to an id whose visitor had everything erased.
const ERASED: &str = Code::Erased.name();

impl<P: Platform> Tracker<P> {
    /// Keeps a change for the ledger, beyond the page's end. `base` is the revision that the page knew before.
    pub(super) fn record(&mut self, changed: &[Purpose], choice: Choice, base: u32) {
        let at = self.platform.iso(self.platform.now_ms());
        let consent = envelope::change(base, changed, choice, &at, &self.options.notice);
        let prefix = if choice == Choice::Granted { GRANT_PREFIX } else { DENIAL_PREFIX };
        let key = concat(&[prefix, &number(i64::from(base))]);
        self.platform.save(&key, &consent);
        self.records.push(ConsentRecord { key, consent, id: String::new(), ticket: 0 });
        let mut is_surplus = self.records.len() > RECORDS_MAX;
        self.records.retain(|_| !std::mem::take(&mut is_surplus));
    }

    /// Takes up the records that earlier pages could not send; without consent the denials alone.
    pub(super) fn recover_records(&mut self) {
        self.recover(DENIAL_PREFIX);
        if self.gate.allows_id() {
            // A denial counts whenever it comes. A grant says when the visitor chose, so it may come last.
            self.recover(GRANT_PREFIX);
        }
    }

    #[inline(never)]
    fn recover(&mut self, prefix: &str) {
        for key in self.platform.keys(prefix) {
            let is_new = !self.records.iter().any(|record| record.key == key);
            if let (Some(consent), true) = (self.platform.load(&key), is_new) {
                self.records.push(ConsentRecord { key, consent, id: String::new(), ticket: 0 });
            }
        }
    }

    /// The visitor's id ends. A denial is about that id, and a grant that still waits would make another one.
    pub(super) fn end_records(&mut self) {
        // The page may be asking for another id than the one that it used so far.
        let id = self.platform.load(ID_KEY).unwrap_or_default();
        self.records.retain_mut(|record| {
            if record.id.is_empty() {
                record.id.clone_from(&id);
            }
            record.key.starts_with(DENIAL_PREFIX)
        });
        self.forget(GRANT_PREFIX);
    }

    /// Forgets the proof of an id that has ended, once no denial needs it.
    pub(super) fn forget_proof(&self) {
        if !self.gate.allows_id() && self.platform.keys(DENIAL_PREFIX).is_empty() {
            self.platform.remove(TOKEN_KEY);
        }
    }

    /// Removes every stored key that begins with `prefix`.
    fn forget(&self, prefix: &str) {
        for key in self.platform.keys(prefix) {
            self.platform.remove(&key);
        }
    }

    /// Sends a hello: it brings the visitor's id to the collector, or asks for it.
    pub(super) fn greet(&mut self) {
        let (name, id) = match &self.visitor {
            Visitor::Known(id) => ("anonymousId", id),
            Visitor::Unknown | Visitor::Asking(_) => ("spareId", &self.spare),
        };
        let (key, state) = (&self.options.key, self.gate.state());
        let body = envelope::hello(key, name, id, &state, &self.platform);
        self.hello = self.take_ticket();
        self.post(self.hello, Call::Hello, body, Counts::new());
    }

    /// Plans the next batch, which leaves soon if it is urgent or the page's first one.
    pub(super) fn plan_flush(&mut self, is_urgent: bool) {
        self.send_within(if is_urgent || !self.has_sent { SOON_MS } else { TOGETHER_MS });
    }

    /// Sees to it that a batch leaves in `ms` at the latest.
    pub(super) fn send_within(&mut self, ms: i64) {
        let at = self.platform.monotonic_ms() + ms;
        self.flush_at_ms = Some(self.flush_at_ms.map_or(at, |planned| planned.min(at)));
    }

    /// Sends what waits now, or as soon as the request under way is answered.
    pub(super) fn hasten(&mut self) {
        self.send_within(0);
        self.send();
    }

    /// The timer ran out.
    pub(super) fn wake(&mut self) {
        self.wakes_at_ms = None;
        let now = self.platform.monotonic_ms();
        if self.view_ends_at_ms().is_some_and(|at| at <= now) {
            self.settle();
        }
        if matches!(self.visitor, Visitor::Asking(until) if until <= now) {
            self.take_id(String::new());
        }
        self.send_due();
    }

    /// Sends what is due: records always, and events that are planned for now or failed before.
    pub(super) fn send_due(&mut self) {
        let now = self.platform.monotonic_ms();
        if !self.records.is_empty() || self.flush_at_ms.is_none_or(|at| at <= now) {
            self.send();
        }
    }

    /// Whether a record or a batch is on its way, or a hello whose answer may set the cookie after the denial that waits.
    fn is_busy(&self) -> bool {
        let allows_id = self.gate.allows_id();
        self.flights.iter().any(|flight| flight.call != Call::Hello || !allows_id)
    }

    /// Whether the answer to the request `ticket` is still of interest.
    pub(super) fn counts(&self, ticket: u32) -> bool {
        let mut flights = self.flights.iter().filter(|flight| flight.ticket == ticket);
        flights.any(|flight| flight.call != Call::Hello || ticket == self.hello)
    }

    /// Sends one request if none is on its way and no pause holds.
    pub(super) fn send(&mut self) {
        if !self.is_busy() && self.transport.wait_ms(self.platform.monotonic_ms()) == 0 {
            self.send_next();
        }
    }

    /// Sends as much as fits, because the page may end in a moment. Waits for no answer and no delay.
    pub(super) fn send_all(&mut self) {
        // A browser carries no more than a record and two batches beyond the end of a page.
        for _ in 0..3 {
            self.send_next();
        }
    }

    /// Sends a record that is not on its way, else a batch.
    fn send_next(&mut self) {
        if self.is_over || matches!(self.visitor, Visitor::Asking(_)) {
            return;
        }
        let ticket = self.take_ticket();
        if let Some(at) = self.records.iter().position(|record| record.ticket == 0) {
            self.send_record(at, ticket);
        } else if self.gate.is_open() && (self.records.is_empty() || self.revision() < 2) {
            // Not before a record that follows others: it may lift a denial, which refuses events until then.
            self.send_batch(ticket);
        }
    }

    fn send_record(&mut self, at: usize, ticket: u32) {
        let (own, keeps_id) =
            (self.anonymous_id().unwrap_or_default().to_owned(), self.gate.allows_id());
        let Some(record) = self.records.get_mut(at) else { return };
        record.ticket = ticket;
        let id = if record.id.is_empty() { &own } else { &record.id };
        let body =
            envelope::record(&self.options.key, id, keeps_id, &record.consent, &self.platform);
        self.post(ticket, Call::Consent, body, Counts::new());
    }

    fn send_batch(&mut self, ticket: u32) {
        self.flush_at_ms = None;
        let bytes = REQUEST_BYTES_MAX - HEADER_BYTES;
        let count = self.transport.count_max();
        self.queue.load(ticket, count, bytes, &self.platform);
        let batch = self.queue.batch(ticket);
        if batch.events.is_empty() {
            return;
        }
        let dropped = self.queue.dropped().clone();
        let (key, state) = (&self.options.key, self.gate.state());
        let body = envelope::batch(key, &batch, &state, &dropped, &self.platform);
        self.has_sent = true;
        if self.queue.len() > self.queue.carried(ticket) {
            // The rest has waited long enough.
            self.send_within(0);
        }
        self.post(ticket, Call::Batch, body, dropped);
    }

    /// The next request's name. 0 is left out, because it stands for no request.
    const fn take_ticket(&mut self) -> u32 {
        self.ticket = if self.ticket == u32::MAX { 1 } else { self.ticket + 1 };
        self.ticket
    }

    fn post(&mut self, ticket: u32, call: Call, body: String, reported: Counts) {
        self.flights.push(Flight { ticket, call, reported });
        self.platform.post(Request { ticket, call, body });
    }

    /// Does what an answer demands.
    pub(super) fn answered(&mut self, mut answer: Answer) {
        let ticket = answer.ticket;
        let Some(flight) = self.land(ticket) else { return };
        if answer.word == ERASED {
            self.forget_visitor();
            // What was sent is judged, and the answer names no id.
            answer.status = 200;
            answer.word.clear();
        }
        if flight.call == Call::Hello {
            return self.greeted(&answer);
        }
        if answer.word == NOT_YOURS {
            if self.asked_again < ASKED_AGAIN_MAX && self.ask() {
                self.asked_again += 1;
                return self.release_records(ticket, false);
            }
            // The page has forgotten the id, or cannot prove any: no other attempt helps.
            answer.status = 200;
        }
        let [low, high, ..] = self.platform.random16();
        let chance = u16::from_le_bytes([low, high]);
        let now = self.platform.monotonic_ms();
        let count = if flight.call == Call::Batch { self.queue.carried(ticket) } else { 1 };
        let fate = self.transport.judge(&answer, count, now, chance);
        let is_judged = matches!(fate, BatchFate::Done | BatchFate::Poison);
        self.queue.landed(ticket, is_judged, &self.platform);
        self.release_records(ticket, is_judged);
        match fate {
            BatchFate::Done => {
                self.queue.reported(&flight.reported);
                // Where events met a recorded denial, this page does not know it.
                if answer.word == CONSENT_DENIED && self.ask() {
                    return;
                }
            }
            BatchFate::Poison => self.queue.count("poison", 1),
            BatchFate::Purge => {
                self.queue.purge(&self.platform);
                self.records.clear();
                self.forget(RECORD_PREFIX);
                self.is_over = true;
            }
            BatchFate::Split | BatchFate::Keep | BatchFate::Refused => {}
        }
        self.forget_proof();
        if is_judged || fate == BatchFate::Split {
            self.send_due();
        }
    }

    /// Takes the answer to a hello: the id, the months that a choice holds, and the notice's version.
    fn greeted(&mut self, answer: &Answer) {
        let mut id = "";
        if answer.status == 200 {
            let (known, terms) = cut(&answer.word, b'|');
            if matches!(self.visitor, Visitor::Unknown) {
                return self.give_back(known);
            }
            let (months, version) = cut(terms.unwrap_or_default(), b'|');
            self.learn(read_number(months).unwrap_or(0), version.unwrap_or_default());
            id = known;
        }
        match &self.visitor {
            Visitor::Unknown => {}
            Visitor::Known(_) if is_reserved(id) || answer.ticket != self.hello => {}
            // The collector answers another id than the page's where the page cannot prove its own.
            Visitor::Known(_) | Visitor::Asking(_) => self.take_id(id.to_owned()),
        }
    }

    /// The visitor denied before this id came. One more hello lets the collector take it back, unless a denial is about to do so.
    fn give_back(&mut self, id: &str) {
        let is_denied_next = self.records.iter().any(|record| record.ticket == 0);
        if !(id.is_empty() || is_denied_next) && self.asked_again < ASKED_AGAIN_MAX {
            self.asked_again += 1;
            self.greet();
        }
    }

    /// Takes the flight `ticket` off the list.
    fn land(&mut self, ticket: u32) -> Option<Flight> {
        let at = self.flights.iter().position(|flight| flight.ticket == ticket)?;
        let last = self.flights.pop()?;
        // The order of flights means nothing.
        match self.flights.get_mut(at) {
            Some(place) => Some(core::mem::replace(place, last)),
            None => Some(last),
        }
    }

    /// Removes the records of the request `ticket` if they were judged. Others wait for another attempt.
    fn release_records(&mut self, ticket: u32, is_judged: bool) {
        let platform = &self.platform;
        self.records.retain_mut(|record| {
            if record.ticket != ticket {
                return true;
            }
            record.ticket = 0;
            if is_judged {
                platform.remove(&record.key);
            }
            !is_judged
        });
    }

    /// Sets the tracker's one timer to the next moment at which something is due.
    pub(super) fn set_timer(&mut self) {
        let now = self.platform.monotonic_ms();
        let asked = match self.visitor {
            Visitor::Asking(until) => Some(until - now),
            Visitor::Unknown | Visitor::Known(_) => None,
        };
        let has_more = !(self.records.is_empty() && self.queue.is_empty());
        let flush = match self.flush_at_ms {
            Some(at) if self.records.is_empty() => at - now,
            // A record waits for nothing, and what failed for another attempt, after the transport's own delay.
            _ => 0,
        };
        let flush = (has_more && asked.is_none() && !self.is_busy())
            .then(|| flush.max(self.transport.wait_ms(now)));
        // Nothing can be sent before the id is there, so a view may wait as long.
        let asked = asked.or_else(|| self.view_ends_at_ms().map(|at| at - now));
        if let Some(ms) = asked.into_iter().chain(flush).min() {
            let at = now + ms.max(0);
            // Most events do not change that moment.
            if self.wakes_at_ms.replace(at) != Some(at) {
                self.platform.wake_in(at - now);
            }
        }
    }
}
