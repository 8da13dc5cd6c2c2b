//! Stores events: timeline, profile and outbox in one synchronous block.
//!
//! Records of one profile → one [`Recorded`] per record, in order, and the deliveries. The recorded consent decides
//! here, not the event's own claim: a page may be old, forged or late.

use std::borrow::Cow;

use hilo_core::consent::Purpose;
use hilo_core::event::{Event, Gist};
use hilo_core::journey::{Channel, StateRules};
use jiff::Timestamp;

use super::known::Known;
use super::outbox;
use super::timeline::{self, Entry, ROW_BYTES_MAX, Row};
use crate::calls::{Delivery, Planned, Record, Recorded, body, decode, encode};
use crate::platform::{Failure, Sql};

/// The values that all records of a call share.
pub(super) struct Shared<'c> {
    /// The object's name.
    pub(super) name: &'c str,
    /// The source that sent the events.
    pub(super) source: &'c str,
    /// The destinations of the events.
    pub(super) plans: &'c [Planned],
    /// The events as JSON, one right after another.
    pub(super) bodies: &'c str,
    /// The numbers for the states of people.
    pub(super) states: StateRules,
    /// The current time.
    pub(super) now: Timestamp,
}

/// The result of a record call.
pub(super) struct RecordResult {
    /// One result per record, in order; `None` if each event was stored and goes to the destinations of its plan.
    pub(super) recorded: Option<Vec<Recorded>>,
    /// The deliveries that may be sent at once.
    pub(super) fresh: Vec<Delivery>,
    /// Whether the outbox got rows, some of which may have to wait.
    pub(super) has_rows: bool,
    /// When the earliest stored event happened.
    pub(super) earliest: Option<Timestamp>,
}

/// Stores `records`. Run it inside a transaction, and drop `known` if the transaction fails.
pub(super) fn record(
    sql: &impl Sql,
    known: &mut Known,
    shared: &Shared<'_>,
    records: Vec<Record>,
) -> Result<RecordResult, Failure> {
    let mut candidates = Vec::with_capacity(records.len());
    let mut at = 0;
    for record in records {
        let event = body(shared.bodies, at..at + record.bytes)?;
        at += record.bytes;
        candidates.push(Candidate::of(record, event, sql, known)?);
    }
    let kept: Vec<Kept<'_>> =
        candidates.iter().filter_map(|one| Kept::of(one, shared.plans, known)).collect();
    let mut bound = Vec::new();
    let mut is_as_planned = kept.len() == candidates.len();
    for (event, one) in (known.next_event..).zip(&kept) {
        let Kept { candidate, body, allowed, .. } = one;
        is_as_planned &= !candidate.is_rewritten() && allowed.len() == candidate.to.len();
        let message_id = candidate.gist.message_id.as_str();
        for &(to, planned) in allowed {
            let source = Some(shared.source);
            bound.push(outbox::Bound { event, message_id, source, body, to, planned });
        }
    }
    // The profile is folded first: an event is stored with the state of the person, and a person that is sent with an event has the
    // traits of that event.
    let gists: Vec<&Gist> = kept.iter().map(|one| &one.candidate.gist).collect();
    known.fold(&gists, shared.source);
    insert(sql, known, shared, &kept)?;
    known.keep(sql, gists.len())?;
    let fresh = outbox::queue_up(sql, shared.name, &bound, known, shared.now)?;
    let recorded = candidates.iter().map(|one| one.recorded(shared.plans, known));
    let recorded = (!is_as_planned).then(|| recorded.collect());
    let earliest = gists.iter().map(|gist| gist.occurred_at).min();
    Ok(RecordResult { recorded, fresh, has_rows: !bound.is_empty(), earliest })
}

/// A record that is being stored.
struct Candidate<'c> {
    gist: Gist,
    to: Vec<usize>,
    state: State<'c>,
}

/// What becomes of a record.
enum State<'c> {
    /// It is stored under the hash of its id. The event is written again if its session has another channel, or if a recorded
    /// choice lifts Global Privacy Control.
    New(u64, Cow<'c, str>),
    /// It is stored already.
    Known,
    /// The recorded consent denies it.
    Denied,
    /// The person was erased since, or the device for ever.
    Erased,
}

