//! What other systems report → the person of each report → events, through the same stages as all others.
//!
//! Webhooks, imports, polls and `POST /v1/reports` make the reports. Each gets exactly one [`Taken`], in order, and may be sent again: the event's id is the
//! source's name with the report's own id. The source's legal basis counts, and a denial that the person has recorded wins.

use std::collections::{BTreeMap, BTreeSet};

use hilo_core::config::Source;
use hilo_core::event::touchpoints::{self, Touchpoint};
use hilo_core::event::{Facts, Trust};
use hilo_core::identity::ProfileKey;
use hilo_core::inbound::{Report, Told};
use hilo_core::outcome::{Code, Outcome, Rejection};
use hilo_core::validate::Envelope;
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::desk::Desk;
use super::entry::NOTICES_MAX;
use super::meeting::{self, Met, Named};
use super::{addresses, at_once, ledger, limits};
use crate::address::Keys;
use crate::call::{Call, Trouble, secret};
use crate::ingest;
use crate::ingest::reply::{self, Notice};
use crate::loaded::Loaded;
use crate::platform::{Failure, Platform, Reply};
use crate::signature::sha256_hex;

/// The most events that pass the stages at once: they and their copies are in memory together.
const EVENTS_AT_ONCE: usize = 500;
/// The bytes of an event's id (the field table's row).
const MESSAGE_ID_BYTES_MAX: usize = 100;
/// The hex digits that stand in the place of a longer id.
const HASH_CHARS: usize = 32;
/// The parts of the context that a report may tell.
const CONTEXT: [&str; 3] = ["campaign", "channel", "locale"];

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The fate of its event.
    pub(crate) outcome: Outcome,
    /// The remarks on it.
    pub(crate) notices: Vec<Rejection>,
}

impl Taken {
    fn refused(why: Rejection) -> Taken {
        Taken { outcome: Outcome::Rejected(why), notices: Vec::new() }
    }
}

/// Receives reports of a company's own system, under its secret key.
pub(super) async fn receive<P: Platform>(call: &Call<'_, P>) -> Result<Reply, Trouble> {
    let (body, source) = ingest::open_object(call)?;
    limits::check_key(source, call).await?;
    if !source.is_server() {
        let message = "only a server's key reports about people whom their addresses name";
        return Err(Rejection::new(Code::Unauthorized, message).into());
    }
    let (mut read, mut refused) = (Vec::new(), Vec::new());
    let ids: Vec<Option<String>> = ingest::reports::read(body)?
        .into_iter()
        .map(|one| match one {
            Ok(report) => {
                refused.push(None);
                let id = report.id.clone();
                read.push(report);
                id
            }
            Err(why) => {
                refused.push(Some(Taken::refused(why)));
                None
            }
        })
        .collect();
    let mut taken = take(read, source, call.loaded, call.platform).await?.into_iter();
    let all: Vec<Taken> =
        refused.into_iter().filter_map(|one| one.or_else(|| taken.next())).collect();
    let outcomes = all.iter().zip(&ids).enumerate();
    let notices = outcomes.clone().flat_map(|(index, (one, id))| {
        let notice = move |why| Notice { index, message_id: id.as_deref(), count: 1, why };
        one.notices.iter().map(notice)
    });
    let notices = notices.take(NOTICES_MAX).collect();
    let outcomes = outcomes.map(|(index, (one, id))| (index, id.as_deref(), &one.outcome));
    Ok(reply::judged(outcomes, notices, None))
}

/// Takes reports of one source. One [`Taken`] for each report, in order.
///
/// # Errors
/// A failure if any part is not known to be durable. The same reports may be sent again: what is stored counts as a duplicate.
pub(crate) async fn take<P: Platform>(
    reports: Vec<Report>,
    source: &Source,
    loaded: &Loaded,
    platform: &P,
) -> Result<Vec<Taken>, Failure> {
    let (secret, now) = (secret(platform)?, platform.now());
    let trust = Trust::Server;
    let facts = Facts { received_at: now, random: platform.random16(), trust, ..Facts::default() };
    let desk = Desk { source, secret: &secret, loaded, facts: &facts, platform };
    let met = desk.meet(&reports).await?;
    let mut taken = Vec::with_capacity(reports.len());
    let (mut events, mut choices) = (Vec::new(), Vec::new());
    for (place, (report, met)) in reports.iter().zip(&met).enumerate() {
        let Some(met) = met else {
            taken.push(Taken::refused(nobody()));
            continue;
        };
        taken.push(Taken { outcome: Outcome::Accepted, notices: desk.remarks(report, met) });
        match &report.told {
            Told::OptIn { .. } => choices.push((place, report, met)),
            Told::Act { .. } | Told::Traits(_) => match desk.item(report, met) {
                Ok((item, notices)) => {
                    events.push((place, item));
                    taken
                        .last_mut()
                        .into_iter()
                        .for_each(|one| one.notices.extend(notices.clone()));
                }
                Err(why) => {
                    taken.pop();
                    taken.push(Taken::refused(why));
                }
            },
        }
    }
    for events in events.chunks(EVENTS_AT_ONCE) {
        desk.store(events, &mut taken).await?;
    }
    for (place, report, met) in choices {
        let outcome = ledger::choose(report, &met.who, &desk).await?;
        taken.get_mut(place).into_iter().for_each(|one| one.outcome = outcome.clone());
    }
    desk.prove(&reports, &met, &taken).await?;
    Ok(taken)
}

