//! The records of Marketo: leads, orders, activities, submitted forms.
//!
//! Events and people → requests. Fields and attributes that are not Marketo's own come from `hilo.toml`, because Marketo refuses a
//! record with an unknown one. Money goes as the number that it is.

use std::collections::BTreeMap;

use hilo_core::consent::OptInChannel;
use hilo_core::event::{Event, EventKind};
use hilo_core::service_cookies::marketo_cookie;
use hilo_core::text::shortened;
use serde_json::{Map, Value, json};

use super::settings::{ACTIVITY, Activity, LEAD, Marketo, NEW_ORDER, ORDER, Orders};
use crate::forward::destination::{Batch, BatchEvent, MappedRequest, Mapping, MissingSecret};
use crate::forward::destinations::commerce::Commerce;
use crate::forward::destinations::contact::{Contact, Group, text, track};
use crate::forward::destinations::crm::{Records, Row};

/// Traits of Segment's spec that are fields of leads, under the same names. Company fields belong to Marketo's companies, and are refused.
const FIELDS: [&str; 4] = ["firstName", "lastName", "phone", "title"];
/// Parts of the trait `address`, and the fields of leads.
const PLACES: [(&str, &str); 5] = [
    ("street", "address"),
    ("city", "city"),
    ("state", "state"),
    ("postalCode", "postalCode"),
    ("country", "country"),
];
/// Channels whose opt-out is a field of leads.
const OPT_OUTS: [(OptInChannel, &str); 2] =
    [(OptInChannel::Email, "unsubscribed"), (OptInChannel::Phone, "doNotCall")];
/// The most attributes of an activity beside the primary one.
const ATTRIBUTES_MAX: usize = 20;
/// The longest text of a field, in bytes.
const TEXT_BYTES_MAX: usize = 255;

/// Whether an event of this name is about an order.
pub(super) fn is_order(name: &str) -> bool {
    status(name).is_some()
}

fn status(name: &str) -> Option<&'static str> {
    match name {
        "Order Completed" => Some("completed"),
        "Order Refunded" => Some("refunded"),
        "Order Cancelled" => Some("cancelled"),
        _ => None,
    }
}

/// Whether the event is a new order.
fn is_new(event: &Event) -> bool {
    track(event).is_some_and(|(name, _)| name == "Order Completed")
}

/// The order's number.
pub(super) fn order_id(event: &Event) -> Option<&str> {
    Commerce::of(event).order_id
}

impl Marketo {
    pub(super) fn leads(
        &self,
        batch: &Batch<'_>,
        groups: &[Group],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        if groups.is_empty() {
            return Ok(());
        }
        let (mut input, mut events) = (Vec::new(), Vec::new());
        for group in groups {
            input.push(Value::Object(group.record(batch, |one| self.lead(one))));
            events.extend(&group.events);
        }
        let mut body = json!({"action": "createOrUpdate", "lookupField": "email", "input": input});
        if let (Some(name), Some(body)) = (&self.partition, body.as_object_mut()) {
            body.insert("partitionName".to_owned(), name.as_str().into());
        }
        let outgoing = self.call("leads", &body, &batch.access)?;
        mapping.requests.push(MappedRequest { outgoing, events, step: LEAD });
        Ok(())
    }

    /// The fields of a lead that one event and its person tell.
    fn lead(&self, one: &BatchEvent<'_>) -> Map<String, Value> {
        let contact = Contact::of(one);
        let mut all = Map::new();
        let own = FIELDS.iter().map(|name| (*name, contact.value(name)));
        let places = PLACES.iter().map(|(from, to)| (*to, contact.place(from)));
        let named = self.fields.iter().map(|(from, to)| (to.as_str(), contact.value(from)));
        for (name, value) in own.chain(places).chain(named) {
            if let Some(value) = value.and_then(plain) {
                all.insert(name.to_owned(), value);
            }
        }
        for (channel, field) in OPT_OUTS {
            if let Some(may_write) = contact.choice(channel) {
                all.insert(field.to_owned(), (!may_write).into());
            }
        }
        if matches!(one.event.kind, EventKind::Identify { .. }) {
            all.extend(one.mapped.fields.clone());
        }
        all
    }

