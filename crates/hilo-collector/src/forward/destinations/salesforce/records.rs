//! What Salesforce gets of a batch: records of people, touchpoints and orders, in this order.
//!
//! Events → upserts of sObject collections, one for each step and object. People come first because a touchpoint names its person by
//! the external id, which must be there by then.

use hilo_core::consent::OptInChannel;
use hilo_core::event::Event;
use hilo_core::profile::Person;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::settings::{Orders, People, PersonId, PersonObject, Settings, Touchpoints};
use crate::forward::destination::{Batch, BatchEvent, LeftOut, MappedRequest, Mapping};
use crate::forward::destinations::answer::post;
use crate::forward::destinations::commerce::Commerce;
use crate::forward::destinations::contact::{Contact, is_form};
use crate::forward::destinations::crm::{
    self, Field, KNOWN, NEW, NEW_ORDERS, ORDERS, Record, Records, Row, TOUCHPOINTS, Waves,
};
use crate::forward::destinations::whole;
use crate::forward::reason;
use crate::platform::Outgoing;

/// The field of an order's stage.
pub(super) const STAGE: &str = "StageName";

/// The most characters of an external id.
const ID_CHARS_MAX: usize = 255;
/// The most characters of `Email`.
const EMAIL_CHARS_MAX: usize = 80;

/// Text fields of a lead, with the lengths of Salesforce's field reference.
const LEAD: [Field; 11] = [
    Field { of: "firstName", name: "FirstName", chars_max: 40 },
    Field { of: "lastName", name: "LastName", chars_max: 80 },
    Field { of: "company", name: "Company", chars_max: 255 },
    Field { of: "title", name: "Title", chars_max: 128 },
    Field { of: "phone", name: "Phone", chars_max: 40 },
    Field { of: "website", name: "Website", chars_max: 255 },
    Field { of: "address.street", name: "Street", chars_max: 255 },
    Field { of: "address.city", name: "City", chars_max: 40 },
    Field { of: "address.state", name: "State", chars_max: 80 },
    Field { of: "address.postalCode", name: "PostalCode", chars_max: 20 },
    Field { of: "address.country", name: "Country", chars_max: 80 },
];

/// Text fields of a contact. The company is an account, which has an id of its own.
const CONTACT: [Field; 9] = [
    Field { of: "firstName", name: "FirstName", chars_max: 40 },
    Field { of: "lastName", name: "LastName", chars_max: 80 },
    Field { of: "title", name: "Title", chars_max: 128 },
    Field { of: "phone", name: "Phone", chars_max: 40 },
    Field { of: "address.street", name: "MailingStreet", chars_max: 255 },
    Field { of: "address.city", name: "MailingCity", chars_max: 40 },
    Field { of: "address.state", name: "MailingState", chars_max: 80 },
    Field { of: "address.postalCode", name: "MailingPostalCode", chars_max: 20 },
    Field { of: "address.country", name: "MailingCountry", chars_max: 80 },
];

impl PersonObject {
    const fn fields(self) -> &'static [Field] {
        match self {
            PersonObject::Lead => &LEAD,
            PersonObject::Contact => &CONTACT,
        }
    }

    /// What Salesforce demands of a new record.
    pub(super) const fn demanded(self) -> &'static [&'static str] {
        match self {
            PersonObject::Lead => &["LastName", "Company"],
            PersonObject::Contact => &["LastName"],
        }
    }
}

impl Orders {
    /// The stage that an event brings an order to, if it is about an order.
    pub(super) fn stage_of(&self, event: &Event) -> Option<&str> {
        crm::stage(event, &self.stage, self.refunded_stage.as_deref())
    }
}

