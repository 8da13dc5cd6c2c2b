//! The sending half of the tracker: the next request, and the effect of an answer.
//! Consent records go before events. Nothing is removed before the collector has judged it.

use hilo_core::consent::{Choice, PurposeSet};
use hilo_core::identity::is_reserved;
use hilo_core::outcome::Code;
use hilo_core::text::{concat, cut, words};

use super::flight::{ConsentRecord, Flight};
use super::stored::{id_of, offer_of};
use super::{ASKED_AGAIN_MAX, ID_KEY, TOKEN_KEY, Tracker, envelope};
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
/// Prefix of the records' storage keys. A denial is stored without consent too: it is the visitor's own refusal. An id that the page
/// proves itself stands in the line behind it, until the denial is judged.
const RECORD_PREFIX: &str = "hilo.r.";
const GRANT_PREFIX: &str = "hilo.r.g";
const DENIAL_PREFIX: &str = "hilo.r.d";
/// The answer to an id without its proof.
const NOT_YOURS: &str = Code::NotYours.name();
/// The answer to an id whose visitor had everything erased.
const ERASED: &str = Code::Erased.name();

impl<P: Platform> Tracker<P> {
    /// Keeps a change for the ledger, beyond the page's end. `base` is the revision that the page knew before.
    pub(super) fn record(&mut self, changed: PurposeSet, choice: Choice, told: &str, base: u32) {
        let at = self.platform.iso(self.platform.now_ms());
        let consent = envelope::change(base, changed, choice, told, &at, &self.options.notice);
        let prefix = if choice == Choice::Granted { GRANT_PREFIX } else { DENIAL_PREFIX };
        let key = concat(&[prefix, &number(i64::from(base))]);
        self.platform.save(&key, &consent);
        self.records.push(ConsentRecord { key, consent, id: String::new(), ticket: 0 });
        if self.records.len() > RECORDS_MAX {
            self.records.remove(0);
        }
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
        for key in words(&self.platform.keys(prefix), b'\n') {
            let is_new = !self.records.iter().any(|record| record.key == key);
            if let (Some(stored), true) = (self.platform.load(key), is_new) {
                let (consent, id) = cut(&stored, b'\n');
                let (consent, id) = (consent.to_owned(), id.unwrap_or_default().to_owned());
                self.records.push(ConsentRecord { key: key.to_owned(), consent, id, ticket: 0 });
            }
        }
    }

    /// The visitor's id ends. A denial is about that id, and a grant that still waits would make another one.
    pub(super) fn end_records(&mut self) {
        // The page may be asking for another id than the one that it used so far.
        let id = self.platform.load(ID_KEY).unwrap_or_default();
        while let Some(at) = self.records.iter().position(|one| !one.key.starts_with(DENIAL_PREFIX))
        {
            self.records.remove(at);
        }
        for record in self.records.iter_mut().filter(|record| record.id.is_empty()) {
            record.id.clone_from(&id);
            if !id.is_empty() && offer_of(&id) == id {
                // Perhaps no cookie proves it, so a later page could not send the denial without it.
                self.platform.save(&record.key, &concat(&[&record.consent, "\n", &id]));
            }
        }
        self.platform.forget(GRANT_PREFIX);
    }

    /// Forgets the proof of an id that has ended, once no denial needs it.
    pub(super) fn forget_proof(&self) {
        if !self.gate.keeps_id() && self.platform.keys(DENIAL_PREFIX).is_empty() {
            self.platform.remove(TOKEN_KEY);
        }
    }

    /// Sends a hello: it brings the visitor's id to the collector, or asks for it.
    pub(super) fn greet(&mut self) {
        let (key, state) = (&self.options.key, self.gate.state());
        let body = envelope::hello(key, &self.visitor, &state, &self.platform);
        let ticket = self.take_ticket();
        self.post(ticket, Call::Hello, body, Counts::new());
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
        self.send_due();
    }

