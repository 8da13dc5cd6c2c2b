//! The stored values that every record call needs, kept in memory between calls: recorded consent, opt-ins, profile,
//! ids of events, sessions.
//!
//! Only the object itself writes its storage, so a value in memory stays true until the object writes. A call that fails
//! drops all of these values, and so does a call that changes consent or an opt-in. The next call reads them again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hilo_core::consent::Purpose;
use hilo_core::event::Gist;
use hilo_core::journey::{Channel, Session, State, StateRules, attribute};
use hilo_core::profile::{Person, Profile, Trait, fold, state};

use super::erasure::{self, Tombstone};
use super::optin::{self, Subscriptions};
use super::standing::Standing;
use super::stored_profile;
use super::timeline::{self, Ids};
use crate::calls::Planned;
use crate::platform::{Failure, Sql};

/// The most sessions in memory. A person has one at a time, and a late batch may belong to the session before.
const SESSIONS_MAX: usize = 8;

/// The most events that the stored profile may lack. An object that wakes up folds them again. A profile that is stored
/// with every batch would be one more row to write and to pay for.
const UNFOLDED_MAX: usize = 32;

/// The stored values in memory.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// The recorded state of each purpose.
    pub(super) standing: Standing,
    /// What an erasure refuses.
    pub(super) erased: Option<Tombstone>,
    /// The recorded state of each channel.
    subscriptions: Subscriptions,
    /// The folded profile.
    pub(super) profile: Profile,
    /// The number of events that the stored profile lacks.
    unfolded: usize,
    /// The smallest number that the outbox's next row may have: a row that ended leaves no trace of its number.
    next_row: i64,
    /// Whether the outbox may have rows beyond that number.
    is_row_unknown: bool,
    /// The number of the next event.
    pub(super) next_event: i64,
    /// The hashed ids of the newest events.
    pub(super) ids: Ids,
    /// The number of loose rows of the timeline.
    pub(super) loose: usize,
    /// Sessions by id; `None` for a session that is not stored.
    sessions: BTreeMap<String, Option<Session>>,
    /// Sessions that this call opened.
    opened: Vec<Session>,
}

impl Known {
    /// Reads the values that every call begins with.
    pub(super) fn read(sql: &impl Sql) -> Result<Known, Failure> {
        let whole = stored_profile::read(sql)?;
        let stored_profile::Completed { profile, last, unfolded, standing, .. } = whole;
        let subscriptions = optin::subscriptions(sql)?;
        let (ids, loose) = Ids::read(sql)?;
        let (next_event, is_row_unknown) = (last + 1, true);
        let erased = erasure::tombstone(sql)?;
        let read =
            Known { standing, subscriptions, profile, unfolded, ids, loose, ..Known::default() };
        Ok(Known { next_event, is_row_unknown, erased, ..read })
    }

    /// Whether the recorded consent and the opt-ins allow a destination.
    pub(super) fn allows(&self, planned: &Planned) -> bool {
        let is_free = planned.is_owed || !self.standing.denies(&planned.purposes);
        is_free && self.subscriptions.allow(planned.channel)
    }

    /// Reads the opt-ins again, because the ledger has a new entry.
    pub(super) fn reread_optins(&mut self, sql: &impl Sql) -> Result<(), Failure> {
        self.subscriptions = optin::subscriptions(sql)?;
        Ok(())
    }

    /// Lifts what Global Privacy Control denies to an event, where the record has a choice that lifts it. Returns the
    /// lifted purposes, and leaves in `against_gpc` those that stay denied.
    pub(super) fn lift_gpc(&self, gist: &mut Gist) -> Vec<Purpose> {
        let claimed = std::mem::take(&mut gist.against_gpc);
        let (lifted, denied) = claimed.into_iter().partition(|p| self.standing.lifts_gpc(*p));
        gist.against_gpc = denied;
        if !gist.traits.is_empty() || !gist.ids.is_empty() {
            gist.granted.extend_from_slice(&lifted);
        }
        lifted
    }