    /// Makes the requests of orders. An order that changed within the batch is in a later request, so that its last state stays.
    pub(super) fn orders(
        &self,
        batch: &Batch<'_>,
        named: &[(usize, String)],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        let Some(orders) = &self.orders else { return Ok(()) };
        let mut records = Records::default();
        for (at, email) in named {
            let Some(one) = batch.events.get(*at) else { continue };
            let Some(order) = order(orders, one, *at, email) else { continue };
            let guarded = orders.status.as_deref().filter(|_| is_new(one.event));
            records.add_order(order, guarded, batch);
        }
        let path = format!("customobjects/{}", orders.object);
        // A refund changes an order that is there. A record that the refund made would have nothing of the order.
        let action = if orders.status.is_some() { "updateOnly" } else { "createOrUpdate" };
        let all = [(ORDER, action, records.orders), (NEW_ORDER, "createOnly", records.new_orders)];
        for (step, action, waves) in all {
            for rows in waves {
                let events = rows.iter().map(|row| row.at).collect();
                let input: Vec<_> = rows.into_iter().map(|row| row.record).collect();
                let body = json!({"action": action, "dedupeBy": "dedupeFields", "input": input});
                let outgoing = self.call(&path, &body, &batch.access)?;
                mapping.requests.push(MappedRequest { outgoing, events, step });
            }
        }
        Ok(())
    }

    /// The activity that an event is, by the name of a rule or else by its own.
    pub(super) fn activity(&self, one: &BatchEvent<'_>) -> Option<&Activity> {
        let renamed = one.mapped.name.as_ref().and_then(|name| self.activities.get(name));
        renamed.or_else(|| self.activity_of(one.event))
    }

    pub(super) fn activities(
        &self,
        batch: &Batch<'_>,
        named: &[(usize, String)],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        let (mut input, mut events) = (Vec::new(), Vec::new());
        for (at, email) in named {
            let Some(one) = batch.events.get(*at) else { continue };
            if self.form(one.event).is_some() {
                continue;
            }
            let Some(activity) = self.activity(one) else { continue };
            // Before the first step nobody knows the lead. Then 0 holds its place, and the request is not sent.
            let lead = batch.found(email).and_then(|id| id.parse::<u64>().ok()).unwrap_or(0);
            input.push(json!({
                "leadId": lead, "activityDate": one.event.occurred_at.to_string(),
                "activityTypeId": activity.r#type, "primaryAttributeValue": primary(activity, one.event),
                "attributes": attributes(activity, one),
            }));
            events.push(*at);
        }
        if !events.is_empty() {
            let outgoing =
                self.call("activities/external", &json!({"input": input}), &batch.access)?;
            mapping.requests.push(MappedRequest { outgoing, events, step: ACTIVITY });
        }
        Ok(())
    }

    /// Makes one request for each form: Marketo takes no more.
    pub(super) fn submissions(
        &self,
        batch: &Batch<'_>,
        named: &[(usize, String)],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        for (at, email) in named {
            let Some(one) = batch.events.get(*at) else { continue };
            let Some(form) = self.form(one.event) else { continue };
            let mut fields = self.lead(one);
            fields.extend(one.mapped.fields.clone());
            fields.insert("email".to_owned(), email.as_str().into());
            let mut submission = json!({"leadFormFields": fields});
            let url = one.event.context.page.as_ref().and_then(|page| page.url.as_deref());
            if let Some(submission) = submission.as_object_mut() {
                let visit = url.map(|url| json!({"pageURL": url}));
                let cookie = self.cookie(one).map(Value::from);
                for (name, value) in [("visitorData", visit), ("cookie", cookie)] {
                    submission.extend(value.map(|value| (name.to_owned(), value)));
                }
            }
            let body = json!({"formId": form, "input": [submission]});
            let outgoing = self.call("leads/submitForm", &body, &batch.access)?;
            mapping.requests.push(MappedRequest { outgoing, events: vec![*at], step: ACTIVITY });
        }
        Ok(())
    }
}

