//! The consent half of the tracker: the visitor's choices, and their effect on storage and queue.
//! A grant finds the visitor's id; a denial removes it. A choice in another tab counts like one in this tab, and so does a denial
//! that the collector has recorded. What consent tools tell becomes the visitor's choice by the gate's rules.

use hilo_core::consent::{Choice, Purpose, PurposeSet};
use hilo_core::text::{concat, words};

use super::{ANSWERS_KEY, CLAIM_KEY, CONSENT_KEY, ID_KEY, SESSION_KEY, Tracker};
use crate::gate::{Kept, notice};
use crate::platform::Platform;

/// How long a page goes by what the collector told about choices before it asks again.
const TERMS_MS: i64 = 24 * 60 * 60 * 1_000;

/// Behind the signals of a choice that the page found as it came: nobody knows when the visitor made it.
const FOUND: &str = ",\"isFound\":true";

impl<P: Platform> Tracker<P> {
    /// The visitor's choices, in wire order.
    pub fn choices(&self) -> impl Iterator<Item = (Purpose, Choice)> {
        let state = self.gate.state();
        Purpose::ASKED.into_iter().map(move |purpose| (purpose, state.choice(purpose)))
    }

    /// The visitor's choices in bits, see [`hilo_core::consent::ConsentState::bits`].
    pub fn choice_bits(&self) -> u32 {
        self.gate.state().bits()
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
        self.decide(purposes, choice);
    }

    fn purposes(&self, names: &str) -> PurposeSet {
        let mut purposes = PurposeSet::default();
        for name in words(names, b' ') {
            match Purpose::from_name(name) {
                Some(purpose) => purposes = purposes.or(PurposeSet::one(purpose)),
                None => self.platform.say(&concat(&["unknown_purpose ", name])),
            }
        }
        purposes
    }

    /// Denies every purpose: only the denial itself stays on the device.
    pub fn withdraw(&mut self) {
        self.decide(PurposeSet::of(&Purpose::ASKED), Choice::Denied);
    }

    fn decide(&mut self, purposes: PurposeSet, choice: Choice) {
        self.expire();
        // This answer is newer than any that a page without a tracker stored.
        self.platform.remove(ANSWERS_KEY);
        let (before, had_id) = (self.gate.state(), self.gate.allows_id());
        if !self.gate.call(purposes, choice) {
            return;
        }
        self.adopt_choice(purposes, choice, "");
        if before != self.gate.state() {
            self.follow_choices(had_id);
        }
    }

    /// Hears the page's consent tools, see [`crate::gate::Gate::hear`]. What they decide is recorded with what they `told`: the method of
    /// each purpose in wire order, separated by blanks, and behind a line break the raw signals, as a field of JSON behind a comma.
    pub fn hear(&mut self, report: u32, told: &str) {
        if self.is_over {
            return;
        }
        self.expire();
        let (before, had_id) = (self.gate.state(), self.gate.allows_id());
        let stored = self.gate.stored();
        let [denied, granted, found] = self.gate.hear(report);
        // Denials first: the collector must not learn of a grant alone.
        self.adopt_choice(denied, Choice::Denied, told);
        self.adopt_choice(granted, Choice::Granted, told);
        self.adopt_choice(found, Choice::Granted, &concat(&[told, FOUND]));
        if before != self.gate.state() {
            self.follow_choices(had_id);
        } else if stored != self.gate.stored() {
            // Later pages have to know a repetition from a change.
            self.platform.save(CONSENT_KEY, &self.gate.stored());
        }
    }

    /// Makes these choices the visitor's own, and keeps a record of those that are new.
    fn adopt_choice(&mut self, purposes: PurposeSet, choice: Choice, told: &str) {
        let base = self.revision();
        let changed = self.gate.choose(purposes, choice, self.platform.now_ms(), self.notice);
        if changed.is_empty() {
            return;
        }
        // A denial is sent without an id too: the collector's cookie may still hold one, and goes with the denial.
        if choice == Choice::Denied || self.gate.allows_id() {
            self.record(changed, choice, told, base);
        }
    }