    /// Reserves the numbers of `count` new rows of the outbox, and returns the first.
    pub(super) fn next_rows(&mut self, sql: &impl Sql, count: usize) -> Result<i64, Failure> {
        if self.is_row_unknown {
            let rows = sql.exec("SELECT coalesce(max(seq), 0) + 1 AS next FROM outbox", &[])?;
            let stored = rows.first().map_or(Ok(1), |row| row.int("next"))?;
            self.next_row = self.next_row.max(stored);
            self.is_row_unknown = false;
        }
        let first = self.next_row;
        self.next_row += i64::try_from(count).unwrap_or(0);
        Ok(first)
    }

    /// Forgets the number of the next row, because rows may have been added without it.
    pub(super) const fn forget_rows(&mut self) {
        self.is_row_unknown = true;
    }

    /// Finds the channel of the event's session.
    pub(super) fn attribute(
        &mut self,
        sql: &impl Sql,
        gist: &Gist,
    ) -> Result<Option<Channel>, Failure> {
        let Some(id) = &gist.session else { return Ok(gist.channel) };
        let known = match self.sessions.entry(id.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let known = timeline::session(sql, entry.key())?;
                entry.insert(known)
            }
        };
        let (channel, opened) = attribute(gist, known.as_ref());
        if let Some(session) = opened {
            self.opened.push(session.clone());
            *known = Some(session);
        }
        Ok(channel)
    }

    /// Takes the sessions that this call opened, so that they are stored with its events.
    pub(super) fn take_opened(&mut self) -> Vec<Session> {
        if self.sessions.len() > SESSIONS_MAX {
            self.sessions.clear();
        }
        std::mem::take(&mut self.opened)
    }

    /// Returns the person for a destination with these purposes.
    ///
    /// A destination gets a trait only if consent allows the purposes of the trait's event and those of the destination. An id of another
    /// service must be for a purpose of the destination besides.
    /// Ids and first touch come from events that all need `analytics`, so a denial of `analytics` leaves only the
    /// opt-ins. They do not keep what else their events granted, so each other purpose of the destination needs a recorded
    /// grant.
    pub(super) fn person(&self, purposes: &[Purpose]) -> Person {
        let optins = self.subscriptions.states().clone();
        if self.standing.denies(&[Purpose::Analytics]) {
            return Person { optins, ..Person::default() };
        }
        let mut person = Person::of(&self.profile, optins, |one: &Trait| {
            let mut needed = one.purposes.iter().chain(purposes);
            needed.all(|purpose| self.standing.permits(*purpose, &one.granted, one.revision))
        });
        let by_all = [Purpose::Essential, Purpose::Analytics];
        if !purposes.iter().all(|purpose| self.standing.permits(*purpose, &by_all, 0)) {
            let Person { traits, ids, optins, .. } = person;
            person = Person { traits, ids, optins, ..Person::default() };
        }
        person.keep_ids_for(purposes);
        person
    }

    /// The state of the person before an event, which may be folded already.
    pub(super) fn state(&self, gist: &Gist, rules: &StateRules) -> State {
        state(&self.profile, gist.occurred_at, gist.session.as_deref(), rules)
    }

    /// Folds events of `source` that are stored now.
    pub(super) fn fold(&mut self, kept: &[&Gist], source: &str) {
        for gist in kept {
            self.profile = fold(std::mem::take(&mut self.profile), gist, Some(source));
        }
        // An event may come later than a denial of what its ids are for.
        self.standing.remove_withdrawn_ids(&mut self.profile);
    }

    /// Stores the profile once the stored one lacks enough events.
    pub(super) fn keep(&mut self, sql: &impl Sql, folded: usize) -> Result<(), Failure> {
        self.unfolded += folded;
        if self.unfolded < UNFOLDED_MAX {
            return Ok(());
        }
        self.unfolded = 0;
        stored_profile::write(sql, &self.profile, self.next_event - 1)
    }
}
