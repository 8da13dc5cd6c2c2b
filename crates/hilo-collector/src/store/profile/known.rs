//! What every record asks the storage for, kept in memory between calls: recorded consent, opt-ins, profile,
//! sessions.
//!
//! An object is the only one that writes its storage, so what it has read stays true until it writes itself. A call that
//! fails, or changes consent or an opt-in, drops all of it; the next one reads again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hilo_core::event::Gist;
use hilo_core::journey::{Channel, Session, attribute};
use hilo_core::profile::Profile;

use super::consent::{self, Standing};
use super::optin::{self, Subscriptions};
use crate::calls::{Planned, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// Sessions that are remembered: a person has one at a time, and a late batch of the one before.
const SESSIONS_MAX: usize = 8;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// What stands for each purpose.
    pub(super) standing: Standing,
    /// What stands for each channel.
    subscriptions: Subscriptions,
    /// The folded profile.
    pub(super) profile: Profile,
    /// Sessions by id; `None` for one that is not stored.
    sessions: BTreeMap<String, Option<Session>>,
    /// Sessions that this call opened.
    opened: Vec<Session>,
}

impl Known {
    /// Reads what there is.
    pub(super) fn read(sql: &impl Sql) -> Result<Known, Failure> {
        let profile = match sql.exec("SELECT value FROM meta WHERE key = 'profile'", &[])?.first() {
            Some(row) => decode(row.text("value")?)?,
            None => Profile::default(),
        };
        let (standing, subscriptions) = (consent::standing(sql)?, optin::subscriptions(sql)?);
        Ok(Known { standing, subscriptions, profile, ..Known::default() })
    }

    /// Whether neither the recorded consent, as of `revision`, nor a missing opt-in rules a destination out.
    pub(super) fn allows(&self, planned: &Planned, revision: u32) -> bool {
        !self.standing.denies(&planned.purposes, revision)
            && self.subscriptions.allow(planned.channel)
    }

    /// The channel of the event's session.
    pub(super) fn attribute(
        &mut self,
        sql: &impl Sql,
        gist: &Gist,
    ) -> Result<Option<Channel>, Failure> {
        let Some(id) = &gist.session else { return Ok(gist.channel) };
        let known = match self.sessions.entry(id.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let known = read_session(sql, entry.key())?;
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

    /// Stores the sessions that were opened since, if any event of theirs was kept.
    pub(super) fn keep_sessions(&mut self, sql: &impl Sql, is_kept: bool) -> Result<(), Failure> {
        let opened = std::mem::take(&mut self.opened);
        if is_kept {
            for session in &opened {
                sql.run(
                    "INSERT OR IGNORE INTO sessions (id, touch) VALUES (?, ?)",
                    &[SqlValue::from(session.id.as_str()), SqlValue::Text(encode(&session.touch)?)],
                )?;
            }
        }
        if !is_kept || self.sessions.len() > SESSIONS_MAX {
            self.sessions.clear();
        }
        Ok(())
    }

    /// Stores the profile.
    pub(super) fn keep_profile(&self, sql: &impl Sql) -> Result<(), Failure> {
        // Not `INSERT OR REPLACE`: that takes the old row out of table and index and writes both anew.
        let profile = SqlValue::Text(encode(&self.profile)?);
        sql.run(
            "INSERT INTO meta (key, value) VALUES ('profile', ?)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            &[profile],
        )
    }
}

fn read_session(sql: &impl Sql, id: &str) -> Result<Option<Session>, Failure> {
    let rows = sql.exec("SELECT touch FROM sessions WHERE id = ?", &[SqlValue::from(id)])?;
    match rows.first() {
        Some(row) => Ok(Some(Session { id: id.to_owned(), touch: decode(row.text("touch")?)? })),
        None => Ok(None),
    }
}
