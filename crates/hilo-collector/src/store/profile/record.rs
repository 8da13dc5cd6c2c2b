//! Keeps events: one synchronous block for timeline, session, profile and outbox.
//!
//! Records of one profile in, one [`Recorded`] each out, in order. The recorded consent is the authority here, not the
//! event's own claim: a page may be old, forged or late.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use hilo_core::consent::OptInChannel;
use hilo_core::event::Event;
use hilo_core::journey::{Session, attribute};
use hilo_core::profile::{Profile, fold};
use jiff::Timestamp;

use super::consent::Standing;
use super::optin::Subscriptions;
use super::{consent, millis, optin};
use crate::calls::{Planned, Record, Recorded, decode, encode};
use crate::platform::{Failure, Sql, SqlValue};

/// Parameters of one statement (Durable Objects allow 100).
const PARAMETERS_MAX: usize = 100;

/// Keeps `records`. Run it inside a transaction.
pub(super) fn record(
    sql: &impl Sql,
    records: Vec<Record>,
    now: Timestamp,
) -> Result<Vec<Recorded>, Failure> {
    let standing = consent::standing(sql)?;
    let subscriptions = optin::subscriptions(sql)?;
    let mut sessions = Sessions::default();
    // Attributed as if all were new: a duplicate belongs to a session that is known already.
    let mut candidates = Vec::with_capacity(records.len());
    for record in records {
        let revision = record.event.context.consent.as_ref().map_or(0, |claim| claim.revision);
        let mut candidate = Candidate { record, revision, is_denied: false };
        if standing.denies(candidate.record.event.purposes(), revision) {
            candidate.is_denied = true;
        } else {
            sessions.attribute(sql, &mut candidate.record.event)?;
        }
        candidates.push(candidate);
    }
    let mut fresh = insert(sql, &candidates)?;
    let mut outbox = Vec::new();
    let mut kept = Vec::new();
    let mut recorded = Vec::with_capacity(candidates.len());
    for candidate in &candidates {
        let event = &candidate.record.event;
        if candidate.is_denied {
            recorded.push(Recorded::ConsentDenied);
        } else if fresh.remove(&event.message_id) {
            let destinations = candidate.allowed(&standing, &subscriptions);
            outbox.extend(destinations.iter().map(|planned| (event.message_id.as_str(), *planned)));
            recorded.push(Recorded::Stored {
                channel: event.context.hilo.channel,
                destinations: destinations.iter().map(|planned| planned.name.clone()).collect(),
            });
            kept.push(event);
        } else {
            recorded.push(Recorded::Duplicate);
        }
    }
    if !kept.is_empty() {
        queue_up(sql, &outbox, now)?;
        sessions.keep(sql)?;
        fold_in(sql, &kept)?;
    }
    Ok(recorded)
}

/// A record on its way in.
struct Candidate {
    record: Record,
    revision: u32,
    is_denied: bool,
}

impl Candidate {
    /// The destinations that neither the recorded consent nor a missing opt-in rules out.
    fn allowed(&self, standing: &Standing, subscriptions: &Subscriptions) -> Vec<&Planned> {
        let is_allowed = |planned: &&Planned| {
            !standing.denies(&planned.purposes, self.revision)
                && subscriptions.allow(planned.channel)
        };
        self.record.destinations.iter().filter(is_allowed).collect()
    }
}

fn fold_in(sql: &impl Sql, events: &[&Event]) -> Result<(), Failure> {
    let profile = events.iter().fold(load_profile(sql)?, |profile, event| fold(profile, event));
    let profile = SqlValue::Text(encode(&profile)?);
    sql.exec("INSERT OR REPLACE INTO meta (key, value) VALUES ('profile', ?)", &[profile])?;
    Ok(())
}

fn load_profile(sql: &impl Sql) -> Result<Profile, Failure> {
    match sql.exec("SELECT value FROM meta WHERE key = 'profile'", &[])?.first() {
        Some(row) => decode(row.text("value")?),
        None => Ok(Profile::default()),
    }
}