impl<P: Platform> Desk<'_, P> {
    fn keys(&self) -> Keys<'_> {
        Keys::of(self.secret, &self.loaded.config.normalize).named_by(self.source)
    }

    /// Finds the person of each report; `None` for a report that names nobody. Equal ones are looked up once.
    async fn meet(&self, reports: &[Report]) -> Result<Vec<Option<Met>>, Failure> {
        let (keys, rules) = (self.keys(), &self.loaded.config.identity);
        let named: Vec<Named> = reports
            .iter()
            .map(|one| {
                meeting::named(&one.who, order(&one.told).as_deref(), self.source, &keys, rules)
            })
            .collect();
        let asked: BTreeSet<&Vec<String>> = named
            .iter()
            .filter_map(|one| match one {
                Named::Addresses(keys) => Some(keys),
                Named::Person(_) | Named::Nobody => None,
            })
            .collect();
        let calls = asked.into_iter().map(|keys| async move {
            Ok((keys, meeting::meet(keys, self.secret, self.platform).await?))
        });
        let met = at_once::all(calls, self.facts.received_at, self.platform).await?;
        let met: BTreeMap<&Vec<String>, Met> = met.into_iter().collect();
        let one = |named: &Named| match named {
            Named::Person(who) => Some(Met { who: who.clone(), notice: None }),
            Named::Addresses(keys) => met.get(keys).cloned(),
            Named::Nobody => None,
        };
        Ok(named.iter().map(one).collect())
    }

    /// Says where a report does not lead to the person whom it names.
    fn remarks(&self, report: &Report, met: &Met) -> Vec<Rejection> {
        let is_contact = matches!(met.who, ProfileKey::Contact(_));
        let has_claimed = report.who.user_id.is_some() || is_contact;
        if !self.source.is_trusted && has_claimed {
            let message = "this source only claims who the person is, so the event is joined to nobody: write identity = \"trusted\" if it proves the address";
            return vec![Rejection::new(Code::IdentityClaimed, message)];
        }
        met.notice.iter().cloned().collect()
    }

    /// Makes the event's item in the form of the protocol, and the remarks on what was left out.
    ///
    /// # Errors
    /// The refusal of an order without its total.
    fn item(&self, report: &Report, met: &Met) -> Result<(Value, Vec<Rejection>), Rejection> {
        let mut item = Map::new();
        let mut notices = Vec::new();
        let mut context = report.context.clone();
        context.retain(|key, _| CONTEXT.contains(&key.as_str()));
        let is_cut = context.len() < report.context.len();
        if is_cut {
            let message = "a report tells campaign, channel and locale; the rest was left out";
            notices.push(Rejection::at(Code::UnknownField, "context", message));
        }
        match &report.told {
            Told::Act { event, properties } => {
                let mut properties = properties.clone();
                notices.extend(touchpoints::check(event, &mut properties)?);
                self.forgive_currency(&mut notices);
                let channel = Touchpoint::of(event).and_then(|one| one.channel_of(&properties));
                if let Some(channel) = channel.filter(|_| !context.contains_key("channel")) {
                    context.insert("channel".to_owned(), channel.into());
                }
                item.insert("type".to_owned(), "track".into());
                item.insert("event".to_owned(), event.as_str().into());
                item.insert("properties".to_owned(), Value::Object(properties));
            }
            Told::Traits(traits) => {
                item.insert("type".to_owned(), "identify".into());
                item.insert("traits".to_owned(), Value::Object(traits.clone()));
            }
            Told::OptIn { .. } => {}
        }
        let (field, id) = match &met.who {
            ProfileKey::User(id) => ("userId", id.clone()),
            ProfileKey::Anonymous(id) => ("anonymousId", id.clone()),
            ProfileKey::Contact(_) => ("anonymousId", met.who.to_string()),
        };
        item.insert(field.to_owned(), id.into());
        item.insert("messageId".to_owned(), self.message_id(report).into());
        if let Some(at) = report.occurred_at {
            item.insert("timestamp".to_owned(), at.to_string().into());
        }
        item.insert("context".to_owned(), Value::Object(context));
        Ok((Value::Object(item), notices))
    }

    /// A currency that is missing is the deployment's own, where it has one.
    fn forgive_currency(&self, notices: &mut Vec<Rejection>) {
        if self.loaded.config.normalize.currency.is_some() {
            let is_currency = |one: &Rejection| one.field.as_deref() == Some("properties.currency");
            notices.retain(|one| one.code != Code::MissingField || !is_currency(one));
        }
    }

    /// The event's id: the source's name and the report's own id. A report without one has the hash of all that it says.
    fn message_id(&self, report: &Report) -> String {
        let name = &self.source.name;
        let kind = if let Told::Traits(_) = &report.told { ":traits" } else { "" };
        let hash = |text: &str| {
            let mut hash = sha256_hex(text.as_bytes());
            hash.truncate(HASH_CHARS);
            hash
        };
        let id = match &report.id {
            Some(id) => id.clone(),
            None => hash(&content(report)),
        };
        let whole = format!("{name}:{id}{kind}");
        let fits = whole.len() <= MESSAGE_ID_BYTES_MAX && !id.chars().any(char::is_control);
        if fits { whole } else { format!("{}{kind}", hash(&format!("{name}:{id}"))) }
    }

    /// Lets events pass the stages, and notes the outcome of each.
    async fn store(&self, events: &[(usize, Value)], taken: &mut [Taken]) -> Result<(), Failure> {
        let mut items = Vec::with_capacity(events.len());
        for (_, item) in events {
            let item = to_raw_value(item).map_err(|error| Failure::Fatal(error.to_string()))?;
            items.push(item);
        }
        let sent_at = Some(self.facts.received_at);
        let envelope = Envelope { sent_at, items, ..Envelope::default() };
        let Desk { source, facts, loaded, platform, .. } = *self;
        let (entries, _) = super::run(&envelope, None, source, facts, loaded, platform).await?;
        for entry in entries {
            let place = events.get(entry.index).map(|(place, _)| *place);
            if let Some(one) = place.and_then(|place| taken.get_mut(place)) {
                one.outcome = entry.outcome;
                one.notices.extend(entry.notices);
            }
        }
        Ok(())
    }

    /// Proves what a trusted source has named together: the addresses of a person with an id, and the number of a person's own order.
    async fn prove(
        &self,
        reports: &[Report],
        met: &[Option<Met>],
        taken: &[Taken],
    ) -> Result<(), Failure> {
        if !self.source.is_trusted {
            return Ok(());
        }
        let keys = self.keys();
        let mut proofs: BTreeMap<&ProfileKey, BTreeSet<String>> = BTreeMap::new();
        for ((report, met), taken) in reports.iter().zip(met).zip(taken) {
            let is_stored = matches!(taken.outcome, Outcome::Accepted | Outcome::Duplicate);
            let Some(met) = met.as_ref().filter(|_| is_stored) else { continue };
            let (order, who) = (order(&report.told), &report.who);
            let is_own = matches!(&report.told, Told::Act { event, .. } if event == addresses::ORDER_COMPLETED);
            let found = if who.user_id.is_some() || who.anonymous_id.is_some() {
                meeting::addresses(who, order.as_deref(), self.source, &keys)
            } else {
                // One address does not prove another. An order's number is the order's own.
                let order = order.filter(|_| is_own);
                order.and_then(|order| keys.order(&self.source.name, &order)).into_iter().collect()
            };
            if !found.is_empty() {
                proofs.entry(&met.who).or_default().extend(found);
            }
        }
        let calls = proofs.into_iter().map(|(person, keys)| async move {
            let keys = keys.into_iter().collect();
            let proof = (keys, self.source.name.as_str());
            addresses::prove(person, proof, self.secret, self.loaded, self.platform).await
        });
        at_once::all(calls, self.facts.received_at, self.platform).await.map(drop)
    }
}

/// The number of the order that an act tells of.
fn order(told: &Told) -> Option<String> {
    match told {
        Told::Act { event, properties } if Touchpoint::of(event).is_some() => {
            addresses::text(properties, "order_id")
        }
        Told::Act { .. } | Told::Traits(_) | Told::OptIn { .. } => None,
    }
}

/// All that a report says, as text.
fn content(report: &Report) -> String {
    let told = match &report.told {
        Told::Act { event, properties } => json!([event, properties]),
        Told::Traits(traits) => json!(traits),
        Told::OptIn { channel, is_subscribed, text } => json!([channel, is_subscribed, text]),
    };
    let who = &report.who;
    let ids =
        [&who.user_id, &who.anonymous_id, &who.email, &who.phone, &who.order_id, &who.loyalty_id];
    let at = report.occurred_at.map(|at| at.to_string());
    json!([told, ids, at]).to_string()
}

fn nobody() -> Rejection {
    let message = "say whom it is about: a user id, an e-mail address, a telephone number with its country, an order or a loyalty card";
    Rejection::new(Code::MissingId, message)
}
