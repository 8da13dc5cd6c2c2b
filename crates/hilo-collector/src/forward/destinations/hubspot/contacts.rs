//! Contacts of HubSpot: one record per address of e-mail, with the properties that events and people tell.
//!
//! Groups of events → `batch/upsert` requests. All values are texts, as HubSpot wants them. A property that is not among HubSpot's own
//! is sent only if `hilo.toml` names it, because an unknown one refuses the record.

use hilo_core::event::EventKind;
use serde_json::{Map, Value, json};

use super::objects::is_new_order;
use super::settings::{CONTACT, HubSpot};
use crate::forward::destination::{Batch, BatchEvent, MappedRequest, Mapping, MissingSecret};
use crate::forward::destinations::contact::{Contact, Group, text};

/// Traits of Segment's spec, and the properties of HubSpot that have their texts.
const PROPERTIES: [(&str, &str); 6] = [
    ("firstName", "firstname"),
    ("lastName", "lastname"),
    ("phone", "phone"),
    ("title", "jobtitle"),
    ("website", "website"),
    ("company", "company"),
];
/// Parts of the trait `address`, and HubSpot's properties.
const PLACES: [(&str, &str); 5] = [
    ("street", "address"),
    ("city", "city"),
    ("state", "state"),
    ("postalCode", "zip"),
    ("country", "country"),
];

impl HubSpot {
    /// Makes the requests of the contacts. A contact with a new order has a request of its own: the answer to a small one is short
    /// enough to be read whole, and tells the contact's id for the order.
    pub(super) fn contacts(
        &self,
        batch: &Batch<'_>,
        groups: &[Group],
        mapping: &mut Mapping,
    ) -> Result<(), MissingSecret> {
        let is_new = |at: &usize| batch.events.get(*at).is_some_and(|one| is_new_order(one.event));
        let is_alone = |group: &&Group| self.orders && group.events.iter().any(is_new);
        let together: Vec<&Group> = groups.iter().filter(|group| !is_alone(group)).collect();
        let alone: Vec<&Group> = groups.iter().filter(is_alone).collect();
        for groups in alone.chunks(1).chain([together.as_slice()]) {
            if groups.is_empty() {
                continue;
            }
            let (mut inputs, mut events) = (Vec::new(), Vec::new());
            for (place, group) in groups.iter().enumerate() {
                events.extend(&group.events);
                inputs.push(json!({
                    "idProperty": "email", "id": group.email,
                    "properties": group.record(batch, |one| self.properties_of(one)),
                    // An answer in parts names a record by this.
                    "objectWriteTraceId": place.to_string(),
                }));
            }
            let path = format!("crm/objects/{}/contacts/batch/upsert", self.version);
            let outgoing = self.call("POST", &path, &json!({"inputs": inputs}), &batch.access)?;
            mapping.requests.push(MappedRequest { outgoing, events, step: CONTACT });
        }
        Ok(())
    }

    /// The properties that one event and its person tell.
    pub(super) fn properties_of(&self, one: &BatchEvent<'_>) -> Map<String, Value> {
        let contact = Contact::of(one);
        let mut all = Map::new();
        let mut put = |name: &str, value: Option<&Value>| {
            if let Some(text) = value.and_then(text) {
                all.insert(name.to_owned(), text.into());
            }
        };
        for (from, to) in PROPERTIES {
            put(to, contact.value(from));
        }
        for (from, to) in PLACES {
            put(to, contact.place(from));
        }
        put("company", contact.value("company").and_then(|company| company.get("name")));
        for (from, to) in &self.properties {
            put(to, contact.value(from));
        }
        if matches!(one.event.kind, EventKind::Identify { .. }) {
            for (name, value) in &one.mapped.fields {
                put(name, Some(value));
            }
        }
        all
    }
}