    /// Sends what is due: records always, and events that are planned for now or failed before.
    pub(super) fn send_due(&mut self) {
        let now = self.platform.monotonic_ms();
        if !self.records.is_empty() || self.flush_at_ms.is_none_or(|at| at <= now) {
            self.send();
        }
    }

    /// Whether a request is on its way. Its answer may bring an id, or set the cookie after the denial that waits. The first events of a
    /// new visitor wait for none but other events.
    pub(super) fn is_busy(&self) -> bool {
        let waits = !self.is_first();
        self.flights.iter().any(|flight| waits || flight.call == Call::Batch)
    }

    /// Whether the first events of a new visitor are due, or on their way.
    fn is_first(&self) -> bool {
        !self.is_certain && self.gate.is_open()
    }

    /// Whether the answer to the request `ticket` is about the present visitor.
    pub(super) const fn counts(&self, ticket: u32) -> bool {
        ticket > self.heard
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

    /// Sends a record that is not on its way, else a batch. The first batch of a new visitor goes before records: nobody waits for them.
    fn send_next(&mut self) {
        if self.is_over {
            return;
        }
        let ticket = self.take_ticket();
        if self.is_first() && (self.send_batch(ticket) || self.view.is_some()) {
            return;
        }
        if let Some(at) = self.records.iter().position(|record| record.ticket == 0) {
            self.send_record(at, ticket);
        } else if self.gate.is_open() && (self.records.is_empty() || self.revision() < 2) {
            // Not before a record that follows others: it may lift a denial, which refuses events until then.
            self.send_batch(ticket);
        }
    }

    fn send_record(&mut self, at: usize, ticket: u32) {
        let keeps_id = self.gate.keeps_id();
        let Some(record) = self.records.get_mut(at) else { return };
        record.ticket = ticket;
        let id = if record.id.is_empty() { &self.visitor } else { &record.id };
        let body =
            envelope::record(&self.options.key, id, keeps_id, &record.consent, &self.platform);
        self.post(ticket, Call::Consent, body, Counts::new());
    }

    /// Sends a batch. Returns `false` if no event waits.
    fn send_batch(&mut self, ticket: u32) -> bool {
        self.flush_at_ms = None;
        let bytes = REQUEST_BYTES_MAX - HEADER_BYTES;
        let count = self.transport.count_max();
        self.queue.load(ticket, count, bytes, &self.platform);
        if self.queue.carried(ticket) == 0 {
            return false;
        }
        let greets = self.has_old_terms() || !offer_of(&self.visitor).is_empty();
        let hello = if greets { self.visitor.as_str() } else { "" };
        let dropped = self.queue.take_dropped();
        let batch = self.queue.batch(ticket);
        let (key, state) = (&self.options.key, self.gate.state());
        let body = envelope::batch(key, hello, &batch, &state, &dropped, &self.platform);
        self.has_sent = true;
        if self.queue.len() > self.queue.carried(ticket) {
            // The rest has waited long enough.
            self.send_within(0);
        }
        self.post(ticket, Call::Batch, body, dropped);
        true
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
            self.greeted(&answer);
            return self.send_due();
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
        // An event that met a recorded denial may pass after the record that still waits, or that was judged meanwhile.
        let is_denied = answer.word == CONSENT_DENIED;
        let is_early = is_denied && !(self.records.is_empty() && self.counts(ticket));
        let is_judged = matches!(fate, BatchFate::Done | BatchFate::Poison) && !is_early;
        if fate != BatchFate::Done {
            for (reason, count) in flight.reported {
                self.queue.count(reason, count);
            }
        }
        self.queue.landed(ticket, is_judged, &self.platform);
        self.release_records(ticket, is_judged);
        self.greeted(&answer);
        if flight.call == Call::Consent && is_judged {
            // What was asked before knows nothing of this choice.
            self.heard = self.ticket;
        }
        match fate {
            BatchFate::Done => {
                // Where events met a recorded denial, this page does not know it.
                if is_judged && is_denied && self.ask() {
                    return;
                }
            }
            BatchFate::Poison => self.queue.count("poison", 1),
            BatchFate::Purge => {
                self.queue.purge(&self.platform);
                self.records.clear();
                self.platform.forget(RECORD_PREFIX);
                self.is_over = true;
            }
            BatchFate::Split | BatchFate::Keep | BatchFate::Refused => {}
        }
        self.forget_proof();
        if fate != BatchFate::Keep {
            self.send_due();
        }
    }

    /// Takes what an answer tells of the visitor, and the months that a choice holds with the notice's version.
    fn greeted(&mut self, answer: &Answer) {
        if answer.status != 200 {
            return;
        }
        let (visitor, terms) = cut(&answer.hello, b'|');
        let counts = self.counts(answer.ticket);
        let (months, version) = cut(terms.unwrap_or_default(), b'|');
        let is_nobody = is_reserved(id_of(visitor));
        if let (true, Some(months)) = (counts && self.has_old_terms(), read_number(months)) {
            // The hello on a batch came with the cookie of another id, perhaps of a visitor who has logged out. Terms come with the next.
            let is_unproved = is_nobody && self.is_certain && answer.word != CONSENT_DENIED;
            if is_unproved && self.greet_again() {
                return;
            }
            self.learn(months, version.unwrap_or_default());
        }
        if is_nobody {
            return;
        }
        // The months may have ended the choice just now. The cookie may be that of an id which the visitor denied, or logged out of.
        let is_late = self.visitor.is_empty() || !counts && id_of(visitor) != id_of(&self.visitor);
        // No cookie has stayed, so the page needs a token.
        let is_alone = self.is_certain && self.visitor == visitor && offer_of(visitor) == visitor;
        if counts && !is_late {
            self.take_visitor(visitor);
        }
        if is_late || is_alone {
            self.greet_again();
        }
    }

    /// One more hello lets the collector mend the cookie, unless a record is about to do so. Returns whether it was sent.
    fn greet_again(&mut self) -> bool {
        let is_record_next = self.records.iter().any(|record| record.ticket == 0);
        let greets = !is_record_next && self.asked_again < ASKED_AGAIN_MAX;
        if greets {
            self.asked_again += 1;
            self.greet();
        }
        greets
    }

    /// Takes the flight `ticket` off the list.
    fn land(&mut self, ticket: u32) -> Option<Flight> {
        let at = self.flights.iter().position(|flight| flight.ticket == ticket)?;
        Some(self.flights.swap_remove(at))
    }

    /// Removes the record of the request `ticket` if it was judged; else it waits for another attempt.
    fn release_records(&mut self, ticket: u32, is_judged: bool) {
        let Some(at) = self.records.iter().position(|record| record.ticket == ticket) else {
            return;
        };
        if is_judged {
            self.platform.remove(&self.records.remove(at).key);
        } else if let Some(record) = self.records.get_mut(at) {
            record.ticket = 0;
        }
    }

    /// Sets the tracker's one timer to the next moment at which something is due.
    pub(super) fn set_timer(&mut self) {
        let now = self.platform.monotonic_ms();
        // A record waits for the view that a new visitor's page is about to send.
        let has_records = !(self.records.is_empty() || self.is_first() && self.view.is_some());
        let has_more = has_records || !self.queue.is_empty();
        let flush = match self.flush_at_ms {
            Some(at) if !has_records => at - now,
            // A record waits for nothing, and what failed for another attempt, after the transport's own delay.
            _ => 0,
        };
        let flush = (has_more && !self.is_busy()).then(|| flush.max(self.transport.wait_ms(now)));
        let view = self.view_ends_at_ms().map(|at| at - now);
        let first = match (view, flush) {
            (Some(view), Some(flush)) => Some(view.min(flush)),
            (view, flush) => view.or(flush),
        };
        if let Some(ms) = first {
            let at = now + ms.max(0);
            // Most events do not change that moment.
            if self.wakes_at_ms.replace(at) != Some(at) {
                self.platform.wake_in(at - now);
            }
        }
    }
}
