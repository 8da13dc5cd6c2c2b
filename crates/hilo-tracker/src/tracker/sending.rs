//! The sending half of the tracker: what goes out next, and what an answer changes.
//! Consent records go before events; nothing is let go of before it was judged.

use hilo_core::consent::{Choice, Purpose};

use super::{Tracker, Who, envelope};
use crate::json::number;
use crate::platform::{Answer, Call, Platform, Request};
use crate::queue::Counts;
use crate::transport::Verdict;

/// Bytes of one request: browsers let 64 KiB in flight outlive their page, all requests together (Fetch, keepalive).
const REQUEST_BYTES_MAX: usize = 56 * 1024;
/// What an envelope's header may take of it.
const HEADER_BYTES: usize = 2 * 1024;
/// The first events of a page go quickly, so that a short visit is seen …
const SOON_MS: i64 = 50;
/// … later ones wait for company.
const TOGETHER_MS: i64 = 2_000;
/// Consent records that may wait.
const RECORDS_MAX: usize = 20;
/// Prefix of their storage keys.
const RECORD_PREFIX: &str = "hilo.r.";

/// A request on its way.
#[derive(Debug)]
pub(super) struct Flight {
    ticket: u32,
    call: Call,
    keys: Vec<String>,
    told: Counts,
}

/// A consent record on its way.
#[derive(Debug)]
pub(super) struct Record {
    key: String,
    consent: String,
    /// Whom a withdrawal was about, since the page has forgotten it.
    id: Option<String>,
}

impl<P: Platform> Tracker<P> {
    /// Notes a change for the ledger. It survives the page as long as identifiers may.
    pub(super) fn record(&mut self, changed: &[Purpose], choice: Choice, id: Option<String>) {
        let at = self.platform.iso(self.platform.now_ms());
        let revision = self.gate.state().revision;
        let consent = envelope::change(revision, changed, choice, &at, &self.options.notice);
        let mut key = String::from(RECORD_PREFIX);
        key.push_str(&number(i64::from(revision)));
        if self.gate.allows_id() {
            self.platform.save(&key, &consent);
        } else {
            for key in self.platform.keys(RECORD_PREFIX) {
                self.platform.remove(&key);
            }
        }
        self.records.push(Record { key, consent, id });
        if self.records.len() > RECORDS_MAX {
            self.records.remove(0);
        }
    }

    /// Records that earlier pages could not send.
    pub(super) fn recover_records(&mut self) {
        for key in self.platform.keys(RECORD_PREFIX) {
            let is_new = !self.records.iter().any(|record| record.key == key);
            if let (Some(consent), true) = (self.platform.load(&key), is_new) {
                self.records.push(Record { key, consent, id: None });
            }
        }
    }

    /// Tells the collector who this is, or asks.
    pub(super) fn greet(&mut self) {
        self.greeted = true;
        let body = envelope::hello(
            &self.options.key,
            self.anonymous_id(),
            &self.gate.state(),
            &self.platform,
        );
        self.post(Call::Hello, body, Vec::new());
    }

    /// Makes sure that something is sent soon.
    pub(super) fn plan_flush(&mut self) {
        let now = self.platform.monotonic_ms();
        let is_quiet = self.sent_at_ms.is_none_or(|at| now - at > TOGETHER_MS);
        let at = now + if is_quiet { SOON_MS } else { TOGETHER_MS };
        self.flush_at_ms = Some(self.flush_at_ms.map_or(at, |planned| planned.min(at)));
    }

    /// The timer ran out.
    pub(super) fn wake(&mut self) {
        let now = self.platform.monotonic_ms();
        if matches!(self.who, Who::Asking(until) if until <= now) {
            self.settle(None);
        }
        if self.flush_at_ms.is_none_or(|at| at <= now) {
            self.send();
        }
    }

    /// Sends one request if one may go: a record first, then events.
    pub(super) fn send(&mut self) {
        let is_busy = self.flights.iter().any(|flight| flight.call != Call::Hello);
        if is_busy || self.transport.wait_ms(self.platform.monotonic_ms()) > 0 {
            return;
        }
        self.send_next(&[]);
    }

    /// The page may be gone in a moment: sends what fits, without waiting for answers or delays.
    pub(super) fn send_all(&mut self) {
        let mut under_way: Vec<String> =
            self.flights.iter().flat_map(|flight| flight.keys.clone()).collect();
        // A record and two batches are as much as a browser will carry beyond the page.
        for _ in 0..3 {
            match self.send_next(&under_way) {
                Some(keys) => under_way.extend(keys),
                None => return,
            }
        }
    }

