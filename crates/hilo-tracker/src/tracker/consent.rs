//! The consent half of the tracker: the visitor's choices, and their effect on storage and queue.
//! A grant finds the visitor's id; a denial removes it. A choice in another tab counts like one in this tab, and so does a denial
//! that the collector has recorded.

use hilo_core::consent::{Choice, Purpose};
use hilo_core::identity::{is_reserved, uuid_v4};
use hilo_core::text::{concat, parts};

use super::sending::TOGETHER_MS;
use super::{ANSWERS_KEY, CLAIM_KEY, CONSENT_KEY, ID_KEY, SESSION_KEY, Tracker, Visitor};
use crate::gate::{Kept, notice};
use crate::platform::Platform;

/// How long a page goes by what the collector told about choices before it asks again.
const TERMS_MS: i64 = 24 * 60 * 60 * 1_000;

impl<P: Platform> Tracker<P> {
    /// The visitor's choices, in wire order.
    pub fn choices(&self) -> impl Iterator<Item = (Purpose, Choice)> {
        let state = self.gate.state();
        Purpose::ASKED.into_iter().map(move |purpose| (purpose, state.choice(purpose)))
    }

    /// Where the choices are kept: one of the `PERSISTENCE_` codes.
    pub fn persistence(&self) -> u8 {
        self.platform.persistence()
    }

    /// The revision of the choices.
    pub fn revision(&self) -> u32 {
        self.gate.state().revision
    }

    /// Whether the choices changed since this was last asked.
    pub const fn take_consent_change(&mut self) -> bool {
        std::mem::replace(&mut self.is_consent_new, false)
    }

    /// Grants or denies purposes by name, separated by blanks. The developer gets a sentence about an unknown name.
    pub fn choose(&mut self, names: &str, choice: Choice) {
        let purposes = self.purposes(names);
        self.decide(&purposes, choice);
    }

    fn purposes(&self, names: &str) -> Vec<Purpose> {
        let mut purposes = Vec::new();
        for name in parts(names, b' ').filter(|name| !name.is_empty()) {
            match Purpose::from_name(name) {
                Some(purpose) => purposes.push(purpose),
                None => self.platform.say(&concat(&["unknown_purpose ", name])),
            }
        }
        purposes
    }

    /// Denies every purpose: only the denial itself stays on the device.
    pub fn withdraw(&mut self) {
        self.decide(&Purpose::ASKED, Choice::Denied);
    }

    fn decide(&mut self, purposes: &[Purpose], choice: Choice) {
        self.expire();
        // This answer is newer than any that a page without a tracker stored.
        self.platform.remove(ANSWERS_KEY);
        let before = self.gate.state();
        let (had_id, now) = (before.allows_id(), self.platform.now_ms());
        let changed = self.gate.choose(purposes, choice, now, self.notice);
        if changed.is_empty() {
            return;
        }
        self.is_consent_new = true;
        self.platform.save(CONSENT_KEY, &self.gate.stored());
        // A denial is sent without an id too: the collector's cookie may still hold one, and goes with the denial.
        if choice == Choice::Denied || self.gate.allows_id() {
            self.record(&changed, choice, before.revision);
        }
        self.obey(had_id);
        if !self.gate.allows_id() {
            // A withdrawal does not wait for the pause that events are in.
            self.transport.insist();
        }
        self.hasten();
        self.set_timer();
    }

    /// Another tab stored something. Its consent holds in this tab too, without a second record, and so does its logout.
    pub(super) fn follow(&mut self) {
        self.settle();
        self.look_again();
        let stored = self.platform.load(ID_KEY).filter(|id| !is_reserved(id));
        if let (Visitor::Known(_) | Visitor::Asking(_), Some(stored)) = (&self.visitor, stored) {
            self.take_id(stored);
        }
        let had_id = self.gate.allows_id();
        let stored = self.platform.load(CONSENT_KEY).unwrap_or_default();
        let mut kept = Kept::from_stored(&stored, self.platform.gpc());
        kept.expire(self.platform.now_ms(), self.notice);
        if !self.gate.adopt(kept) {
            return;
        }
        if !had_id && self.gate.allows_id() {
            self.wait_for_id(uuid_v4(self.platform.random16()));
        }
        self.is_consent_new = true;
        self.obey(had_id);
        self.send();
    }

