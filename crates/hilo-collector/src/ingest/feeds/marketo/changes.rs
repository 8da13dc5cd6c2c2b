//! Changes of people's fields in Marketo: a page of changes, then its people as they are now → traits, and who wants no more.
//!
//! A change waits without its values until its person is read, so that none is kept in the state. Only that somebody wants no more waits
//! with it: each change has its own time, so an opt-out counts with the time of the choice, and a lifted one subscribes nobody. A person who
//! was brought in as one who wants no more has no such change, so the field itself is a flag.

use std::collections::BTreeMap;

use hilo_core::inbound::Who;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::shape::{Flag, Page};
use super::super::words::{at, facts, id, list, opt_out, text, time};
use super::activity::Activity;

/// The field of somebody who wants no more letters.
pub(super) const ENDED: &str = "unsubscribed";
/// The types of activity: a new person, and a changed field.
const KINDS: [i64; 2] = [12, 13];

/// Reads a change.
pub(super) fn of(change: &Value) -> Option<Activity> {
    let kind = at(change, "activityTypeId")?.as_i64().filter(|kind| KINDS.contains(kind))?;
    let ends = |field: &Value| {
        text(field, "name").as_deref() == Some(ENDED) && at(field, "newValue").is_some_and(is_true)
    };
    Some(Activity {
        id: text(change, "marketoGUID").or_else(|| id(change, "id"))?,
        lead: id(change, "leadId")?,
        kind,
        at: time(change, "activityDate"),
        asset: None,
        asset_name: None,
        campaign: None,
        attributes: BTreeMap::new(),
        ends: list(change, "fields").iter().any(ends),
    })
}

/// Marketo writes values of changes as text.
fn is_true(value: &Value) -> bool {
    value.as_bool() == Some(true)
        || value.as_i64() == Some(1)
        || matches!(value.as_str(), Some("true" | "1"))
}

/// Adds the reports of changes: the traits of each person once, with the time of the newest change, each opt-out, and the flag of each person
/// as it is now. Returns the number of changes whose people Marketo does not name.
pub(super) fn read(
    changes: &[Activity],
    people: &BTreeMap<String, (Who, &Value)>,
    fields: &BTreeMap<String, String>,
    page: &mut Page,
) -> u32 {
    let mut newest: BTreeMap<&str, &Activity> = BTreeMap::new();
    let mut ended: BTreeMap<&str, Option<Timestamp>> = BTreeMap::new();
    let mut odd = 0;
    for change in changes {
        let Some((who, _)) = people.get(&change.lead) else {
            odd += 1;
            continue;
        };
        let known = newest.entry(&change.lead).or_insert(change);
        if known.at < change.at {
            *known = change;
        }
        if change.ends {
            let since = ended.entry(&change.lead).or_default();
            *since = (*since).max(change.at);
            page.reports.push(opt_out(format!("{}:out", change.id), "email", (who, change.at)));
        }
    }
    for (lead, change) in newest {
        let Some((who, now)) = people.get(lead) else { continue };
        let mut traits = Map::new();
        traits.extend(who.email.clone().map(|email| ("email".to_owned(), Value::from(email))));
        for (name, field) in fields {
            let value = at(now, field).filter(|value| !value.is_null() && !value.is_object());
            traits.extend(value.map(|value| (name.clone(), value.clone())));
        }
        page.reports.push(facts(format!("lead:{lead}:{}", change.id), (who, change.at), traits));
        // Where a change tells the time of the choice, the flag repeats that choice.
        let since = ended.get(lead).copied().unwrap_or(change.at);
        let of = format!("lead:{lead}:{ENDED}");
        let Some(field) = at(now, ENDED).filter(|value| !value.is_null()) else { continue };
        let out = is_true(field).then(|| opt_out(of.clone(), "email", (who, since)));
        page.flags.push(Flag { of, opt_out: out });
    }
    odd
}