/// Writes the timeline, and answers the ids that were new.
fn insert(sql: &impl Sql, candidates: &[Candidate]) -> Result<BTreeSet<String>, Failure> {
    let events: Vec<&Event> =
        candidates.iter().filter(|c| !c.is_denied).map(|c| &c.record.event).collect();
    let mut fresh = BTreeSet::new();
    for events in events.chunks(PARAMETERS_MAX / 3) {
        let mut values = Vec::with_capacity(events.len() * 3);
        for event in events {
            values.push(SqlValue::from(event.message_id.as_str()));
            values.push(SqlValue::int(millis(event.occurred_at))?);
            values.push(SqlValue::Text(encode(event)?));
        }
        let rows = sql.exec(
            &format!(
                "INSERT INTO events (message_id, occurred_ms, body) VALUES {}
                 ON CONFLICT (message_id) DO NOTHING RETURNING message_id",
                tuples("(?,?,?)", events.len())
            ),
            &values,
        )?;
        for row in rows {
            fresh.insert(row.text("message_id")?.to_owned());
        }
    }
    Ok(fresh)
}

/// One outbox row per event and destination.
fn queue_up(sql: &impl Sql, outbox: &[(&str, &Planned)], now: Timestamp) -> Result<(), Failure> {
    let now = SqlValue::int(millis(now))?;
    for rows in outbox.chunks(PARAMETERS_MAX / 6) {
        let mut values = Vec::with_capacity(rows.len() * 6);
        for (message_id, planned) in rows {
            let purposes: Vec<&str> = planned.purposes.iter().map(|p| p.name()).collect();
            values.push(SqlValue::from(*message_id));
            values.push(SqlValue::from(planned.name.as_str()));
            values.push(SqlValue::Text(purposes.join(",")));
            values.push(SqlValue::text_or_null(planned.channel.map(OptInChannel::name)));
            values.extend([now.clone(), now.clone()]);
        }
        sql.exec(
            &format!(
                "INSERT OR IGNORE INTO outbox (message_id, destination, purposes, channel, next_ms, updated_ms)
                 VALUES {}",
                tuples("(?,?,?,?,?,?)", rows.len())
            ),
            &values,
        )?;
    }
    Ok(())
}

fn tuples(tuple: &str, count: usize) -> String {
    vec![tuple; count].join(",")
}

/// The sessions that this batch has met: a batch is mostly one session, so each is read once.
#[derive(Default)]
struct Sessions {
    known: BTreeMap<String, Option<Session>>,
    opened: Vec<Session>,
}

impl Sessions {
    fn attribute(&mut self, sql: &impl Sql, event: &mut Event) -> Result<(), Failure> {
        let Some(id) = event.context.hilo.session.as_ref().map(|hint| hint.id.clone()) else {
            return Ok(());
        };
        let known = match self.known.entry(id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let known = read_session(sql, entry.key())?;
                entry.insert(known)
            }
        };
        if let Some(session) = attribute(event, known.as_ref()) {
            self.opened.push(session.clone());
            *known = Some(session);
        }
        Ok(())
    }

    fn keep(&self, sql: &impl Sql) -> Result<(), Failure> {
        for session in &self.opened {
            sql.exec(
                "INSERT OR IGNORE INTO sessions (id, touch) VALUES (?, ?)",
                &[SqlValue::from(session.id.as_str()), SqlValue::Text(encode(&session.touch)?)],
            )?;
        }
        Ok(())
    }
}

fn read_session(sql: &impl Sql, id: &str) -> Result<Option<Session>, Failure> {
    let rows = sql.exec("SELECT touch FROM sessions WHERE id = ?", &[SqlValue::from(id)])?;
    match rows.first() {
        Some(row) => Ok(Some(Session { id: id.to_owned(), touch: decode(row.text("touch")?)? })),
        None => Ok(None),
    }
}