    /// Ends choices that hold no longer: the visitor has to be asked again. Nothing is sent under them.
    pub(super) fn expire(&mut self) {
        let had_id = self.gate.allows_id();
        if self.gate.expire(self.platform.now_ms(), self.notice) {
            self.is_consent_new = true;
            self.obey(had_id);
        }
    }

    /// Everything about the visitor's id was erased: nothing of it stays here, and another id needs another grant. A denial since then
    /// stays.
    pub(super) fn forget_visitor(&mut self) {
        if self.gate.allows_id() {
            self.platform.remove(ID_KEY);
            self.platform.remove(CONSENT_KEY);
            self.follow();
        }
    }

    /// Learns from the collector's answer to a hello how many months a choice holds, and the version of the notice. The site's own
    /// version comes first: the receipts have it too.
    pub(super) fn learn(&mut self, months: i64, version: &str) {
        self.gate.learn(months, self.platform.now_ms());
        if self.options.notice.is_empty() {
            self.notice = notice(version);
        }
        self.expire();
        self.platform.save(CONSENT_KEY, &self.gate.stored());
    }

    /// Reduces storage, queue and waiting room to what the choices allow.
    fn obey(&mut self, had_id: bool) {
        if !self.gate.admits() {
            // The gate drops what waits with the view.
            self.settle();
        }
        let (passed, dropped) = self.gate.release(self.platform.now_ms());
        for reason in dropped {
            self.queue.count(reason, 1);
        }
        if !self.gate.is_open() {
            self.waiting.clear();
            self.queue.purge(&self.platform);
            self.platform.remove(SESSION_KEY);
            self.platform.remove(CLAIM_KEY);
            self.look_again();
        }
        if !self.gate.allows_id() {
            self.end_records();
            self.platform.remove(ID_KEY);
            self.forget_proof();
            self.spare.clear();
            self.asked_again = 0;
            self.visitor = Visitor::Unknown;
        } else if !had_id {
            self.awaken();
        }
        for draft in passed {
            self.finish(draft);
        }
    }

    /// Consent was given: finds the visitor's id, and what earlier pages left to send.
    pub(super) fn awaken(&mut self) {
        self.queue.recover(&self.tab, &self.platform);
        if !self.queue.is_empty() {
            // They leave with this page's first events.
            self.send_within(TOGETHER_MS);
        }
        self.recover_records();
        match self.platform.load(ID_KEY).filter(|id| !is_reserved(id)) {
            Some(id) => {
                self.visitor = Visitor::Known(id);
                if (self.platform.now_ms() - self.gate.told_ms()).abs() > TERMS_MS {
                    self.greet();
                }
            }
            // The tab where the visitor granted asks for all tabs.
            None if matches!(self.visitor, Visitor::Asking(_)) => {}
            // The collector's cookie may hold the id: browsers wipe the storage of scripts sooner than such a cookie.
            None => {
                self.wait_for_id(uuid_v4(self.platform.random16()));
                self.greet();
            }
        }
    }

    /// Learns from the answer to the request `ticket` what the collector has recorded: the revision, and the denied purposes by name,
    /// separated by blanks. A recorded denial counts here too, unless a choice of the visitor is newer: one that is still to be sent,
    /// or that is on its way in another request. Returns whether a proof in the answer is of use: for the page's id, or for a denial.
    pub fn recorded(&mut self, ticket: u32, revision: u32, denied: &str) -> bool {
        if !self.counts(ticket) {
            return false;
        }
        if self.records.iter().all(|record| record.ticket == ticket) {
            self.adopt(revision, denied);
        }
        self.gate.allows_id() || !self.records.is_empty()
    }

    #[inline]
    fn adopt(&mut self, revision: u32, denied: &str) {
        let (had_id, denied) = (self.gate.allows_id(), self.purposes(denied));
        let now = self.platform.now_ms();
        let changed = self.gate.choose(&denied, Choice::Denied, now, self.notice);
        self.gate.number(revision);
        self.platform.save(CONSENT_KEY, &self.gate.stored());
        if !changed.is_empty() {
            self.is_consent_new = true;
            self.obey(had_id);
        }
    }

    /// Takes an id. Empty text stands for no answer of the collector.
    pub(super) fn take_id(&mut self, mut id: String) {
        if is_reserved(&id) {
            id = std::mem::take(&mut self.spare);
        }
        self.platform.save(ID_KEY, &id);
        self.visitor = Visitor::Known(id);
        for draft in std::mem::take(&mut self.waiting) {
            self.finish(draft);
        }
        self.send_due();
    }
}