impl<'c> Candidate<'c> {
    fn of(
        record: Record,
        event: &'c str,
        sql: &impl Sql,
        known: &mut Known,
    ) -> Result<Candidate<'c>, Failure> {
        let Record { mut gist, to, .. } = record;
        if known.erased.is_some_and(|erased| erased.refuses(gist.occurred_at)) {
            return Ok(Candidate { gist, to, state: State::Erased });
        }
        if known.standing.denies(&gist.purposes) {
            return Ok(Candidate { gist, to, state: State::Denied });
        }
        let hash = timeline::hash(&gist.message_id);
        if !known.ids.insert(hash) {
            return Ok(Candidate { gist, to, state: State::Known });
        }
        let channel = known.attribute(sql, &gist)?;
        let lifted = known.lift_gpc(&mut gist);
        let mut body = Cow::Borrowed(event);
        if channel != gist.channel || !lifted.is_empty() {
            // This is rare: mostly an event itself shows which visit opened its session.
            body = Cow::Owned(rewritten(event, channel, &lifted)?);
            gist.channel = channel;
        }
        Ok(Candidate { gist, to, state: State::New(hash, body) })
    }

    const fn is_rewritten(&self) -> bool {
        matches!(self.state, State::New(_, Cow::Owned(_)))
    }

    /// Returns the result of the record.
    fn recorded(&self, plans: &[Planned], known: &Known) -> Recorded {
        match self.state {
            State::Denied => Recorded::ConsentDenied,
            State::Erased => Recorded::Erased,
            State::Known => Recorded::Duplicate,
            State::New(..) => {
                let allowed = self.allowed(plans, known).into_iter();
                let destinations = allowed.map(|(_, planned)| planned.name.clone()).collect();
                Recorded::Stored { channel: self.gist.channel, destinations }
            }
        }
    }

    /// Lists the destinations that the recorded consent, Global Privacy Control and the opt-ins allow.
    fn allowed<'p>(&self, plans: &'p [Planned], known: &Known) -> Vec<(usize, &'p Planned)> {
        let planned = self.to.iter().filter_map(|&to| Some((to, plans.get(to)?)));
        let is_denied = |planned: &Planned| {
            planned.purposes.iter().any(|purpose| self.gist.against_gpc.contains(purpose))
        };
        planned.filter(|(_, one)| known.allows(one) && !is_denied(one)).collect()
    }
}

/// Writes the event with another channel, and with the purposes that a recorded choice grants although the browser sent
/// `Sec-GPC: 1`.
fn rewritten(event: &str, channel: Option<Channel>, lifted: &[Purpose]) -> Result<String, Failure> {
    let mut event: Event = decode(event)?;
    event.context.hilo.channel = channel;
    let claim = event.context.consent.get_or_insert_default();
    for purpose in lifted {
        claim.category_preferences.insert(purpose.name().to_owned(), true);
    }
    encode(&event)
}

/// An event that is new, and the destinations that it goes to.
struct Kept<'k> {
    candidate: &'k Candidate<'k>,
    hash: u64,
    body: &'k str,
    allowed: Vec<(usize, &'k Planned)>,
}

impl<'k> Kept<'k> {
    fn of(candidate: &'k Candidate<'k>, plans: &'k [Planned], known: &Known) -> Option<Kept<'k>> {
        match &candidate.state {
            State::New(hash, body) => {
                let allowed = candidate.allowed(plans, known);
                Some(Kept { candidate, hash: *hash, body, allowed })
            }
            State::Known | State::Denied | State::Erased => None,
        }
    }
}

/// Writes the rows of the timeline: mostly one.
fn insert(
    sql: &impl Sql,
    known: &mut Known,
    shared: &Shared<'_>,
    kept: &[Kept<'_>],
) -> Result<(), Failure> {
    let mut opened = known.take_opened();
    let mut rest = kept;
    while !rest.is_empty() {
        let (some, others) = rest.split_at(fitting(rest));
        let mut row = Row::new(known.next_event, shared.now.as_millisecond());
        row.opened = std::mem::take(&mut opened);
        for Kept { candidate, hash, body, allowed } in some {
            let gist = &candidate.gist;
            let touchpoint = gist.touchpoint(known.state(gist, &shared.states));
            let entry = Entry {
                number: known.next_event,
                occurred_ms: gist.occurred_at.as_millisecond(),
                hash: *hash,
                source: Some(shared.source),
                body,
                touchpoint: Some(&touchpoint),
            };
            row.add(entry, allowed.iter().map(|(_, planned)| planned.name.as_str()));
            known.next_event += 1;
        }
        timeline::insert(sql, row)?;
        known.loose += 1;
        rest = others;
    }
    Ok(())
}

/// Returns the number of events that fit into one row: at least one.
fn fitting(kept: &[Kept<'_>]) -> usize {
    let mut bytes = 0;
    let fits = |one: &&Kept<'_>| {
        bytes += one.body.len();
        bytes <= ROW_BYTES_MAX
    };
    kept.iter().take_while(fits).count().max(1)
}