impl Marketo {
    /// The cookie by which Marketo knows the earlier visits of a browser. That of another instance is nobody's here.
    fn cookie(&self, one: &BatchEvent<'_>) -> Option<String> {
        let cookie = marketo_cookie(Contact::of(one).service_id("mkto_trk")?)?;
        let (id, _) = cookie.strip_prefix("id:")?.split_once('&')?;
        id.eq_ignore_ascii_case(&self.munchkin_id).then_some(cookie)
    }
}

/// The record of an order. A refund or a cancellation changes the state only: its amounts are not the order's.
fn order(orders: &Orders, one: &BatchEvent<'_>, at: usize, email: &str) -> Option<Row> {
    let (name, details) = track(one.event)?;
    let status = status(name)?;
    let commerce = Commerce::of(one.event);
    let mut record = Map::new();
    if is_new(one.event) {
        let total = commerce.total.or(commerce.value).cloned().map(Value::Number);
        let currency = commerce.currency.map(Value::from);
        for (field, value) in [(&orders.total, total), (&orders.currency, currency)] {
            if let (Some(field), Some(value)) = (field, value) {
                record.insert(field.clone(), value);
            }
        }
        put(&mut record, &orders.fields, details);
    } else {
        orders.status.as_ref()?;
    }
    if let Some(field) = &orders.status {
        record.insert(field.clone(), status.into());
    }
    record.insert(orders.email.clone(), email.into());
    let key = commerce.order_id?.to_owned();
    record.insert(orders.id.clone(), key.as_str().into());
    Some(Row { at, key, record })
}

/// The primary attribute: it may not be empty.
fn primary(activity: &Activity, event: &Event) -> String {
    let named = activity.primary.as_ref();
    let named = named.and_then(|name| event.kind.details()?.get(name)).and_then(text);
    let commerce = Commerce::of(event);
    let product = commerce.products.first().and_then(|product| product.name.or(product.id));
    let page = event.context.page.as_ref().and_then(|page| page.url.as_deref());
    let page = page.filter(|_| track(event).is_none());
    let known = commerce.order_id.or(product).or(page).or(event.kind.label());
    let value = named.filter(|text| !text.is_empty());
    let value = value.unwrap_or_else(|| known.unwrap_or(event.kind.name()).to_owned());
    shortened(&value, TEXT_BYTES_MAX).to_owned()
}

fn attributes(activity: &Activity, one: &BatchEvent<'_>) -> Vec<Value> {
    let mut all = Map::new();
    if let Some(details) = one.event.kind.details() {
        put(&mut all, &activity.attributes, details);
    }
    if let Some(name) = &activity.event_id {
        all.insert(name.clone(), one.event.message_id.as_str().into());
    }
    all.extend(one.mapped.fields.clone());
    let listed = all.into_iter().take(ATTRIBUTES_MAX);
    listed.map(|(name, value)| json!({"apiName": name, "value": value})).collect()
}

/// Puts the properties that a table names under their other names.
fn put(
    all: &mut Map<String, Value>,
    names: &BTreeMap<String, String>,
    details: &Map<String, Value>,
) {
    for (from, to) in names {
        if let Some(value) = details.get(from).filter(|value| !value.is_null()).and_then(plain) {
            all.insert(to.clone(), value);
        }
    }
}

/// A value as Marketo takes it: a plain one as it is, a list as one text.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(_) | Value::Array(_) => text(value).map(Value::from),
        Value::Object(_) => None,
    }
}
