//! The event that tells destinations of a change of the ledger: `Opt-In Confirmed` or `Opt-In Withdrawn`.
//!
//! A change → its event in the timeline, and its deliveries. The event has the channel,
//! the address and the ids that the profile has, and the recorded consent as its own. Who must have it whatever that consent is was
//! decided by the caller, see `forward::listeners`. Run everything inside the transaction that writes the entry.

use hilo_core::consent::{Decision, decide};
use hilo_core::event::{
    Context, Event, EventKind, Gist, HiloContext, OPT_IN_CONFIRMED, OPT_IN_WITHDRAWN,
};
use hilo_core::journey::StateRules;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::known::Known;
use super::optin_change::Change;
use super::record::{self, Shared};
use crate::calls::optin::{Listeners, OptIn};
use crate::calls::{Delivery, Planned, Record, encode};
use crate::platform::{Failure, Sql};
use crate::signature::sha256_hex;

/// The hex digits of an event's id: 128 bits.
const ID_CHARS: usize = 32;

/// The destinations that learn of it. Those that are not owed it need a recorded grant of every purpose, as for every event.
fn learning<'l>(change: &Change, listeners: &'l Listeners, known: &Known) -> Vec<&'l Planned> {
    let planned =
        if change.entry.is_opt_out() { &listeners.withdrawn } else { &listeners.confirmed };
    let said = known.standing.claim().state();
    let learns = |one: &&Planned| one.is_owed || decide(&said, &one.purposes) == Decision::Pass;
    planned.iter().filter(learns).collect()
}

/// The event, in the object called `name`. The same entry makes the same id each time.
fn event(change: &Change, known: &Known, name: &str, lang: Option<&str>, now: Timestamp) -> Event {
    let OptIn { channel, at, .. } = &change.entry;
    let mut id = sha256_hex(format!("optin:{name}:{}:{at}", change.seq).as_bytes());
    id.truncate(ID_CHARS);
    let label = if change.entry.is_opt_out() { OPT_IN_WITHDRAWN } else { OPT_IN_CONFIRMED };
    let mut properties = Map::new();
    let mut tell = |field: &str, value: Option<&str>| {
        if let Some(value) = value {
            properties.insert(field.to_owned(), Value::from(value));
        }
    };
    tell("channel", Some(channel.name()));
    tell("address", change.address.as_deref());
    if !change.entry.is_opt_out() {
        tell("text", change.entry.text.as_deref());
        tell("version", change.entry.version.as_deref());
        tell("lang", lang);
    }
    let consent = Some(known.standing.claim()).filter(|claim| claim.is_said());
    let hilo = HiloContext { ledger: true, ..HiloContext::default() };
    Event {
        message_id: format!("optin-{id}"),
        kind: EventKind::Track { event: label.to_owned(), properties },
        anonymous_id: known.profile.anonymous_ids.last().cloned(),
        user_id: known.profile.user_id.clone(),
        claimed_id: None,
        occurred_at: at.parse().unwrap_or(now),
        original_at: None,
        sent_at: None,
        received_at: now,
        context: Context { consent, hilo, ..Context::default() },
        integrations: Map::new(),
    }
}

/// Stores the event of a change, and returns its deliveries.
pub(super) fn tell(
    sql: &impl Sql,
    known: &mut Known,
    name: &str,
    change: &Change,
    listeners: &Listeners,
    now: Timestamp,
) -> Result<Vec<Delivery>, Failure> {
    // Whoever writes by this channel may do so from now on, or not any more.
    known.reread_optins(sql)?;
    let plans: Vec<Planned> = learning(change, listeners, known).into_iter().cloned().collect();
    let event = event(change, known, name, listeners.lang.as_deref(), now);
    let (gist, body) = (Gist::of(&event), encode(&event)?);
    let source = change.entry.source.as_str();
    // The usual numbers do: the state before a choice about a channel decides nothing.
    let states = StateRules::default();
    let shared = Shared { name, source, plans: &plans, bodies: &body, states, now };
    let told = Record { gist, bytes: body.len(), to: (0..plans.len()).collect() };
    Ok(record::record(sql, known, &shared, vec![told])?.fresh)
}
