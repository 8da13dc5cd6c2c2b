//! What Zoho gets of a batch: records of people, touchpoints and orders, in this order.
//!
//! Events → upserts, one for each step and module.

use hilo_core::consent::OptInChannel;
use hilo_core::event::Event;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::settings::{Orders, People, PersonModule, Settings, Touchpoints};
use crate::forward::destination::{Batch, BatchEvent, LeftOut, MappedRequest, Mapping};
use crate::forward::destinations::answer::post;
use crate::forward::destinations::commerce::Commerce;
use crate::forward::destinations::crm::{
    self, Field, KNOWN, NEW, NEW_ORDERS, ORDERS, Record, Records, Row, TOUCHPOINTS, Waves,
};
use crate::forward::destinations::whole;
use crate::forward::reason;

/// The field of an order's stage.
pub(super) const STAGE: &str = "Stage";

/// The field by which Zoho finds a person.
const EMAIL: &str = "Email";
/// The most characters of it.
const EMAIL_CHARS_MAX: usize = 100;
/// The field that Zoho demands of a new person.
pub(super) const LAST_NAME: &str = "Last_Name";
/// The field that most accounts demand of a new lead.
pub(super) const COMPANY: &str = "Company";

/// Text fields of a lead. Lengths are those of a new account's layout.
const LEADS: [Field; 11] = [
    Field { of: "firstName", name: "First_Name", chars_max: 40 },
    Field { of: "lastName", name: LAST_NAME, chars_max: 80 },
    Field { of: "company", name: COMPANY, chars_max: 200 },
    Field { of: "title", name: "Designation", chars_max: 100 },
    Field { of: "phone", name: "Phone", chars_max: 30 },
    Field { of: "website", name: "Website", chars_max: 255 },
    Field { of: "address.street", name: "Street", chars_max: 250 },
    Field { of: "address.city", name: "City", chars_max: 100 },
    Field { of: "address.state", name: "State", chars_max: 100 },
    Field { of: "address.postalCode", name: "Zip_Code", chars_max: 30 },
    Field { of: "address.country", name: "Country", chars_max: 100 },
];

/// Text fields of a contact. The company is an account, which has an id of its own.
const CONTACTS: [Field; 9] = [
    Field { of: "firstName", name: "First_Name", chars_max: 40 },
    Field { of: "lastName", name: LAST_NAME, chars_max: 80 },
    Field { of: "title", name: "Title", chars_max: 50 },
    Field { of: "phone", name: "Phone", chars_max: 50 },
    Field { of: "address.street", name: "Mailing_Street", chars_max: 250 },
    Field { of: "address.city", name: "Mailing_City", chars_max: 30 },
    Field { of: "address.state", name: "Mailing_State", chars_max: 30 },
    Field { of: "address.postalCode", name: "Mailing_Zip", chars_max: 30 },
    Field { of: "address.country", name: "Mailing_Country", chars_max: 30 },
];