/// Where calls go, and what they show.
pub(super) struct Door {
    /// The address before the call's own path.
    pub(super) base: String,
    /// The path of the base, for calls inside a call.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// Makes the requests of a batch.
pub(super) fn map(settings: &Settings, door: &Door, batch: &Batch<'_>) -> Mapping {
    let (mut records, mut left_out) = (Records::default(), Vec::new());
    for (at, one) in batch.events.iter().enumerate() {
        if let Err(why) = add(&mut records, settings, batch, at, one) {
            left_out.push((at, why));
        }
    }
    let mut requests = Vec::new();
    let mut add = |step, object: &str, external_id: &str, waves: Waves| {
        for rows in waves {
            requests.push(upsert(door, (step, object, external_id), rows));
        }
    };
    let Settings { person, touchpoint, order, .. } = settings;
    add(KNOWN, person.object.name(), &person.external_id, records.known);
    add(NEW, person.object.name(), &person.external_id, records.new);
    if let Some(one) = touchpoint {
        add(TOUCHPOINTS, &one.object, &one.external_id, records.touchpoints);
    }
    if let Some(one) = order {
        add(ORDERS, &one.object, &one.external_id, records.orders);
        add(NEW_ORDERS, &one.object, &one.external_id, records.new_orders);
    }
    Mapping { requests, left_out }
}

/// Adds the records of one event, or says why it has none.
fn add(
    records: &mut Records,
    settings: &Settings,
    batch: &Batch<'_>,
    at: usize,
    one: &BatchEvent<'_>,
) -> Result<(), LeftOut> {
    let Settings { person, touchpoint, order, .. } = settings;
    let touchpoint =
        touchpoint.as_ref().filter(|wanted| crm::is_touchpoint(one.event, wanted.pages));
    let order = order.as_ref().and_then(|order| Some((order, order.stage_of(one.event)?)));
    let tells = crm::tells_of_person(one.event);
    if !tells && touchpoint.is_none() && order.is_none() {
        return Err(LeftOut::Skipped(reason::unasked("such events")));
    }
    let id = id(person, one)
        .ok_or_else(|| LeftOut::Skipped(reason::missing_identifier(person.id.words())))?;
    check_fields(settings, one)?;
    let row = |(order, stage): (&Orders, &str)| {
        let may_be_refunded = order.refunded_stage.is_some() && stage == order.stage;
        Ok::<_, LeftOut>((order_row(order, stage, at, one)?, may_be_refunded.then_some(STAGE)))
    };
    let order = order.map(row).transpose()?;
    // Salesforce limits the number of calls a day, so a person without news is written once for all of their touchpoints.
    if tells || !records.known.has(&id) {
        let mut record = person_record(person, one);
        crm::own_fields(&mut record, one, person.object.name(), touchpoint.is_none());
        let demanded = (person.object.demanded(), person.unknown.as_str());
        records.add_person(Row { at, key: id.clone(), record }, demanded, batch);
    }
    if let Some(touchpoint) = touchpoint {
        let mut record = touchpoint_record(touchpoint, person, &id, one);
        crm::own_fields(&mut record, one, &touchpoint.object, true);
        records.touchpoints.push(Row { at, key: whole::unique_id(one.event), record });
    }
    if let Some((order, guarded)) = order {
        records.add_order(order, guarded, batch);
    }
    Ok(())
}

/// The person's external id. A user id does not name somebody else whose form came from the user's device.
fn id(person: &People, one: &BatchEvent<'_>) -> Option<String> {
    match person.id {
        PersonId::Email => crm::email(one, EMAIL_CHARS_MAX),
        PersonId::UserId => {
            let is_form = one.event.kind.label().is_some_and(is_form);
            if is_form && Contact::of(one).is_other {
                return None;
            }
            let known = one.person.and_then(|person| person.user_id.as_ref());
            let id = one.event.user_id.as_ref().or(known)?;
            (id.chars().count() <= ID_CHARS_MAX).then(|| id.clone())
        }
    }
}

fn person_record(person: &People, one: &BatchEvent<'_>) -> Record {
    let mut record = Record::new();
    crm::describe(one, person.object.fields(), &mut record);
    // A user's opt-out of another address does not change the user's own.
    let is_own = person.id == PersonId::Email || !Contact::of(one).is_other;
    if let Some(email) = crm::email(one, EMAIL_CHARS_MAX).filter(|_| is_own) {
        record.insert("Email".to_owned(), email.into());
    }
    let choices = [(OptInChannel::Email, "HasOptedOutOfEmail"), (OptInChannel::Phone, "DoNotCall")];
    for (channel, name) in choices {
        if let Some(is_out) = crm::opted_out(one, channel) {
            record.insert(name.to_owned(), is_out.into());
        }
    }
    if let Some(source) = person.lead_source.as_ref().filter(|_| crm::is_lead(one.event)) {
        record.insert("LeadSource".to_owned(), source.as_str().into());
    }
    record
}

fn touchpoint_record(
    touchpoint: &Touchpoints,
    person: &People,
    id: &str,
    one: &BatchEvent<'_>,
) -> Record {
    let mut record = Record::new();
    let mut put = |name: &str, value: Value| record.insert(name.to_owned(), value);
    let told = crm::touchpoint(one.event);
    if touchpoint.object == "Task" {
        put("Subject", crm::shortened(crm::title(one), 255).into());
        put("Status", "Completed".into());
        put("ActivityDate", date(one.event.occurred_at).into());
        let line = |(name, value): &(&str, Value)| {
            value
                .as_str()
                .map_or_else(|| format!("{name}: {value}"), |text| format!("{name}: {text}"))
        };
        let lines: Vec<String> = told.iter().map(line).collect();
        if !lines.is_empty() {
            put("Description", lines.join("\n").into());
        }
        let type_of = json!({ "type": person.object.name() });
        put("Who", json!({ "attributes": type_of, (person.external_id.as_str()): id }));
        return record;
    }
    put("Name", crm::shortened(crm::title(one), 80).into());
    put("Occurred_At__c", time(one.event.occurred_at).into());
    for (name, value) in told {
        put(&format!("{name}__c"), value);
    }
    if let Some(relationship) = &touchpoint.person {
        put(relationship, json!({ (person.external_id.as_str()): id }));
    }
    record
}

fn order_row(
    orders: &Orders,
    stage: &str,
    at: usize,
    one: &BatchEvent<'_>,
) -> Result<Row, LeftOut> {
    let goods = Commerce::of(one.event);
    let number = goods.order_id.filter(|id| id.chars().count() <= ID_CHARS_MAX);
    let number =
        number.ok_or_else(|| LeftOut::Refused(reason::invalid("an order without an order_id")))?;
    let mut record = Record::new();
    record.insert(STAGE.to_owned(), stage.into());
    // A refund changes the stage alone: what was sold, and when, stays.
    if stage == orders.stage {
        let name = format!("Order {number}");
        record.insert("Name".to_owned(), crm::shortened(&name, 120).into());
        record.insert("CloseDate".to_owned(), date(one.event.occurred_at).into());
        crm::add_money(&mut record, &goods, &orders.currency, "CurrencyIsoCode");
    }
    crm::own_fields(&mut record, one, &orders.object, false);
    Ok(Row { at, key: number.to_owned(), record })
}

/// Refuses fields of a rule that no record has, or that would name another record.
fn check_fields(settings: &Settings, one: &BatchEvent<'_>) -> Result<(), LeftOut> {
    let Settings { person, touchpoint, order, .. } = settings;
    let mut known = vec![(person.object.name(), person.external_id.as_str())];
    known.extend(touchpoint.iter().map(|one| (one.object.as_str(), one.external_id.as_str())));
    known.extend(order.iter().map(|one| (one.object.as_str(), one.external_id.as_str())));
    crm::check_fields(one, &known, &["Id", "attributes"])
}

fn upsert(
    door: &Door,
    (step, object, external_id): (u32, &str, &str),
    rows: Vec<Row>,
) -> MappedRequest {
    let (mut events, mut records) = (Vec::new(), Vec::new());
    for Row { at, key, mut record } in rows {
        record.insert("attributes".to_owned(), json!({ "type": object }));
        record.insert(external_id.to_owned(), key.into());
        events.push(at);
        records.push(Value::Object(record));
    }
    let url = format!("{}/composite/sobjects/{object}/{external_id}", door.base);
    let body = json!({ "allOrNone": false, "records": records });
    let outgoing = Outgoing { method: "PATCH".to_owned(), ..post(url, &door.headers, &body) };
    MappedRequest { outgoing, events, step }
}

/// Makes the request that deletes a person's record. `None` for a person whom Salesforce cannot know.
pub(super) fn deletion(people: &People, door: &Door, person: &Person) -> Option<Outgoing> {
    let known = match people.id {
        PersonId::Email => {
            person.traits.get("email")?.value.as_str().map(|text| text.trim().to_lowercase())
        }
        PersonId::UserId => person.user_id.clone(),
    };
    let id = known.filter(|id| !id.is_empty())?;
    let (object, field) = (people.object.name(), &people.external_id);
    let url = format!("{}/sobjects/{object}/{field}/{}", door.path, escaped(&id));
    let delete = json!({ "method": "DELETE", "url": url, "referenceId": "person" });
    let body = json!({ "allOrNone": false, "compositeRequest": [delete] });
    Some(post(format!("{}/composite", door.base), &door.headers, &body))
}

/// A value as one segment of a path.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A time in Salesforce's form, which has three digits of a second.
fn time(at: Timestamp) -> String {
    let seconds = seconds(at);
    let millis = at.as_millisecond().rem_euclid(1_000);
    format!("{}.{millis:03}Z", seconds.trim_end_matches('Z'))
}

/// The day of a time, in UTC.
fn date(at: Timestamp) -> String {
    seconds(at).split('T').next().unwrap_or_default().to_owned()
}

fn seconds(at: Timestamp) -> String {
    Timestamp::from_second(at.as_millisecond().div_euclid(1_000)).unwrap_or(at).to_string()
}