    /// Does what other choices than before demand, at once.
    fn follow_choices(&mut self, had_id: bool) {
        self.is_consent_new = true;
        self.obey(had_id);
        // After the id: other tabs that learn of a grant find the id that goes with it.
        self.platform.save(CONSENT_KEY, &self.gate.stored());
        if !self.gate.keeps_id() {
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
        if !self.visitor.is_empty() && self.platform.load(ID_KEY).is_some() {
            self.find_visitor();
        }
        let had_id = self.gate.allows_id();
        if !self.gate.adopt(self.stored_elsewhere()) {
            return;
        }
        // What was asked before knows nothing of these choices.
        self.heard = self.ticket;
        if !had_id {
            // The tab where the visitor granted hears how long the choice holds, and stores that for all.
            self.gate.learn(0, self.platform.now_ms());
        }
        self.is_consent_new = true;
        self.obey(had_id);
        self.send();
    }

    /// The choices in the storage that still hold.
    fn stored_elsewhere(&self) -> Kept {
        let stored = self.platform.load(CONSENT_KEY).unwrap_or_default();
        let mut kept = Kept::from_stored(&stored, self.platform.denies());
        kept.expire(self.platform.now_ms(), self.notice);
        kept
    }

    /// Hears what another tab stored and this tab was not told of yet. An answer that this tab stores must undo no newer choice.
    #[inline(never)]
    pub(super) fn catch_up(&mut self) {
        if self.platform.load(CONSENT_KEY).is_some() && self.gate.differs(&self.stored_elsewhere())
        {
            self.follow();
        }
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
        if self.gate.keeps_id() {
            self.platform.remove(ID_KEY);
            let rest = self.gate.stored_rest();
            if rest.is_empty() {
                self.platform.remove(CONSENT_KEY);
            } else {
                self.platform.save(CONSENT_KEY, &rest);
            }
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
        let released = self.gate.release();
        if !self.gate.keeps_events() {
            self.queue.purge(&self.platform);
            self.platform.remove(SESSION_KEY);
            self.platform.remove(CLAIM_KEY);
            self.look_again();
        }
        if !self.gate.keeps_id() {
            self.end_records();
            self.platform.remove(ID_KEY);
            self.forget_proof();
            self.asked_again = 0;
            self.meet(String::new());
        } else if !had_id && self.gate.allows_id() {
            self.awaken();
        }
        let now = self.platform.now_ms();
        for draft in released {
            if self.gate.is_stale(&draft, now) {
                self.queue.count("held_expired", 1);
            } else {
                self.offer(draft);
            }
        }
    }

    /// Consent was given: finds the visitor's id, and what earlier pages left to send.
    pub(super) fn awaken(&mut self) {
        if self.is_alone {
            self.recover_events("");
        }
        self.recover_records();
        self.find_visitor();
        // Where events are sent, the hello rides on the first of them; but after a logout that the collector did not hear of, the cookie
        // changes before them.
        let is_unheard = self.is_certain && self.gate.told_ms() == 0;
        if (is_unheard || !self.gate.is_open()) && self.has_old_terms() {
            self.greet();
        }
    }

    /// Whether it is time to hear from the collector what it tells of choices.
    pub(super) fn has_old_terms(&self) -> bool {
        (self.platform.now_ms() - self.gate.told_ms()).abs() > TERMS_MS
    }

    /// Learns from the answer to the request `ticket` what the collector has recorded: the revision, and the denied purposes by name,
    /// separated by blanks. A recorded denial counts here too, unless a choice of the visitor is newer: one that is still to be sent,
    /// or that is on its way in another request. Returns whether a proof in the answer is of use: for the page's id, or for a denial.
    pub fn recorded(&mut self, ticket: u32, revision: u32, denied: &str) -> bool {
        self.catch_up();
        let counts = self.counts(ticket);
        // A page that has just got its id learns denials alone: what it would write could undo a denial that another tab makes now.
        let is_new = self.is_certain || !denied.is_empty();
        if counts && is_new && self.records.iter().all(|record| record.ticket == ticket) {
            self.adopt(revision, denied);
        }
        if self.gate.keeps_id() { counts } else { !self.records.is_empty() }
    }

    #[inline]
    fn adopt(&mut self, revision: u32, denied: &str) {
        let (had_id, denied) = (self.gate.allows_id(), self.purposes(denied));
        let now = self.platform.now_ms();
        let changed = self.gate.choose(denied, Choice::Denied, now, self.notice);
        self.gate.number(revision);
        self.platform.save(CONSENT_KEY, &self.gate.stored());
        if !changed.is_empty() {
            self.is_consent_new = true;
            self.obey(had_id);
        }
    }
}