impl PersonModule {
    const fn fields(self) -> &'static [Field] {
        match self {
            PersonModule::Leads => &LEADS,
            PersonModule::Contacts => &CONTACTS,
        }
    }

    /// What Zoho may demand of a new record.
    const fn demanded(self) -> &'static [&'static str] {
        match self {
            PersonModule::Leads => &[LAST_NAME, COMPANY],
            PersonModule::Contacts => &[LAST_NAME],
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
    /// The address before the module.
    pub(super) base: String,
    pub(super) headers: [(&'static str, String); 1],
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
    let mut add = |step, module: &str, by: &str, waves: Waves| {
        for rows in waves {
            requests.push(upsert(door, settings.workflows, (step, module, by), rows));
        }
    };
    let people = settings.person.module.name();
    add(KNOWN, people, EMAIL, records.known);
    add(NEW, people, EMAIL, records.new);
    if let Some(one) = &settings.touchpoint {
        add(TOUCHPOINTS, &one.module, &one.event_id, records.touchpoints);
    }
    if let Some(one) = &settings.order {
        add(ORDERS, &one.module, &one.order_number, records.orders);
        add(NEW_ORDERS, &one.module, &one.order_number, records.new_orders);
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
    let missing = || LeftOut::Skipped(reason::missing_identifier("an e-mail address"));
    let email = crm::email(one, EMAIL_CHARS_MAX).ok_or_else(missing)?;
    check_fields(settings, one)?;
    let row = |(order, stage): (&Orders, &str)| {
        let may_be_refunded = order.refunded_stage.is_some() && stage == order.stage;
        Ok::<_, LeftOut>((order_row(order, stage, at, one)?, may_be_refunded.then_some(STAGE)))
    };
    let order = order.map(row).transpose()?;
    // An opt-out does not wait for an event that tells of the person.
    let is_out = crm::opted_out(one, OptInChannel::Email) == Some(true);
    if tells || (is_out && !records.known.has(&email)) {
        let mut record = person_record(person, one);
        crm::own_fields(&mut record, one, person.module.name(), touchpoint.is_none());
        let demanded = (person.module.demanded(), person.unknown.as_str());
        records.add_person(Row { at, key: email.clone(), record }, demanded, batch);
    }
    if let Some(touchpoint) = touchpoint {
        let mut record = touchpoint_record(touchpoint, &email, one);
        crm::own_fields(&mut record, one, &touchpoint.module, true);
        records.touchpoints.push(Row { at, key: whole::unique_id(one.event), record });
    }
    if let Some((order, guarded)) = order {
        records.add_order(order, guarded, batch);
    }
    Ok(())
}

fn person_record(person: &People, one: &BatchEvent<'_>) -> Record {
    let mut record = Record::new();
    crm::describe(one, person.module.fields(), &mut record);
    if let Some(is_out) = crm::opted_out(one, OptInChannel::Email) {
        record.insert("Email_Opt_Out".to_owned(), is_out.into());
    }
    if let Some(source) = person.lead_source.as_ref().filter(|_| crm::is_lead(one.event)) {
        record.insert("Lead_Source".to_owned(), source.as_str().into());
    }
    record
}

fn touchpoint_record(touchpoint: &Touchpoints, email: &str, one: &BatchEvent<'_>) -> Record {
    let mut record = Record::new();
    record.insert("Name".to_owned(), crm::shortened(crm::title(one), 120).into());
    record.insert("Occurred_At".to_owned(), time(one.event.occurred_at).into());
    for (name, value) in crm::touchpoint(one.event) {
        record.insert(name.to_owned(), value);
    }
    if let Some(field) = &touchpoint.email {
        record.insert(field.clone(), email.into());
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
    let missing = || LeftOut::Refused(reason::invalid("an order without an order_id"));
    let number = goods.order_id.ok_or_else(missing)?;
    let mut record = Record::new();
    record.insert(STAGE.to_owned(), stage.into());
    // A refund changes the stage alone: what was sold, and when, stays.
    if stage == orders.stage {
        let name = format!("Order {number}");
        record.insert("Deal_Name".to_owned(), crm::shortened(&name, 120).into());
        let day = time(one.event.occurred_at);
        record.insert("Closing_Date".to_owned(), day.split('T').next().into());
        crm::add_money(&mut record, &goods, &orders.currency, "Currency");
    }
    crm::own_fields(&mut record, one, &orders.module, false);
    Ok(Row { at, key: number.to_owned(), record })
}

/// Refuses fields of a rule that no record has, or that would name another record.
fn check_fields(settings: &Settings, one: &BatchEvent<'_>) -> Result<(), LeftOut> {
    let Settings { person, touchpoint, order, .. } = settings;
    let mut known = vec![(person.module.name(), EMAIL)];
    known.extend(touchpoint.iter().map(|one| (one.module.as_str(), one.event_id.as_str())));
    known.extend(order.iter().map(|one| (one.module.as_str(), one.order_number.as_str())));
    crm::check_fields(one, &known, &["id"])
}

fn upsert(
    door: &Door,
    workflows: bool,
    (step, module, by): (u32, &str, &str),
    rows: Vec<Row>,
) -> MappedRequest {
    let (mut events, mut records) = (Vec::new(), Vec::new());
    for Row { at, key, mut record } in rows {
        record.insert(by.to_owned(), key.into());
        events.push(at);
        records.push(Value::Object(record));
    }
    let mut body = json!({ "data": records, "duplicate_check_fields": [by] });
    if let Value::Object(body) = &mut body
        && !workflows
    {
        body.insert("trigger".to_owned(), json!([]));
    }
    let url = format!("{}/{module}/upsert", door.base);
    MappedRequest { outgoing: post(url, &door.headers, &body), events, step }
}

/// A time in Zoho's form: whole seconds and an offset in digits.
fn time(at: Timestamp) -> String {
    let whole = Timestamp::from_second(at.as_millisecond().div_euclid(1_000)).unwrap_or(at);
    whole.to_string().replace('Z', "+00:00")
}