    /// Sends a record or a batch that is not under way; answers what was sent.
    fn send_next(&mut self, under_way: &[String]) -> Option<Vec<String>> {
        if self.is_over || matches!(self.who, Who::Asking(_)) {
            return None;
        }
        if let Some(record) = self.records.iter().find(|record| !under_way.contains(&record.key)) {
            let id = record.id.as_deref().or_else(|| self.anonymous_id());
            let body = envelope::record(&self.options.key, id, &record.consent, &self.platform);
            let keys = vec![record.key.clone()];
            self.post(Call::Consent, body, keys.clone());
            return Some(keys);
        }
        if !self.gate.is_open() {
            return None;
        }
        let bytes = REQUEST_BYTES_MAX - HEADER_BYTES;
        let mut items = self.queue.batch(self.transport.count_max(), bytes, &self.platform);
        items.retain(|item| !under_way.contains(&item.key));
        if items.is_empty() {
            self.flush_at_ms = None;
            return None;
        }
        let told = self.queue.dropped().clone();
        let persistence = if self.platform.is_persistent() { "local" } else { "memory" };
        let state = self.gate.state();
        let body =
            envelope::batch(&self.options.key, &items, &state, persistence, &told, &self.platform);
        let keys: Vec<String> = items.into_iter().map(|item| item.key).collect();
        self.sent_at_ms = Some(self.platform.monotonic_ms());
        self.flush_at_ms = None;
        self.post(Call::Batch, body, keys.clone());
        if let Some(flight) = self.flights.last_mut() {
            flight.told = told;
        }
        Some(keys)
    }

    fn post(&mut self, call: Call, body: String, keys: Vec<String>) {
        self.ticket = self.ticket.wrapping_add(1);
        self.flights.push(Flight { ticket: self.ticket, call, keys, told: Counts::new() });
        self.platform.post(Request { ticket: self.ticket, call, body });
    }

    /// What an answer means for what was sent.
    pub(super) fn answered(&mut self, answer: &Answer) {
        let Some(at) = self.flights.iter().position(|flight| flight.ticket == answer.ticket) else {
            return;
        };
        let flight = self.flights.remove(at);
        if flight.call == Call::Hello {
            if let Who::Asking(_) = self.who {
                self.settle(answer.anonymous_id.clone().filter(|_| answer.status == 200));
            }
            return;
        }
        let chance = u16::from_le_bytes([self.platform.random16()[0], self.platform.random16()[1]]);
        let now = self.platform.monotonic_ms();
        let verdict = self.transport.judge(answer, flight.keys.len(), now, chance);
        match verdict {
            Verdict::Done => {
                self.let_go(&flight);
                self.queue.reported(&flight.told);
                if answer.rejected > 0 {
                    self.platform
                        .say("the collector rejected events; GET /admin/v1/rejects says why");
                }
            }
            Verdict::Poison => {
                self.let_go(&flight);
                self.queue.count("poison");
                self.platform.say("one event made its envelope unusable and was left out");
            }
            Verdict::Refused if !self.is_refused => {
                self.is_refused = true;
                self.platform.say("the collector refuses this key or this origin: check hilo.toml. Trying again in 10 minutes");
            }
            Verdict::Purge => {
                self.queue.purge(&self.platform);
                self.records.clear();
                for key in self.platform.keys(RECORD_PREFIX) {
                    self.platform.remove(&key);
                }
                self.is_over = true;
                self.platform.say("this write key was revoked: nothing is captured any more");
            }
            Verdict::Split | Verdict::Keep | Verdict::Refused => {}
        }
        if matches!(verdict, Verdict::Done | Verdict::Poison | Verdict::Split) {
            self.send();
        }
    }

    fn let_go(&mut self, flight: &Flight) {
        if flight.call == Call::Batch {
            self.queue.forget(&flight.keys, &self.platform);
            return;
        }
        for key in &flight.keys {
            self.platform.remove(key);
        }
        self.records.retain(|record| !flight.keys.contains(&record.key));
    }

    /// Sets the one timer to the next moment at which something is due.
    pub(super) fn settle_timers(&mut self) {
        let now = self.platform.monotonic_ms();
        let asked = match self.who {
            Who::Asking(until) => Some(until - now),
            Who::Nobody | Who::Known(_) => None,
        };
        let has_more = !(self.records.is_empty() && self.queue.is_empty());
        let is_free = !self.flights.iter().any(|flight| flight.call != Call::Hello);
        let wait = self.transport.wait_ms(now);
        let flush = match self.flush_at_ms {
            Some(at) => Some((at - now).max(wait)),
            // What was kept for another attempt, however short its delay came out.
            None => (has_more && is_free && asked.is_none()).then_some(wait),
        };
        if let Some(ms) = asked.into_iter().chain(flush.filter(|_| is_free)).min() {
            self.platform.wake_in(ms.max(0));
        }
    }
}
